"""Rich results: how an object becomes a mimebundle, and the functions that show one."""

import _xinterp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# The methods that make a representation: its mime type, and what it may be.
_REPRESENTATIONS: dict[str, tuple[str, tuple[type, ...]]] = {
    "_repr_html_": ("text/html", (str,)),
    "_repr_markdown_": ("text/markdown", (str,)),
    "_repr_svg_": ("image/svg+xml", (str,)),
    "_repr_png_": ("image/png", (bytes, str)),
    "_repr_jpeg_": ("image/jpeg", (bytes, str)),
    "_repr_pdf_": ("application/pdf", (bytes, str)),
    "_repr_latex_": ("text/latex", (str,)),
    "_repr_json_": ("application/json", (list, dict)),
    "_repr_javascript_": ("application/javascript", (str,)),
}
_WITH_PLAIN_REPR = (int, str, float, bool, type(None), bytes, complex)  # needs no layout

Bundle = tuple[dict[str, object], dict[str, object]]


def _method(value: object, name: str) -> object:
    """The object's representation method, or None: for classes, and for objects that claim any attribute."""
    try:
        if getattr(value, "_xinterp_no_such_attribute_", None) is not None:
            return None
        method = getattr(value, name, None)
    except Exception:
        return None
    if issubclass(type(value), type) and getattr(method, "__self__", None) is None:
        return None
    return method if callable(method) else None


def encode(data: object) -> object:
    """What of a mimebundle is bytes, as the protocol has it: base64."""
    if isinstance(data, bytes):
        import base64

        return base64.b64encode(data).decode("ascii")
    return data


def as_json(value: Any) -> object:
    """What a message has for an object of none of JSON's types. ValueError if there is nothing."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return encode(bytes(value))
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "keys"):
        return dict(value)
    if hasattr(value, "__iter__"):
        return list(value)
    for number, convert in (("__index__", int), ("__float__", float)):
        if hasattr(value, number):
            return convert(value)
    raise ValueError(
        f"{value!r} cannot be shown: a message holds what JSON has, and that has no {type(value).__name__}"
    )


def _add(bundle: Bundle, name: str, made: object) -> None:
    """Put what a method has made into the bundle, with the metadata that it may have returned beside it."""
    data, metadata = bundle
    mime_type, types = _REPRESENTATIONS[name]
    extra = None
    if isinstance(made, tuple) and len(made) == 2:
        made, extra = made
    if made is None:
        return
    if not isinstance(made, types):
        raise TypeError(f"{name} returned {type(made).__name__}, not {' or '.join(each.__name__ for each in types)}")
    data[mime_type] = encode(made)
    if extra:
        metadata[mime_type] = extra


def plain_text(value: object) -> str:
    """The object's text, as IPython lays it out."""
    if type(value) in _WITH_PLAIN_REPR:
        return repr(value)
    from .pretty import pretty

    return pretty(value)


def mimebundle(value: object, report_error: object, include: object = None, exclude: object = None) -> Bundle:
    """All representations of an object. A representation that raises is reported and left out."""
    bundle: Bundle = ({}, {})

    def attempt(function: object) -> object:
        try:
            return function()  # type: ignore[operator]
        except NotImplementedError:
            return None
        except Exception as error:
            report_error(error)  # type: ignore[operator]
            return None

    whole = _method(value, "_repr_mimebundle_")
    if whole is not None:
        made = attempt(lambda: whole(include=include, exclude=exclude))  # type: ignore[operator]
        if isinstance(made, tuple) and len(made) == 2:
            bundle[1].update(made[1] or {})
            made = made[0]
        if isinstance(made, dict):
            bundle[0].update({mime_type: encode(data) for mime_type, data in made.items()})
        elif made is not None:
            report_error(TypeError(f"_repr_mimebundle_ returned {type(made).__name__}, not dict"))  # type: ignore[operator]
    for name, (mime_type, _) in _REPRESENTATIONS.items():
        method = _method(value, name) if mime_type not in bundle[0] else None
        if method is not None:
            attempt(lambda name=name, method=method: _add(bundle, name, method()))
    if "text/plain" not in bundle[0]:
        text = attempt(lambda: plain_text(value))
        if text is not None:
            bundle[0]["text/plain"] = text
    if include:
        for mime_type in set(bundle[0]) - set(include):  # type: ignore[call-overload]
            del bundle[0][mime_type]
    if exclude:
        for mime_type in set(exclude) & set(bundle[0]):  # type: ignore[call-overload]
            del bundle[0][mime_type]
    return bundle


