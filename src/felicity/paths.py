"""Where Felicity keeps what it keeps for a user: downloaded detectors and the default store."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """The user's data folder: ``FELICITY_HOME`` if set, else the platform's usual place. Not created here."""
    if chosen := os.environ.get("FELICITY_HOME"):
        return Path(chosen).expanduser()
    from platformdirs import user_data_path

    return user_data_path("felicity")
