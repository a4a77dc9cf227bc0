"""The syntax of times on the command line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime


def time_parser(option: str) -> Callable[[str], datetime]:
    """Return a parser of ISO 8601 for ``option``, which its ConfigError names."""

    def parse(text: str) -> datetime:
        from felicity.api import to_time

        return to_time(text, option)

    return parse


def parse_day(text: str) -> date:
    """Parse a whole day for ``--at``; raises ConfigError for other text."""
    from felicity.errors import ConfigError

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"--at {text!r}: a day in ISO 8601 expected, such as 2026-05-01") from None
