"""python -m xinterp: see launch.py, whose names stay when this module's are cleared."""

import sys

from xinterp.launch import main

sys.exit(main(sys.argv[1:]))
