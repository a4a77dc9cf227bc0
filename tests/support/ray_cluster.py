"""A cluster of several nodes on this machine, small, and ended with all its processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from tests.conftest import CHECKOUT, absent

MEGABYTES = 80
"""Of each node's object store, the least that Ray takes."""
SETTINGS = {
    "worker_niceness": 0,
    "health_check_initial_delay_ms": 500,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}
"""Let a node that is gone be missed within seconds, and workers compute as the test does."""


class SmallCluster:
    """Nodes of one core each; the first one is the head, which stays."""

    def __init__(self, made: Any) -> None:
        self._made, self._nodes = made, []
        self.address: str = made.address

    def add_node(self, gpus: int = 0) -> None:
        """Add a node of one core, and of GPUs that it need not have."""
        self._nodes.append(self._made.add_node(num_cpus=1, num_gpus=gpus, object_store_memory=MEGABYTES << 20))
        self._made.wait_for_nodes()

    def kill_node(self) -> None:
        """End the latest node as if its power had failed."""
        self._made.remove_node(self._nodes.pop(), allow_graceful=False)

    @property
    def latest(self) -> str:
        """Ray's name of the latest node, which ``kill_node`` ends."""
        return str(self._nodes[-1].node_id)

    def restore(self) -> None:
        """Have one node beside the head, as at the beginning."""
        while len(self._nodes) < 1:
            self.add_node()


@contextmanager
def small_cluster() -> Iterator[SmallCluster]:
    """Yield a cluster of a head and one node, of one core each."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
    try:
        import ray
        from ray.cluster_utils import Cluster
    except ImportError:
        absent("Ray is not installed")
    path = os.pathsep.join([str(CHECKOUT / "src"), str(CHECKOUT)])
    # Logs, sockets and the address for auto go with the cluster, also if it is killed. Sockets want a short path.
    with TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        made = None
        with mock.patch.dict(os.environ, {"PYTHONPATH": path, "RAY_TMPDIR": folder}):
            try:
                made = Cluster(
                    initialize_head=True,
                    head_node_args={
                        "num_cpus": 1,
                        "object_store_memory": MEGABYTES << 20,
                        "include_dashboard": False,
                        "_system_config": SETTINGS,
                    },
                )
                cluster = SmallCluster(made)
                cluster.restore()
                yield cluster
            finally:
                ray.shutdown()
                if made is not None:
                    made.shutdown()
