"""The page on which visitors try the network on a picture of their own, classified in their browser alone."""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from felicity import api
from felicity.errors import FelicityError
from felicity.serve.cache import Body, Ready, made_ready
from felicity.serve.guard import HEADERS, POLICY
from felicity.serve.languages import told
from felicity.serve.pages import page
from felicity.serve.problems import Problem
from felicity.serve.queries import NoQuery
from felicity.serve.routes import needs
from felicity.style.language import say

if TYPE_CHECKING:
    from felicity.serve.settings import Settings

router = APIRouter(include_in_schema=False)
FOLDER = Path(__file__).with_name("assets") / "tryit"
KINDS = {".mjs": "text/javascript", ".wasm": "application/wasm", ".onnx": "application/octet-stream"}
SCRIPT = "text/javascript; charset=utf-8"
SECONDS, FOR_EVER = 600, 31_536_000
AGAIN_SECONDS = 10.0
"""Seconds after which files that were damaged are read again."""
PAGE_HEADERS = {
    # The page itself asks for nothing, so that its script could send no picture; its worker asks for the files below.
    "Content-Security-Policy": POLICY.replace("connect-src 'self'", "connect-src 'none'"),
    "Permissions-Policy": HEADERS["Permissions-Policy"].replace("camera=()", "camera=(self)"),
}
WORKER_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'",
}


@dataclass(frozen=True)
class Files:
    """The files that a browser loads, by address, and the facts that name these addresses."""

    answers: dict[str, Ready]
    facts: dict[str, Any]

    @classmethod
    def of(cls, found: api.TryIt) -> Files:
        """Give each file an address that changes with its content, so that browsers keep it for ever."""
        answers, facts = {}, dict(found.facts)
        for name, content in found.files.items():
            address = f"/tryit/{hashlib.sha256(content).hexdigest()[:16]}/{name}"
            answers[address] = made_ready(content, KINDS[Path(name).suffix], {"Vary": "Accept-Encoding"})
            facts[found.roles[name]] = address
        return cls(answers, facts)


class Shelf:
    """The files, read when they are first asked for; what is installed later is found without a new start."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log, self._lock = log, threading.Lock()
        self._files: Files | None = None
        self._again = -math.inf

    def files(self) -> Files | None:
        """Return the files, None where some are missing or damaged."""
        with self._lock:
            if self._files is None and self._again < monotonic() and not api.try_it_lacks():
                self._again = monotonic() + AGAIN_SECONDS
                try:
                    self._files = Files.of(api.try_it())
                except FelicityError as error:
                    self._log(f"Try it: {error}")
            return self._files


@router.get("/tryit", dependencies=[needs("read")])
def try_it(request: Request, query: Annotated[NoQuery, Query()]) -> Response:
    """Show the page, or what has to be installed for it."""
    _check_enabled(request)

    def make() -> Body:
        files = _files(request)
        facts = files.facts if files else {}
        words = [{"name": name, "word": say(name)} for name in facts.get("classes", ())]
        lacks = () if files else api.try_it_lacks() or api.TRY_IT_NEEDS
        made = page(request, "tryit", say("Try it"), facts=facts, expressions=words, lacks=lacks)
        return replace(made, headers={**made.headers, **PAGE_HEADERS})

    return told(request, make, "what is installed")


@router.get("/tryit/{name}")
def script(request: Request, name: str) -> Response:
    """Return a script of the page, or of the worker that it starts."""
    found = _scripts().get(name)
    if found is None:
        raise Problem("not-found")
    return found.response(request)


@router.get("/tryit/{digest}/{name}", dependencies=[needs("read")])
def file(request: Request, digest: str, name: str) -> Response:
    """Return runtime, detector or network, which never change at their address."""
    files = _files(request)
    found = files.answers.get(f"/tryit/{digest}/{name}") if files else None
    if found is None:
        raise Problem("not-found")
    answer = found.response(request)
    kept = "public" if request.state.sight.shared else "private"
    answer.headers["Cache-Control"] = f"{kept}, max-age={FOR_EVER}, immutable"
    return answer


def _check_enabled(request: Request) -> None:
    settings: Settings = request.app.state.settings
    if not settings.try_it:
        raise Problem("not-enabled", say("this server was started with --no-try-it"))


def _files(request: Request) -> Files | None:
    _check_enabled(request)
    shelf: Shelf = request.app.state.shelf
    return shelf.files()


@cache
def _scripts() -> dict[str, Body]:
    return {
        path.name: Body(path.read_bytes(), SCRIPT, WORKER_HEADERS, SECONDS, public=True)
        for path in sorted(FOLDER.glob("*.js"))
    }
