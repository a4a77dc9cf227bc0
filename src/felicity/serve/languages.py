"""The language of a page: the one that a reader chose by a link, or that their browser requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import RedirectResponse

from felicity.serve import account, forms
from felicity.serve.cache import Body, made_ready
from felicity.serve.problems import Problem
from felicity.serve.queries import Back
from felicity.serve.routes import kept_body
from felicity.style.language import LANGUAGES, preferred, say, speaking

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

router = APIRouter(include_in_schema=False)
COOKIE = "language"
SECONDS = 365 * 86_400


@router.get("/language/{code}")
def choose(code: str, query: Annotated[Back, Query()]) -> RedirectResponse:
    """Switch to a language, and return to the page."""
    if code not in LANGUAGES:
        raise Problem("not-found", say("pages speak {languages}", languages=", ".join(LANGUAGES.values())))
    answer = RedirectResponse(forms.own_page(query.to), 303, {"Cache-Control": "no-store"})
    answer.set_cookie(COOKIE, code, max_age=SECONDS, httponly=True, samesite="lax")
    return answer


def is_for_people(request: Request) -> bool:
    """Return whether people read the answer, who get problems as a page; programs get a document, in English."""
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


class Speaking:
    """An ASGI application around another: people hear of problems in their language."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or not is_for_people(request := Request(scope)):
            await self.app(scope, receive, send)
            return
        with speaking(language_of(request)):
            await self.app(scope, receive, send)


def language_of(request: Request) -> str:
    """Return the code of the language in which a request is answered."""
    chosen = request.cookies.get(COOKIE, "")
    return chosen if chosen in LANGUAGES else preferred(request.headers.get("accept-language", ""))


def told(request: Request, make: Callable[[], Body], seen_by: str = "") -> Response:
    """Answer as ``routes.kept`` does, in the reader's language.

    ``seen_by``: the only reader of this answer, or another thing beside the store that it depends on.
    """
    language = language_of(request)

    def make_in_language() -> Body:
        with speaking(language):
            return make()

    named = bool(request.state.caller.shown)
    ready = kept_body(request, make_in_language, f"{language} {seen_by} {named}", of_store=not seen_by)
    if not named or not ready.media_type.startswith("text/html"):
        return ready.response(request)
    with speaking(language):
        content = account.fill(request, ready.content)
    return made_ready(content, ready.media_type, ready.headers).response(request)
