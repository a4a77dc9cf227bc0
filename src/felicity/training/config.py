"""What a training is: everything that its result depends on, checked, and read from TOML or flags."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from felicity.datasets.augment import PRESETS, Augmentation
from felicity.errors import ConfigError
from felicity.models.backend import Backend
from felicity.models.registry import ModelOptions

Share = Annotated[float, Field(ge=0, lt=1)]
Pixels = Literal["normalised", "raw"]
_CHECKED = ConfigDict(extra="forbid", frozen=True)


class DataConfig(BaseModel):
    """Which images, read as what.

    ``images``: how many of the training part, drawn by ``split_seed`` (0: all). ``pixels``: to mean 0 and deviation 1
    over the training part, or ``raw``, 0 to 255, as the study's losses suggest. ``second``: another source of labels of
    the same images, such as ``FER2013`` where FER+'s votes come first, that a second head learns.
    """

    model_config = _CHECKED

    path: str
    format: str | None = None
    classes: str | None = None
    votes: Literal["shares", "majority", "probability", "multi-target"] = "shares"
    size: Annotated[int, Field(ge=8, le=1024)] = 48
    colour: Literal["gray", "rgb"] = "gray"
    test_share: Share = 0.3
    validation_share: Share = 0.1
    split_seed: int = 1
    images: Annotated[int, Field(ge=0)] = 0
    pixels: Pixels = "normalised"
    second: str | None = None

    @field_validator("classes")
    @classmethod
    def _from_anywhere(cls, classes: str | None) -> str | None:
        """A file of classes by its whole path, for a run is also evaluated and exported from another folder."""
        return os.path.abspath(classes) if classes and classes.endswith(".toml") else classes


class ModelConfig(BaseModel):
    """Which network; None leaves its own choice."""

    model_config = _CHECKED

    name: str = "resnet5"
    width: int | None = None
    depth: int | None = None
    filter_size: int | None = None
    dropout: float | None = None


class TrainConfig(BaseModel):
    """A training.

    ``learning_rate``: the highest of the schedule. ``weight_decay``: decoupled (Loshchilov & Hutter 2019), of kernels
    alone (He T. et al. 2019, arXiv:1812.01187).
    ``label_smoothing``: share of a label spread evenly over all classes; votes stay as they are. ``soft_labels``: learn
    from the share of votes where the data set has them. ``second_weight``: of the second head's loss, the first has 1.
    ``start``: run or bundle whose weights the network begins with, in place of random ones.
    ``teachers``: bundles whose mean answers are ``teacher_share`` of the targets, labels are the rest.
    ``views``: augment every image and ask the teachers so many times, of each image and its mirror image; all epochs
    take these in turns, mirrored by chance, in place of new ones (0). A view keeps a byte per pixel in memory.
    ``augment``: the preset, of which ``augmentation`` changes single values. ``mix``: share of the images that are
    blended with others, and their labels likewise; teachers are asked about what results.
    ``average``: decay of the moving average of weights that is evaluated and kept, 0 for none; early on it is lower,
    so that the average is of the latest tenth of the steps at most. ``class_weights``: weigh images so that all classes
    count alike. ``patience``: stop after so many epochs without a better
    validation loss, 0 for never. ``precision``: of the arithmetic, weights are float32 always; ``bfloat16`` is for
    PyTorch, twice as fast on processors with instructions for it (AVX512_BF16, AMX) and slow on others.
    """

    model_config = _CHECKED

    data: DataConfig
    model: ModelConfig = ModelConfig()
    backend: Backend = "tensorflow"
    epochs: Annotated[int, Field(ge=1, le=10_000)] = 30
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 128
    learning_rate: Annotated[float, Field(gt=0, le=100)] = 1e-3
    optimizer: Literal["sgd", "adam", "adamw"] = "adam"
    momentum: Share = 0.9
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.0
    schedule: Literal["constant", "cosine", "one-cycle"] = "constant"
    warm_up: Share = 0.0
    label_smoothing: Share = 0.0
    soft_labels: bool = False
    second_weight: Annotated[float, Field(gt=0, le=100)] = 1.0
    start: str | None = None
    teachers: list[str] = []
    teacher_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    views: Annotated[int, Field(ge=0, le=1000)] = 0
    class_weights: bool = False
    augment: Literal["none", "geometry", "camera", "mild"] = "none"
    augmentation: dict[str, float] = {}
    mix: Annotated[float, Field(ge=0, le=1)] = 0.0
    average: Share = 0.0
    patience: Annotated[int, Field(ge=0)] = 0
    precision: Literal["float32", "bfloat16"] = "float32"
    seed: Annotated[int, Field(ge=0)] = 1
    threads: Annotated[int, Field(ge=0, le=1024)] = 0

    def model_options(self, classes: int) -> ModelOptions:
        """For the registry."""
        chosen = self.model.model_dump(exclude={"name"})
        return ModelOptions(classes, self.data.size, 1 if self.data.colour == "gray" else 3, **chosen)

    def how_augmented(self) -> Augmentation | None:
        """None where images enter as they are."""
        if self.augment == "none":
            if self.augmentation:
                raise ConfigError("augmentation values are given but augment is none; choose geometry, camera or mild")
            return None
        try:
            return replace(PRESETS[self.augment], **self.augmentation)
        except TypeError as error:
            raise ConfigError(f"augmentation: {str(error).removeprefix('Augmentation.__init__() ')}") from error


def make_config(*layers: Mapping[str, Any]) -> TrainConfig:
    """A configuration from nested mappings, of which later ones win; another ``augment`` ends the values of one below.

    Raises ConfigError for an unknown key or value.
    """
    merged: dict[str, Any] = {}
    for layer in layers:
        below = merged.get("augment")
        if below is not None and layer.get("augment") not in (None, below):  # values were of the preset they stood with
            merged.pop("augmentation", None)
        _merge(merged, layer)
    try:
        config = TrainConfig.model_validate(merged)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            raise ConfigError(
                f"training configuration: {place} is not a setting; see: felicity train --help"
            ) from error
        if first["type"] == "missing":
            raise ConfigError(f"training configuration: {place} is missing; see: felicity train --help") from error
        raise ConfigError(f"training configuration: {place}: {first['msg']}, not {first['input']!r}") from error
    if config.views and config.augment == "none":
        raise ConfigError("views is for augmented images, but augment is none; choose geometry, camera or mild")
    config.how_augmented()
    config.model_options(2)
    if config.precision == "bfloat16" and config.backend != "torch":
        raise ConfigError(f"precision bfloat16 is for the backend torch, not {config.backend}; leave it at float32")
    return config


def read_toml(path: Path) -> dict[str, Any]:
    """A configuration file as nested mappings. Raises ConfigError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as a TOML configuration ({error})") from error


def to_toml(config: TrainConfig) -> str:
    """As a file that ``read_toml`` takes; settings without a value are left out."""
    import json

    def lines(values: Mapping[str, Any]) -> list[str]:
        plain = {k: v for k, v in values.items() if v is not None and not isinstance(v, dict)}
        # TOML has no escape for half a character, which JSON makes of those beyond the first 65,536.
        return [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in plain.items()]

    dumped = config.model_dump()
    parts = ["\n".join(lines(dumped))]
    for name, table in dumped.items():
        if isinstance(table, dict) and table:
            parts.append("\n".join([f"[{name}]", *lines(table)]))
    return "\n\n".join(parts) + "\n"


def _merge(into: dict[str, Any], layer: Mapping[str, Any]) -> None:
    for key, value in layer.items():
        if isinstance(value, Mapping):
            below = into.get(key) or {}
            if not isinstance(below, Mapping):
                raise ConfigError(
                    f"training configuration: {key} must be a table, [{key}] with its settings below, not {below!r}"
                )
            into[key] = dict(below)
            _merge(into[key], value)
        elif value is not None:
            into[key] = value
