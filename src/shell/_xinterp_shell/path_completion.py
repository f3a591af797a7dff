"""Completion of file names."""

import os
from posixpath import expanduser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_MOST = 1000


def matches(prefix: str, accept: Callable[[str], bool] | None = None) -> list[str]:
    """Files and folders whose path begins like that; folders end with a slash. Only the last part is listed.

    ``accept``: whether a file of that name is wanted; None: only folders are.
    """
    folder, _, begun = prefix.rpartition("/")
    looked_at = expanduser(folder + "/" if prefix.startswith("/") and not folder else folder) or "."
    if "/" not in prefix and prefix.startswith("~"):
        return ["~/"] if prefix == "~" else []
    found = []
    try:
        with os.scandir(looked_at) as entries:
            for entry in entries:
                name = entry.name
                if not name.startswith(begun) or (name.startswith(".") and not begun.startswith(".")):
                    continue
                if entry.is_dir():
                    found.append(name + "/")
                elif accept is not None and accept(name):
                    found.append(name)
                if len(found) == _MOST:
                    break
    except OSError, ValueError:
        return []
    start = prefix[: len(prefix) - len(begun)]
    return sorted(start + name for name in found)


def anything(name: str) -> bool:
    """Every file."""
    return True


def script(name: str) -> bool:
    """What `%run` takes."""
    return name.endswith((".py", ".ipy", ".ipynb"))
