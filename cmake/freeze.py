"""freeze.py FOLDER OUTPUT: write the Python modules below FOLDER as a C++ table of frozen modules.

Their code objects bear file names in <angle brackets>: no traceback looks for their source on the user's disk.
"""

import marshal
import sys
from pathlib import Path


def module_name(path: Path) -> tuple[str, bool]:
    """The dotted name of a source file, and whether it is a package."""
    parts = list(path.with_suffix("").parts)
    if parts[-1] == "__init__":
        return ".".join(parts[:-1]), True
    return ".".join(parts), False


def main(folder: Path, output: Path) -> None:
    arrays: list[str] = []
    entries: list[str] = []
    for index, path in enumerate(sorted(folder.rglob("*.py"))):
        name, is_package = module_name(path.relative_to(folder))
        code = marshal.dumps(compile(path.read_bytes(), f"<frozen {name}>", "exec", dont_inherit=True))
        arrays.append(f"const unsigned char module_{index}[] = {{{','.join(map(str, code))}}};")
        entries.append(f'    {{"{name}", module_{index}, {len(code)}, {int(is_package)}}},')
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(
        "#define PY_SSIZE_T_CLEAN\n#include <Python.h>\n\nnamespace {\n"
        + "\n".join(arrays)
        + "\n} // namespace\n\nextern const _frozen xinterp_frozen_modules[] = {\n"
        + "\n".join(entries)
        + "\n    {nullptr, nullptr, 0, 0},\n};\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
