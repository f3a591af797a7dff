"""The plain text of a result, laid out as IPython does it: what does not fit a line is broken at its items."""

import sys
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

_LINE_WIDTH = 79
_MOST_ITEMS = 1000


class _Group:
    """What is broken at all its places or at none."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.breakables: deque[_Breakable] = deque()
        self.is_broken = False


class _Breakable:
    """A place where a line may end."""

    def __init__(self, separator: str, indentation: int, group: _Group) -> None:
        self.separator = separator
        self.indentation = indentation
        self.group = group
        group.breakables.append(self)


class Printer:
    """What ``_repr_pretty_`` methods are given; with the methods of IPython's RepresentationPrinter that they use."""

    def __init__(self) -> None:
        self._done: list[str] = []
        self._column = 0
        self._pending: deque[str | _Breakable] = deque()  # not known yet whether it fits
        self._pending_width = 0
        self._groups = [_Group(0)]
        self._open: list[list[_Group]] = [[self._groups[0]]]  # groups that may still be broken, by depth
        self._stack: list[int] = []
        self.indentation = 0

    def result(self) -> str:
        self.flush()
        return "".join(self._done)

    def text(self, text: str) -> None:
        """Add text without a break."""
        if not self._pending:
            self._write(text)
            return
        self._pending.append(text)
        self._pending_width += len(text)
        self._break_outer_groups()

    def breakable(self, sep: str = " ") -> None:
        """A separator, or the end of the line if the group does not fit it."""
        group = self._groups[-1]
        if group.is_broken:
            self.break_()
            return
        self._pending.append(_Breakable(sep, self.indentation, group))
        self._pending_width += len(sep)
        self._break_outer_groups()

    def break_(self) -> None:
        """End the line."""
        group = self._next_to_break()
        if group is not None:
            self._break(group)
        self.flush()
        self._new_line(self.indentation)

    def begin_group(self, indent: int = 0, open: str = "") -> None:
        """What follows belongs together, up to ``end_group``."""
        if open:
            self.text(open)
        group = _Group(self._groups[-1].depth + 1)
        self._groups.append(group)
        while group.depth > len(self._open) - 1:
            self._open.append([])
        self._open[group.depth].append(group)
        self.indentation += indent

    def end_group(self, dedent: int = 0, close: str = "") -> None:
        """The end of a group."""
        self.indentation -= dedent
        group = self._groups.pop()
        if not group.breakables:
            self._close(group)
        if close:
            self.text(close)

    def group(self, indent: int = 0, open: str = "", close: str = "") -> Any:
        """A group, for ``with``."""
        from contextlib import contextmanager

        @contextmanager
        def grouped() -> Iterator[None]:
            self.begin_group(indent, open)
            try:
                yield
            finally:
                self.end_group(indent, close)

        return grouped()

    def indent(self, indent: int) -> Any:
        """More indentation, for ``with``."""
        return self.group(indent)

    def flush(self) -> None:
        """Decide about everything that is pending: it stands on this line."""
        while self._pending:
            self._release()

    def pretty(self, obj: object) -> None:
        """Add an object."""
        cycle = id(obj) in self._stack
        self._stack.append(id(obj))
        self.begin_group()
        try:
            self._printer_of(obj)(obj, self, cycle)
        finally:
            self.end_group()
            self._stack.pop()

    def items(self, items: Iterable[Any], add: Callable[[Any], None]) -> None:
        """Add items with commas between them."""
        for index, item in enumerate(items):
            if index:
                self.text(",")
                self.breakable()
            if index == _MOST_ITEMS:
                self.text("...")
                return
            add(item)

    def call(self, name: str, *args: object, **keywords: object) -> None:
        """Add an object as the call that makes it."""

        def add(item: tuple[str, object]) -> None:
            prefix, value = item
            self.begin_group(len(prefix), prefix)
            self.pretty(value)
            self.end_group(len(prefix))

        self.begin_group(len(name) + 1, name + "(")
        named = [(f"{keyword}=", value) for keyword, value in keywords.items()]
        self.items([*(("", arg) for arg in args), *named], add)
        self.end_group(len(name) + 1, ")")

    def _printer_of(self, obj: object) -> Callable[[Any, Printer, bool], None]:
        for cls in type(obj).__mro__:
            if cls in _PRINTERS:
                return _PRINTERS[cls]
            printer = _later_printer(cls)
            if printer is not None:
                return printer
            method = cls.__dict__.get("_repr_pretty_")
            if callable(method):
                return method  # type: ignore[no-any-return]
            if cls is not object and callable(cls.__dict__.get("__repr__")):
                return _print_repr
        return _print_object

    def _write(self, text: str) -> None:
        self._done.append(text)
        self._column += len(text)

    def _new_line(self, indentation: int) -> None:
        self._done.append("\n" + " " * indentation)
        self._column = indentation

    def _release(self) -> None:
        first = self._pending.popleft()
        if isinstance(first, str):
            self._pending_width -= len(first)
            self._write(first)
            return
        self._pending_width -= len(first.separator)
        group = first.group
        group.breakables.popleft()
        if group.is_broken:
            self._new_line(first.indentation)
            return
        if not group.breakables:
            self._close(group)
        self._write(first.separator)

    def _break_outer_groups(self) -> None:
        while self._column + self._pending_width > _LINE_WIDTH:
            group = self._next_to_break()
            if group is None:
                return
            self._break(group)

    def _break(self, group: _Group) -> None:
        while group.breakables:
            self._release()
        while self._pending and isinstance(self._pending[0], str):
            self._release()

    def _next_to_break(self) -> _Group | None:
        for groups in self._open:
            for group in reversed(groups):
                if group.breakables:
                    groups.remove(group)
                    group.is_broken = True
                    return group
            for group in groups:
                group.is_broken = True
            groups.clear()
        return None

    def _close(self, group: _Group) -> None:
        if group in self._open[group.depth]:
            self._open[group.depth].remove(group)


