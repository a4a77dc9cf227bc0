"""Answers about the study that Felicity began with, run again."""

from __future__ import annotations

from pydantic import Field

from felicity.schemas.shape import Shape


class ReplicationShape(Shape):
    """A published figure beside the one found here."""

    what: str
    study: str = Field(description="The published figure.")
    ours: str = Field(description="The figure found here.")
    agrees: bool
    why: str = Field(description="Why they do not agree; may be empty, and matters only where they do not.")


class ReproduceShape(Shape):
    """The study, run again."""

    page: str = Field(description="The page written.")
    findings: list[ReplicationShape]


SHAPES = {"reproduce": ReproduceShape}
