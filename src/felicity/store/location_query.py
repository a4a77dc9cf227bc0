"""The query for one location: its range, and the model and detector whose windows count."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class LocationQuery:
    """A location, its model and detector, and the requested range, None if the range cuts nothing off.

    ``model_ids``: rows of the table of models, one for the detector, and one for windows that do not hold theirs.
    """

    id: int
    name: str
    timezone: str
    begin: int | None
    end: int | None
    model_ids: tuple[int, ...]
    model: str
    detector: str

    @property
    def zone(self) -> ZoneInfo:
        """Return the location's time zone."""
        return ZoneInfo(self.timezone)
