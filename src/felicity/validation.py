"""Readable errors for values that a Pydantic model refused: one sentence for their author."""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from felicity.errors import ConfigError, FelicityError

Place = tuple[str, ...]
"""The place of a value: the keys that lead to it."""
Model = TypeVar("Model", bound=BaseModel)
KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text", list: "a list", dict: "a table"}
OUT_OF_RANGE = {"greater_than", "greater_than_equal", "less_than", "less_than_equal", "literal_error"}
LONGEST = 60


def dotted(place: Place) -> str:
    """Return ``model.width`` for ``("model", "width")``."""
    return ".".join(place)


def checked(
    model: type[Model],
    values: Mapping[str, Any],
    *,
    name: Callable[[Place], str] = dotted,
    error: type[FelicityError] = ConfigError,
    advice: str = "",
) -> Model:
    """Return ``values`` as a ``model``, or raise ``error`` with one sentence about the first invalid value.

    ``name`` returns the text for a place: the file and the key, or the option. ``advice`` follows after a semicolon.
    """
    try:
        return model.model_validate(values)
    except ValidationError as refused:
        sentence = explain(refused, model, name)
        raise error(f"{sentence}; {advice}" if advice else sentence) from refused


def explain(refused: ValidationError, model: type[BaseModel], name: Callable[[Place], str] = dotted) -> str:
    """Return one sentence on the first value that ``model`` refused: its name, the expected value, the found value."""
    first = refused.errors(include_url=False)[0]
    place = tuple(map(str, first["loc"]))
    subject, kind = name(place), first["type"]
    if kind == "extra_forbidden":
        holder = _model_at(model, place[:-1])
        known = ", ".join(holder.model_fields) if holder else ""
        return f"{subject} is not a setting" + (f"; known are {known}" if known else "")
    if kind == "missing":
        return f"{subject} is missing"
    field = _field_at(model, place) if place else FieldInfo(annotation=model)
    if field is not None and (kind in OUT_OF_RANGE or kind.endswith("_type")) and (wanted := allowed(field)):
        return f"{subject.rstrip(': ')} must be {wanted}, not {shown(first['input'])}"
    return f"{subject}: {first['msg'].removeprefix('Value error, ')}, not {shown(first['input'])}"


def allowed(field: FieldInfo) -> str:
    """Return the values that a field accepts: ``sgd, adam or adamw``, ``a whole number of 1 to 100``; or ""."""
    annotation = plain(field.annotation)
    if get_origin(annotation) is Literal:
        return _either([str(value) for value in get_args(annotation)])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return KINDS[dict]
    kind = KINDS.get(get_origin(annotation) or annotation, "")
    limits = within(field)
    return f"{kind} {'of ' if limits[:1].isdigit() else ''}{limits}".strip() if kind else ""


def within(field: FieldInfo) -> str:
    """Return the bounds of a numeric field, such as ``0 to below 1`` or ``at least 1``; empty without bounds."""
    bounds = {key: getattr(m, key) for m in field.metadata for key in ("ge", "gt", "le", "lt") if hasattr(m, key)}
    low = _number(bounds["ge"]) if "ge" in bounds else f"above {_number(bounds['gt'])}" if "gt" in bounds else ""
    high = _number(bounds["le"]) if "le" in bounds else f"below {_number(bounds['lt'])}" if "lt" in bounds else ""
    if low and high:
        return f"{low} to {high}"
    return (f"at least {low}" if "ge" in bounds else low) or (f"at most {high}" if "le" in bounds else high)


def plain(annotation: Any) -> Any:
    """Return the type without ``None``: ``int`` for ``int | None``."""
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [each for each in get_args(annotation) if each is not type(None)]
        return rest[0] if len(rest) == 1 else annotation
    return annotation


def shown(value: Any) -> str:
    """Return a value as people write it, shortened if it is long."""
    text = repr(value) if not isinstance(value, float) or not math.isnan(value) else "nan"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _either(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _model_at(model: type[BaseModel], place: Place) -> type[BaseModel] | None:
    """Return the model that contains the field at ``place``; None where there is no single one."""
    if not place:
        return model
    field = _field_at(model, place)
    kind = plain(field.annotation) if field else None
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _field_at(model: type[BaseModel], place: Place) -> FieldInfo | None:
    if holder := _model_at(model, place[:-1]):
        return holder.model_fields.get(place[-1])
    around = _field_at(model, place[:-1])  # a list or a table, whose values are all of one type
    kinds = get_args(plain(around.annotation)) if around else ()
    return FieldInfo(annotation=kinds[-1]) if kinds else None
