"""Bundle and detector on any machine: those that the command was started with, opened once for each process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from felicity.errors import BundleError, ConfigError, DetectorError
from felicity.faces import Detector
from felicity.faces.detection import identity
from felicity.faces.registry import open_detector
from felicity.recognition.classifier import Classifier, Shares


@dataclass(frozen=True)
class Eyes:
    """The settings of bundle and detector; ``model`` and ``found_by``: their identities.

    ``detector``: None if each picture is a face already; ``found_by`` is then empty.
    """

    bundle: str | None
    model: str
    detector: str | None
    found_by: str
    smallest_face: float | None = None
    shares: Shares = "in-use"


@lru_cache(maxsize=1)
def open_eyes(eyes: Eyes) -> tuple[Classifier, Detector | None]:
    """Open bundle and detector once for all work of this process, which computes on one core.

    Raises BundleError and DetectorError if this machine has others than ``eyes`` names.
    """
    classifier = Classifier.open(eyes.bundle, threads=1, shares=eyes.shares)
    if classifier.bundle.id != eyes.model:
        raise BundleError(
            f"bundle {eyes.bundle or 'the shipped one'} is {classifier.bundle.id} on this machine, and {eyes.model} "
            "where the work is shared out; put the same bundle on all machines"
        )
    if eyes.detector is None:
        return classifier, None
    try:
        detector = open_detector(eyes.detector, smallest_face=eyes.smallest_face, threads=1)
    except ConfigError:  # a detector of another package, without threads
        detector = open_detector(eyes.detector, smallest_face=eyes.smallest_face)
    if identity(detector) != eyes.found_by:
        raise DetectorError(
            f"detector {eyes.detector} is {identity(detector)} on this machine, and {eyes.found_by} where the work "
            "is shared out; install the same one on all machines: felicity detectors install"
        )
    return classifier, detector
