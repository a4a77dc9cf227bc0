"""The facts of a bundle, ``bundle.json``: what may stand there."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, field_validator

from felicity.labels import Classes, Expression

FORMAT: Literal[1] = 1

Row = Annotated[list[FiniteFloat], Field(min_length=8, max_length=8)]
Counts = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=8, max_length=8)]
UnitShare = Annotated[FiniteFloat, Field(ge=0, le=1)]
Temperature = Annotated[FiniteFloat, Field(gt=0)]


def _shares(row: list[float]) -> list[float]:
    if min(row) < 0 or abs(sum(row) - 1) > 1e-3:
        raise ValueError(f"shares are numbers from 0 that sum to 1, and these sum to {sum(row):g}")
    return row


Shares = Annotated[Row, AfterValidator(_shares)]
Matrix = Annotated[list[Row], Field(min_length=8, max_length=8)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Input(_Strict):
    """See ``imaging.InputSpec``."""

    size: int
    colour: Literal["gray", "rgb"]
    mean: FiniteFloat
    std: FiniteFloat


class SoftMatrixFacts(_Strict):
    """The network's mean answers to held-out faces of each label (``Bundle.soft_matrix``).

    ``matrix[i][j]``: mean probability of expression i over faces whose label is j. ``counts[j]``: how many faces.
    ``cross[j]``: mean of p pᵀ over them.
    """

    matrix: Matrix
    counts: Counts
    cross: Annotated[list[Matrix], Field(min_length=8, max_length=8)]


class SecondHead(_Strict):
    """A second answer to the same face, in another convention of labels.

    ``labels_of``: source of the labels, such as ``FER2013``; ``output``: of the ONNX file. Other names as in
    ``BundleFacts``.
    """

    labels_of: str
    output: str
    temperature: Temperature
    bias: Row
    prior: Shares
    calibration: dict[str, Any] | None = None
    metrics: dict[str, Any]


class CoveredMeasures(_Strict):
    """The errors of the output for covered faces on ``faces`` faces, as shares 0 to 1.

    ``free_taken``: free ones taken for covered. ``found``: covered ones called so; ``decoys_taken``: free ones with
    something elsewhere; both of ``all``, and by what was drawn before them.
    """

    faces: Annotated[int, Field(ge=1)]
    free_taken: UnitShare
    found: dict[str, UnitShare]
    decoys_taken: dict[str, UnitShare]


class CoveredOutput(_Strict):
    """The output (N, 1) that tells faces whose lower part is covered, from its logit ``threshold`` on.

    ``trained_on``: in words. ``held_out``: what it was measured on, but not trained. ``metrics``: by part of the data.
    """

    output: str
    threshold: FiniteFloat
    trained_on: str
    held_out: list[str]
    multiply_adds: Annotated[int, Field(ge=0)]
    metrics: dict[str, CoveredMeasures]


class TrainingWeights(_Strict):
    """Float weights that a training can begin with (``models.weights``); ``origin``: where they come from, in words."""

    file: str
    sha256: str
    origin: str


class BundleFacts(_Strict):
    """The content of ``bundle.json``.

    ``temperature`` divides logits, then ``bias`` is added, which makes them calibrated under ``prior``, the shares of
    the expressions among the faces that they were calibrated on; ``calibration``: how both were chosen
    (``metrics.calibrating``). ``classes``: what it tells apart, by name, with the expressions that each class is made
    of; a class stands at the place of the first of them (``labels.Classes``). ``answer_prior``: shares for which
    answers are made, see ``recognition.Classifier``; None for ``prior``. Soft matrix and confusion are of the answers
    so made. ``soft_matrix_parts``: those of each part that made the soft matrix, where there are two. ``card``: what it
    is meant for and what not, in words. ``training``: configuration, data, versions and epoch, where ``felicity train``
    made the weights.
    """

    format: Literal[1]
    name: str
    weights: str
    weights_sha256: str
    labels: list[str]
    input: Input
    temperature: Temperature
    bias: Row | None = None
    calibration: dict[str, Any] | None = None
    prior: Shares
    answer_prior: Shares | None = None
    soft_matrix: SoftMatrixFacts
    soft_matrix_parts: dict[str, SoftMatrixFacts] | None = None
    confusion: Annotated[list[Counts], Field(min_length=8, max_length=8)]
    metrics: dict[str, Any]
    trained_on: str
    calibrated_on: str
    licence: str
    made_with: str
    classes: dict[str, list[Expression]] | None = None
    second: SecondHead | None = None
    covered: CoveredOutput | None = None
    card: dict[str, str] | None = None
    training: dict[str, Any] | None = None
    training_weights: TrainingWeights | None = None
    facts_sha256: str = ""

    @field_validator("classes")
    @classmethod
    def _disjoint(cls, value: dict[str, list[Expression]] | None) -> dict[str, list[Expression]] | None:
        if value is not None and len(Classes.of(value, value).names) < 2:
            raise ValueError("two classes or more expected")
        return value

    def digest(self, *without: str) -> str:
        """Return the SHA-256 of everything but itself and the fields ``without``."""
        told = self.model_dump(exclude={"facts_sha256", *without}, exclude_none=True)
        text = json.dumps(told, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
