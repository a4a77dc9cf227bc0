"""The use cases: one function with a typed result for each task of the commands and the server.

Wherever a function takes ``store``, it takes an open ``Store``, a path, a URL, or None for the user's own file. It
closes only a store that it opened itself. Times are dates, which begin at midnight, or datetimes; a time without a time
zone is in each location's time zone. ``locations`` are names, or a single name; None stands for all.
"""

from felicity.api.archiving import Archive, archive
from felicity.api.auditing import audit_log, record
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
from felicity.api.classifying import Classified, classify
from felicity.api.clusters import ClusterStatus, cluster_status
from felicity.api.comparing import compare
from felicity.api.comparing_places import UsualByLocation, rank, usual
from felicity.api.locations import (
    RemovedLocation,
    RenamedLocation,
    SavedLocations,
    import_locations,
    latest,
    list_locations,
    location_content,
    merge_locations,
    remove_location,
    rename_location,
    save_locations,
)
from felicity.api.looking import Installation, PlaceView, installation, overview, place_view
from felicity.api.measuring import evaluate
from felicity.api.over_time import SeriesByLocation, effect, series, trends
from felicity.api.places import HappinessIndex, city, happiness, write_geojson
from felicity.api.published import (
    PublishedNow,
    make_releases,
    published_city,
    published_effect,
    published_index,
    published_locations,
    published_now,
    published_rank,
    published_trends,
    published_usual,
    published_version,
    release,
    release_crowds,
    releases,
    store_state,
)
from felicity.api.reporting import WrittenReport, report, write_report
from felicity.api.retention import run_retention, set_retention, show_retention
from felicity.api.runs import list_runs, remove_runs
from felicity.api.sampling import CalibrationSample, calibration_sample
from felicity.api.seeing import Reader, open_reader, read, watch
from felicity.api.selection import opened, split_names, to_time
from felicity.api.serving import compare_people
from felicity.api.tokens import NewToken, add_token, find_token, list_tokens, revoke_token, token_used
from felicity.api.training import Told, crossval, train, tune
from felicity.api.training_results import CrossValidation, TrainingResult, Tuning
from felicity.api.try_it import TRY_IT_NEEDS, TryIt, try_it, try_it_lacks
from felicity.training.watcher import Watcher

__all__ = [
    "TRY_IT_NEEDS",
    "Archive",
    "CalibrationSample",
    "Classified",
    "ClusterStatus",
    "CrossValidation",
    "HappinessIndex",
    "Installation",
    "LocationCalibration",
    "NewToken",
    "PlaceView",
    "PublishedNow",
    "Reader",
    "RemovedLocation",
    "RenamedLocation",
    "SavedLocations",
    "SeriesByLocation",
    "Told",
    "TrainingResult",
    "TryIt",
    "Tuning",
    "UsualByLocation",
    "Watcher",
    "WrittenReport",
    "add_token",
    "archive",
    "audit_log",
    "calibrate",
    "calibration_sample",
    "cameras_schema",
    "cameras_service",
    "cameras_status",
    "check_cameras",
    "city",
    "classify",
    "cluster_status",
    "compare",
    "compare_people",
    "crossval",
    "effect",
    "evaluate",
    "export_bundle",
    "find_token",
    "happiness",
    "import_locations",
    "installation",
    "latest",
    "list_cameras",
    "list_locations",
    "list_runs",
    "list_tokens",
    "location_content",
    "make_releases",
    "merge_locations",
    "open_reader",
    "opened",
    "overview",
    "place_view",
    "published_city",
    "published_effect",
    "published_index",
    "published_locations",
    "published_now",
    "published_rank",
    "published_trends",
    "published_usual",
    "published_version",
    "rank",
    "read",
    "record",
    "release",
    "release_crowds",
    "releases",
    "remove_location",
    "remove_runs",
    "rename_location",
    "report",
    "revoke_token",
    "run_cameras",
    "run_retention",
    "save_locations",
    "series",
    "set_retention",
    "show_retention",
    "split_names",
    "store_state",
    "to_time",
    "token_used",
    "train",
    "trends",
    "try_it",
    "try_it_lacks",
    "tune",
    "usual",
    "verify_bundle",
    "watch",
    "write_geojson",
    "write_report",
]
