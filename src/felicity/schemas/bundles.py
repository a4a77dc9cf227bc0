"""Answers about bundles: what one says of itself, whether it is whole, and one that was made."""

from __future__ import annotations

from pydantic import Field

from felicity.schemas.shape import JsonObject, Shape


class ShownBundleShape(Shape):
    """A bundle and what it says of itself."""

    id: str = Field(description="Name and a digest of what answers depend on.")
    path: str = Field(description="Its folder.")
    classes: dict[str, list[str]] = Field(description="What it tells apart: class to the expressions it is made of.")
    facts: JsonObject = Field(description="What stands in its bundle.json; docs/models.md describes the fields.")


class VerifiedBundleShape(Shape):
    """A bundle that is whole, unchanged, and runs; one that is not is an error."""

    id: str
    path: str


class ExportedBundleShape(Shape):
    """A bundle made of a run."""

    id: str
    path: str
    classes: list[str] = Field(description="In the run's order.")
    largest_difference: float = Field(ge=0, description="Of logits between ONNX and the network.")
    rounding: float = Field(ge=0, description="The same difference by the lower precision; 0 for float32.")
    temperature: float = Field(gt=0)
    metrics: dict[str, JsonObject] = Field(description="By part of the data.")


SHAPES = {
    "bundle-show": ShownBundleShape,
    "bundle-verify": VerifiedBundleShape,
    "bundle-export": ExportedBundleShape,
}
