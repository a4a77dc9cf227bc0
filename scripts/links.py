"""Check the links of the built site: ``python scripts/links.py site/html``, as ``make docs`` does.

A link within the site leads to a file, and to a place in it if it names one. A link to another host is https and well
formed; nobody is asked, so that the check needs no network. Pages load nothing from other hosts.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "link": "href"}
"""What a browser fetches with a page, by the attribute that names it."""
PLAIN = re.compile(r"http://(127\.0\.0\.1|localhost|purl\.org|www\.w3\.org)\b")
"""Addresses without TLS that are names or this machine."""


class Page(HTMLParser):
    """The links of a page, what it loads, and the places in it that links can name."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.places: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the tag names."""
        given = dict(attrs)
        self.places |= {value for key in ("id", "name") if (value := given.get(key))}
        if tag == "a" and (target := given.get("href")):
            self.links.add(target)
        is_style = tag != "link" or "stylesheet" in (given.get("rel") or "") or "icon" in (given.get("rel") or "")
        if is_style and (target := given.get(LOADED.get(tag, ""))):
            self.loaded.add(target)


@cache
def opened(path: Path) -> Page:
    """Return a page, read once."""
    return Page(path)


def wrong(folder: Path) -> Iterator[str]:
    """Yield a sentence for each link of the site that leads nowhere."""
    for path in sorted(folder.rglob("*.html")):
        page, name = opened(path), path.relative_to(folder)
        for target in sorted(page.links | page.loaded):
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                yield from (f"{name}: {reason}" for reason in _elsewhere(target, target in page.loaded))
                continue
            file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            file = file / "index.html" if file.is_dir() else file
            if not file.is_file():
                yield f"{name}: {target} leads to no file"
            elif parts.fragment and file.suffix == ".html" and unquote(parts.fragment) not in opened(file).places:
                yield f"{name}: {target} names no place in that page"


def _elsewhere(target: str, loaded: bool) -> Iterator[str]:
    parts = urlsplit(target)
    if loaded and parts.scheme != "data":
        yield f"{target} is loaded from another host"
    elif parts.scheme not in ("https", "mailto", "data") and not PLAIN.match(target):
        yield f"{target} is not https"
    elif parts.scheme == "https" and not re.fullmatch(r"[\w-]+(\.[\w-]+)+(:\d+)?", parts.netloc):
        yield f"{target} names no host"


def main() -> int:
    """Print what is wrong; return 1 if anything is."""
    folder = Path(sys.argv[1])
    found = list(wrong(folder))
    links = sum(len(opened(path).links) for path in folder.rglob("*.html"))
    print(*found, f"{links:,} links, {len(found)} wrong", sep="\n")
    return 1 if found or not links else 0


if __name__ == "__main__":
    sys.exit(main())
