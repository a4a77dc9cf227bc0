"""Answers about bundles: show, verify and export."""

from __future__ import annotations

from pydantic import Field

from felicity.schemas.shape import JsonObject, Shape


class ShownBundleShape(Shape):
    """A bundle and the facts in it."""

    id: str = Field(description="Name, and a digest of everything that its answers depend on.")
    path: str = Field(description="The folder of the bundle.")
    classes: dict[str, list[str]] = Field(description="The classes of its answers, each with its expressions.")
    facts: JsonObject = Field(description="The content of its bundle.json; docs/models.md describes the fields.")


class VerifiedBundleShape(Shape):
    """A verified bundle, which is complete, unchanged, and runs; any other bundle is an error."""

    id: str
    path: str


class ExportedBundleShape(Shape):
    """A bundle exported from a run."""

    id: str
    path: str
    classes: list[str] = Field(description="Classes in the run's order.")
    largest_difference: float = Field(ge=0, description="Largest difference of logits between ONNX and the network.")
    rounding: float = Field(ge=0, description="The same difference caused by the lower precision; 0 for float32.")
    temperature: float = Field(gt=0)
    metrics: dict[str, JsonObject] = Field(description="Figures by part of the data.")


SHAPES = {
    "bundle-show": ShownBundleShape,
    "bundle-verify": VerifiedBundleShape,
    "bundle-export": ExportedBundleShape,
}
