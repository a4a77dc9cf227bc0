"""Answers about this installation: detectors, packages, bundles."""

from __future__ import annotations

from pydantic import Field

from felicity.schemas.shape import Shape


class DetectorShape(Shape):
    """A face detector, and its availability here."""

    name: str
    available: bool
    reason: str = Field(description="The missing part and how to install it; empty if available.")


class DeviceShape(Shape):
    """A device on which a framework can compute."""

    backend: str
    device: str = Field(description="cpu, cuda or mps, as --device takes it; empty if the framework does not start.")
    name: str
    trouble: str = Field(description="The reason why the framework does not start; empty if it does.")


class DoctorShape(Shape):
    """The state of an installation."""

    felicity: str = Field(description="Version of Felicity.")
    python: str = Field(description="Version of Python.")
    platform: str
    home: str = Field(description="Your data folder.")
    packages: dict[str, str | None] = Field(description="Version by package; null if not installed.")
    extras: dict[str, bool] = Field(description="By extra, true if all its packages are installed.")
    detectors: list[DetectorShape] = Field(description="Detectors, the best first.")
    devices: list[DeviceShape] = Field(description="Devices by framework; the last one of a framework is its default.")
    bundles: dict[str, str] = Field(
        description="By name of a shipped bundle, its identity or the reason why it does not open."
    )
    ray: str = Field(description="In words, whether Felicity can share work out over a Ray cluster.")
    missing: list[str] = Field(description="Essential parts that are missing; the exit code is then 1.")


class ClusterMachineShape(Shape):
    """A machine of a Ray cluster."""

    address: str = Field(description="Host and port.")
    cores: float = Field(ge=0, description="Processor cores that it gives.")
    gpus: float = Field(ge=0, description="GPUs that it gives.")
    memory: float = Field(ge=0, description="Memory that work on it may take, in bytes.")
    trouble: str = Field(description="Reason why it cannot take work; empty if it can.")
    equipped: bool = Field(
        description="True if the command sends its own Felicity there, because the machine has none or another one."
    )


class ClusterShape(Shape):
    """A Ray cluster and its machines."""

    cluster: str = Field(description="Its address, as given.")
    machines: list[ClusterMachineShape] = Field(description="By address.")


SHAPES = {"cluster-status": ClusterShape, "detectors-list": list[DetectorShape], "doctor": DoctorShape}
