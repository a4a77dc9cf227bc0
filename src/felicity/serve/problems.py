"""Error answers of the server: one document (RFC 9457) with a stable code, on every route."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from felicity.errors import ConfigError, EstimateError, ExtraMissingError, FelicityError, ImageError, StoreError
from felicity.style.language import ENGLISH, say, spoken

if TYPE_CHECKING:
    from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
CODES: dict[str, tuple[int, str]] = {
    "malformed": (400, "The request cannot be read."),
    "token-missing": (401, "A sign-in or a token is needed."),
    "token-refused": (401, "The token is unknown, has expired or was revoked."),
    "sign-in-refused": (401, "The name or the password is wrong."),
    "not-allowed": (403, "The token or the user may not do this."),
    "stale-form": (403, "The form is no longer valid; load its page again."),
    "not-encrypted": (403, "The server takes passwords over https only, or on its own machine."),
    "not-found": (404, "There is nothing at this address."),
    "not-enabled": (404, "This server was started without that."),
    "method-not-allowed": (405, "The address does not take this method."),
    "too-slow": (408, "The request took too long to arrive."),
    "too-large": (413, "The request is too large."),
    "wrong-type": (415, "The content has another type than the address takes."),
    "wrong-host": (421, "The server does not answer under this name."),
    "invalid": (422, "A value is not one that the address takes."),
    "no-figure": (422, "The data do not suffice for this figure."),
    "too-many": (429, "Too many requests in a short time."),
    "internal": (500, "The server failed."),
    "not-installed": (501, "A package is not installed on the server."),
    "store-away": (503, "The store cannot be read or written at this moment."),
    "busy": (503, "The server has more to do than it can."),
}
"""Each code with its status and its title; a code never changes its meaning."""
WRONG = {
    "extra_forbidden": "there is no such parameter",
    "missing": "a value is needed",
    "literal_error": "one of {expected} expected",
    "string_too_long": "at most {max_length} characters expected",
    "string_too_short": "at least {min_length} characters expected",
}
"""Sentences on wrong values, by the type of error of Pydantic."""


class Problem(Exception):
    """A problem to answer with: ``code`` of ``CODES``, ``detail`` in one sentence, ``errors`` by place if several."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.code, self.errors, self.headers = code, tuple(errors), dict(headers or {})
        self.status, self.title = CODES[code]
        self.detail = detail or self.title
        super().__init__(self.detail)

    def document(self) -> dict[str, Any]:
        """Return it as plain values."""
        told: dict[str, Any] = {
            "type": f"urn:felicity:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        return told | ({"errors": [dict(error) for error in self.errors]} if self.errors else {})

    def response(self) -> Response:
        """Return it as a response that no cache keeps."""
        from starlette.responses import JSONResponse

        headers = {"Cache-Control": "no-store"} | self.headers
        if self.status == 401:
            headers.setdefault("WWW-Authenticate", 'Bearer realm="felicity"')
        return JSONResponse(self.document(), self.status, headers, MEDIA_TYPE)


def of_error(error: FelicityError) -> Problem:
    """Return the problem for a Felicity error. The message of a store's error goes to the log alone."""
    if isinstance(error, StoreError):
        return Problem("store-away", headers={"Retry-After": "5"})
    if isinstance(error, EstimateError):
        return Problem("no-figure", str(error))
    if isinstance(error, ExtraMissingError):
        return Problem("not-installed", str(error))
    if isinstance(error, (ConfigError, ImageError)):
        return Problem("invalid", str(error))
    return Problem("internal")


def of_status(status: int, headers: Mapping[str, str] | None = None) -> Problem:
    """Return the problem for a status of the framework."""
    code = next((code for code, (known, _) in CODES.items() if known == status), None)
    if code is None:
        code = "malformed" if status < 500 else "internal"
    return Problem(code, headers=headers)


def of_validation(found: Sequence[Any]) -> Problem:
    """Return the problem for invalid values, as Pydantic lists them, without the sent content."""
    errors = [{"where": ".".join(map(str, one["loc"])), "message": _wrong(one)} for one in found[:20]]
    first = errors[0] if errors else {"where": "request", "message": "cannot be read"}
    malformed = any(one["type"] == "json_invalid" for one in found)
    return Problem("malformed" if malformed else "invalid", f"{first['where']}: {first['message']}", errors=errors)


def _wrong(error: Mapping[str, Any]) -> str:
    """Return what is wrong with a value. Other messages of Pydantic are English, and left to who reads English."""
    if error["type"] in WRONG:
        values = {name: str(value).replace(" or ", ", ") for name, value in error.get("ctx", {}).items()}
        return say(WRONG[error["type"]], **values)
    if spoken() != ENGLISH:
        return say("this value cannot be taken")
    return str(error["msg"]).removeprefix("Value error, ")


def of_exception(error: Exception, log: Callable[[str], None]) -> Problem:
    """Return the problem for an exception of the framework, of Felicity, or of the validation of a request."""
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException

    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return of_validation(error.errors())
    if isinstance(error, HTTPException):
        return of_status(error.status_code, error.headers)
    assert isinstance(error, FelicityError)
    problem = of_error(error)
    if problem.status >= 500:
        log(f"{type(error).__name__}: {error}")
    return problem
