"""Locations: places whose people are counted, and the places where nobody may be counted."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from felicity.errors import ConfigError
from felicity.windows.forbidden import forbidden_kind
from felicity.windows.names import check_name


@dataclass(frozen=True)
class Location:
    """A place.

    ``name``: one line of at most 200 characters. ``timezone``: IANA name; days and hours are counted in it.
    ``geometry``: a GeoJSON geometry (RFC 7946; longitude before latitude), None if unknown. ``population``: number of
    residents. ``site_type``: free words such as ``park``. ``code``: its name in other tables (flows, visits).

    Raises ConfigError if a value is impossible, and for workplaces and schools, where the EU AI Act prohibits emotion
    recognition (Art. 5(1)(f)): it recognises them by site type, or by name if there is no site type.
    """

    name: str
    timezone: str = "UTC"
    geometry: Mapping[str, Any] | None = None
    population: float | None = None
    site_type: str | None = None
    code: str | None = None

    def __post_init__(self) -> None:
        try:
            check_name(self.name, "a location")
        except ValueError as error:
            raise ConfigError(str(error)) from error
        self._check_values()
        self._check_site()

    def _check_values(self) -> None:
        try:
            ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError, TypeError) as error:
            raise ConfigError(
                f"location {self.name!r}: {self.timezone!r} is not a time zone; use an IANA name like 'Europe/Paris'"
            ) from error
        population = self.population
        if population is not None and not (
            isinstance(population, (int, float))
            and not isinstance(population, bool)
            and math.isfinite(population)
            and population >= 0
        ):
            raise ConfigError(f"location {self.name!r}: population is a number from 0, not {population!r}")
        if self.geometry is not None:
            try:
                check_geometry(self.geometry)
            except ValueError as error:
                raise ConfigError(f"location {self.name!r}: {error}") from error

    def _check_site(self) -> None:
        site_type = self.site_type
        if site_type is not None and (not isinstance(site_type, str) or not site_type.strip()):
            raise ConfigError(f"location {self.name!r}: a site type is a word, or left out, not {site_type!r}")
        if (kind := forbidden_kind(site_type or self.name, rooms=site_type is not None)) is None:
            return
        law = (
            "the EU AI Act, Art. 5(1)(f), prohibits emotion recognition in the areas of workplace and education "
            f"({kind})"
        )
        if site_type is not None:
            raise ConfigError(f"location {self.name!r}: site type {site_type!r} is refused, because {law}")
        raise ConfigError(
            f"location {self.name!r} is refused by its name, because {law}; if it is neither, say what it is: "
            f"felicity locations add {self.name!r} --site-type street"
        )

    @classmethod
    def known(cls, **values: Any) -> Location:
        """Return a stored location, whose name and site type were checked by the rules at the time of its addition."""
        place = object.__new__(cls)
        for field in fields(cls):
            object.__setattr__(place, field.name, values.get(field.name, field.default))
        place._check_values()
        return place

    @cached_property
    def zone(self) -> ZoneInfo:
        """Return the time zone itself."""
        return ZoneInfo(self.timezone)


def near_names(name: str, known: Iterable[str]) -> list[str]:
    """Return those of the ``known`` names that closely resemble ``name``: another case, a letter more or less."""
    plain = {one.casefold(): one for one in known if one != name}
    return [plain[one] for one in difflib.get_close_matches(name.casefold(), plain, n=3, cutoff=0.85)]


_DEPTH = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}


def check_geometry(geometry: Mapping[str, Any]) -> None:
    """Raise ValueError unless ``geometry`` is a GeoJSON geometry in degrees (RFC 7946, section 3.1)."""
    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    if kind == "GeometryCollection":
        parts = geometry.get("geometries")
        if not isinstance(parts, list) or not parts:
            raise ValueError("invalid geometry: a GeometryCollection needs a list of geometries")
        for part in parts:
            check_geometry(part)
        return
    if not isinstance(kind, str) or kind not in _DEPTH:
        raise ValueError(f"invalid geometry: type is one of {', '.join(_DEPTH)}, not {kind!r}")
    _check_coordinates(geometry.get("coordinates"), _DEPTH[kind], kind)


def _check_coordinates(value: Any, depth: int, kind: str) -> None:
    if not isinstance(value, (list, tuple)) or not value:
        raise ValueError(f"invalid geometry: {kind} has no coordinates")
    if depth:
        for part in value:
            _check_coordinates(part, depth - 1, kind)
        if kind.endswith("Polygon") and depth == 2:
            for ring in value:
                if len(ring) < 4 or list(ring[0]) != list(ring[-1]):
                    raise ValueError("invalid geometry: a ring has at least four positions and ends where it begins")
        if kind.endswith("LineString") and depth == 1 and len(value) < 2:
            raise ValueError("invalid geometry: a line has at least two positions")
        return
    numbers = all(isinstance(x, (int, float)) and not isinstance(x, bool) and math.isfinite(x) for x in value)
    if not numbers or not 2 <= len(value) <= 4:
        raise ValueError(f"invalid geometry: a position is [longitude, latitude], not {value!r}")
    if not (-180 <= value[0] <= 180 and -90 <= value[1] <= 90):
        raise ValueError(f"invalid geometry: [{value[0]}, {value[1]}] is not longitude and latitude in degrees")
