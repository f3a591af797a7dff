"""Starting a kernel the way its kernelspec says, with a clock beside it, and reading what it takes."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bare_client import BareClient, BenchError, Connection
from jupyter_client.kernelspec import KernelSpec, NoSuchKernel
from jupyter_client.manager import KernelManager


def _kilobytes(file: str) -> dict[str, int]:
    """The lines `Name:  123 kB` of a file in /proc."""
    fields = (line.split() for line in Path(file).read_text(encoding="utf-8").splitlines())
    return {field[0].rstrip(":"): int(field[1]) for field in fields if field[-1:] == ["kB"]}


def _family(process: int) -> Iterator[int]:
    """A process and all that it has started."""
    yield process
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        for child in children.read_text(encoding="utf-8").split():
            yield from _family(int(child))


def find_spec(name: str) -> KernelSpec | None:
    """The installed kernelspec, if there is one and its program exists."""
    try:
        manager = KernelManager(kernel_name=name)
        spec = manager.kernel_spec
        command = manager.format_kernel_cmd()
    except NoSuchKernel:
        return None
    return spec if spec is not None and shutil.which(command[0]) else None


def run_python(name: str, *arguments: str) -> str:
    """What the python that a kernelspec names prints, started afresh with these arguments and with no kernel in it."""
    manager = KernelManager(kernel_name=name)
    command = [manager.format_kernel_cmd()[0], *arguments]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)
    if ended.returncode != 0:
        raise BenchError(f"{command[0]} ended with exit status {ended.returncode}")
    return ended.stdout


class RunningKernel:
    """One kernel process and a bare client that was connected to it before it was started."""

    def __init__(self, name: str, folder: Path) -> None:
        self.connection_file = folder / "connection.json"
        connection = Connection.fresh()
        connection.write(self.connection_file)
        manager = KernelManager(kernel_name=name, connection_file=str(self.connection_file))
        spec = manager.kernel_spec
        if spec is None:
            raise BenchError(f"there is no kernelspec {name!r}")
        self._interrupt_mode = spec.interrupt_mode
        self.client = BareClient(connection)
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            manager.format_kernel_cmd(),
            env=os.environ | spec.env | {"JPY_PARENT_PID": str(os.getpid()), "IPYTHONDIR": str(folder / "ipython")},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def interrupt(self) -> None:
        """In the way that the kernelspec asks for, as a front end does it."""
        if self._interrupt_mode == "message":
            self.client.send(self.client.control, "interrupt_request", {})
        else:
            os.killpg(self.process.pid, signal.SIGINT)

    def memory(self) -> tuple[float, float]:
        """Resident and proportional set size of the kernel and of any processes it has started, in MB."""
        sizes = [_kilobytes(f"/proc/{process}/smaps_rollup") for process in _family(self.process.pid)]
        return sum(size["Rss"] for size in sizes) / 1024, sum(size["Pss"] for size in sizes) / 1024

    def peak_memory(self) -> float:
        """The largest resident set that the kernel process has had, in MB."""
        return _kilobytes(f"/proc/{self.process.pid}/status")["VmHWM"] / 1024

    def stop(self) -> None:
        self.client.__exit__(None, None, None)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


@contextlib.contextmanager
def running(name: str) -> Iterator[RunningKernel]:
    """A kernel for one measure: started here, ended when the measure is over."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        kernel = RunningKernel(name, Path(folder))
        try:
            yield kernel
        except BenchError as error:
            if kernel.process.poll() is not None:
                raise BenchError(f"the kernel ended, with exit status {kernel.process.returncode}") from error
            raise
        finally:
            kernel.stop()
