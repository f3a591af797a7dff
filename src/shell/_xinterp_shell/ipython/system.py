"""Commands of ``!`` and ``%pip``: in a terminal of their own, so that they write at once and in colour."""

import os
import signal
import subprocess
import sys

_GRACE = 0.2  # seconds from a command's interrupt to its end


def run_in_terminal(command: str) -> int:
    """Run it in the person's shell, copying what it writes to stdout. Its exit status; a signal's is negative.

    An interrupt is passed on to it.
    """
    ours, theirs = os.openpty()
    try:
        process = subprocess.Popen(
            command,
            shell=True,
            executable=_shell(),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        theirs = -1
        try:
            _copy(ours)
            status = process.wait()
        except KeyboardInterrupt:
            _stop(process)
            os.set_blocking(ours, False)  # somebody whom it has started may keep the terminal for ever
            _copy(ours)
            status = process.wait()
            print("^C")
    finally:
        os.close(ours)
        if theirs != -1:
            os.close(theirs)
    return 128 - status if status > 128 else status


def _shell() -> str | None:
    import shutil

    return shutil.which(os.environ.get("SHELL", "sh"))


def _copy(terminal: int) -> None:
    """Until nobody has the other end any more; of one that does not block, what is there."""
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while True:
        try:
            data = os.read(terminal, 65536)
        except BlockingIOError:
            return
        except OSError as error:
            import errno

            if error.errno != errno.EIO:  # what a terminal says at its end
                raise
            return
        if not data:
            return
        sys.stdout.write(decoder.decode(data).replace("\r\n", "\n"))
        sys.stdout.flush()


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(_GRACE)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
        return
