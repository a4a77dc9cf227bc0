"""The examples of docs/scale.md name options and settings that the installed Ray has."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.conftest import CHECKOUT

pytestmark = pytest.mark.service
PAGE = (CHECKOUT / "docs" / "scale.md").read_text()


def options_of(command: str) -> set[str]:
    """The options of ``ray COMMAND``."""
    from ray.scripts.scripts import cli

    return {option for parameter in cli.commands[command].params for option in parameter.opts}


def test_commands_of_ray_have_the_options_that_are_shown() -> None:
    shown = re.findall(r"^ray ([a-z-]+) (.*)$|`ray ([a-z-]+) ([^`]*)`", PAGE, re.MULTILINE)
    assert len(shown) >= 3
    for command, line, inline, words in shown:
        given = re.findall(r"--[a-z-]+", (line or words).split("#")[0])
        assert given and not set(given) - options_of(command or inline)


def test_the_example_for_kubernetes_is_a_cluster_with_a_token_and_without_statistics() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    cluster = yaml.safe_load(block)
    assert (cluster["apiVersion"], cluster["kind"]) == ("ray.io/v1", "RayCluster")
    head, (workers,) = cluster["spec"]["headGroupSpec"], cluster["spec"]["workerGroupSpecs"]
    for group in (head, workers):
        assert {f"--{name}" for name in group["rayStartParams"]} <= options_of("start")
        (container,) = group["template"]["spec"]["containers"]
        settings = {each["name"]: each.get("value") for each in container["env"]}
        assert settings["RAY_AUTH_MODE"] == "token" and settings["RAY_USAGE_STATS_ENABLED"] == "0"
        assert "RAY_AUTH_TOKEN" in settings
        volumes = {volume["name"] for volume in group["template"]["spec"]["volumes"]}
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
    assert workers["minReplicas"] <= workers["replicas"] <= workers["maxReplicas"]


def test_usage_statistics_are_off_for_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    from ray._common.usage import usage_lib

    from felicity.errors import ConfigError
    from felicity.work.opening import open_work

    monkeypatch.delenv("RAY_USAGE_STATS_ENABLED", raising=False)
    with pytest.raises(ConfigError), open_work("127.0.0.1:1"):
        pass
    assert not usage_lib.usage_stats_enabled()
