"""High-level tools for working with interpreters: creating them, running code in them, and channels between them.

It is a wrapper around the low-level ``_interpreters`` module. Channels are the kernel's: blocking waits take no time of
the processor, wake at once, and end when they are interrupted.

>>> numbers, sender = interpreters.create_channel()
>>> worker = interpreters.create()
>>> worker.run("print('in the worker')")
in the worker
>>> worker.close()
"""

import _interpreters
import _xinterp
from _interpreters import RunFailedError  # type: ignore[attr-defined]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "ChannelEmptyError",
    "ChannelError",
    "ChannelNotEmptyError",
    "ChannelNotFoundError",
    "Interpreter",
    "NotReceivedError",
    "RecvChannel",
    "RunFailedError",
    "SendChannel",
    "create",
    "create_channel",
    "get_current",
    "get_main",
    "is_shareable",
    "list_all",
    "list_all_channels",
]


class ChannelError(Exception):
    """The base class for all channel-related exceptions."""


class ChannelNotFoundError(ChannelError):
    """The identified channel is not found: it was closed, or never was."""


class ChannelEmptyError(ChannelError):
    """The channel is unexpectedly empty: those that have sent to it are gone."""


class ChannelNotEmptyError(ChannelError):
    """The channel is unexpectedly not empty."""


class NotReceivedError(ChannelError):
    """Nothing was waiting to receive a sent object."""


_xinterp.channel_errors((ChannelNotFoundError, ChannelEmptyError, ChannelNotEmptyError, NotReceivedError))


class Interpreter:
    """A single interpreter. One that Python code has created is destroyed when no such object is left of it."""

    __slots__ = ("_counted", "_id")

    def __init__(self, id: int, /) -> None:
        self._counted = False
        self._id = _checked(id)
        _interpreters.whence(self._id)  # raises for one that does not exist
        if self._id != _interpreters.get_main()[0]:
            _interpreters.incref(self._id)
            self._counted = True

    def __del__(self, decref: Any = _interpreters.decref) -> None:
        if getattr(self, "_counted", False):
            self._counted = False
            try:
                decref(self._id)
            except Exception:  # it has been destroyed
                pass

    @property
    def id(self) -> int:
        """Its number, which no other interpreter of the process ever has."""
        return self._id

    def __repr__(self) -> str:
        return f"Interpreter({self._id})"

    def __eq__(self, other: object) -> bool:
        return other._id == self._id if isinstance(other, Interpreter) else NotImplemented

    def __hash__(self) -> int:
        return hash((Interpreter, self._id))

    def __reduce__(self) -> tuple[type[Interpreter], tuple[int]]:
        return Interpreter, (self._id,)

    def is_running(self) -> bool:
        """Whether the identified interpreter is running."""
        return _interpreters.is_running(self._id)

    def close(self) -> None:
        """Destroy the interpreter. RuntimeError if it is the current one."""
        if self._id == _interpreters.get_current()[0]:
            raise RuntimeError(f"interpreter {self._id} is the current one, which cannot destroy itself.")
        _interpreters.destroy(self._id)

    def run(self, src: str, /, *, channels: tuple[RecvChannel, SendChannel] | None = None) -> None:
        """Run the given source code in the interpreter; this blocks the current thread until it is done.

        ``channels`` are bound there, in ``__main__``, as ``recv_channel`` and ``send_channel``.

        >>> results, sender = interpreters.create_channel()
        >>> tasks, tasks_sender = interpreters.create_channel()
        >>> worker = interpreters.create()
        >>> code = "send_channel.send(6 * 7)"
        >>> import threading
        >>> thread = threading.Thread(target=worker.run, args=(code,), kwargs={"channels": (tasks, sender)})
        >>> thread.start()
        >>> results.recv()
        42
        >>> thread.join()
        """
        if channels is not None:
            receiving, sending = channels
            if not (isinstance(receiving, RecvChannel) and isinstance(sending, SendChannel)):
                raise TypeError("channels must be a RecvChannel and a SendChannel, in this order.")
            ends = f"__import__('interpreters')._ends({receiving.id}, {sending.id})"
            self._run(f"recv_channel, send_channel = {ends}")
        self._run(src)

    def _run(self, source: str) -> None:
        excinfo: Any = _interpreters.exec(self._id, source)
        if excinfo is not None:
            error = RunFailedError(excinfo.formatted)
            error.excinfo = excinfo
            error.add_note(f"Uncaught in the interpreter:\n\n{excinfo.errdisplay.rstrip()}")
            raise error


