#!/usr/bin/env python3
"""screenshots.py FROM TO: the README's pictures, as the browser tests have left them in FROM, made small."""

import argparse
from pathlib import Path

from PIL import Image

PICTURES = {
    "readme-panel": "panel",
    "readme-compare": "compare",
}
COLOURS = 128


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("destination", type=Path)
    arguments = parser.parse_args()
    for source, name in PICTURES.items():
        picture = Image.open(arguments.source / f"{source}.png").convert("RGB")
        file = arguments.destination / f"{name}.png"
        picture.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
        print(f"{file}: {picture.width} x {picture.height}, {file.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
