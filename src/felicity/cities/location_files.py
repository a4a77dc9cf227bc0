"""Files of locations: GeoJSON areas or points, and tables with coordinates."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from felicity.errors import ConfigError
from felicity.parsing import read_json

FIELDS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "location"),
    "timezone": ("timezone", "time_zone", "tz"),
    "population": ("population", "pop"),
    "site_type": ("site_type", "type"),
    "code": ("code", "tile_id", "id"),
    "latitude": ("latitude", "lat", "y"),
    "longitude": ("longitude", "lon", "lng", "long", "x"),
    "geometry": ("geometry", "geojson"),
}
"""The fields of a location, and their names in files; upper and lower case do not matter."""

Fields = dict[str, Any]


def read_locations(path: Path, *, name_field: str | None = None) -> list[Fields]:
    """Read the locations of a GeoJSON file (.geojson, .json) or a table (.csv), as arguments of ``Location``.

    The arguments hold the fields of the file alone. ``name_field``: the property or column that holds the names, if it
    is not ``name`` or ``location``. Raises ConfigError, in one sentence, for an unreadable file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not a text file in UTF-8") from error
    suffix = path.suffix.lower()
    if suffix == ".csv":
        found = list(_of_csv(path, text, name_field))
    elif suffix in (".geojson", ".json"):
        found = list(_of_geojson(path, text, name_field))
    else:
        raise ConfigError(f"{path}: locations are read from .geojson, .json or .csv, not {suffix or 'no suffix'}")
    if not found:
        raise ConfigError(f"{path}: holds no location")
    return found


def point(latitude: float, longitude: float) -> dict[str, Any]:
    """Return a position in degrees as a GeoJSON geometry."""
    return {"type": "Point", "coordinates": [longitude, latitude]}


def read_geometry(path: Path) -> Mapping[str, Any]:
    """Read the area of one location: a GeoJSON geometry, feature, or collection of one feature."""
    try:
        value = read_json(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: is not GeoJSON: {error}") from error
    features = value.get("features") if isinstance(value, dict) else None
    if isinstance(features, list):
        if len(features) != 1:
            raise ConfigError(f"{path}: one area expected, {len(features)} found; use: felicity locations import")
        value = features[0]
    geometry = value.get("geometry", value) if isinstance(value, dict) else None
    if not isinstance(geometry, dict):
        raise ConfigError(f"{path}: holds no GeoJSON geometry")
    return geometry


def _of_geojson(path: Path, text: str, name_field: str | None) -> Iterator[Fields]:
    try:
        value = read_json(text)
    except ValueError as error:
        raise ConfigError(f"{path}: is not JSON: {error}") from error
    kind = value.get("type") if isinstance(value, dict) else None
    features = value.get("features") if kind == "FeatureCollection" else [value] if kind == "Feature" else None
    if not isinstance(features, list):
        raise ConfigError(f"{path}: a GeoJSON FeatureCollection expected, not {kind or type(value).__name__}")
    for number, feature in enumerate(features, 1):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(properties, dict):
            raise ConfigError(f"{path}: feature {number} has no properties")
        given = {key: item for key, item in properties.items() if item is not None}
        if "id" in feature:
            given.setdefault("id", feature["id"])
        fields = _fields(given, f"{path}: feature {number}", name_field)
        if feature.get("geometry") is not None:
            fields["geometry"] = feature["geometry"]
        yield fields


def _of_csv(path: Path, text: str, name_field: str | None) -> Iterator[Fields]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = reader.fieldnames or []
        if (
            not {name_field} & set(columns)
            if name_field
            else not set(FIELDS["name"]) & {c.strip().lower() for c in columns}
        ):
            raise ConfigError(
                f"{path}: a column {(name_field or 'name')!r} is missing; found are {', '.join(columns) or 'none'}"
            )
        for row in reader:
            where = f"{path}: line {reader.line_num}"
            if None in row or None in row.values():
                raise ConfigError(f"{where} has another number of cells than the {len(columns)} columns")
            given = {key.strip(): cell.strip() for key, cell in row.items() if cell.strip()}
            yield _fields(given, where, name_field)
    except csv.Error as error:
        raise ConfigError(f"{path}: line {max(reader.line_num, 1)} is not CSV: {error}") from error


def _fields(given: Mapping[str, Any], where: str, name_field: str | None) -> Fields:
    lower = {key.lower(): item for key, item in given.items()}
    found: Fields = {}
    for field, names in FIELDS.items():
        for name in names:
            if name in lower:
                found[field] = lower[name]
                break
    if name_field is not None:
        found["name"] = given.get(name_field)
    if not isinstance(found.get("name"), (str, int)) or not str(found["name"]).strip():
        raise ConfigError(f"{where} has no {name_field or 'name'}; every location needs a name")
    found["name"] = str(found["name"]).strip()
    where = f"{where} ({found['name']})"
    for field in ("population", "latitude", "longitude"):
        if field in found:
            found[field] = _number(found[field], field, where)
    if "code" in found:
        found["code"] = str(found["code"])
    if isinstance(found.get("geometry"), str):
        try:
            found["geometry"] = read_json(found["geometry"])
        except ValueError as error:
            raise ConfigError(f"{where}: geometry is not GeoJSON: {error}") from error
    position = [found.pop(name, None) for name in ("latitude", "longitude")]
    if (position[0] is None) != (position[1] is None):
        raise ConfigError(f"{where}: latitude and longitude go together")
    if position[0] is not None:
        found.setdefault("geometry", point(*position))
    return found


def _number(value: Any, field: str, where: str) -> float:
    try:
        if isinstance(value, bool):
            raise ValueError
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise ConfigError(f"{where}: {field} must be a number, not {value!r}") from None
