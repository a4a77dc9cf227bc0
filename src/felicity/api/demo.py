"""A simulated city in a store, to try Felicity on: four locations over weeks that end now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

DAYS = 49


def simulated_city(store: str | Path, *, days: int = DAYS, seed: int = 1, now: datetime | None = None) -> None:
    """Write four simulated locations to a store, watched for ``days`` days and today until ``now``.

    Raises StoreError.
    """
    from felicity.models.bundle import open_bundle
    from felicity.simulation.hourly import write_hours
    from felicity.simulation.people import AnswerModel
    from felicity.store import open_store

    bundle = open_bundle()
    answers = AnswerModel(bundle.soft_matrix.matrix, bundle.soft_matrix.cross)
    end = (now or datetime.now(UTC)).astimezone(UTC)
    midnight = end.replace(hour=0, minute=0, second=0, microsecond=0)
    with open_store(str(store)) as opened:
        write_hours(opened, bundle, answers, midnight - timedelta(days=days), end, seed=seed)
