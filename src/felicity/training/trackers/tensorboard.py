"""A training as event files of TensorBoard, in the folder ``tensorboard`` of its run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from felicity.errors import require
from felicity.training.history import Epoch
from felicity.training.watcher import Watcher, figures_of

if TYPE_CHECKING:
    from felicity.training.run import TrainingRun

FOLDER = "tensorboard"


class TensorBoardTracker(Watcher):
    """Scalars by epoch, and the configuration as text; earlier files hold earlier epochs."""

    def __init__(self) -> None:
        self._summary = require("tensorboard.compat.proto.summary_pb2", "tensorboard")
        self._event = require("tensorboard.compat.proto.event_pb2", "tensorboard")
        self._tensors = require("tensorboard.compat.proto.tensor_pb2", "tensorboard")
        self._files = require("tensorboard.summary.writer.event_file_writer", "tensorboard")
        self._writer: Any = None

    def begin(self, run: TrainingRun, done: Sequence[Epoch]) -> None:
        """Open a new file in the run's folder."""
        self._writer = self._files.EventFileWriter(str(run.folder / FOLDER))
        if not done:
            self._put(self._text("configuration", json.dumps(run.config.model_dump(), indent=1)), 0)

    def epoch(self, done: Epoch, epochs: int) -> None:
        """Write the figures of an epoch; see ``Watcher``."""
        value = self._summary.Summary.Value
        for name, figure in figures_of(done).items():
            self._put(value(tag=f"epoch/{name}", simple_value=figure), done.epoch)
        self._writer.flush()

    def end(self) -> None:
        """Close the file; see ``Watcher``."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _put(self, value: Any, step: int) -> None:
        import time

        summary = self._summary.Summary(value=[value])
        self._writer.add_event(self._event.Event(wall_time=time.time(), step=step, summary=summary))

    def _text(self, tag: str, text: str) -> Any:
        about = self._summary.SummaryMetadata(
            plugin_data=self._summary.SummaryMetadata.PluginData(plugin_name="text"),
        )
        lines = "\n".join(f"    {line}" for line in text.splitlines())  # Markdown's code
        tensor = self._tensors.TensorProto(dtype="DT_STRING", string_val=[lines.encode()])
        tensor.tensor_shape.dim.add(size=1)
        return self._summary.Summary.Value(tag=tag, metadata=about, tensor=tensor)


def open_tracker() -> Watcher:
    """Return the tracker; see ``training.watcher.tracker``."""
    return TensorBoardTracker()
