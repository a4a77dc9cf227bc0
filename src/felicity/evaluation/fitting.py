"""The diagnosis of over- or underfitting, in a sentence with its evidence; the rules are these.

- *Overfitted*: at the end of the training, its accuracy was higher than validation's by GAP or more; or by half of
  that, and the validation loss had risen by RISE since its least. Likewise if the kept weights are better by GAP or
  more on images they were trained on than on others, beyond what chance explains.
- *Underfitted*: not overfitted, and training accuracy exceeds that of always giving the most frequent answer by less
  than ABOVE_CHANCE; or the validation loss was least at the last epoch, and fell over the last quarter of epochs by
  SLOPE or more of its value.
- *Neither*: all else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from felicity.evaluation.intervals import Estimate
from felicity.metrics.classification import Floats
from felicity.style import numbers

GAP, RISE, ABOVE_CHANCE, SLOPE = 0.10, 0.05, 0.05, 0.02

Word = Literal["overfitted", "underfitted", "neither"]
Epochs = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Fit:
    """The verdict ``word``, the ``sentences`` that explain it, and the ``evidence`` behind them, for programs."""

    word: Word
    sentences: tuple[str, ...]
    evidence: dict[str, Any] = field(repr=False)

    @property
    def text(self) -> str:
        """Return verdict and explanation as text."""
        return " ".join(self.sentences)


def judge_fit(history: Epochs, chance: float, kept: Mapping[str, Estimate] | None = None) -> Fit:
    """Judge over- and underfitting from a run's ``history`` (see ``training.history.Epoch``), at least one epoch.

    ``chance``: accuracy of always giving the most frequent answer. ``kept``: accuracy of the kept weights, by part:
    ``training``, ``validation`` and, if it was evaluated, ``test``.
    """
    last, best = history[-1], min(history, key=lambda row: row["val_loss"])
    gap, rise = last["accuracy"] - last["val_accuracy"], last["val_loss"] - best["val_loss"]
    falling = _falling(history)
    beyond = _gap(kept)
    over_end = gap >= GAP or (gap >= GAP / 2 and rise >= RISE)
    over_kept = beyond is not None and beyond[0] >= GAP and beyond[1] > 0
    trained = float(kept["training"].value) if kept else last["accuracy"]
    low = max(trained, last["accuracy"]) < chance + ABOVE_CHANCE
    still = best is last and falling is not None and falling >= SLOPE
    word: Word = "overfitted" if over_end or over_kept else "underfitted" if low or still else "neither"
    if over_kept and not over_end and kept:  # augmentation and dropout lower the training's own figure
        seen, unseen = float(kept["training"].value), float(_unseen(kept).value)
        first = (
            f"Overfitted: the weights kept are right on {percent(seen)} of training's images, "
            f"on {percent(unseen)} of others."
        )
    else:
        first = _first(word, last, chance, low=low)
    sentences = [first, _loss(history, best, rise, falling if still else None)]
    if kept:
        sentences.append(_kept(best["epoch"], kept))
    evidence = {
        "epochs": len(history),
        "best_epoch": best["epoch"],
        "training_accuracy": last["accuracy"],
        "validation_accuracy": last["val_accuracy"],
        "validation_loss_rise": rise,
        "validation_loss_fall": falling,
        "chance": chance,
        "kept": {
            part: {"accuracy": float(e.value), "interval": [float(e.low), float(e.high)]}
            for part, e in (kept or {}).items()
        },
    }
    return Fit(word, tuple(sentences), evidence)


def _falling(history: Epochs) -> float | None:
    """Return the share by which the validation loss fell over the last quarter of the epochs."""
    if len(history) < 2:
        return None
    before, last = history[-1 - max(1, len(history) // 4)]["val_loss"], history[-1]["val_loss"]
    return float((before - last) / max(before, 1e-12))


def _gap(kept: Mapping[str, Estimate] | None) -> tuple[float, float] | None:
    """Return how much more accurate training images are than test (else validation) images, and its lower bound."""
    if not kept:
        return None
    seen, unseen = kept["training"], _unseen(kept)
    gap = float(seen.value - unseen.value)
    doubt = float((seen.value - seen.low) ** 2 + (unseen.high - unseen.value) ** 2) ** 0.5
    return gap, gap - doubt


def percent(share: float | Floats) -> str:
    """Return a share as text, such as 81.3 %."""
    return numbers.share(float(share))


def _unseen(kept: Mapping[str, Estimate]) -> Estimate:
    return kept.get("test", kept["validation"])


def _first(word: Word, last: Mapping[str, Any], chance: float, *, low: bool) -> str:
    training, validation = (
        f"training accuracy {percent(last['accuracy'])}",
        f"{percent(last['val_accuracy'])} on validation",
    )
    if word == "overfitted":
        return f"Overfitted: {training} against {validation}."
    if word == "underfitted" and low:
        return (
            f"Underfitted: {training}, {validation}, hardly above the {percent(chance)} of always giving the most "
            f"frequent answer."
        )
    if word == "underfitted":
        return f"Underfitted: it was still learning when it stopped, with {training}, {validation}."
    return f"Neither over- nor underfitted: {training}, {validation}."


def _loss(history: Epochs, best: Mapping[str, Any], rise: float, falling: float | None) -> str:
    where = f"The validation loss was least at epoch {best['epoch']} of {len(history)}"
    if falling is not None:
        return f"{where}, and fell by {numbers.share(falling, 0)} over the last quarter of them: train longer."
    if best is history[-1]:
        return f"{where}, the last."
    return f"{where} and rose by {rise:.2g} since."


def _kept(epoch: int, kept: Mapping[str, Estimate]) -> str:
    intervals = ", ".join(
        f"{part} {percent(e.value)} ({percent(e.low)} to {percent(e.high)})" for part, e in kept.items()
    )
    return f"Accuracy of the saved weights (epoch {epoch}): {intervals}."
