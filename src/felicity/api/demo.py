"""A simulated city in a store, to try Felicity on: four locations over weeks that end now, and a clip as a camera."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

DAYS = 49
WINDOW_SECONDS = 10
"""Length of the windows of a clip: shorter than usual, so that visitors need not wait."""
END_SECONDS = 10


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


@contextmanager
def clip_as_camera(clip: str | Path, store: str | Path) -> Iterator[str]:
    """Play a video over and over as a camera, which a process of its own watches into a store; yield its location.

    Raises SourceError for a file that is no video.
    """
    from felicity.sources.registry import open_source

    path = Path(clip).resolve()
    with open_source(f"clip:{path}"):  # says what is wrong with it before anything is served
        location = f"{path.stem} (clip)"
    words = ["watch", f"clip:{path}", "--location", location, "--store", str(store), "--window", str(WINDOW_SECONDS)]
    watching = subprocess.Popen(
        [sys.executable, "-m", "felicity", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield location
    finally:
        watching.terminate()
        try:
            watching.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            watching.kill()
            watching.wait()
