"""Answers about the replication of the study that Felicity began with."""

from __future__ import annotations

from pydantic import Field

from felicity.schemas.shape import Shape


class ReplicationShape(Shape):
    """A published figure beside the replicated one."""

    what: str
    study: str = Field(description="The published figure.")
    ours: str = Field(description="The replicated figure.")
    agrees: bool | None = Field(description="Null if the run does not suffice to tell.")
    why: str = Field(description="The reason for the verdict, computed from the run; empty if obvious.")


class ReproduceShape(Shape):
    """The replicated study."""

    page: str = Field(description="Path of the written page.")
    findings: list[ReplicationShape]


SHAPES = {"reproduce": ReproduceShape}