class DisplayHandle:
    """What ``display(..., display_id=True)`` returns: shows again, or changes what it has shown."""

    def __init__(self, shower: Displayer, display_id: str | None = None) -> None:
        self._shower = shower
        self.display_id = display_id or _new_id()

    def __repr__(self) -> str:
        return f"<DisplayHandle display_id={self.display_id}>"

    def display(self, obj: object, **kwargs: Any) -> None:
        self._shower.display(obj, display_id=self.display_id, **kwargs)

    def update(self, obj: object, **kwargs: object) -> None:
        self._shower.update_display(obj, display_id=self.display_id, **kwargs)


def _new_id() -> str:
    import os

    return os.urandom(16).hex()


class Displayer:
    """``display`` and its companions, over one way to report an error in somebody's representation."""

    def __init__(self, report_error: object) -> None:
        self._report_error = report_error
        self.formatter: Callable[[object, object, object], Bundle] | None = None  # IPython's, once it has been loaded

    def bundle(self, value: object, include: object = None, exclude: object = None) -> Bundle | None:
        """The object's mimebundle; None if it has shown itself (``_ipython_display_``) or has none."""
        if self.formatter is not None:
            made = self.formatter(value, include, exclude)
            return made if made[0] else None
        method = _method(value, "_ipython_display_")
        if method is not None:
            try:
                method()  # type: ignore[operator]
                return None
            except NotImplementedError:
                pass
            except Exception as error:
                self._report_error(error)  # type: ignore[operator]
        data, metadata = mimebundle(value, self._report_error, include, exclude)
        return (data, metadata) if data else None

    def display(
        self,
        *objs: object,
        include: object = None,
        exclude: object = None,
        metadata: dict[str, object] | None = None,
        transient: dict[str, object] | None = None,
        display_id: str | bool | None = None,
        raw: bool = False,
        clear: bool = False,
        **kwargs: object,
    ) -> DisplayHandle | None:
        """Show objects under the current cell; with ``display_id``, return a handle that can change them."""
        handle = None
        if display_id is not None and display_id is not False:
            handle = DisplayHandle(self, None if display_id is True else str(display_id))
        if clear:
            self.clear_output(wait=True)
        if handle is not None and not objs:  # a place that is filled later
            objs, raw = ({},), True
        self._show("display_data", objs, include, exclude, metadata, transient, handle, raw)
        return handle

    def update_display(self, obj: object, *, display_id: str, **kwargs: object) -> None:
        """Change what has been shown under that ``display_id``, wherever it stands."""
        handle = DisplayHandle(self, display_id)
        options = {"include": None, "exclude": None, "metadata": None, "transient": None, "raw": False, **kwargs}
        self._show(
            "update_display_data",
            (obj,),
            options["include"],
            options["exclude"],
            options["metadata"],  # type: ignore[arg-type]
            options["transient"],  # type: ignore[arg-type]
            handle,
            bool(options["raw"]),
        )

    def clear_output(self, wait: bool = False) -> None:
        """Clear the output of the current cell; with ``wait``, when the next output comes."""
        _xinterp.publish("clear_output", {"wait": bool(wait)})

    def _show(
        self,
        message: str,
        objs: tuple[object, ...],
        include: object,
        exclude: object,
        metadata: dict[str, object] | None,
        transient: dict[str, object] | None,
        handle: DisplayHandle | None,
        raw: bool,
    ) -> None:
        for obj in objs:
            bundle: Bundle | None
            if raw and not isinstance(obj, dict):
                raise TypeError(f"with raw=True, display() shows dicts of representations, not {type(obj).__name__}")
            if raw:
                bundle = {mime_type: encode(data) for mime_type, data in obj.items()}, {}  # type: ignore[attr-defined]
            else:
                bundle = self.bundle(obj, include, exclude)
            if bundle is None:
                continue
            passing = dict(transient or {})
            if handle is not None:
                passing["display_id"] = handle.display_id
            data, own_metadata = bundle
            content = {"data": data, "metadata": {**own_metadata, **(metadata or {})}, "transient": passing}
            _xinterp.publish(message, content)
