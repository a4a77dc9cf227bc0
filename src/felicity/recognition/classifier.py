"""Expressions of face crops: a bundle on ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from felicity.errors import BundleError
from felicity.models.bundle import Bundle, open_bundle
from felicity.models.prior import prior_shift
from felicity.runtime import open_session

BATCH = 64


class Classifier:
    """One ONNX Runtime session; the batch is free, all faces of a frame go in one call.

    Answers are made for ``bundle.assumed_prior``, in which rare expressions have a share that lets them be found.
    ``natural``: for the shares among the faces it was calibrated on instead, ``facts.prior``.
    """

    def __init__(self, bundle: Bundle, *, threads: int | None = None, natural: bool = False) -> None:
        self.bundle, self.classes = bundle, bundle.classes
        self.input = bundle.input
        network = bundle.network()
        try:
            self._session = open_session(network, threads=threads)
        except Exception as error:  # ONNX Runtime raises its own types, all of them meaning this
            raise BundleError(f"{bundle.weights}: ONNX Runtime cannot load it ({error})") from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        facts = bundle.facts
        wanted = [self.input.channels, self.input.size, self.input.size]
        named = [outputs[0].name] + ([facts.second.output] if facts.second else [])
        given = {output.name: output.shape[1:] for output in outputs}
        if len(inputs) != 1 or inputs[0].shape[1:] != wanted or any(given.get(name) != [8] for name in named):
            raise BundleError(
                f"{bundle.weights}: one input (N, {', '.join(map(str, wanted))}) and {len(named)} outputs (N, 8) "
                f"expected, found {[i.shape for i in inputs]} and {[o.shape for o in outputs]}"
            )
        self._input_name, self._output_name = inputs[0].name, outputs[0].name
        shares = facts.prior if natural else bundle.assumed_prior
        self._shift = prior_shift(facts.prior, shares) + (np.array(facts.bias) if facts.bias else 0.0)

    @classmethod
    def open(cls, where: str | Path | None = None, *, threads: int | None = None) -> Classifier:
        """Open a bundle by folder or name (None: the default) and load it."""
        return cls(open_bundle(where), threads=threads)

    def probabilities(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """Calibrated probabilities of its classes, each at its place among the eight expressions, for face crops.

        ``crops``: uint8 ``(N, size, size)`` grey or ``(N, size, size, 3)`` RGB, as ``self.input``
        says. Returns float64 ``(N, 8)``, the places of no class 0 (``labels.Classes``); rows sum to 1. A
        face's answer does not depend on its neighbours in the batch.
        """
        return _softmax(self._logits(crops, self._output_name) / self.bundle.facts.temperature + self._shift)

    def second_probabilities(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """What the second head says, see ``probabilities``; for the shares among the faces it was calibrated on.

        Raises BundleError where the bundle has none.
        """
        second = self.bundle.facts.second
        if second is None:
            raise BundleError(f"{self.bundle.folder}: has no second head; ask for its probabilities")
        return _softmax(self._logits(crops, second.output) / second.temperature + np.array(second.bias))

    def _logits(self, crops: npt.NDArray[np.uint8], output: str) -> npt.NDArray[np.float64]:
        run, name, batch = self._session.run, self._input_name, self.input.batch
        parts = [run([output], {name: batch(crops[i : i + BATCH])})[0] for i in range(0, len(crops), BATCH)]
        return np.concatenate([np.empty((0, 8)), *parts])


def _softmax(scaled: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    scaled = scaled - scaled.max(axis=1, keepdims=True)
    np.exp(scaled, out=scaled)
    scaled /= scaled.sum(axis=1, keepdims=True)
    return scaled
