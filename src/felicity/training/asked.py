"""Check that settings ask a prepared folder for nothing that it cannot give."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from felicity.datasets import parse_classes, read_manifest
from felicity.datasets.manifest import MANIFEST
from felicity.errors import DatasetError
from felicity.training.config import DataConfig


def check_asked(config: DataConfig, *, given: Collection[str] = (), unless: Collection[str] = ()) -> None:
    """Raise DatasetError where a setting asks a prepared folder for something else than what it was prepared with.

    Defaults ask for nothing, unless ``given``: named by a flag. ``unless``: settings that are used otherwise.
    """
    if not (Path(config.path) / MANIFEST).is_file():
        return
    manifest = read_manifest(Path(config.path))
    split = manifest.options["split"]
    classes = parse_classes(config.classes)
    asked: dict[str, Any] = config.model_dump() | {
        "format": None if config.format == "prepared" else config.format,
        "classes": ",".join(classes.classes) if classes.asked else None,
    }
    settled = {
        "format": manifest.format,
        "classes": ",".join(manifest.classes),
        "votes": "not recorded",
        "test_share": split["test_share"],
        "validation_share": split["validation_share"],
    }
    for name, found in settled.items():
        default = None if name in given else DataConfig.model_fields[name].default
        if name not in unless and asked[name] not in (found, None, default):
            raise DatasetError(
                f"{config.path}: is prepared already, so {name} = {asked[name]} is not possible (found: {found}); "
                f"leave it out, or name the data set that it was prepared from"
            )
