"""Cut the empty end off a page's picture and write it as a small PNG of 256 colours.

python scripts/crop_picture.py page.png cut.png
"""

from __future__ import annotations

import sys

import numpy as np
from PIL import Image


def main() -> None:
    """Cut and write."""
    page = Image.open(sys.argv[1]).convert("RGB")
    pixels = np.asarray(page).astype(int)
    written = np.flatnonzero((np.abs(pixels - pixels[-1]) > 5).any(axis=(1, 2)))  # the last row is empty
    cut = page.crop((0, 0, page.width, min(int(written[-1]) + 30, page.height)))
    cut.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(sys.argv[2], optimize=True)


if __name__ == "__main__":
    main()
