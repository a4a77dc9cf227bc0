"""Answers about data sets."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from felicity.schemas.shape import Count, Shape

Counts = dict[str, dict[str, Count]]


class AuditShape(Shape):
    """What is wrong with a data set, as counts."""

    images: Count = Field(description="All, those that cannot be read too.")
    unreadable: Count = Field(description="Images.")
    blank: Count = Field(description="Images that show one shade nearly everywhere.")
    identical_groups: Count = Field(description="Groups of images with equal pixels.")
    identical_images: Count = Field(description="Images in these groups.")
    identical_across_splits: Count = Field(description="Of these groups, those that stand in several folds.")
    identical_conflicting_labels: Count = Field(description="Of these groups, those under several labels.")
    near_duplicate_groups: Count = Field(description="Groups of one photograph, altered, beyond equal pixels.")
    near_duplicate_images: Count = Field(description="Images in these groups.")
    suspicious_labels: Count | None = Field(description="Labels that the bundle contradicts; null without --bundle.")
    classes: Counts = Field(description="Images by fold and class.")
    left_out: dict[str, Count] = Field(description="Images that are not read, by reason.")


class PreparedShape(Shape):
    """A data set made ready for training."""

    path: str = Field(description="The folder written.")
    images: Count
    classes: list[str]
    splits: Counts = Field(description="Images by split and class.")
    left_out: dict[str, Count] = Field(description="Images left out, by reason.")
    leaky: bool = Field(description="Whether duplicates may straddle the splits.")
    size: int = Field(ge=1, description="Side of the images in pixels.")
    colour: Literal["gray", "rgb"]


SHAPES = {"data-inspect": AuditShape, "data-prepare": PreparedShape}
