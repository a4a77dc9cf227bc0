"""What a first view of each page of ``felicity serve --demo`` costs: bytes over the wire, time until it is readable.

python benchmarks/pages.py [ROUNDS]    needs Chromium; each view has a browser profile of its own, so nothing is cached

The time is the browser's first contentful paint, counted from asking. Beside it stands how long the answer alone takes
(asked by Python), and the ratio of both. Server, browser and this script share the machine.
"""

from __future__ import annotations

import statistics
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from demo_in_browser import demo_in_browser

PAGES = {
    "city": "",
    "place": "place?name=Market%20(simulated)",
    "compare": "compare?first=Market+%28simulated%29&second=Harbour+%28simulated%29",
    "about": "about",
    "wall": "wall",
}
PAINTED = """() => new Promise(done => {
    const found = () => performance.getEntriesByName('first-contentful-paint')[0];
    const look = () => found() ? done(found().startTime) : setTimeout(look, 5);
    look();
})"""


def main() -> None:
    """Serve, view each page again and again, and print medians."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with demo_in_browser("--rate", "0") as (browser, address):
        print(f"{'page':8} {'kB':>6} {'readable ms':>12} {'answer ms':>10} {'ratio':>6}")
        for name, page in PAGES.items():
            views = [view(browser, address + page) for _ in range(rounds)]
            answers = [answer(address + page) for _ in range(rounds)]
            painted, alone = statistics.median(ms for _, ms in views), statistics.median(answers)
            size = max(size for size, _ in views) / 1000
            print(f"{name:8} {size:6.1f} {painted:12.0f} {alone:10.1f} {painted / alone:6.1f}")


def view(browser: Browser, address: str) -> tuple[int, float]:
    """Return bytes over the wire and milliseconds until the first paint of one view."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    session = context.new_cdp_session(page)
    sizes: list[int] = []
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    page.goto(address, wait_until="load")
    painted = float(page.evaluate(PAINTED))
    context.close()
    return sum(sizes), painted


def answer(address: str) -> float:
    """Return milliseconds until a page has arrived whole."""
    begin = time.perf_counter()
    with urllib.request.urlopen(address, timeout=60) as told:
        told.read()
    return 1000 * (time.perf_counter() - begin)


if __name__ == "__main__":
    main()
