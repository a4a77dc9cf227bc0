"""The pages of ``felicity serve --demo`` in Chromium, for pictures and measurements of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright


@contextmanager
def demo_in_browser(*options: str) -> Iterator[tuple[Browser, str]]:
    """Yield Chromium and the address of a server with further ``options``, which ends with a slash; end both after."""
    words = [sys.executable, "-m", "felicity", "serve", "--demo", "--port", "0", *options]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server, sync_playwright() as playwright:
        assert server.stdout is not None
        address = server.stdout.readline().split()[-1]
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser, address
        finally:
            browser.close()
            server.terminate()
