"""Times as people write them on the command line."""

from __future__ import annotations

from datetime import date, datetime


def parse_time(text: str) -> datetime:
    """Read ISO 8601; a time without a zone has none. Raises ConfigError for anything else."""
    from felicity.errors import ConfigError
    from felicity.windows.buckets import read_time

    try:
        return read_time(text)
    except ValueError:
        raise ConfigError(
            f"{text!r}: a time in ISO 8601 expected, such as 2026-05-01, 2026-05-01T09:00 or 2026-05-01T09:00+02:00"
        ) from None


def parse_date(text: str) -> datetime:
    """Read the date of a measure as ``parse_time`` does, and call it ``--at`` in the error."""
    from felicity.errors import ConfigError
    from felicity.windows.buckets import read_time

    try:
        return read_time(text)
    except ValueError:
        raise ConfigError(
            f"--at: a date in ISO 8601 expected, such as 2026-05-01, or 2026-05-01T00:00+02:00, not {text!r}"
        ) from None


def parse_day(text: str) -> date:
    """Read a whole day; ConfigError for anything else."""
    from felicity.errors import ConfigError

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"--at {text!r}: a day in ISO 8601 expected, such as 2026-05-01") from None
