"""Prints what imports find in main and in interpreters of every kind of maker."""

import _interpreters
import concurrent.interpreters

LOOK = """
import __hello__, _bisect, _zoneinfo, colorsys
found = [getattr(module, "shadow", module.__doc__ == "shadow") for module in (__hello__, _bisect, _zoneinfo, colorsys)]
import bisect, sys, zoneinfo
print({place!r}, found, (bisect.bisect_left, zoneinfo.ZoneInfo) != (), {{"_bisect", "_zoneinfo"}} <= set(sys.builtin_module_names))
"""

exec(LOOK.format(place="main"))
concurrent.interpreters.create().exec(LOOK.format(place="concurrent.interpreters"))
for configuration in ("isolated", "legacy"):
    interpreter = _interpreters.create(configuration)
    if failure := _interpreters.exec(interpreter, LOOK.format(place=configuration)):
        print(failure.formatted)
    _interpreters.destroy(interpreter)
