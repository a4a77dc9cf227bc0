"""The index of a city as a map."""

from __future__ import annotations

from typing import Any

from felicity.cities.city import CityIndex
from felicity.schemas.cities import CityShape


def to_geojson(city: CityIndex) -> dict[str, Any]:
    """Return a FeatureCollection (RFC 7946) with a feature per location; ``geometry`` is null if unknown.

    Properties are the figures of the location; the member ``city`` has those of the city.
    """
    whole = CityShape.model_validate(city).model_dump(mode="json")
    figures = whole.pop("locations")
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": dict(part.location.geometry) if part.location.geometry else None,
                "properties": properties,
            }
            for part, properties in zip(city.parts, figures, strict=True)
        ],
        "city": whole | {"notes": [str(note) for note in city.notes]},
    }
