"""The OpenAPI description: the framework's routes, and the schemas of ``schemas``."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from felicity import __version__
from felicity.schemas import envelope
from felicity.serve.problems import CODES

PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"enum": sorted(CODES)},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["where", "message"],
                "additionalProperties": False,
                "properties": {"where": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
HEALTH: dict[str, Any] = {
    "type": "object",
    "required": ["status"],
    "additionalProperties": False,
    "properties": {"status": {"const": "ok"}},
}


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the description of ``app``, made once."""
    if app.openapi_schema is not None:
        return app.openapi_schema
    made = get_openapi(title="Felicity", version=__version__, routes=app.routes, openapi_version="3.1.0")
    shapes = made.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        shapes.pop(unused, None)
    shapes |= {"problem": PROBLEM, "health": HEALTH}
    asked = {name for name in envelope.names() if f'#/components/schemas/{name}"' in _text(made)}
    for name in sorted(asked):
        schema = envelope.json_schema(name, refs="#/components/schemas/{model}")
        shapes |= schema.pop("$defs", {})
        shapes[name] = {key: value for key, value in schema.items() if key != "$schema"}
    made["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    app.openapi_schema = made
    return made


def _text(value: Any) -> str:
    import json

    return json.dumps(value)
