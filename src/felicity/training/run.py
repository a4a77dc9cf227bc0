"""A run folder: what was asked for, on what, with what; its history, and its checkpoints.

``run.json`` date, command line, configuration, classes, pixels, data, versions; ``history.csv`` a line per epoch;
``curves.png``; ``last.npz`` everything to go on from; ``best.npz`` weights of the epoch with the least validation loss.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from felicity import plugins, system
from felicity.datasets.augment import OwnAugmentation
from felicity.errors import ConfigError, TrainingError, noted
from felicity.imaging.spec import Colour
from felicity.labels import EXPRESSIONS, Classes
from felicity.metrics.temperature import softmax
from felicity.models.devices import Device
from felicity.models.registry import check_network
from felicity.parsing import read_json
from felicity.training import checkpoint
from felicity.training.config import TrainConfig, make_config
from felicity.training.data import TrainingSet
from felicity.training.engines import Engine, open_engine
from felicity.training.feed import normalise
from felicity.training.history import Epoch, from_json, to_csv
from felicity.training.labelled_images import ImageArray
from felicity.training.same import check_same
from felicity.training.teachers import ids_of

FORMAT = 1
RUN, HISTORY, CURVES, LAST, BEST = "run.json", "history.csv", "curves.png", "last.npz", "best.npz"
PACKAGES = (
    "felicity",
    "numpy",
    "keras",
    "tensorflow",
    "tensorflow-cpu",
    "torch",
    "jax",
    "jaxlib",
    "onnx",
    "onnxruntime",
    "opencv-python-headless",
)


@dataclass(frozen=True)
class TrainingRun:
    """A run folder, opened. ``mean`` and ``std`` normalise pixels, see ``imaging.InputSpec``.

    ``second_classes``: of the second head, if it has one. ``members``: what classes are made of, see ``TrainingSet``.
    """

    folder: Path
    config: TrainConfig
    classes: tuple[str, ...]
    mean: float
    std: float
    facts: dict[str, Any] = field(repr=False)
    second_classes: tuple[str, ...] = ()
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Return the id of its best weights: folder and digest, such as ``run@0123456789ab``."""
        return f"{self.folder.resolve().name}@{checkpoint.digest(self.weights())[:12]}"

    @property
    def heads(self) -> tuple[int, ...]:
        """Return the number of classes of each head."""
        return tuple(len(classes) for classes in (self.classes, self.second_classes) if classes)

    def told(self) -> list[Classes]:
        """Return the classes of each head, with what they are made of. Raises ConfigError if it does not say."""
        try:
            return [Classes.of(names, self.members) for names in (self.classes, self.second_classes) if names]
        except ValueError as error:
            raise ConfigError(
                f"{self.folder}: {error} ({', '.join(EXPRESSIONS)}), and the run does not say what it is made of; "
                f"train again, with --classes"
            ) from error

    @property
    def size(self) -> int:
        """Return the side of the input in pixels."""
        return self.config.data.size

    @property
    def colour(self) -> Colour:
        """Return the colour of the input."""
        return self.config.data.colour

    @property
    def history(self) -> list[dict[str, Any]]:
        """Return the epochs done, as plain values; none before the first is."""
        if not (self.folder / LAST).is_file():
            return []
        return list(checkpoint.load(self.folder / LAST)[1]["history"])

    def _open_engine(self, device: Device = "auto") -> Engine:
        """Return the engine on ``device``, whatever the device of its training, for answers.

        Raises ConfigError if there is no such device, or if the code of its network is gone, naming its origin.
        """
        code = self.facts.get("code", {}).get("model.name", {})
        from_package = f" of the package {code['package']} {code['version']}" if "package" in code else ""
        with noted([f"{self.folder} was trained with {code['path']}{from_package}"] if code else []):
            here = self.config.model_copy(update={"device": device, "precision": "float32"})
            return open_engine(here, self.heads)

    def weights(self, which: Literal["best", "last"] = "best") -> checkpoint.State:
        """Return arrays by the names of the network's variables."""
        if which == "best":
            return checkpoint.load(self.folder / BEST)[0]
        engine = self._open_engine()
        engine.set_state(checkpoint.load(self.folder / LAST)[0])
        return engine.weights()

    def engine(self, which: Literal["best", "last"] = "best", device: Device = "auto") -> Engine:
        """Return the network on its backend, with those weights."""
        engine = self._open_engine(device)
        engine.set_weights(self.weights(which))
        return engine


def open_run(folder: Path) -> TrainingRun:
    """Open a run; raises TrainingError if ``folder`` is not one, or of another version."""
    file = folder / RUN
    try:
        facts = read_json(file.read_bytes())
    except FileNotFoundError as error:
        raise TrainingError(f"{folder}: is no run folder, it has no {RUN}; make one with: felicity train") from error
    except (OSError, ValueError) as error:
        raise TrainingError(f"{file}: cannot be read as JSON ({error})") from error
    found = facts.get("format") if isinstance(facts, dict) else None
    if found != FORMAT:
        raise TrainingError(f"{file}: run format {FORMAT} expected, found {found!r}")
    try:
        pixels = facts["pixels"]
        config, classes, second = make_config(facts["config"]), facts["classes"], facts.get("second_classes", ())
        members = {name: tuple(made_of) for name, made_of in facts.get("members", {}).items()}
        return TrainingRun(folder, config, tuple(classes), pixels["mean"], pixels["std"], facts, tuple(second), members)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise TrainingError(f"{file}: is incomplete or damaged ({error}); train again") from error


