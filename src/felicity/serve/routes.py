"""The common part of routes: their scopes, and their OpenAPI description."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from fastapi import Depends, Request, Response

from felicity.serve.access import Access, Caller
from felicity.serve.cache import Body, Kept, Ready
from felicity.serve.problems import CODES, MEDIA_TYPE
from felicity.serve.sight import Everything

USUAL = (
    "token-missing",
    "not-allowed",
    "method-not-allowed",
    "wrong-host",
    "invalid",
    "too-many",
    "internal",
    "store-away",
)
"""Problems of every route."""


def needs(scope: str) -> Any:
    """Return the dependency of a route for callers with ``scope``."""

    def check(request: Request) -> Caller:
        access: Access = request.app.state.access
        return access.check(request, scope)

    return Depends(check)


def kept(request: Request, make: Callable[[], Body], kind: str = "") -> Response:
    """Answer with the cached answer to the same question, or a new one; each ``kind`` has its own cache."""
    return kept_body(request, make, kind).response(request)


def kept_body(request: Request, make: Callable[[], Body], kind: str = "", *, of_store: bool = True) -> Ready:
    """Return the content of ``kept``. ``of_store``: False for answers that change without the store."""
    sight: Everything = request.state.sight
    asked = tuple(sorted(request.query_params.multi_items()))
    key = (sight.public, sight.shared, request.url.path, asked, kind)
    answers: Kept = request.app.state.kept
    version = (lambda: sight.version) if of_store else (lambda: str(monotonic()))
    return answers.get(key, make, sight.kept_seconds, version)


def answered(
    name: str | None,
    *media_types: str,
    scope: str | None = "read",
    more: tuple[str, ...] = (),
    takes: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return arguments of a route that answers with the schema ``name``, or in other ``media_types``.

    ``scope``: the required scope; None for none. ``more``: codes of problems beside the usual ones. ``takes``: the JSON
    Schema of a body by its media type.
    """
    content: dict[str, Any] = {media_type: {} for media_type in media_types}
    if name is not None:
        content["application/json"] = {"schema": {"$ref": f"#/components/schemas/{name}"}}
    responses: dict[int | str, dict[str, Any]] = {200: {"description": "The answer.", "content": content}}
    if name is not None and takes is None:
        responses[304] = {"description": "What If-None-Match names is still the answer."}
    codes = (*USUAL, *more)
    for status in sorted({CODES[code][0] for code in codes}):
        titles = " ".join(CODES[code][1] for code in codes if CODES[code][0] == status)
        schema = {"schema": {"$ref": "#/components/schemas/problem"}}
        responses[status] = {"description": titles, "content": {MEDIA_TYPE: schema}}
    said: dict[str, Any] = {"responses": responses, "response_model": None}
    extra: dict[str, Any] = {}
    if takes is not None:
        content = {media_type: {"schema": schema} for media_type, schema in takes.items()}
        extra["requestBody"] = {"required": True, "content": content}
    if scope is not None:
        extra["security"] = [{"token": [scope]}]
        said["dependencies"] = [needs(scope)]
    return said | {"openapi_extra": extra}
