"""The choice of workers: ``--cluster`` and ``--workers`` as a ``Work``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from felicity.system import cores
from felicity.work.processes import Processes
from felicity.work.work import Work


@contextmanager
def open_work(
    cluster: str | None = None, *, workers: int | None = None, otherwise: Work | None = None
) -> Iterator[Work]:
    """Yield a cluster's work if one is named, else ``otherwise``; without either, processes of this machine.

    ``cluster``: ``auto`` for the one this machine belongs to, ``HOST:PORT`` or ``ray://HOST:PORT``. ``workers``: number
    of processes, one for each core if None. Raises ConfigError if the cluster cannot be reached or its machines have
    another version, ExtraMissingError without Ray.
    """
    if cluster is not None:
        from felicity.work.cluster import Cluster

        with Cluster.reach(cluster) as reached:
            yield reached
    elif otherwise is not None and workers is None:
        yield otherwise
    else:
        with Processes(workers or cores()) as processes:
            yield processes
