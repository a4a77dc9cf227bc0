"""The envelope of every answer, and the registry of their schemas."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache
from typing import Any, Generic, Literal, TypeVar

from pydantic import Field, TypeAdapter

from felicity import schemas
from felicity.errors import ConfigError
from felicity.notes import Note
from felicity.schemas.shape import Shape

FORMAT = 1
"""Version of the envelope and its schemas; a change that breaks a reader raises it."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"
T = TypeVar("T")


class NoteShape(Shape):
    """A remark on the data."""

    code: str = Field(pattern=r"^[a-z]+(-[a-z0-9]+)*$", description="Kind of remark; docs/json.md lists the codes.")
    text: str = Field(min_length=1, description="The remark as a sentence, for people.")
    location: str | None = Field(
        description="Name of the location that it is about; null if it is about none or several."
    )


class Envelope(Shape, Generic[T]):
    """An answer: its format's version, the data, and notes on them."""

    format: Literal[1] = Field(description="Version of the format.")
    data: T = Field(description="The answer itself.")
    notes: tuple[NoteShape, ...] = Field(description="Remarks on the data; empty if there are none.")


def names() -> list[str]:
    """Return the names of all schemas: the words of each command, joined by hyphens."""
    return sorted(_documents() | _lines())


def streams() -> list[str]:
    """Return the names of the schemas that are JSON Lines, without an envelope."""
    return sorted(_lines())


def json_schema(name: str, *, refs: str = "#/$defs/{model}") -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the answer ``name``; for JSON Lines, that of one line.

    ``refs``: the place of the definitions in a document that embeds the schema. Raises ConfigError for an unknown name.
    """
    if name not in names():
        raise ConfigError(f"{name!r}: no answer has that name; choose one of {', '.join(names())}")
    shape = TypeAdapter(_lines()[name]) if name in _lines() else _envelope(name)
    return {
        "$schema": DIALECT,
        **shape.json_schema(mode="serialization", ref_template=refs),
        "title": f"felicity {name}",
    }


def document(name: str, data: Any, notes: Iterable[Note] = ()) -> dict[str, Any]:
    """Return the answer ``name`` in its envelope as plain values.

    ``data``: an instance of the shape, its plain values, or a domain object with its attributes. Raises pydantic's
    ValidationError if they do not match the schema, NaN and infinities included.
    """
    envelope = _envelope(name)
    made = envelope.validate_python({"format": FORMAT, "data": data, "notes": tuple(notes)}, from_attributes=True)
    return dict(envelope.dump_python(made, mode="json"))


def line(name: str, data: Any) -> dict[str, Any]:
    """Return one line of the streaming answer ``name`` as plain values; ``data`` as for ``document``."""
    shape = _line(name)
    return dict(shape.dump_python(shape.validate_python(data, from_attributes=True), mode="json"))


@cache
def _line(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(_lines()[name])


@cache
def _envelope(name: str) -> TypeAdapter[Any]:
    enveloped: Any = Envelope.__class_getitem__(_documents()[name])
    return TypeAdapter(enveloped)


@cache
def _documents() -> dict[str, Any]:
    return _named("SHAPES")


@cache
def _lines() -> dict[str, Any]:
    return _named("LINES")


def _named(attribute: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for module in pkgutil.iter_modules(schemas.__path__):
        found |= getattr(importlib.import_module(f"{schemas.__name__}.{module.name}"), attribute, {})
    return found