def predict(folder: Path, images: ImageArray, which: Literal["best", "last"] = "best") -> npt.NDArray[np.float32]:
    """Return the first head's probabilities ``(N, C)`` for ``images`` uint8 ``(N, S, S[, 3])``; rows sum to 1."""
    run = open_run(folder)
    logits = run.engine(which).predict(normalise(images, run.mean, run.std))[:, : len(run.classes)]
    return softmax(logits).astype(np.float32)


def check_new(folder: Path) -> None:
    """Raise TrainingError where ``folder`` holds a run already."""
    if (folder / RUN).exists():
        raise TrainingError(f"{folder}: holds a run already; resume it with --resume, or choose another folder")


def begin(folder: Path, config: TrainConfig, data: TrainingSet, start: str | None = None) -> TrainingRun:
    """Write ``run.json`` into a new folder. ``start``: identity of the weights that it begins with.

    Raises TrainingError if one is there, or it cannot be written.
    """
    check_new(folder)
    facts = {
        "format": FORMAT,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": system.command_line(),
        "config": config.model_dump(),
        **({"start": start} if start else {}),
        **({"teachers": ids_of(config.teachers)} if config.teachers else {}),
        "classes": list(data.classes),
        **({"second_classes": list(data.second_classes)} if data.second_classes else {}),
        **({"members": dict(data.members)} if data.members else {}),
        "pixels": {"mean": data.mean, "std": data.std},
        "data": {"digest": data.digest, "images": data.counts()},
        "environment": environment(),
        **({"code": code} if (code := code_of(config)) else {}),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"{folder}: cannot be made ({error.strerror}); choose another folder") from error
    checkpoint.write(folder / RUN, (json.dumps(facts, indent=1) + "\n").encode())
    return open_run(folder)


def resume(
    folder: Path, config: TrainConfig, data: TrainingSet
) -> tuple[TrainingRun, checkpoint.State | None, dict[str, Any]]:
    """Return the run, the state to resume from (None: the start) and its facts. Raises TrainingError for another."""
    run = open_run(folder)
    check_same(str(folder), run.config.model_dump(), config.model_dump())
    if (ids := ids_of(config.teachers)) != run.facts.get("teachers", []):
        raise TrainingError(
            f"{folder}: was taught by {', '.join(run.facts['teachers'])}, and the teachers are {', '.join(ids)} now; "
            f"resume it with those it was begun with, or choose another folder"
        )
    if run.facts["data"]["digest"] != data.digest:
        raise TrainingError(f"{folder}: was begun on other images or labels; resume it on the same data")
    told = config.data.model_dump(
        include={"path", "more", "name", "licence"}
    )  # data may have been moved, or are named now
    if told != run.config.data.model_dump(include=set(told)):
        run.facts["config"]["data"] |= told
        checkpoint.write(folder / RUN, (json.dumps(run.facts, indent=1) + "\n").encode())
        run = open_run(folder)
    if not (folder / LAST).is_file():
        return run, None, {}
    state, facts = checkpoint.load(folder / LAST)
    return run, state, facts


def record(run: TrainingRun, history: list[Epoch], *, draw: bool = True) -> None:
    """Write the table, and the curves unless ``draw`` is False."""
    from felicity.style.charts import to_png
    from felicity.training.curves import draw_curves

    checkpoint.write(run.folder / HISTORY, to_csv(history).encode())
    if history and draw:
        title = f"{run.config.model.name} on {run.config.backend}"
        checkpoint.write(run.folder / CURVES, to_png(draw_curves([asdict(epoch) for epoch in history], title)))


def history_of(facts: dict[str, Any]) -> list[Epoch]:
    """Return the epochs that a checkpoint knows."""
    return from_json(facts.get("history", []))


def code_of(config: TrainConfig) -> dict[str, dict[str, str]]:
    """Return each setting that names code of other packages, with its import path, package and version."""
    own = config.how_augmented()
    paths = {
        "model.name": check_network(config.model.name).path,
        "augment": own.path if isinstance(own, OwnAugmentation) else "",
        "loss": config.loss or "",
    } | {f"metrics.{number}": path for number, path in enumerate(config.metrics)}
    return {setting: plugins.origin(path) for setting, path in paths.items() if path}


def environment() -> dict[str, Any]:
    """Return versions, machine and the state of the code, as far as known."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": system.cores(),
        "packages": versions,
        "git": _git(),
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"


def _git() -> dict[str, Any] | None:
    """Return the commit of the running code, and whether it was changed since; None outside a checkout of Felicity."""
    here = Path(__file__).resolve().parent

    def ask(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", "-C", str(here), *words], capture_output=True, text=True, timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    top = ask("rev-parse", "--show-toplevel")
    # An installed Felicity may lie within the repository of somebody's own project.
    if top is None or here != Path(top, "src", "felicity", "training") or (commit := ask("rev-parse", "HEAD")) is None:
        return None
    return {"commit": commit, "changed": bool(ask("status", "--porcelain", "--", str(here)))}
