"""Random sequences of create, run, send, receive, close and interrupt from eight threads of one kernel.

Nothing crashes, hangs or is lost. `make soak SECONDS=600` takes longer; SEED=N does what an earlier run did, as far as
the scheduler allows.
"""

import os
import random
import time
from pathlib import Path

import pytest
from harness import Kernel

SECONDS = {"xinterp-hosted": 60.0, "xinterp-embedded": 15.0}
if given := os.environ.get("XINTERP_SOAK_SECONDS"):
    SECONDS = dict.fromkeys(SECONDS, float(given))
SEED = int(os.environ.get("XINTERP_SOAK_SEED") or random.SystemRandom().randrange(2**32))
OPERATIONS = Path(__file__).with_name("operations.py")


@pytest.mark.timeout(max(SECONDS.values()) + 150)
def test_random_operations_from_eight_threads(spec: str) -> None:
    seconds = SECONDS[spec]
    print(f"seed {SEED}: make soak SECONDS={seconds:g} SEED={SEED}")  # shown if it fails
    kernel = Kernel(spec)
    try:
        kernel.client.ok(f"import sys; sys.path.insert(0, {str(OPERATIONS.parent)!r}); import operations")
        cell = kernel.client.send(f"operations.soak({SEED}, {seconds})")
        end = time.monotonic() + seconds + 60
        while not kernel.client.idle(cell):
            kernel.client.read_available(0.5)
            assert kernel.is_alive(), "the kernel died"
            assert time.monotonic() < end, "the kernel hangs"
        result = kernel.client.result(cell)
        assert result.status == "ok", result.traceback
        done = eval(result.value or "")
        print(done)
        assert {"create", "close", "count", "spin", "interrupt", "send", "send_from_there", "receive"} <= done.keys()
        assert {"hand_over", "hand_over_from_there", "take"} <= done.keys()
        assert kernel.client.ok("%interp").status == "ok"
    finally:
        kernel.stop()
