"""What the page Try it costs a visitor: bytes until the first answer, and time of search and answer in Chromium.

python benchmarks/tryit.py [ROUNDS]    needs Chromium, felicity serve install tryit, felicity detectors install yunet

The picture is a photograph with one face, shrunk or enlarged to each size. ``library`` is search and answer together by
Felicity itself on one thread, in turn with the browser, and the ratio is the browser's time to it. ``start`` is the
time from choosing the first picture to its answer, with all that is loaded for it. Server, browser and this script
share the machine.
"""

from __future__ import annotations

import io
import statistics
import sys
import time
from pathlib import Path

import cv2
import skimage
from PIL import Image
from playwright.sync_api import Page, Request

from felicity.faces.registry import open_detector
from felicity.imaging.decode import read_image
from felicity.recognition.classifier import Classifier
from felicity.recognition.photograph import read_faces

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from demo_in_browser import demo_in_browser

SIDES = (320, 640, 1280, 4000)


def main() -> None:
    """Serve, choose pictures again and again, and print medians."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with demo_in_browser("--rate", "0") as (browser, address):
        page, asked = browser.new_page(), list[Request]()
        page.on("request", lambda request: asked.append(request))
        page.goto(f"{address}tryit")
        first = sum(map(sent, asked))
        begin = time.perf_counter()
        choose(page, encoded(640))
        started = time.perf_counter() - begin
        whole = sum(map(sent, asked))
        print(f"page {first / 1000:.1f} kB; with everything {whole / 1e6:.2f} MB; start {started:.1f} s")
        print(f"{'side':>5} {'search ms':>10} {'library ms':>11} {'ratio':>6} {'answer ms':>10}")
        for side in SIDES:
            measure(page, side, rounds)


def measure(page: Page, side: int, rounds: int) -> None:
    """Print the medians of one size."""
    content = encoded(side)
    picture, detector = read_image(content), open_detector("yunet", threads=1)
    classifier = Classifier.open("fast", threads=1)
    searches, answers, alone = [], [], []
    for _ in range(rounds):
        search, answer = choose(page, content)
        begin = time.perf_counter()
        assert len(read_faces(picture, classifier, detector)) == 1
        alone.append(1000 * (time.perf_counter() - begin))
        searches.append(search)
        answers.append(answer)
    search, answer, own = (statistics.median(times) for times in (searches, answers, alone))
    print(f"{side:5} {search:10.0f} {own:11.0f} {(search + answer) / own:6.1f} {answer:10.1f}")


def sent(request: Request) -> int:
    """Return the bytes of an answer."""
    answer = request.response()
    return int((answer and answer.header_value("content-length")) or 0)


def choose(page: Page, content: bytes) -> tuple[float, float]:
    """Choose a picture; return the milliseconds of its search and of the answer to its face."""
    page.set_input_files("input[type=file]", {"name": "picture", "mimeType": "image/png", "buffer": content})
    spent = page.locator("#spent:not(:empty)")
    spent.wait_for(timeout=120_000)
    return float(spent.get_attribute("data-search") or 0), float(spent.get_attribute("data-classify") or 0)


def encoded(side: int) -> bytes:
    """Return the photograph in another size."""
    whole = read_image(Path(skimage.__file__).parent / "data" / "astronaut.png")
    stream = io.BytesIO()
    Image.fromarray(cv2.resize(whole, (side, side), interpolation=cv2.INTER_AREA)).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


if __name__ == "__main__":
    main()
