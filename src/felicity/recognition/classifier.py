"""Expressions of face crops: a bundle on ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from felicity.errors import BundleError
from felicity.models.bundle import Bundle, open_bundle
from felicity.models.runtime import open_session

BATCH = 64


class Classifier:
    """One ONNX Runtime session; the batch is free, all faces of a frame go in one call."""

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        self.bundle = bundle
        self.input = bundle.input
        try:
            self._session = open_session(bundle.weights, threads=threads)
        except Exception as error:  # ONNX Runtime raises its own types, all of them meaning this
            raise BundleError(f"{bundle.weights}: ONNX Runtime cannot load it ({error})") from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        wanted = [self.input.channels, self.input.size, self.input.size]
        if len(inputs) != 1 or inputs[0].shape[1:] != wanted or outputs[0].shape[1:] != [8]:
            raise BundleError(
                f"{bundle.weights}: one input (N, {', '.join(map(str, wanted))}) and an output (N, 8) expected, "
                f"found {[i.shape for i in inputs]} and {[o.shape for o in outputs]}"
            )
        self._input_name, self._output_name = inputs[0].name, outputs[0].name

    @classmethod
    def open(cls, where: str | Path | None = None, *, threads: int | None = None) -> Classifier:
        """Open a bundle by folder or name (None: the default) and load it."""
        return cls(open_bundle(where), threads=threads)

    def probabilities(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """Calibrated probabilities of the eight expressions for face crops.

        ``crops``: uint8 ``(N, size, size)`` grey or ``(N, size, size, 3)`` RGB, as ``self.input``
        says. Returns float64 ``(N, 8)`` in the order of ``labels.EXPRESSIONS``; rows sum to 1. A
        face's answer does not depend on its neighbours in the batch.
        """
        parts = [self._logits(crops[i : i + BATCH]) for i in range(0, len(crops), BATCH)]
        if not parts:
            return np.empty((0, 8))
        scaled = np.concatenate(parts).astype(np.float64) / self.bundle.facts.temperature
        scaled -= scaled.max(axis=1, keepdims=True)
        np.exp(scaled, out=scaled)
        scaled /= scaled.sum(axis=1, keepdims=True)
        return scaled

    def _logits(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        result: npt.NDArray[np.float32] = self._session.run(
            [self._output_name], {self._input_name: self.input.batch(crops)}
        )[0]
        return result
