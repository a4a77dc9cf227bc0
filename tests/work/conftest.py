"""The kinds of work that the contract holds for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from felicity.work import Here, Processes, Threads, Work
from tests.support.ray_cluster import SmallCluster, small_cluster


@pytest.fixture(scope="session")
def ray_nodes() -> Iterator[SmallCluster]:
    with small_cluster() as cluster:
        yield cluster


@pytest.fixture
def nodes(ray_nodes: SmallCluster) -> SmallCluster:
    """Two nodes of one core each; whoever ends one need not bring it back."""
    ray_nodes.restore()
    return ray_nodes


@pytest.fixture
def cluster(nodes: SmallCluster) -> Iterator[Work]:
    from felicity.work.cluster import Cluster

    with Cluster.reach(nodes.address, check=False) as reached:
        yield reached


@pytest.fixture
def staying() -> Iterator[Work]:
    """Processes that have worked at something else before."""
    with Processes(2) as work:
        assert [*work.results(abs, [-1, 2, -3])] == [1, 2, 3]
        yield work


KINDS = ["here", "threads", "processes", "staying", pytest.param("cluster", marks=pytest.mark.service)]
APART = KINDS[2:]
"""Those whose workers may be lost."""


@pytest.fixture
def work(request: pytest.FixtureRequest) -> Work:
    """The kind of work that the test is parametrised with."""
    if request.param in ("cluster", "staying"):
        found: Work = request.getfixturevalue(request.param)
        return found
    return {"here": Here(), "threads": Threads(2), "processes": Processes(2)}[request.param]
