"""The few files that pages load, all from this server alone and for everybody."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response

from felicity.serve.cache import Body
from felicity.serve.problems import Problem

router = APIRouter(include_in_schema=False)
FOLDER = Path(__file__).with_name("assets")
KINDS = {".svg": "image/svg+xml", ".js": "text/javascript; charset=utf-8"}
SECONDS = 600
"""Seconds for which a browser keeps a file without asking again."""


@router.get("/favicon.ico")
def favicon(request: Request) -> Response:
    """Return the icon to browsers that request it by its old name."""
    return asset(request, "icon.svg")


@router.get("/assets/{name}")
def asset(request: Request, name: str) -> Response:
    """Return a file that pages load."""
    found = _assets().get(name)
    if found is None:
        raise Problem("not-found")
    return found.response(request)


@cache
def _assets() -> dict[str, Body]:
    return {
        path.name: Body(path.read_bytes(), KINDS[path.suffix], seconds=SECONDS, public=True)
        for path in sorted(FOLDER.iterdir())
        if path.suffix in KINDS
    }
