"""The guard before every route: limits of names, sizes, times and numbers, headers, failures without a traceback."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request

from felicity import __version__
from felicity.errors import FelicityError
from felicity.redaction import redacted
from felicity.serve.forms import SESSION, TOKEN
from felicity.serve.limits import Limiter
from felicity.serve.problems import Problem, of_error
from felicity.style.language import say
from felicity.style.numbers import count

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from felicity.serve.settings import Settings

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "X-Felicity-Version": __version__,
}
STRICT = {"Strict-Transport-Security": "max-age=31536000"}
"""Header of a server with TLS files of its own: browsers then never ask it without encryption."""
ALWAYS_FREE = ("/healthz", "/readyz")
"""Routes for monitoring, which have no rate limit."""


class Guard:
    """An ASGI application around another. ``answer``: makes the answer to a request with a problem."""

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        log: Callable[[str], None],
        answer: Callable[[Request, Problem], Response],
    ) -> None:
        self.app, self.settings, self.log, self.answer = app, settings, log, answer
        self.limiter = Limiter(settings.rate)
        headers = HEADERS | (STRICT if settings.tls_cert else {})
        self.headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self.working = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on allowed requests; answer all others with a problem."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                present = {name.lower() for name, _ in message["headers"]}
                if b"content-security-policy" in present:  # the answer itself states who may frame it
                    present.add(b"x-frame-options")
                added = [(name, value) for name, value in self.headers if name not in present]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        try:
            self._check(scope)
            self.working += 1
            try:
                await self.app(scope, _Bounded(receive, self.settings), send_with_headers)
            finally:
                self.working -= 1
        except Exception as error:
            problem = self._problem(error)
            if begun:
                raise _CutShortError(problem.code) from None
            await self._response(Request(scope), problem)(scope, receive, send_with_headers)

    def _response(self, request: Request, problem: Problem) -> Response:
        try:
            return self.answer(request, problem)
        except Exception as error:  # what makes pages is broken itself
            self._problem(error)
            return problem.response()

    def _problem(self, error: Exception) -> Problem:
        if isinstance(error, Problem):
            return error
        if isinstance(error, FelicityError):
            return of_error(error)
        if isinstance(error, ClientDisconnect):  # the client has gone
            return Problem("malformed", say("the request broke off"))
        # Place and kind of the error only, because its message may quote the request.
        frame = error.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        where = f" at {frame.tb_frame.f_code.co_qualname}, line {frame.tb_lineno}" if frame else ""
        self.log(redacted(f"{type(error).__name__}{where}"))
        return Problem("internal")

    def _check(self, scope: Scope) -> None:
        settings = self.settings
        if scope["path"] not in ALWAYS_FREE:
            if self.working >= settings.at_once:
                raise Problem("busy", headers={"Retry-After": "1"})
            client = scope.get("client")
            if not _has_token(scope) and (wait := self.limiter.wait(client[0] if client else "none")):
                raise Problem("too-many", headers={"Retry-After": str(math.ceil(wait))})
        headers = dict(scope["headers"])
        names = settings.known_names
        host = headers.get(b"host", b"").decode("latin-1")
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if names and name.lower() not in names:
            text = "the server answers under {names}; name others with --name"
            raise Problem("wrong-host", say(text, names=", ".join(names)))
        length = headers.get(b"content-length", b"0")
        if not length.isdigit():
            raise Problem("malformed", say("Content-Length is a whole number"))
        if int(length) > settings.body_bytes:
            raise _too_large(settings)


class _CutShortError(Exception):
    """A response broke off after it had begun; the connection is closed."""


class _Bounded:
    """Receives a body of limited size within a limited time."""

    def __init__(self, receive: Receive, settings: Settings) -> None:
        self.receive, self.settings = receive, settings
        self.size, self.complete = 0, False
        self.until: float | None = None

    async def __call__(self) -> Message:
        if self.complete:  # later messages only report the end of the connection
            return await self.receive()
        loop = asyncio.get_running_loop()
        self.until = self.until or loop.time() + self.settings.body_seconds
        try:
            async with asyncio.timeout_at(self.until):
                message: Message = await self.receive()
        except TimeoutError:
            raise Problem("too-slow", headers={"Connection": "close"}) from None
        if message["type"] == "http.request":
            self.size += len(message.get("body", b""))
            self.complete = not message.get("more_body", False)
            if self.size > self.settings.body_bytes:
                raise _too_large(self.settings)
        return message


def _has_token(scope: Scope) -> bool:
    """Return whether a request carries a credential, which then counts in place of its address."""
    return any(
        name == b"authorization" or (name == b"cookie" and any(f"{key}=".encode() in value for key in (SESSION, TOKEN)))
        for name, value in scope["headers"]
    )


def _too_large(settings: Settings) -> Problem:
    text = say("a request has at most {most} bytes; send less at once", most=count(settings.body_bytes))
    return Problem("too-large", text, headers={"Connection": "close"})
