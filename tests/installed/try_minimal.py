"""The wheel on a machine that has Python, pip and Jupyter and nothing else: `make wheel-test` runs this there.

No pytest is needed; a check that fails ends it.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "kernel"))
from environments import VirtualEnvironment, bare_environment, built_wheel  # noqa: E402
from harness import Kernel  # noqa: E402

CELLS = {
    "main": ("1 + 1", "2"),
    "another interpreter": ("%%interp alice --create\nimport sys, math; math.pi", "3.141592653589793"),
    "libraries beside other copies of them": (
        "import hashlib, ssl, zmq; zmq.Context().socket(zmq.PUSH).bind('inproc://x'); hashlib.sha256(b'').hexdigest()[:8]",
        "'e3b0c442'",
    ),
    "two interpreters at once": ("%%interp main,alice\nprint('here')", None),
}


def main() -> None:
    """All checks, in order."""
    libraries = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    assert "libxeus" not in libraries and shutil.which("c++") is None, "this machine is not minimal"
    with tempfile.TemporaryDirectory() as folder:
        environment = VirtualEnvironment(Path(folder) / "venv", "--system-site-packages")
        environment.install(built_wheel())
        listed = environment.ok("-m", "jupyter_client.kernelspecapp", "list", HOME=folder)
        assert f"xinterp    {environment.folder}/share/jupyter/kernels/xinterp" in listed, listed
        kernel = Kernel([environment.python, "-m", "xinterp"], env=bare_environment(HOME=folder))
        try:
            for what, (code, value) in CELLS.items():
                assert kernel.client.ok(code).value == value, what
            waiting = kernel.client.send("%%interp alice\nimport select\nprint('on')\nselect.select([], [], [], 60)")
            kernel.client.wait_for_text(waiting, "on")
            kernel.client.interrupt()
            assert kernel.client.result(waiting).error == "KeyboardInterrupt: "
            kernel.client.request("shutdown_request", {"restart": False}, "control")
            assert kernel.wait_for_end(10), "it does not end"
        finally:
            kernel.stop()
        console = [environment.python, "-m", "jupyter_console", "--kernel", "xinterp", "--simple-prompt"]
        said = subprocess.run(
            console, input="6 * 7\n", env=bare_environment(HOME=folder), capture_output=True, text=True, timeout=60
        ).stdout
        assert "Out[1]: 42" in said, said
    print(f"wheel: installed and run where there is no xeus, {len(CELLS) + 4} checks passed")


main()
