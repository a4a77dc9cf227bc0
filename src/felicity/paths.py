"""The user's data folder, which holds downloaded detectors and the default store, and the environment variables."""

from __future__ import annotations

import os
from pathlib import Path

from felicity.errors import ConfigError

ENVIRONMENT: dict[str, str] = {
    "FELICITY_CLUSTER_LOGS": "1: print the lines of a cluster's workers, each with its process and machine.",
    "FELICITY_HOME": "Folder for what Felicity keeps for you: installed detectors and the default store.",
    "FELICITY_STORE": "The store, where --store is not given: a SQLite file, or a sqlite:/// or postgresql:// URL.",
    "FELICITY_TRYIT": "Folder of the runtime of the page Try it, used instead of the installed one.",
    "FELICITY_YUNET": "File of YuNet's weights, used instead of the installed one.",
}
"""Every environment variable that Felicity reads, with its meaning."""


def home() -> Path:
    """Return the user's data folder: ``FELICITY_HOME`` if set, else the platform's usual place. Does not create it."""
    if chosen := os.environ.get("FELICITY_HOME"):
        return expanded(chosen)
    from platformdirs import user_data_path

    return user_data_path("felicity")


def expanded(path: str | Path) -> Path:
    """Return ``path`` with ``~`` and ``~USER`` replaced by the home folder; raises ConfigError if there is none."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"{path}: this user has no home folder; give the whole path") from error