class _End:
    """One end of a channel. The channel exists as long as there is an object of an end of it, in any interpreter."""

    __slots__ = ("__weakref__", "_hold", "_id")
    _sends: bool

    def __init__(self, id: int, /) -> None:
        self._id = _checked(id)
        self._hold = _xinterp.channel_hold(self._id)

    @property
    def id(self) -> int:
        """The channel's number, which both ends have."""
        return self._id

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._id})"

    def __eq__(self, other: object) -> bool:
        return other._id == self._id if type(other) is type(self) else NotImplemented  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self), self._id))

    def __reduce__(self) -> tuple[type[_End], tuple[int]]:
        _xinterp.channel_accompany(self._id)
        return type(self), (self._id,)

    def release(self) -> None:
        """Use this end no more in this interpreter, which does not count as its sender or receiver from now on."""
        _xinterp.channel_release(self._id, self._sends)

    def close(self, force: bool = False) -> None:
        """Close the channel, for all interpreters.

        ChannelNotEmptyError if objects wait in it, unless ``force`` discards them.
        """
        _xinterp.channel_close(self._id, force)


class RecvChannel(_End):
    """The receiving end of a channel."""

    __slots__ = ()
    _sends = False

    def recv(self, timeout: float | None = None) -> Any:
        """Get the next object from the channel, and wait if none have been sent; TimeoutError after so many seconds.

        Associate the interpreter with the channel.
        """
        return _xinterp.channel_receive(self._id, timeout)

    def recv_nowait(self, default: Any = None) -> Any:
        """Like recv(), but return the default instead of waiting.

        >>> r, s = interpreters.create_channel()
        >>> r.recv_nowait("nothing yet")
        'nothing yet'
        """
        return _xinterp.channel_receive_nowait(self._id, default)


class SendChannel(_End):
    """The sending end of a channel."""

    __slots__ = ()
    _sends = True

    def send(self, obj: object, timeout: float | None = None) -> None:
        """Send the object to the receiving end and wait until it is received; TimeoutError after so many seconds.

        Associate the interpreter with the channel.
        """
        _xinterp.channel_send(self._id, obj, timeout)

    def send_nowait(self, obj: object) -> bool:
        """Like send(), but return False, and leave nothing behind, if nobody is waiting to receive the object.

        >>> r, s = interpreters.create_channel()
        >>> s.send_nowait("news")
        False
        """
        return _xinterp.channel_send_nowait(self._id, obj)


_xinterp.channel_register_end(RecvChannel)
_xinterp.channel_register_end(SendChannel)


def _checked(id: object) -> int:
    """The number, which must be an int; anything else is named."""
    if not isinstance(id, int) or isinstance(id, bool):
        raise TypeError(f"id must be an int, not {type(id).__name__}.")
    return int(id)


def _ends(receiving: int, sending: int) -> tuple[RecvChannel, SendChannel]:
    return RecvChannel(receiving), SendChannel(sending)


def is_shareable(obj: object) -> bool:
    """Whether the object's data can be shared between interpreters; other objects are pickled when they are sent.

    >>> interpreters.is_shareable("text"), interpreters.is_shareable(["text"])
    (True, False)
    """
    return _xinterp.is_shareable(obj)


def create_channel() -> tuple[RecvChannel, SendChannel]:
    """Create a new channel for passing data between interpreters.

    >>> interpreters.create_channel()
    (RecvChannel(1), SendChannel(1))
    """
    id = _xinterp.channel_create()
    return _ends(id, id)


def list_all_channels() -> list[tuple[RecvChannel, SendChannel]]:
    """All open channels."""
    found = []
    for id in _xinterp.channel_list():
        try:
            found.append(_ends(id, id))
        except ChannelNotFoundError:  # closed since
            pass
    return found


def create(*, isolated: bool = True) -> Interpreter:
    """Initialize a new (idle) Python interpreter; one that is not isolated shares main's GIL and modules.

    >>> worker = interpreters.create()
    >>> worker, worker.is_running()
    (Interpreter(1), False)
    """
    id = _interpreters.create("isolated" if isolated else "legacy", reqrefs=True)
    return Interpreter(id)


def get_current() -> Interpreter:
    """The currently running interpreter."""
    return Interpreter(_interpreters.get_current()[0])


def get_main() -> Interpreter:
    """The main interpreter."""
    return Interpreter(_interpreters.get_main()[0])


def list_all() -> list[Interpreter]:
    """All existing interpreters."""
    found = []
    for id, _ in _interpreters.list_all(require_ready=True):
        try:
            found.append(Interpreter(id))
        except _interpreters.InterpreterNotFoundError:  # destroyed since
            pass
    return found