def _print_repr(obj: object, printer: Printer, cycle: bool) -> None:
    printer.begin_group()
    for index, line in enumerate(repr(obj).splitlines()):
        if index:
            printer.break_()
        printer.text(line)
    printer.end_group()


def _print_object(obj: object, printer: Printer, cycle: bool) -> None:
    printer.text(f"<{_full_name(type(obj))} at {id(obj):#x}>")


def _full_name(obj: Any) -> str:
    module, name = getattr(obj, "__module__", None), str(obj.__qualname__)
    return name if module in (None, "builtins") else f"{module}.{name}"


def _sequence_printer(open: str, close: str) -> Callable[[Any, Printer, bool], None]:
    def print_sequence(obj: Any, printer: Printer, cycle: bool) -> None:
        if cycle:
            printer.text(f"{open}...{close}")
            return
        printer.begin_group(len(open), open)
        printer.items(obj, printer.pretty)
        if isinstance(obj, tuple) and len(obj) == 1:
            printer.text(",")
        printer.end_group(len(open), close)

    return print_sequence


def _set_printer(open: str, close: str) -> Callable[[Any, Printer, bool], None]:
    print_items = _sequence_printer(open, close)

    def print_set(obj: Any, printer: Printer, cycle: bool) -> None:
        if not obj:
            printer.text("frozenset()" if isinstance(obj, frozenset) else "set()")
            return
        try:
            items = sorted(obj) if len(obj) < _MOST_ITEMS else obj
        except Exception:
            items = obj
        print_items(items, printer, cycle)

    return print_set


def _print_dict(obj: Any, printer: Printer, cycle: bool) -> None:
    def add(key: object) -> None:
        printer.pretty(key)
        printer.text(": ")
        printer.pretty(obj[key])

    if cycle:
        printer.text("{...}")
        return
    printer.begin_group(1, "{")
    printer.items(obj, add)
    printer.end_group(1, "}")


def _print_type(obj: type, printer: Printer, cycle: bool) -> None:
    if next(cls for cls in type(obj).__mro__ if "__repr__" in cls.__dict__) is not type:
        _print_repr(obj, printer, cycle)
    else:
        printer.text(_full_name(obj))


def _print_function(obj: Any, printer: Printer, cycle: bool) -> None:
    import inspect

    try:
        signature = str(inspect.signature(obj))
    except ValueError:
        signature = ""
    printer.text(f"<function {_full_name(obj)}{signature}>")


def _print_exception(obj: BaseException, printer: Printer, cycle: bool) -> None:
    printer.call(_full_name(type(obj)), *obj.args)


def _print_namespace(obj: Any, printer: Printer, cycle: bool) -> None:
    if cycle:
        printer.text("namespace(...)")
    else:
        printer.call("namespace", **obj.__dict__)


def _print_collection(obj: Any, printer: Printer, cycle: bool) -> None:
    """One of the standard library's collections."""
    import collections

    name = type(obj).__name__
    if cycle:
        printer.text(f"{name}(...)")
    elif isinstance(obj, collections.defaultdict):
        printer.call(name, obj.default_factory, dict(obj))
    elif isinstance(obj, collections.Counter):
        printer.call(name, *([dict(obj.most_common())] if obj else []))
    elif isinstance(obj, collections.deque):
        printer.call(name, list(obj), **({} if obj.maxlen is None else {"maxlen": obj.maxlen}))
    else:
        printer.call(name, *([list(obj.items())] if obj else []))


def _later_printer(cls: type) -> Callable[[Any, Printer, bool], None] | None:
    """For classes of modules that are not imported for this."""
    module = cls.__module__
    if module == "collections" and cls.__name__ in ("OrderedDict", "defaultdict", "Counter", "deque"):
        return _print_collection
    return None


_PRINTERS: dict[type, Callable[[Any, Printer, bool], None]] = {
    list: _sequence_printer("[", "]"),
    tuple: _sequence_printer("(", ")"),
    set: _set_printer("{", "}"),
    frozenset: _set_printer("frozenset({", "})"),
    dict: _print_dict,
    type: _print_type,
    type(_print_type): _print_function,
    type(len): _print_function,
    type(sys.implementation): _print_namespace,
    BaseException: _print_exception,
}


def pretty(obj: object) -> str:
    """The object's plain text."""
    printer = Printer()
    printer.pretty(obj)
    return printer.result()
