"""Turns at the GIL for a question that is answered while the interpreter's lane runs Python code.

Whoever gives the GIL up to read a file gets it back when the other thread's turn is over, 5 ms later. The first import
of jedi does so more than a thousand times: with turns of 5 ms it takes ten seconds beside a busy lane, with these two.
"""

import sys

_SHORT = 0.0002  # seconds


class ShortTurns:
    """While this is entered, turns are short."""

    def __enter__(self) -> None:
        self._before = sys.getswitchinterval()
        # Interpreters with one GIL have one interval: only who has shortened it makes it long again.
        self._shortened = self._before > _SHORT
        if self._shortened:
            sys.setswitchinterval(_SHORT)

    def __exit__(self, *_: object) -> None:
        if self._shortened and abs(sys.getswitchinterval() - _SHORT) < 1e-6:  # the cell has not set another
            sys.setswitchinterval(self._before)
