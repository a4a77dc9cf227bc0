"""The body of a request: of one type, read completely."""

from __future__ import annotations

from typing import TYPE_CHECKING

from felicity.serve.problems import Problem
from felicity.style.language import say

if TYPE_CHECKING:
    from starlette.requests import Request

CODES = ("malformed", "too-slow", "too-large", "wrong-type")
"""Problems of addresses that take a body."""


async def read(request: Request, *media_types: str) -> bytes:
    """Return the body. Raises Problem unless it is of one of ``media_types``; ``image/*`` stands for all of images."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in media_types and f"{given.partition('/')[0]}/*" not in media_types:
        text = "{expected} expected, not {given}"
        told = say(text, expected=", ".join(media_types), given=given[:60] or say("none"))
        raise Problem("wrong-type", told)
    if "content-encoding" in request.headers:
        raise Problem("wrong-type", say("the body must not be compressed"))
    return await request.body()
