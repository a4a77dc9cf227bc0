"""Expressions of face crops: a bundle on ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from felicity.errors import BundleError, ConfigError
from felicity.faces.detection import Detection
from felicity.models.bundle import Bundle, open_bundle
from felicity.models.prior import prior_shift, towards_even
from felicity.runtime import open_session

BATCH = 64
COVERED_SIDE = 32.0
"""Longer side of the smallest face, in pixels, that may count as covered.

Smaller boxes hold too few pixels. From uncovered press faces with noise and coarse compression, the shipped networks
take 2 % for covered with boxes of 32 pixels, 6 % with 24 and 14 % with 20 (``benchmarks/covered.py --sizes``).
"""
Shares = Literal["natural", "in-use", "equal"]
"""Shares of the expressions that answers are made for, see ``Classifier``."""


@dataclass(frozen=True)
class Answers:
    """The answers of a bundle to N faces.

    ``probabilities``: float64 (N, 8), see ``Classifier.probabilities``. ``covered``: bool (N,), whether the lower face
    is covered, so that the expression cannot be seen; None where the bundle does not tell.
    """

    probabilities: npt.NDArray[np.float64] = field(repr=False)
    covered: npt.NDArray[np.bool_] | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.probabilities)

    def hidden(self, detections: Sequence[Detection | None]) -> list[bool | None]:
        """Return for each face whether its lower part is covered; None where neither bundle nor pixels tell.

        ``detections``: one for each face, None for a face that fills its picture.
        """
        if self.covered is None:
            return [None] * len(self)
        told = (found is None or found.side >= COVERED_SIDE for found in detections)
        return [hidden if can_tell else None for hidden, can_tell in zip(self.covered.tolist(), told, strict=True)]

    def part(self, begin: int, end: int) -> Answers:
        """Return the answers to some faces that follow each other."""
        return Answers(self.probabilities[begin:end], None if self.covered is None else self.covered[begin:end])


class Classifier:
    """One ONNX Runtime session; the batch is free, all faces of a frame go in one call.

    ``shares``: those of the expressions that answers are made for. ``in-use``: ``bundle.assumed_prior``, in which rare
    expressions have a share that lets them be found; the soft matrix is of these answers. ``natural``: those among the
    faces that calibrated the bundle. ``equal``: equal ones, by the mean of both heads where the bundle has two.
    Raises ConfigError for any other word, BundleError where the network cannot be used.
    """

    def __init__(self, bundle: Bundle, *, threads: int | None = None, shares: Shares = "in-use") -> None:
        checked_shares(shares)
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
        fits = len(inputs) == 1 and inputs[0].shape[1:] == wanted and all(given.get(name) == [8] for name in named)
        if not fits or (facts.covered is not None and given.get(facts.covered.output) != [1]):
            further = f" and {facts.covered.output} (N, 1)" if facts.covered else ""
            raise BundleError(
                f"{bundle.weights}: one input (N, {', '.join(map(str, wanted))}) and {len(named)} outputs (N, 8)"
                f"{further} expected, found {[i.shape for i in inputs]} and {[o.shape for o in outputs]}"
            )
        self._input_name, self._output_name = inputs[0].name, outputs[0].name
        wanted_shares = {"natural": facts.prior, "in-use": bundle.assumed_prior}.get(shares)
        if wanted_shares is None:
            wanted_shares = towards_even(facts.prior, 1).tolist()
        self._shift = bundle.shift_to(wanted_shares)
        self._both_heads = shares == "equal" and facts.second is not None

    @classmethod
    def open(
        cls, where: str | Path | None = None, *, threads: int | None = None, shares: Shares = "in-use"
    ) -> Classifier:
        """Open a bundle by folder or name (None: the default) and load it."""
        return cls(open_bundle(where), threads=threads, shares=shares)

    def probabilities(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """Return calibrated probabilities of its classes, each at its place among the eight expressions.

        ``crops``: uint8 ``(N, size, size)`` grey or ``(N, size, size, 3)`` RGB, according to ``self.input``. Returns
        float64 ``(N, 8)``, the places of no class 0 (``labels.Classes``); rows sum to 1. A face's answer does not
        depend on its neighbours in the batch.
        """
        return self.answers(crops).probabilities

    def answers(self, crops: npt.NDArray[np.uint8]) -> Answers:
        """Return ``probabilities``, and which faces are covered, in one call of the network."""
        facts = self.bundle.facts
        heads = [self._output_name, *([facts.second.output] if facts.second and self._both_heads else [])]
        first, *others = self._logits(crops, *heads, *([facts.covered.output] if facts.covered else []))
        covered = None if facts.covered is None else others.pop()[:, 0] > facts.covered.threshold
        p = _softmax(first / facts.temperature + self._shift)
        return Answers((p + self._by_the_second(p, others[0])) / 2 if others else p, covered)

    def second_probabilities(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """Return the second head's probabilities, see ``probabilities``, for the shares it was calibrated on.

        Raises BundleError if the bundle has none.
        """
        second = self.bundle.facts.second
        if second is None:
            raise BundleError(f"{self.bundle.folder}: has no second head; ask for its probabilities")
        return _softmax(self._logits(crops, second.output)[0] / second.temperature + np.array(second.bias))

    def _by_the_second(self, p: npt.NDArray[np.float64], logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the second head's answers (N, 8) for equal shares; classes it does not know stay as in ``p``."""
        head = self.bundle.facts.second
        assert head is not None
        knows = np.array(head.prior) > 0
        shift = np.array(head.bias) + prior_shift(head.prior, towards_even(head.prior, 1))
        own = _softmax(np.where(knows, logits / head.temperature + shift, -np.inf))
        return np.where(knows, own * p[:, knows].sum(1, keepdims=True), p)

    def _logits(self, crops: npt.NDArray[np.uint8], *outputs: str) -> list[npt.NDArray[np.float64]]:
        """Return logits by output, (N, 8), or (N, 1) of a covered face."""
        run, name, batch = self._session.run, self._input_name, self.input.batch
        parts = [run(list(outputs), {name: batch(crops[i : i + BATCH])}) for i in range(0, len(crops), BATCH)]
        if not parts:
            return [np.empty((0, 8)) for _ in outputs]
        whole = parts[0] if len(parts) == 1 else [np.concatenate(each) for each in zip(*parts, strict=True)]
        return [np.asarray(each, dtype=np.float64) for each in whole]


def checked_shares(name: str) -> Shares:
    """Return ``name`` as one of ``Shares``. Raises ConfigError."""
    for known in get_args(Shares):
        if name == known:
            return cast(Shares, known)
    raise ConfigError(f"shares must be {', '.join(get_args(Shares))}, not {name!r}")


def _softmax(scaled: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    scaled = scaled - scaled.max(axis=1, keepdims=True)
    np.exp(scaled, out=scaled)
    scaled /= scaled.sum(axis=1, keepdims=True)
    return scaled
