"""Answers about this installation: detectors, packages, bundles."""

from __future__ import annotations

from pydantic import Field

from felicity.schemas.shape import Shape


class DetectorShape(Shape):
    """A face detector, and whether it works here."""

    name: str
    available: bool
    reason: str = Field(description="What is missing and what to do; empty where available.")


class DoctorShape(Shape):
    """What is installed and what works."""

    felicity: str = Field(description="Version.")
    python: str = Field(description="Version.")
    platform: str
    home: str = Field(description="Your data folder.")
    packages: dict[str, str | None] = Field(description="Version by package; null where not installed.")
    extras: dict[str, bool] = Field(description="Whether all packages of an extra are installed.")
    detectors: list[DetectorShape] = Field(description="The best first.")
    bundles: dict[str, str] = Field(description="Identity by name of a shipped bundle, or why it cannot be opened.")
    missing: list[str] = Field(description="Essential parts that are missing; the exit code is then 1.")


SHAPES = {"detectors-list": list[DetectorShape], "doctor": DoctorShape}
