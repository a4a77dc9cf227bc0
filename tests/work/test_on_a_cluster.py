"""Whole commands on a cluster of several nodes, one of which is killed: results are those of one machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from felicity.api import archive, classify
from felicity.evaluation.frameworks.comparison import Job, run_jobs
from felicity.evaluation.frameworks.contestant import PLAIN
from felicity.index.soft_matrix import SoftMatrix
from felicity.simulation.check import check
from felicity.simulation.labelled import AnsweredFaces
from felicity.store import open_store
from felicity.training.config import TrainConfig, make_config
from felicity.training.crossval import cross_validate
from felicity.training.data import load_training_set
from felicity.training.folds import open_pool
from felicity.training.tuning.space import read_space
from felicity.training.tuning.tune import tune
from felicity.work import Need, Work
from tests.support.class_folders import write_class_folders
from tests.support.keras_here import keras_here
from tests.support.ray_cluster import SmallCluster

pytestmark = pytest.mark.service
SPACE = "learning_rate = { low = 0.001, high = 0.1, log = true }\n"


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_class_folders(tmp_path_factory.mktemp("data") / "faces", {"happy": 24, "sad": 24})


def config_for(faces: Path) -> TrainConfig:
    small = {"model": {"name": "test-tiny"}, "epochs": 2, "batch_size": 8, "learning_rate": 0.01, "threads": 1}
    return make_config(small, {"backend": keras_here(), "data": {"path": str(faces), "size": 16}})


def kill_after_the_first(nodes: SmallCluster) -> Callable[[Any], None]:
    """Return a callback that kills a node when it is called first."""
    calls: list[Any] = []

    def told(done: Any) -> None:
        calls.append(done)
        if len(calls) == 1:
            nodes.kill_node()

    return told


class Doomed(Work):
    """Work whose trainings on a node wait after their first checkpoint, until the node is killed."""

    def __init__(self, cluster: Work, node: str, folder: Path) -> None:
        self._cluster, self._node, self._folder = cluster, node, folder

    @property
    def workers(self) -> int:
        return self._cluster.workers

    def hire(self, function: Callable[[Any], Any], need: Need) -> Any:
        return self._cluster.hire(WaitsOnce(function, self._node, self._folder), need)


@dataclass(frozen=True)
class WaitsOnce:
    """Trains and notes the epochs of its checkpoints; on ``node`` it waits after the first one."""

    train: Callable[[Any], Any]
    node: str
    folder: Path

    def __call__(self, number: int) -> Any:
        import ray

        from felicity.training import checkpoint

        save, here = checkpoint.save, ray.get_runtime_context().get_node_id()

        def save_and_wait(path: Path, state: Any, facts: dict[str, Any]) -> None:
            save(path, state, facts)
            if path.name != "last.npz":
                return
            with (self.folder / f"epochs-{number}").open("a") as stream:
                stream.write(str(facts["progress"]["epoch"]))
            if here == self.node:
                (self.folder / "waits").touch()
                time.sleep(600)

        checkpoint.save = save_and_wait
        return self.train(number)


def test_a_cross_validation_over_nodes_is_that_of_one_machine_and_goes_on_from_checkpoints(
    cluster: Work, nodes: SmallCluster, faces: Path, tmp_path: Path
) -> None:
    config = config_for(faces)
    pool = open_pool(config.data)
    here = cross_validate(config, pool, 3, tmp_path / "here")
    killer = threading.Thread(target=_kill_as_soon_as_it, args=(tmp_path / "waits", nodes))
    killer.start()
    there = cross_validate(config, pool, 3, tmp_path / "there", work=Doomed(cluster, nodes.latest, tmp_path))
    killer.join()
    assert there["complete"]
    for name in ("accuracy", "macro_f1", "loss", "best_epoch", "images"):
        assert [fold[name] for fold in there["folds"]] == [fold[name] for fold in here["folds"]], name
    assert (tmp_path / "waits").exists()
    epochs = [(tmp_path / f"epochs-{number}").read_text() for number in (1, 2, 3)]
    assert epochs == ["12"] * 3, "no epoch is trained twice, on whatever node"


def _kill_as_soon_as_it(waits: Path, nodes: SmallCluster) -> None:
    began = time.monotonic()
    while not waits.exists() and time.monotonic() - began < 200:
        time.sleep(0.1)
    nodes.kill_node()


def test_contestants_over_nodes_give_what_they_give_on_one_machine(cluster: Work, faces: Path, tmp_path: Path) -> None:
    config = config_for(faces)
    digest = load_training_set(config.data).digest
    here, there = (
        next(run_jobs([Job(config, PLAIN, 1, tmp_path / name, digest)], lambda job, line: None, work))
        for name, work in (("here", None), ("there", cluster))
    )
    assert there["parts"] == here["parts"]
    assert [epoch["val_loss"] for epoch in there["history"]] == [epoch["val_loss"] for epoch in here["history"]]


def test_a_simulation_over_nodes_is_that_of_one_machine(cluster: Work, nodes: SmallCluster) -> None:
    answers = np.random.default_rng(1).dirichlet(np.ones(8), 400)
    faces = AnsweredFaces(np.arange(400) % 8, answers)
    soft = SoftMatrix.from_probabilities(faces.probabilities, faces.labels)
    how: dict[str, Any] = {"location_days": 50, "series": 0, "sizes": (10, 200), "layouts": ((1, 10),)}
    here = check(faces, soft, "made-up", **how)
    there = check(faces, soft, "made-up", work=cluster, tick=kill_after_the_first(nodes), **how)
    assert there.accuracy == here.accuracy


def test_a_tuning_over_nodes_is_that_of_one_machine(
    cluster: Work, nodes: SmallCluster, faces: Path, tmp_path: Path
) -> None:
    (tmp_path / "space.toml").write_text(SPACE)
    base, space = config_for(faces), read_space(str(tmp_path / "space.toml"))
    data = load_training_set(base.data)
    here = tune(base, space, data, tmp_path / "here", 4)
    there = tune(
        base, space, data, tmp_path / "there", 4, name="here", work=cluster, heartbeat=(1, 6),
        ended=kill_after_the_first(nodes),
    )  # fmt: skip
    assert _tried(there["trials"]) == _tried(here["trials"])
    assert there["best"]["val_loss"] == here["best"]["val_loss"]


def _tried(trials: Sequence[dict[str, Any]]) -> list[tuple[float, float]]:
    """Return settings and loss of each trial, whatever its number: one that was killed is tried again under another."""
    return sorted((trial["settings"]["learning_rate"], trial["val_loss"]) for trial in trials)


@pytest.mark.shared_data
def test_an_archive_of_the_six_clips_over_nodes_is_that_of_one_machine(
    nodes: SmallCluster, shared: Path, tmp_path: Path
) -> None:
    clips = sorted((shared / "data" / "media").glob("*.gif"))
    table = tmp_path / "where.csv"
    table.write_text("\n".join(["file,location,start", *(f"{clip.name},Harbour,2026-05-04T09:00Z" for clip in clips)]))
    how: dict[str, Any] = {"locations": table, "detector": "hog"}
    archive(clips, store=tmp_path / "here.db", **how)
    killed = kill_after_the_first(nodes)
    found = archive(clips, store=tmp_path / "there.db", cluster=nodes.address, on_file=killed, **how)
    assert [file.state for file in found.files] == ["stored"] * 6
    assert _people(tmp_path / "there.db") == _people(tmp_path / "here.db")


def test_photographs_over_nodes_give_the_rows_of_one_machine(nodes: SmallCluster, tmp_path: Path) -> None:
    photos = write_class_folders(tmp_path / "photos", {"happy": 20, "sad": 20})
    classify(photos, tmp_path / "here.parquet", crop=True, workers=1)
    killed = kill_after_the_first(nodes)
    found = classify(photos, tmp_path / "there.parquet", crop=True, cluster=nodes.address, on_images=killed)
    assert found.images == 40
    here, there = (pq.read_table(tmp_path / f"{name}.parquet") for name in ("here", "there"))
    assert here.equals(there)


def _people(store: Path) -> list[Any]:
    with open_store(store) as opened:
        windows = list(opened.windows())
    return sorted((w.key.camera, w.key.start, w.people_seen, w.people, w.prob_sums.tolist()) for w in windows)
