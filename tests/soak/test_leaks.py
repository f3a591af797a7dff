"""What Python code creates and ends leaves no memory behind."""

from pathlib import Path

import pytest
from harness import Kernel

MB = 1024 * 1024

CREATE_AND_DESTROY = """
import _interpreters
for i in range({}):
    made = _interpreters.create()
    _interpreters.run_string(made, 'x = [str(i) for i in range(1000)]')
    _interpreters.destroy(made)
"""
EXECUTOR = """
from concurrent.futures import InterpreterPoolExecutor
for i in range({}):
    with InterpreterPoolExecutor(1) as pool:
        assert pool.submit(pow, 2, i).result() == 2 ** i
"""


def resident(kernel: Kernel) -> int:
    return int(Path(f"/proc/{kernel.pid}/statm").read_text().split()[1]) * 4096


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("code", "cycles"), [(CREATE_AND_DESTROY, 2000), (EXECUTOR, 500)], ids=["create", "executor"])
def test_cycles_leave_no_memory_behind(code: str, cycles: int) -> None:
    kernel = Kernel("xinterp")
    try:
        for _ in range(2):
            kernel.client.ok(code.format(50))
        before = resident(kernel)
        for _ in range(cycles // 50):
            kernel.client.ok(code.format(50))
        assert resident(kernel) - before < 10 * MB
    finally:
        kernel.stop()
