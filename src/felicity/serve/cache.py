"""Cached answers: computed once for any number of callers, and sent again only to those with another version."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_BYTES = 32_000_000
SMALLEST_TO_PACK = 1_000
"""Least size in bytes of a body that is sent compressed to clients that accept it."""


@dataclass(frozen=True)
class Body:
    """The content of an answer. ``headers``: its headers; ``seconds``: how long caches may keep it."""

    content: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: int = 0
    public: bool = False

    def ready(self) -> Ready:
        """Return it as it is sent: with its headers, and compressed if it is large."""
        kept = "no-store" if self.seconds <= 0 else f"{'public' if self.public else 'private'}, max-age={self.seconds}"
        headers = {"Cache-Control": kept, "Vary": "Accept-Encoding, Accept-Language, Authorization, Cookie"}
        return made_ready(self.content, self.media_type, headers | dict(self.headers))

    def response(self, request: Request) -> Response:
        """Answer ``request`` with the body; see ``Ready.response``."""
        return self.ready().response(request)


@dataclass(frozen=True)
class Ready:
    """An answer whose bytes are ready to be sent; ``is_packed``: compressed with gzip."""

    tag: str
    media_type: str
    headers: Mapping[str, str]
    data: bytes
    is_packed: bool

    @property
    def content(self) -> bytes:
        """Return the content, not compressed."""
        return gzip.decompress(self.data) if self.is_packed else self.data

    def response(self, request: Request) -> Response:
        """Answer ``request``: completely, compressed, or not at all if the client has the same already."""
        if known := request.headers.get("if-none-match"):
            tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
            if "*" in tags or self.tag in tags:
                return Response(status_code=304, headers=dict(self.headers))
        if self.is_packed and "gzip" in request.headers.get("accept-encoding", ""):
            headers = {**self.headers, "Content-Encoding": "gzip"}
            return Response(self.data, media_type=self.media_type, headers=headers)
        return Response(self.content, media_type=self.media_type, headers=dict(self.headers))


def made_ready(content: bytes, media_type: str, headers: Mapping[str, str]) -> Ready:
    """Return content as it is sent, with an ``ETag`` of its own: weak, the same whether compressed or not."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    headers = {**headers, "ETag": f"W/{tag}"}
    if len(content) < SMALLEST_TO_PACK:
        return Ready(tag, media_type, headers, content, is_packed=False)
    return Ready(tag, media_type, headers, gzip.compress(content, 5, mtime=0), is_packed=True)


@dataclass(frozen=True)
class _Entry:
    until: float
    version: str
    ready: Ready


class Kept:
    """A cache of answers, of at most ``most_bytes`` together; on one key one thread works at a time."""

    def __init__(self, most_bytes: int = MOST_BYTES, now: Callable[[], float] = monotonic) -> None:
        self._most, self._now = most_bytes, now
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._bytes = 0
        self._working: dict[Hashable, tuple[threading.Lock, int]] = {}

    def get(self, key: Hashable, make: Callable[[], Body], seconds: float, version: Callable[[], str]) -> Ready:
        """Return the answer of ``key``; make it if there is none, or only one of another ``version``.

        For ``seconds`` after a look at the version, it is taken for the same. Errors of ``make`` are not kept.
        """
        if (found := self._find(key)) is not None and found.until > self._now():
            return found.ready
        with _Turn(self._lock, self._working, key):
            if (found := self._find(key)) is not None and found.until > self._now():
                return found.ready
            present = version()
            ready = found.ready if found is not None and found.version == present else make().ready()
            self._put(key, _Entry(self._now() + seconds, present, ready))
            return ready

    def _find(self, key: Hashable) -> _Entry | None:
        with self._lock:
            if (found := self._entries.get(key)) is not None:
                self._entries.move_to_end(key)
            return found

    def _put(self, key: Hashable, made: _Entry) -> None:
        with self._lock:
            if (old := self._entries.pop(key, None)) is not None:
                self._bytes -= len(old.ready.data)
            self._entries[key] = made
            self._bytes += len(made.ready.data)
            while self._bytes > self._most and self._entries:
                _, gone = self._entries.popitem(last=False)
                self._bytes -= len(gone.ready.data)


class _Turn:
    """Waits until nobody else works on a key."""

    def __init__(
        self, lock: threading.Lock, working: dict[Hashable, tuple[threading.Lock, int]], key: Hashable
    ) -> None:
        self._lock, self._working, self._key = lock, working, key

    def __enter__(self) -> None:
        with self._lock:
            own, waiting = self._working.get(self._key, (threading.Lock(), 0))
            self._working[self._key] = own, waiting + 1
        own.acquire()

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            own, waiting = self._working[self._key]
            if waiting == 1:
                del self._working[self._key]
            else:
                self._working[self._key] = own, waiting - 1
        own.release()
