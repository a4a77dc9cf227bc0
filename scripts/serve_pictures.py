"""Take pictures of all pages of ``felicity serve --demo``, on a phone and at a desk, light and dark; needs Chromium.

For *Try it* also felicity serve install tryit and felicity detectors install yunet.

python scripts/serve_pictures.py docs/images [ALL]    writes the pictures of docs/serve.md, and all into the folder ALL
"""

from __future__ import annotations

import sys
from pathlib import Path

import skimage
from demo_in_browser import demo_in_browser
from PIL import Image
from playwright.sync_api import Browser

PLACE = "place?name=Market%20(simulated)"
PAGES = {
    "city": "",
    "place": PLACE,
    "compare": "compare?first=Market+%28simulated%29&second=Harbour+%28simulated%29",
    "about": "about",
    "tryit": "tryit",
    "wall": "wall",
    "wall-place": f"wall?{PLACE.partition('?')[2].replace('name', 'place')}",
    "sentence": "embed",
    "badge": "embed?show=badge",
    "sign": "sign.svg",
    "problem": "nothing",
    "sign-in": "sign-in",
}
PHOTOGRAPH = Path(skimage.__file__).parent / "data" / "astronaut.png"
"""Eileen Collins, NASA."""
SIZES = {"phone": (360, 740), "desktop": (1280, 800)}
SHOWN = {
    "city-desktop-light": "serve-city",
    "city-phone-dark": "serve-city-phone",
    "place-desktop-light": "serve-place",
    "compare-desktop-light": "serve-compare",
    "about-desktop-light": "serve-about",
    "sign-in-phone-light": "serve-sign-in",
    "tryit-desktop-light": "serve-tryit",
    "wall-desktop-dark": "serve-wall",
    "sign-desktop-light": "serve-sign",
}
"""Pictures of the docs by the page, size and light that they show."""
ONE_SCREEN = ("city-phone", "wall")


def main() -> None:
    """Serve, take all pictures, and stop."""
    images, everything = Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None
    if everything:
        everything.mkdir(parents=True, exist_ok=True)
    with demo_in_browser("--contact", "space@example.org") as (browser, address):
        for page in PAGES:
            for size in SIZES:
                for light in ("light", "dark"):
                    take(browser, address, f"{page}-{size}-{light}", images, everything)


def take(browser: Browser, address: str, name: str, images: Path, everything: Path | None) -> None:
    """Take one picture, if anybody wants it."""
    if name not in SHOWN and everything is None:
        return
    page_name, size, light = name.rsplit("-", 2)
    width, height = (794, 1123) if page_name == "sign" else SIZES[size]
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme=light,  # type: ignore[arg-type]
        locale="en-GB",
        reduced_motion="reduce",
    )
    page.goto(address + PAGES[page_name])
    if page_name == "tryit":
        for _ in range(5):  # the first ones are slower, while the browser still compiles
            page.set_input_files("input[type=file]", PHOTOGRAPH)
            page.locator("#spent:not(:empty)").wait_for()
    for file in filter(None, (SHOWN.get(name), name if everything else None)):
        path = (images if file in SHOWN.values() else everything or images) / f"{file}.png"
        page.screenshot(path=path, full_page=not name.startswith(ONE_SCREEN) and page_name != "sign")
        Image.open(path).convert("RGB").quantize(256 if page_name == "tryit" else 64).save(path, optimize=True)
    page.close()


if __name__ == "__main__":
    main()
