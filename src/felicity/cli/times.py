"""Times as people write them on the command line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime


def time_parser(option: str) -> Callable[[str], datetime]:
    """Return a parser of ISO 8601 for ``option``, which its ConfigError names; a time without an offset has no zone."""

    def parse(text: str) -> datetime:
        from felicity.errors import ConfigError
        from felicity.windows.buckets import read_time

        try:
            return read_time(text)
        except ValueError:
            raise ConfigError(
                f"{option} {text!r}: a time in ISO 8601 expected, such as 2026-05-01, 2026-05-01T09:00 or "
                "2026-05-01T09:00+02:00"
            ) from None

    return parse


def parse_day(text: str) -> date:
    """Read a whole day for ``--at``; ConfigError for anything else."""
    from felicity.errors import ConfigError

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"--at {text!r}: a day in ISO 8601 expected, such as 2026-05-01") from None
