"""The bill of materials: complete, and of licences that Felicity may use."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def script() -> Any:
    spec = importlib.util.spec_from_file_location("sbom", ROOT / "scripts" / "sbom.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_dependency_is_listed_with_a_licence_that_is_allowed() -> None:
    sbom = script()
    found = sbom.packages()
    assert list(sbom.wrong_licences(found)) == []
    bill = sbom.bill(found)
    listed = {each["name"]: each for each in bill["components"]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for need in project["dependencies"]:
        name = sbom.normal(need.partition(">")[0].partition("[")[0])
        assert listed[name]["purl"].startswith(f"pkg:pypi/{name}@") and listed[name]["licenses"]
    assert bill["bomFormat"] == "CycloneDX" and bill["metadata"]["component"]["name"] == "felicity"
    assert all(each["licenses"][0]["license"]["name"] != "unknown" for each in listed.values())


def test_a_package_of_an_unknown_licence_is_named() -> None:
    sbom = script()

    class Odd:
        version = "1"
        metadata = __import__("email").message_from_string("Name: odd\nLicense: Secret\n")

    (told,) = sbom.wrong_licences({"odd": Odd()})
    assert told.startswith("odd 1: licence Secret is not in the list")
