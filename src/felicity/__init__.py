"""Felicity measures how happy the people in a place look, with an interval, and keeps no face.

import felicity

felicity.read("photo.jpg")                             # faces with their expressions
felicity.classify("photos", "faces.parquet")           # a row for each of a million photographs
felicity.watch("clip.mp4", location="Harbour")         # windows into the store
felicity.archive("footage", locations="where.csv")     # many recordings, on all cores or a cluster
felicity.happiness(by="day").rows                      # the happiness index, with intervals
felicity.trends(by="week").items                       # is it getting better?
felicity.write_report(felicity.report(), "report.html")
felicity.train("faces/", "run", settings={"epochs": 5})  # a data set into a run
felicity.evaluate("best", "fer2013.csv.gz")            # how well a model does, with intervals

Each function is a use case of ``felicity.api``. Those that read a store take it as ``store``: an open ``Store``, a
path, a URL, or None for the user's own file.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # pragma: no cover
    from felicity.api import (
        Watcher,
        archive,
        calibrate,
        calibration_sample,
        city,
        classify,
        compare,
        compare_people,
        crossval,
        effect,
        evaluate,
        export_bundle,
        happiness,
        rank,
        read,
        report,
        series,
        train,
        trends,
        tune,
        usual,
        verify_bundle,
        watch,
        write_geojson,
        write_report,
    )

__version__ = "0.1.0"
__all__ = [
    "Watcher",
    "__version__",
    "archive",
    "calibrate",
    "calibration_sample",
    "city",
    "classify",
    "compare",
    "compare_people",
    "crossval",
    "effect",
    "evaluate",
    "export_bundle",
    "happiness",
    "rank",
    "read",
    "report",
    "series",
    "train",
    "trends",
    "tune",
    "usual",
    "verify_bundle",
    "watch",
    "write_geojson",
    "write_report",
]


def __getattr__(name: str) -> Any:
    # Late, so that `import felicity` stays cheap.
    if name in __all__:
        return getattr(importlib.import_module("felicity.api"), name)
    raise AttributeError(f"module 'felicity' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
