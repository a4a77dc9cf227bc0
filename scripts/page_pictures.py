"""Take pictures of a page: whole, its first screen on a phone, a tablet in the dark and a desk, and its first print.

python scripts/page_pictures.py PAGE.html PREFIX    writes PREFIX.png, PREFIX-360.png, ...; needs Chromium and poppler
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

SCREENS = {
    "": (780, 900, "light"),
    "-360": (360, 740, "light"),
    "-820-dark": (820, 1180, "dark"),
    "-1600": (1600, 900, "light"),
}


def main() -> None:
    """Write all pictures of one page."""
    page_file, prefix = Path(sys.argv[1]).resolve(), sys.argv[2]
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as work:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for name, (width, height, light) in SCREENS.items():
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=light)  # type: ignore[arg-type]
            page.goto(page_file.as_uri())
            page.screenshot(path=f"{prefix}{name}.png", full_page=not name)
            page.close()
        page = browser.new_page()
        page.goto(page_file.as_uri())
        page.pdf(path=f"{work}/page.pdf", prefer_css_page_size=True)
        subprocess.run(
            [
                "pdftoppm",
                "-png",
                "-r",
                "60",
                "-f",
                "1",
                "-l",
                "1",
                "-singlefile",
                f"{work}/page.pdf",
                f"{prefix}-print",
            ],
            check=True,
        )
        browser.close()
    for name in (*SCREENS, "-print"):
        file = f"{prefix}{name}.png"
        Image.open(file).convert("RGB").quantize(64).save(file, optimize=True)


if __name__ == "__main__":
    main()
