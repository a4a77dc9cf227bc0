"""Signing in with a name and a password, or with a token, and signing out; no script reads the browser's cookie."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from felicity.api.users import LASTING
from felicity.serve import forms, problem_pages
from felicity.serve.access import Access, address_of
from felicity.serve.problems import Problem
from felicity.serve.queries import Back

router = APIRouter(include_in_schema=False)
SECONDS = 30 * 86_400
"""Seconds for which a browser keeps a token; the token itself may expire earlier."""


@router.get("/sign-in")
def sign_in_page(request: Request, query: Annotated[Back, Query()]) -> Response:
    """Show the form to people."""
    return problem_pages.sign_in_page(request, None, forms.own_page(query.to))


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Begin a session for the right name and password; a session that the browser had before ends."""
    fields = await forms.read(request, "name", "password", "to")
    _check_secret(request)
    access: Access = request.app.state.access

    def begin() -> str:
        made = access.sign_in(fields["name"][:1000], fields["password"][:1000], address_of(request))
        if before := request.cookies.get(forms.SESSION):
            access.sign_out(before)
        return made

    to = forms.own_page(fields["to"])
    session = await run_in_threadpool(begin)
    answer = _left(to)
    secure = request.url.scheme == "https"
    lasting = int(LASTING.total_seconds())
    answer.set_cookie(forms.SESSION, session, max_age=lasting, httponly=True, samesite="strict", secure=secure)
    return answer


@router.get("/enter/{token}")
def enter(request: Request, token: str) -> RedirectResponse:
    """Log in with the link that the server prints when it starts; no other token stands in an address."""
    access: Access = request.app.state.access
    if not hmac.compare_digest(token.encode("utf-8", "surrogatepass"), access.key.encode()):
        access.holder("", address_of(request))
    return _entered(request, token)


@router.post("/enter")
async def enter_with(request: Request) -> RedirectResponse:
    """Log in with the form for tokens."""
    fields = await forms.read(request, "token")
    return await run_in_threadpool(_entered, request, fields["token"].strip())


@router.post("/leave")
async def leave(request: Request) -> RedirectResponse:
    """Sign out: end the session, and forget the token."""
    await forms.read(request)
    access: Access = request.app.state.access
    if session := request.cookies.get(forms.SESSION):
        await run_in_threadpool(access.sign_out, session)
    return _left("/")


def _check_secret(request: Request) -> None:
    """Raise Problem if a password has come over a network without encryption."""
    if request.url.scheme == "https" or address_of(request) in ("127.0.0.1", "::1"):
        return
    raise Problem("not-encrypted")


def _entered(request: Request, token: str) -> RedirectResponse:
    access: Access = request.app.state.access
    access.holder(token, address_of(request))
    answer = _left("/")
    secure = request.url.scheme == "https"
    answer.set_cookie(forms.TOKEN, token, max_age=SECONDS, httponly=True, samesite="lax", secure=secure)
    return answer


def _left(to: str) -> RedirectResponse:
    """Return the way to a page for a browser that keeps nothing of who it was."""
    answer = RedirectResponse(to, 303, {"Cache-Control": "no-store"})
    for name in (forms.SESSION, forms.TOKEN, forms.FORM):
        answer.delete_cookie(name)
    return answer
