"""The use cases: what the commands and the server do, as functions with typed results.

Wherever a function takes ``store``, it takes an open ``Store``, a path, a URL, or None for the user's own file. It
closes only a store that it opened itself. Times are dates, which begin at midnight, or datetimes; without a zone they
are in each location's time zone. ``locations`` are names, or a single name; None stands for all.
"""

from felicity.api.bundles import export as export_bundle
from felicity.api.bundles import verify as verify_bundle
from felicity.api.calibrating import LocationCalibration, calibrate
from felicity.api.cameras import (
    cameras_schema,
    cameras_service,
    cameras_status,
    check_cameras,
    list_cameras,
    run_cameras,
)
from felicity.api.comparing import compare
from felicity.api.comparing_places import UsualByLocation, rank, usual
from felicity.api.locations import (
    RemovedLocation,
    RenamedLocation,
    SavedLocations,
    import_locations,
    list_locations,
    location_content,
    merge_locations,
    remove_location,
    rename_location,
    save_locations,
)
from felicity.api.measuring import evaluate
from felicity.api.over_time import SeriesByLocation, effect, series, trends
from felicity.api.places import HappinessIndex, city, happiness, write_geojson
from felicity.api.reporting import WrittenReport, report, write_report
from felicity.api.runs import list_runs, remove_runs
from felicity.api.seeing import read, watch
from felicity.api.selection import opened, split_names
from felicity.api.training import Told, crossval, train, tune
from felicity.api.training_results import CrossValidation, TrainingResult, Tuning

__all__ = [
    "CrossValidation",
    "HappinessIndex",
    "LocationCalibration",
    "RemovedLocation",
    "RenamedLocation",
    "SavedLocations",
    "SeriesByLocation",
    "Told",
    "TrainingResult",
    "Tuning",
    "UsualByLocation",
    "WrittenReport",
    "calibrate",
    "cameras_schema",
    "cameras_service",
    "cameras_status",
    "check_cameras",
    "city",
    "compare",
    "crossval",
    "effect",
    "evaluate",
    "export_bundle",
    "happiness",
    "import_locations",
    "list_cameras",
    "list_locations",
    "list_runs",
    "location_content",
    "merge_locations",
    "opened",
    "rank",
    "read",
    "remove_location",
    "remove_runs",
    "rename_location",
    "report",
    "run_cameras",
    "save_locations",
    "series",
    "split_names",
    "train",
    "trends",
    "tune",
    "usual",
    "verify_bundle",
    "watch",
    "write_geojson",
    "write_report",
]
