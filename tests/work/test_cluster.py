"""A cluster of several nodes on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

import felicity as felicity_package
from felicity.errors import ConfigError
from felicity.training.config import make_config
from felicity.training.elsewhere import need_of
from felicity.work import Here, Need, Work
from felicity.work import cluster as reaching
from felicity.work.cluster import Cluster
from felicity.work.knock import knock
from felicity.work.opening import open_work
from tests.support.command import environment, felicity, felicity_answer
from tests.support.ray_cluster import SmallCluster

pytestmark = pytest.mark.service


def wait_and_square(number: int) -> int:
    time.sleep(0.3)
    return number * number


def test_a_node_that_is_killed_costs_no_result(cluster: Work, nodes: SmallCluster) -> None:
    found = []
    for outcome in cluster.outcomes(wait_and_square, range(20), ordered=False):
        found.append(outcome.get())
        if len(found) == 4:
            nodes.kill_node()
    assert sorted(found) == [number * number for number in range(20)]


def test_machines_of_the_same_version_are_accepted_and_others_named(
    nodes: SmallCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_work(nodes.address) as work:
        assert work.workers == 2
        assert isinstance(work, Cluster) and not work.equipped
        other = replace(reaching.installed_here(), numpy="1.26.4", opencv="4.9.0")
        monkeypatch.setattr(reaching, "installed_here", lambda: other)
        with pytest.raises(ConfigError, match=r"it has numpy .* instead of 1\.26\.4, opencv .* instead of 4\.9\.0"):
            work.check()


def test_a_machine_with_other_code_gets_that_of_the_command(nodes: SmallCluster, tmp_path: Path) -> None:
    code = tmp_path / "other" / "felicity"
    shutil.copytree(Path(felicity_package.__file__).parent, code, ignore=shutil.ignore_patterns("__pycache__"))
    with (code / "labels.py").open("a") as stream:
        stream.write("\n# not the same\n")
    program = (
        "import sys\n"
        "from felicity.work.cluster import Cluster\n"
        "from felicity.work.installed import installed_here\n"
        "def code(_):\n"
        "    from felicity.work.installed import installed_here\n"
        "    return installed_here().code\n"
        "with Cluster.reach(sys.argv[1]) as work:\n"
        "    print(len(work.equipped), {*work.results(code, range(4))} == {installed_here().code})\n"
    )
    how = environment(tmp_path) | {"PYTHONPATH": str(code.parent)}
    words = [sys.executable, "-c", program, nodes.address]
    done = subprocess.run(words, env=how, capture_output=True, text=True, timeout=200)
    assert done.stdout.splitlines()[:1] == ["2 True"], done.stdout + done.stderr


def test_the_status_lists_the_machines_and_whether_they_are_ready(nodes: SmallCluster, tmp_path: Path) -> None:
    found, _ = felicity_answer("cluster", "status", "--cluster", nodes.address, home=tmp_path)
    assert [(each["cores"], each["trouble"]) for each in found["machines"]] == [(1, ""), (1, "")]
    assert "ready" in felicity("cluster", "status", "--cluster", nodes.address, home=tmp_path).stdout


def test_what_no_machine_has_is_refused_at_once(cluster: Work) -> None:
    with pytest.raises(ConfigError, match=r"no machine of the cluster at .* has 64 cores"):
        list(cluster.results(wait_and_square, [1], need=Need(cores=64)))
    with pytest.raises(ConfigError, match="has 1 cores and 1 GPUs"):
        list(cluster.results(wait_and_square, [1], need=Need(gpus=1)))


@pytest.mark.parametrize("address", ["127.0.0.1:1", "auto"])
def test_a_cluster_that_does_not_answer_is_told_in_a_sentence(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")  # as the address of a cluster that died stays behind for auto
    with (
        pytest.raises(ConfigError, match=rf"--cluster {address}: no cluster can be reached \(.*refused"),
        open_work(address),
    ):
        pass


def test_a_machine_outside_the_cluster_is_sent_to_the_door_for_clients(
    nodes: SmallCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    knock(nodes.address)
    monkeypatch.setattr("felicity.work.knock._is_node", lambda: False)
    with pytest.raises(ConfigError, match=r"this machine is none of the cluster's; .* with --cluster ray://"):
        knock(nodes.address)


@pytest.mark.parametrize("logs", ["", "1"])
def test_lines_of_workers_come_to_the_command_that_asks_for_them(
    logs: str, nodes: SmallCluster, tmp_path: Path
) -> None:
    program = (
        "import sys, time\n"
        "from felicity.work.cluster import Cluster\n"
        "def tell(number):\n"
        "    print('item', number)\n"
        "with Cluster.reach(sys.argv[1], check=False) as work:\n"
        "    [*work.results(tell, range(4))]\n"
        "    time.sleep(3)  # lines come after results\n"
    )
    how = environment(tmp_path, FELICITY_CLUSTER_LOGS=logs)
    words = [sys.executable, "-c", program, nodes.address]
    done = subprocess.run(words, env=how, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    told = [line for line in (done.stdout + done.stderr).splitlines() if "item " in line]
    assert bool(told) == bool(logs) and all("pid=" in line for line in told), told


def gpus_seen(_: int) -> str:
    return os.environ.get("CUDA_VISIBLE_DEVICES", "")


def test_gpus_are_asked_for_where_there_are_any(nodes: SmallCluster, cluster: Work) -> None:
    config = make_config({"model": {"name": "fast"}, "threads": 2}, {"data": {"path": "faces"}})
    assert need_of(config, cluster) == need_of(config, Here()) == Need(cores=2, fresh=True)
    nodes.add_node(gpus=1)
    try:
        assert cluster.gpus == 1
        assert need_of(config, cluster) == Need(cores=2, gpus=1.0, fresh=True)
        assert need_of(config.model_copy(update={"device": "cpu"}), cluster) == Need(cores=2, fresh=True)
        assert [*cluster.results(gpus_seen, range(2), need=Need(gpus=1))] == ["0", "0"]
    finally:
        nodes.kill_node()
