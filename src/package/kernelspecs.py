"""python -m xinterp install: kernelspecs for this python, beside the one that the package brings."""

import argparse
import importlib.util
import json
import os
import re
import shlex
import shutil
import sys
from pathlib import Path

LAUNCHER = """\
#!/bin/sh
# Starts the kernel in the Python that it was installed from. -P: no module is taken from the notebook's folder.
python={python}
if [ ! -x "$python" ]; then
    echo "xinterp: the Python of this kernel is gone: $python" >&2
    echo "Install the kernel from another one:  python -m xinterp install --name {name}" >&2
    echo "or remove it:  jupyter kernelspec remove {name}" >&2
    exit 1
fi
exec "$python" -P -m xinterp "$@"
"""


class InstallError(Exception):
    """A kernelspec that could not be made: one or two plain lines."""


def _user_folder() -> Path:
    """Where Jupyter looks for the user's own kernels."""
    if folder := os.environ.get("JUPYTER_DATA_DIR"):
        return Path(folder)
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "jupyter"


def install(data_folder: Path, name: str, display_name: str | None) -> tuple[Path, bool]:
    """Make the kernelspec ``name`` below a Jupyter data folder; return its folder, and whether it replaced another.

    Raises InstallError for a name that Jupyter would not accept and for a folder that cannot be written to.
    """
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name):
        raise InstallError(
            f"{name!r} cannot be a kernel's name: letters, digits and . _ - only, for example xinterp-2."
        )
    name = name.lower()  # as Jupyter knows it
    source = Path(__file__).with_name("kernelspec")
    folder = data_folder / "kernels" / name
    spec = json.loads((source / "kernel.json").read_text(encoding="utf-8"))
    spec["argv"] = ["{resource_dir}/launch", "-f", "{connection_file}"]
    spec["display_name"] = display_name or spec["display_name"]
    spec["metadata"]["debugger"] = importlib.util.find_spec("debugpy") is not None
    launcher = folder / "launch"
    try:
        replaced = folder.exists()
        if folder.is_symlink():
            folder.unlink()
        elif replaced:
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        shutil.copy(source / "logo-svg.svg", folder)
        launcher.write_text(LAUNCHER.format(python=shlex.quote(sys.executable), name=name), encoding="utf-8")
        launcher.chmod(0o755)
        (folder / "kernel.json").write_text(json.dumps(spec, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise InstallError(
            f"cannot write to {error.filename or folder}: {error.strerror or error}.\n"
            "Install for yourself with --user, into this environment with --sys-prefix, or into another folder of "
            "yours with --prefix FOLDER."
        ) from error
    return folder, replaced


def main(arguments: list[str]) -> int:
    """The command line; returns an exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m xinterp install",
        description="Make a kernelspec that runs the kernel in this very python.",
        epilog="`jupyter kernelspec list` shows what there is, `jupyter kernelspec remove NAME` removes one.",
    )
    places = parser.add_mutually_exclusive_group()
    places.add_argument("--user", action="store_true", help="for you, in every Jupyter of yours (the default)")
    places.add_argument("--sys-prefix", action="store_true", help=f"for this python's environment, {sys.prefix}")
    places.add_argument("--prefix", type=Path, metavar="P", help="below the folder P")
    parser.add_argument("--name", default="xinterp", help="what Jupyter calls it (default: %(default)s)")
    parser.add_argument("--display-name", metavar="D", help="what people see (default: the Python's version)")
    options = parser.parse_args(arguments)

    if options.prefix or options.sys_prefix:
        data_folder = Path(options.prefix or sys.prefix).absolute() / "share" / "jupyter"
    else:
        data_folder = _user_folder()
    try:
        folder, replaced = install(data_folder, options.name, options.display_name)
    except InstallError as error:
        print(f"xinterp: {error}", file=sys.stderr)
        return 1
    print(f"{'replaced' if replaced else 'installed'} the kernelspec {folder.name} in {folder}")
    return 0
