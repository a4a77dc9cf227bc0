"""The configuration of a training: all settings of its result, checked, and read from TOML or options.

The fields are the only list of settings: TOML keys, options, their help and messages are all made from them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from felicity import parsing, plugins
from felicity.datasets.augment import PRESETS, Augmentation, OwnAugmentation, own_augmentation
from felicity.errors import ConfigError
from felicity.models.backend import BACKENDS, Backend
from felicity.models.devices import Device
from felicity.models.registry import LIMITS, ModelOptions
from felicity.validation import Place, checked, dotted

ALLOWED: dict[str, tuple[Backend, ...]] = {"bfloat16": ("torch", "jax"), "float16": ("torch",)}
"""Backends of a precision that not all have."""
Pixels = Literal["normalised", "raw"]
_CHECKED = ConfigDict(extra="forbid", frozen=True, strict=True)


def _share(default: float | None, description: str) -> Any:
    return Field(default, ge=0, lt=1, description=description)


def _network(option: str, description: str) -> Any:
    low, high = LIMITS[option]
    return Field(default=None, ge=low, le=high, description=description)


class DataConfig(BaseModel):
    """The settings of the images and their reading."""

    model_config = _CHECKED

    path: str = Field(description="A data set, or a folder made by: felicity data prepare.")
    name: str | None = Field(default=None, description="Name of the data set, for the record.")
    licence: str | None = Field(default=None, description="Licence or terms of the data set, for the record.")
    format: str | None = Field(
        default=None, description="Format of the data, if Felicity does not recognise it; see: felicity data inspect."
    )
    classes: str | None = Field(
        default=None, description="Classes: 8, 7, happy,sad, happy,negative=sad+anger, or a TOML file."
    )
    votes: Literal["shares", "majority", "probability", "multi-target"] = Field(
        default="shares", description="Way in which FER+ votes become labels."
    )
    size: int = Field(
        default=48, ge=LIMITS["size"][0], le=LIMITS["size"][1], description="Side of the images in pixels."
    )
    colour: Literal["gray", "rgb"] = Field(default="gray", description="Colour of the images.")
    second: str | None = Field(
        default=None,
        description="Other labels of the same images, which a second head learns, such as FER2013 beside FER+.",
    )
    more: list[str] = Field(
        default=[], description="Another data set, whose training and validation sets are added; repeat for more."
    )
    images: int = Field(default=0, ge=0, description="Train on this many images, drawn by the split seed; 0: all.")
    test_share: float = _share(0.3, "Share of the images that is the test set, where the data set has no folds.")
    validation_share: float = _share(0.1, "Share of the training set that is the validation set.")
    split_seed: int = Field(default=1, description="Seed of the split, and of the images drawn.")
    pixels: Pixels = Field(
        default="normalised", description="normalised: to mean 0 and deviation 1 over the training set; raw: 0 to 255."
    )

    @field_validator("classes")
    @classmethod
    def _from_anywhere(cls, classes: str | None) -> str | None:
        """Return a file of classes by its whole path, because other commands read the run from other folders."""
        return os.path.abspath(classes) if classes and classes.endswith(".toml") else classes


class ModelConfig(BaseModel):
    """The settings of the network; None leaves its own choice."""

    model_config = _CHECKED

    name: str = Field(
        default="resnet5", description="Network, see: felicity models list; or package.module:build for one of yours."
    )
    width: int | None = _network("width", "Channels of the first convolution.")
    depth: int | None = _network("depth", "Stages or blocks.")
    filter_size: int | None = _network("filter_size", "Side of the kernels, odd.")
    dropout: float | None = _share(None, "Share of the features dropped before the classifier.")


class TrainConfig(BaseModel):
    """A training: everything that its result depends on.

    Weight decay is decoupled (Loshchilov & Hutter 2019), of kernels alone (He T. et al. 2019, arXiv:1812.01187). The
    moving average of weights covers at most the latest tenth of the steps, because its decay is lower at the
    beginning. Weights are float32 in every ``precision``.
    """

    model_config = _CHECKED

    data: DataConfig
    model: ModelConfig = ModelConfig()
    backend: Backend = Field(default="tensorflow", description="Framework that Keras runs on.")
    device: Device = Field(
        default="auto",
        description="Device: cuda (NVIDIA), mps (Apple, torch alone) or cpu; auto: a GPU if there is one.",
    )
    epochs: int = Field(default=30, ge=1, le=10_000, description="Passes over the data.")
    batch_size: int = Field(default=128, ge=1, le=65_536, description="Images of one step.")
    learning_rate: float = Field(default=1e-3, gt=0, le=100, description="Highest learning rate of the schedule.")
    optimizer: Literal["sgd", "adam", "adamw"] = Field(default="adam", description="Optimiser.")
    momentum: float = _share(0.9, "Nesterov momentum of sgd.")
    weight_decay: float = Field(default=0.0, ge=0, le=1, description="Decoupled weight decay of kernels.")
    schedule: Literal["constant", "cosine", "one-cycle"] = Field(
        default="constant", description="Course of the learning rate."
    )
    warm_up: float = _share(0.0, "Share of the steps in which the learning rate rises.")
    loss: str | None = Field(
        default=None, description="A loss of your own, package.module:function (default: cross-entropy)."
    )
    metrics: list[str] = Field(
        default=[],
        description="A metric of your own for the validation set, package.module:function; repeat for more.",
    )
    label_smoothing: float = _share(0.0, "Share of a label spread over all classes; votes stay as they are.")
    soft_labels: bool = Field(default=False, description="Learn from shares of votes where the data have them.")
    second_weight: float = Field(
        default=1.0, gt=0, le=100, description="Weight of the second head's loss; the first has 1."
    )
    start: str | None = Field(default=None, description="Run or bundle whose weights the training begins with.")
    teachers: list[str] = Field(default=[], description="Bundle, or folder of answers, to learn from; repeat for more.")
    teacher_share: float = Field(
        default=0.5, gt=0, le=1, description="Share of the targets that are the teachers' answers."
    )
    views: int = Field(
        default=0,
        ge=0,
        le=1000,
        description="Augmented images kept of each, which epochs take in turns; 0: always new ones.",
    )
    class_weights: bool = Field(default=False, description="Weigh images so that all classes count alike.")
    sampling: Literal["shuffled", "balanced"] = Field(
        default="shuffled",
        description="shuffled: every image once an epoch; balanced: equally many of each class, rare ones repeated.",
    )
    augment: str = Field(
        default="none",
        description="Augmentation: none, geometry, camera, mild, one that a package announces, or package.module:name; "
        "the table augmentation of a file changes single values.",
    )
    augmentation: dict[str, float] = Field(default={}, description="Single values of the augmentation.")
    mix: float = Field(default=0.0, ge=0, le=1, description="Share of the images blended with others (mixup).")
    average: float = _share(0.0, "Decay of the moving average of weights, such as 0.999; 0: none.")
    patience: int = Field(
        default=0, ge=0, description="Epochs without a better validation loss before stopping; 0: never."
    )
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        default="float32",
        description="Precision of the arithmetic: bfloat16 for torch and jax, on GPUs and processors with AVX512_BF16 "
        "or AMX; float16 for torch on GPUs.",
    )
    seed: int = Field(default=1, ge=0, description="Seed of weights, order and augmentation.")
    threads: int = Field(default=0, ge=0, le=1024, description="Processor threads; 0: all cores.")

    @property
    def evens_classes(self) -> bool:
        """Return whether all classes count alike, however many images they have."""
        return self.class_weights or self.sampling == "balanced"

    def model_options(self, classes: int) -> ModelOptions:
        """Return the options for the registry."""
        chosen = self.model.model_dump(exclude={"name"})
        return ModelOptions(classes, self.data.size, 1 if self.data.colour == "gray" else 3, **chosen)

    def how_augmented(self) -> Augmentation | OwnAugmentation | None:
        """Return the augmentation; None if images stay as they are. Raises ConfigError."""
        if self.augment == "none":
            if self.augmentation:
                raise ConfigError("augmentation values are given but augment is none; choose geometry, camera or mild")
            return None
        known = [each.name for each in fields(Augmentation)]
        if unknown := sorted(self.augmentation.keys() - set(known)):
            raise ConfigError(f"augmentation.{unknown[0]} is not a setting; known are {', '.join(known)}")
        if self.augment in PRESETS:
            return replace(PRESETS[self.augment], **self.augmentation)
        if (own := own_augmentation(self.augment)) is None:
            known = ["none", *PRESETS, *plugins.announced("augmentations")]
            raise ConfigError(f"augment must be {', '.join(known)} or package.module:name, not {self.augment!r}")
        if self.augmentation:
            raise ConfigError(f"augmentation values are for {', '.join(PRESETS)}, not {self.augment}; leave them out")
        return own


class Layer(dict[str, Any]):
    """Settings from one source, as nested mappings. ``name`` says what that source calls the setting at a place."""

    def __init__(self, settings: Mapping[str, Any], name: Callable[[Place], str]) -> None:
        super().__init__(settings)
        self.name = name


def make_config(*layers: Mapping[str, Any]) -> TrainConfig:
    """Return a configuration from nested mappings, of which later ones win.

    Another ``augment`` ends the ``augmentation`` of a layer below. Raises ConfigError for an unknown key or value, by
    the name that it has in its layer.
    """
    merged: dict[str, Any] = {"data": {}}
    for layer in layers:
        below = merged.get("augment")
        if below is not None and layer.get("augment") not in (None, below):  # values were of the preset they stood with
            merged.pop("augmentation", None)
        _merge(merged, layer)

    def name(place: Place) -> str:
        holders = [layer for layer in layers if isinstance(layer, Layer) and _holds(layer, place)]
        return holders[-1].name(place) if holders else f"training configuration: {dotted(place)}"

    config = checked(TrainConfig, merged, name=name, advice="see: felicity train --help")
    if config.class_weights and config.sampling == "balanced":
        raise ConfigError("class_weights and sampling = balanced both make classes count alike; choose one of them")
    if config.views and config.augment == "none":
        raise ConfigError("views is for augmented images, but augment is none; choose geometry, camera or mild")
    if config.augment in ("none", *PRESETS):  # others' code is imported when it is used
        config.how_augmented()
    config.model_options(2)
    if config.backend not in (known := ALLOWED.get(config.precision, BACKENDS)):
        raise ConfigError(
            f"precision {config.precision} is for the backend {' and '.join(known)}, not {config.backend}; leave it at "
            f"float32"
        )
    if config.precision == "float16" and config.device == "cpu":
        raise ConfigError("precision float16 is for GPUs, not for device cpu; choose bfloat16 or float32")
    if config.device == "mps" and config.backend != "torch":
        raise ConfigError(f"device mps is for the backend torch, not {config.backend}; choose cpu or auto")
    return config


def read_toml(path: Path) -> Layer:
    """Return a configuration file as nested mappings. Raises ConfigError."""
    try:
        settings = parsing.read_toml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as a TOML configuration ({error})") from error
    return Layer(settings, lambda place: f"{path}: {dotted(place)}")


def to_toml(config: TrainConfig) -> str:
    """Return a file that ``read_toml`` takes; settings without a value are left out."""
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


def _holds(layer: Mapping[str, Any], place: Place) -> bool:
    """Return whether ``layer`` gives a value at ``place``, or for what stands around it."""
    inner: Any = layer
    for key in place:
        if not isinstance(inner, Mapping):
            return inner is not None
        inner = inner.get(key)
    return inner is not None
