"""The syntax of simulated measures on the command line."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from felicity.simulation.town import Measure


def parse_measure(text: str, place: str, days: int) -> Measure:
    """Parse ``DATE=POINTS`` as a measure at ``place``. Raises ConfigError."""
    from felicity.cli.commands.demo import FIRST_DAY
    from felicity.cli.times import time_parser
    from felicity.errors import ConfigError
    from felicity.simulation.town import Measure

    date, _, points = text.partition("=")
    try:
        change = float(points) / 100
    except ValueError:
        change = 2.0
    if not -1 <= change <= 1:
        raise ConfigError(f"--effect {text}: DATE=POINTS expected, with points from -100 to 100, such as 2026-05-18=8")
    at, end = time_parser("--effect")(date), FIRST_DAY + timedelta(days=days)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    if not FIRST_DAY < at < end:
        raise ConfigError(
            f"--effect {text}: the city is simulated from {FIRST_DAY:%Y-%m-%d} to {end:%Y-%m-%d}; name a day between"
        )
    return Measure(place, at, change)
