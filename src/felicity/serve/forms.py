"""Forms that change something: read as a whole, and only if a page of this server has given them to this browser."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from felicity.serve import body
from felicity.serve.problems import Problem
from felicity.style.language import say

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

SESSION, TOKEN, FORM = "felicity_session", "felicity", "felicity_form"
"""Cookies: of somebody who signed in with a password, of somebody who entered with a token, and of nobody yet."""
FIELD = "form"


def secret_of(request: Request) -> str:
    """Return the secret that this browser shares with the server; empty for none."""
    cookies = request.cookies
    return cookies.get(SESSION) or cookies.get(TOKEN) or cookies.get(FORM) or ""


def mark(secret: str) -> str:
    """Return the value of the hidden field: only a page that the server gave to the browser knows it."""
    return hashlib.sha256(f"felicity form {secret}".encode("utf-8", "surrogatepass")).hexdigest()


def begin(request: Request) -> tuple[str, str]:
    """Return the secret for a form on a page, and the value of its hidden field."""
    secret = secret_of(request) or secrets.token_urlsafe(32)
    return secret, mark(secret)


def keep(request: Request, answer: Response, secret: str) -> None:
    """Let the browser keep the secret of a form that is on the page ``answer``."""
    if not secret_of(request):
        answer.set_cookie(FORM, secret, httponly=True, samesite="strict", secure=request.url.scheme == "https")


async def read(request: Request, *names: str) -> dict[str, str]:
    """Return the fields of a form; of these ``names`` each is there once. Raises Problem for a forged one."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Problem("not-allowed", say("the form of another site changes nothing here"))
    content = await body.read(request, "application/x-www-form-urlencoded")
    try:
        found = parse_qs(content.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=10)
        fields = {name: value for name, (value,) in found.items()}
    except ValueError:
        raise Problem("invalid", say("fields of a form expected, each of them once")) from None
    secret = secret_of(request)
    if not secret or not hmac.compare_digest(fields.pop(FIELD, "").encode(), mark(secret).encode()):
        raise Problem("stale-form")
    if missing := [name for name in names if name not in fields]:
        raise Problem("invalid", say("a field is missing: {name}", name=missing[0]))
    return fields


def own_page(address: str) -> str:
    """Return an address if it is a page of this server. Raises Problem."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or not address.startswith("/") or address.startswith(("//", "/\\")):
        raise Problem("invalid", say("to: a page of this server is expected"))
    return address
