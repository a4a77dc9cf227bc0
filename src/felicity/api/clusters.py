"""Clusters: which machines there are, and whether they can take Felicity's work."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ClusterMachine:
    """A machine of a cluster. ``memory``: bytes that its work may take. ``trouble``: why it cannot; empty if it can.

    ``equipped``: its code comes from the machine that shares out, because it had none or another one.
    """

    address: str
    cores: float
    gpus: float
    memory: float
    trouble: str = ""
    equipped: bool = False


@dataclass(frozen=True)
class ClusterStatus:
    """A cluster that answers, with its machines by address."""

    cluster: str
    machines: tuple[ClusterMachine, ...]


def cluster_status(cluster: str = "auto") -> ClusterStatus:
    """Ask a Ray cluster for its machines, and each of them for what is installed.

    Raises ConfigError if no cluster answers, ExtraMissingError.
    """
    from felicity.work.cluster import Cluster

    with Cluster.reach(cluster, check=False) as reached:
        reached.equip()
        there, sent = reached.troubles(), reached.equipped
        machines = [
            ClusterMachine(
                node.address, node.cores, node.gpus, node.memory, there.get(node.address, ""), node.address in sent
            )
            for node in reached.nodes()
        ]
        return ClusterStatus(reached.address, tuple(machines))
