"""The contents of the page *Try it*: the files with which a browser finds and classifies faces by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from felicity.api import web_runtime

BUNDLE, DETECTOR = "fast", "yunet"
TRY_IT_NEEDS = web_runtime.COMMAND, f"felicity detectors install {DETECTOR}"
"""The commands that install what the page needs."""


@dataclass(frozen=True)
class TryIt:
    """The files by their names, and the facts that a browser needs beside them, as JSON.

    ``roles``: the role of each file, by name: ``runtime``, ``program``, ``detector`` or ``network``. ``facts``: input
    of the network, ``temperature`` and ``shift`` of its answers, their ``classes``, ``geometry`` of the detector's
    crops, and the ``model``'s id.
    """

    files: Mapping[str, bytes]
    roles: Mapping[str, str]
    facts: Mapping[str, Any]


def try_it_lacks() -> tuple[str, ...]:
    """Return the commands that install what the page still lacks; none where all is there."""
    from felicity.faces.registry import weights_of

    there = web_runtime.is_installed(), weights_of(DETECTOR).path().is_file()
    return tuple(command for command, found in zip(TRY_IT_NEEDS, there, strict=True) if not found)


def try_it() -> TryIt:
    """Read and check the files of the page. Raises ExtraMissingError, DetectorError, ConfigError, BundleError."""
    from felicity.faces.detectors.yunet import YuNetDetector
    from felicity.models.bundle import open_bundle

    bundle = open_bundle(BUNDLE)
    geometry = YuNetDetector.geometry
    contents = {
        "runtime": (web_runtime.SCRIPT.name, web_runtime.read(web_runtime.SCRIPT)),
        "program": (web_runtime.PROGRAM.name, web_runtime.read(web_runtime.PROGRAM)),
        "detector": (f"{DETECTOR}.onnx", YuNetDetector.network()),
        "network": (f"{BUNDLE}.onnx", bundle.network()),
    }
    facts = {
        "input": bundle.input.to_json(),
        "temperature": bundle.facts.temperature,
        "shift": bundle.shift_to(bundle.assumed_prior).tolist(),
        "classes": list(bundle.classes.names),
        "geometry": {"scale": geometry.scale, "right": geometry.right, "down": geometry.down},
        "model": bundle.id,
    }
    return TryIt(dict(contents.values()), {name: role for role, (name, _) in contents.items()}, facts)
