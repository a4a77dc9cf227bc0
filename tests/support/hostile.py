"""Files of strangers that cost the most their kind can, and the work that reads each of them."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tests.support import networks

PICTURE = """
import sys
from felicity.errors import ImageError
from felicity.imaging.decode import read_image
try: print(read_image(sys.argv[1]).shape)
except ImageError as error: print(error)
"""
COMMAND = """
import sys
from felicity.__main__ import main
sys.argv = ["felicity", *sys.argv[1:]]
main()
"""


@dataclass(frozen=True)
class Hostile:
    """``make`` writes the file; ``code`` reads it, its ``words`` with the file for ``{}``; ``said``: in the answer."""

    kind: str
    limit: str
    make: Callable[[Path], None]
    code: str
    words: tuple[str, ...]
    said: str
    name: str


def _picture(name: str, side: tuple[int, int], mode: str = "RGB", said: str = "", **options: object) -> Hostile:
    def make(path: Path) -> None:
        Image.new(mode, side).save(path, **options)

    limit = "120 million pixels" if name.endswith(".jpg") else "30 million pixels"
    return Hostile(f"picture, {name.rpartition('.')[2].upper()}", limit, make, PICTURE, ("{}",), said, name)


def _scans(path: Path) -> None:
    """A progressive JPEG whose last scan comes again and again."""
    file = io.BytesIO()
    Image.new("RGB", (10_000, 10_000)).save(file, "JPEG", progressive=True, quality=30)
    content = file.getvalue()
    last = content.rindex(b"\xff\xda")
    path.write_bytes(content[:last] + content[last:-2] * 240 + b"\xff\xd9")


def _zip_of_pictures(path: Path) -> None:
    file = io.BytesIO()
    Image.new("RGBA", (10_900, 10_900)).save(file, "PNG")
    largest = io.BytesIO()
    Image.new("RGB", (5000, 5000)).save(largest, "PNG")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(8):
            archive.writestr(f"happy/{number}.png", largest.getvalue() if number % 2 else file.getvalue())


def _zip_of_nothing(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(300_000):
            archive.writestr(zipfile.ZipInfo(f"happy/{number}.txt"), b"")


def _motion_jpeg(path: Path) -> None:
    """An AVI of 64 by 48 whose frames say that they are 65,500 by 65,500."""
    import av
    import numpy as np

    with av.open(str(path), "w", format="avi") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    content = path.read_bytes()
    at = content.find(b"\xff\xc0")
    while at > 0:
        content = content[: at + 5] + struct.pack(">HH", 65_500, 65_500) + content[at + 9 :]
        at = content.find(b"\xff\xc0", at + 9)
    path.write_bytes(content)


def _bundle(network: Callable[[], bytes]) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        networks.bundle_of(network(), path)

    return make


INSPECT = ("data", "inspect", "{}", "--workers", "1")
WATCH = ("watch", "{}", "-l", "Here", "--store", "{}.db")
VERIFY = ("bundle", "verify", "{}")
FILES = {
    "jpeg": _picture("a.jpg", (12_000, 9_990), said="(9990, 12000, 3)", quality=30),
    "scans": Hostile("picture, JPEG", "60 scans", _scans, PICTURE, ("{}",), "more than 60 scans", "scans.jpg"),
    "webp": _picture("a.webp", (6_000, 5_000), "RGBA", "(5000, 6000, 3)", method=0),
    "avif": _picture("a.avif", (6_000, 5_000), "RGBA", "(5000, 6000, 3)", speed=10),
    "large avif": _picture("b.avif", (10_900, 10_900), "RGB", "more than the 30,000,000 allowed", speed=10),
    "png": _picture("a.png", (6_000, 5_000), "RGBA", "(5000, 6000, 3)", compress_level=1),
    "zip of pictures": Hostile(
        "data set", "25 million pixels an image", _zip_of_pictures, COMMAND, INSPECT, "images", "set.zip"
    ),
    "zip of nothing": Hostile("data set", "500,000 files", _zip_of_nothing, COMMAND, INSPECT, "formats", "empty.zip"),
    "video": Hostile("video", "36 million pixels", _motion_jpeg, COMMAND, WATCH, "error", "film.avi"),
    "network": Hostile(
        "bundle", "1 GB and 20 s in a trial", _bundle(lambda: networks.with_large_constant(60_000)), COMMAND, VERIFY,
        "is refused", "large",
    ),
    "loop": Hostile(
        "bundle", "no graphs within operators", _bundle(lambda: networks.with_loop(2**62)), COMMAND, VERIFY,
        "is refused", "loop",
    ),
}  # fmt: skip
QUICK = ("scans", "webp", "avif", "large avif", "video", "network", "loop")
"""What the default tests measure; ``make limits`` measures all."""
