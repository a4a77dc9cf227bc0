"""Answers about data sets."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from felicity.schemas.shape import Count, Shape

Counts = dict[str, dict[str, Count]]


class AuditShape(Shape):
    """The faults of a data set, as counts."""

    images: Count = Field(description="All images, including unreadable ones.")
    unreadable: Count = Field(description="Images that cannot be read.")
    blank: Count = Field(description="Images that show one shade nearly everywhere.")
    identical_groups: Count = Field(description="Groups of images with equal pixels.")
    identical_images: Count = Field(description="Images in these groups.")
    identical_across_splits: Count = Field(description="Groups of identical images with images in several folds.")
    identical_conflicting_labels: Count = Field(description="Groups of identical images with several labels.")
    near_duplicate_groups: Count = Field(
        description="Groups of near-duplicates: one photograph, altered, beyond equal pixels."
    )
    near_duplicate_images: Count = Field(description="Images in these groups.")
    suspicious_labels: Count | None = Field(description="Labels that the bundle contradicts; null without --bundle.")
    classes: Counts = Field(description="Images by fold and class.")
    left_out: dict[str, Count] = Field(description="Numbers of unread images, by reason.")


class PreparedShape(Shape):
    """A data set prepared for training."""

    path: str = Field(description="The output folder.")
    images: Count
    classes: list[str]
    splits: Counts = Field(description="Images by split and class.")
    left_out: dict[str, Count] = Field(description="Images left out, by reason.")
    leaky: bool = Field(description="True if duplicates may lie in different splits.")
    size: int = Field(ge=1, description="Side of the images in pixels.")
    colour: Literal["gray", "rgb"]


SHAPES = {"data-inspect": AuditShape, "data-prepare": PreparedShape}
