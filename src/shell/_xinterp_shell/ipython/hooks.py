"""Hooks that see, change or take messages before they are sent, as ipykernel's publishers have them."""

import datetime
import threading
import uuid
from collections.abc import Callable
from typing import Any

import _xinterp

from ..kernel_object import kernel

type Message = dict[str, Any]
type Hook = Callable[[Message], Message | None]


class _OfThread(threading.local):
    def __init__(self) -> None:
        self.hooks: list[Hook] = []


class MessageHooks:
    """For a publisher of IPython's. Hooks belong to the thread that registers them."""

    def __init__(self, *args: object, **options: object) -> None:
        self._of_thread = _OfThread()
        super().__init__(*args, **options)

    def register_hook(self, hook: Hook) -> None:
        """From now on the hook gets each message; what it returns is sent instead, and nothing if that is None."""
        self._of_thread.hooks.append(hook)

    def unregister_hook(self, hook: Hook) -> bool:
        """Whether the hook was there."""
        if hook not in self._of_thread.hooks:
            return False
        self._of_thread.hooks.remove(hook)
        return True

    def send(self, kind: str, content: dict[str, Any]) -> None:
        """Send a message of the running cell, if no hook takes it."""
        if not self._of_thread.hooks:
            _xinterp.publish(kind, content)
            return
        message = _message(kind, content)
        for hook in [*self._of_thread.hooks]:
            changed = hook(message)
            if changed is None:
                return
            message = changed
        _xinterp.publish(kind, message["content"], message.get("metadata"), message.get("buffers"))


def _message(kind: str, content: dict[str, Any]) -> Message:
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": kind,
        "username": "kernel",
        "session": kernel.about["session"],
        "date": datetime.datetime.now(datetime.UTC),
        "version": "5.5",
    }
    return {
        "header": header,
        "msg_id": header["msg_id"],
        "msg_type": kind,
        "parent_header": kernel.get_parent()["header"],
        "content": content,
        "metadata": {},
        "buffers": [],
    }
