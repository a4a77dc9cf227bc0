"""Debian's Chromium, driven by Playwright, with a collector of everything that a page may not do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.conftest import absent
from tests.support.command import environment

PHONE, DESKTOP = (360, 740), (1280, 800)
NAMES = ("chromium", "chromium-browser", "google-chrome")
SERIOUS = ("serious", "critical")
IN_ROOT = ["--no-sandbox"] if os.geteuid() == 0 else []
"""Chromium refuses to run as root within its sandbox."""


@contextmanager
def chromium(*flags: str) -> Iterator[Browser]:
    """Open the browser that the system has."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        absent("no Chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*IN_ROOT, *flags])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served(home: Path, *arguments: object) -> Iterator[str]:
    """Run ``felicity serve`` as a process and yield its address, which ends in a slash, or the link that enters."""
    words = [sys.executable, "-W", "error", "-m", "felicity", "serve", "--port", "0", *map(str, arguments)]
    errors = home / "serve.log"
    with (
        errors.open("w") as stderr,
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment(home)) as server,
    ):
        try:
            assert server.stdout
            said = server.stdout.readline().split()
            assert said, errors.read_text()
            yield said[-1]
        finally:
            server.terminate()
            server.wait(20)
            assert "Traceback" not in errors.read_text()


@dataclass
class Tab:
    """A page of the browser. ``wrong``: console errors, failed and foreign requests; ``bytes``: came over the wire."""

    page: Page
    address: str
    wrong: list[str] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    bytes: int = 0

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self._note(message.type in ("error", "warning"), message.text))
        self.page.on("pageerror", lambda error: self._note(True, str(error)))
        self.page.on("request", self._request)
        session = self.page.context.new_cdp_session(self.page)
        session.send("Network.enable")
        session.on("Network.loadingFinished", self._finished)

    def _note(self, wrong: bool, text: str) -> None:
        if wrong:
            self.wrong.append(text)

    def _request(self, request: Any) -> None:
        self.asked.append(request)
        parts = urlsplit(request.url)
        own = parts.scheme in ("data", "blob") or f"{parts.scheme}://{parts.netloc}/" == self.address
        self._note(not own, f"asked another host: {request.url}")

    def _finished(self, event: dict[str, Any]) -> None:
        self.bytes += int(event["encodedDataLength"])

    def goto(self, path: str) -> Page:
        """Open a page of the server, and wait until it is there."""
        answer = self.page.goto(self.address + path.removeprefix("/"), wait_until="load")
        assert answer is not None and answer.status == 200, (path, answer and answer.status)
        return self.page


@contextmanager
def tab(browser: Browser, address: str, *, size: tuple[int, int] = DESKTOP, **more: Any) -> Iterator[Tab]:
    """Open a page at ``size`` in a profile of its own; at the end nothing may have gone wrong."""
    context: BrowserContext = browser.new_context(viewport={"width": size[0], "height": size[1]}, **more)
    try:
        opened = Tab(context.new_page(), address)
        yield opened
        assert not opened.wrong, opened.wrong
    finally:
        context.close()


def check_layout(page: Page) -> None:
    """Nothing is wider than the screen, and no text is cut off at its edge."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{wide} pixels wider than the screen"


def check_axe(page: Page) -> None:
    """No serious finding of axe-core."""
    found = Axe().run(page).response["violations"]
    told = [
        f"{one['id']}: {one['help']}: {node['html'][:160]}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]
    assert told == []
