"""What is asked of one location: its range, and the model whose windows count."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class LocationQuery:
    """A location, the model to use for it, and the range that is asked for, None where it cuts nothing off."""

    id: int
    name: str
    timezone: str
    begin: int | None
    end: int | None
    model_id: int
    model: str

    @property
    def zone(self) -> ZoneInfo:
        """The location's clock."""
        return ZoneInfo(self.timezone)
