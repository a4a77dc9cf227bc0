"""Work over the machines of a Ray cluster.

Ray is asked for nothing but to run functions: no file, no object of it outlives a command. What goes over the wire is
the function with its settings, the items, and what it returns.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from felicity.errors import ConfigError, WorkError, require
from felicity.redaction import redacted
from felicity.work.installed import ROOT, Installed, differences, installed_here
from felicity.work.knock import knock
from felicity.work.outcome import Attempted, Lost, Need, Outcome, attempt, one_thread
from felicity.work.work import Crew, Work

EXTRA = "ray"
WAIT_SECONDS = 5.0
"""For an outcome, before the cluster is asked whether it has grown."""
ANSWER_SECONDS = 60.0
"""For a machine to say what is installed on it."""


@dataclass(frozen=True)
class Node:
    """One machine of a cluster: its ``address``, what it has to give, and how much of that is in use."""

    id: str
    address: str
    cores: float
    gpus: float
    memory: float


class Cluster(Work):
    """A Ray cluster, see ``reach``. ``equipped``: addresses of machines that compute with code sent to them."""

    def __init__(self, address: str) -> None:
        self._given = address
        self.address = redacted(address)
        self.equipped: frozenset[str] = frozenset()

    @classmethod
    @contextmanager
    def reach(cls, address: str, *, check: bool = True) -> Iterator[Cluster]:
        """Join the cluster at ``address`` for a while; usage statistics are off.

        ``check``: that every machine computes with this very Felicity, see ``equip``. Raises ConfigError if no
        cluster answers or a machine has other packages, ExtraMissingError.
        """
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # read when Ray is imported
        # Ray's own words about what its workers print, and about machines that go, which outcomes tell.
        os.environ.setdefault("RAY_LOG_TO_DRIVER_EVENT_LEVEL", "FATAL")
        ray = require("ray", EXTRA)
        if not address.strip():
            raise ConfigError("--cluster expects auto, HOST:PORT or ray://HOST:PORT, an empty text found")
        try:
            knock(address)
            _join(address)
        except ConfigError as error:
            raise ConfigError(f"--cluster {redacted(address)}: {error}") from error
        except Exception as error:  # of many kinds, all of which mean this
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ConfigError(
                f"--cluster {redacted(address)}: no cluster can be reached ({reason[:200]}); start one with ray start "
                "--head --disable-usage-stats, and use the same versions of Python and Ray, the same token and "
                "certificates of the same authority on all machines"
            ) from error
        try:
            reached = cls(address)
            if check:
                reached.equip()
                reached.check()
            yield reached
        finally:
            ray.shutdown()

    @property
    def workers(self) -> int:
        """Return the cores of all machines there are now."""
        return max(1, int(sum(node.cores for node in self.nodes())))

    @property
    def gpus(self) -> float:
        """Return how many GPUs the machine with most of them has."""
        return max((node.gpus for node in self.nodes()), default=0.0)

    def nodes(self) -> list[Node]:
        """Return the machines that are there now, by address. Raises WorkError if the cluster is gone."""
        import ray

        try:
            found = ray.nodes()
        except Exception as error:
            raise WorkError(f"the cluster at {self.address} cannot be reached any more ({error})") from error
        alive = [
            Node(
                each["NodeID"],
                f"{each['NodeManagerAddress']}:{each['NodeManagerPort']}",
                each["Resources"].get("CPU", 0.0),
                each["Resources"].get("GPU", 0.0),
                each["Resources"].get("memory", 0.0),
            )
            for each in found
            if each["Alive"]
        ]
        return sorted(alive, key=lambda node: node.address)

    def installed(self) -> dict[str, Installed | str]:
        """Return what each machine that computes has installed, or what is wrong there, by address."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        asked = {
            node.address: ray.remote(_installed)
            .options(max_retries=0, num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False))
            .remote()
            for node in self.nodes()
            if node.cores
        }
        answers: dict[str, Installed | str] = {}
        for address, answer in asked.items():
            try:
                answers[address] = ray.get(answer, timeout=ANSWER_SECONDS)
            except Exception as error:
                cause = getattr(error, "cause", None) or error
                answers[address] = (" ".join(str(cause).split()) or type(cause).__name__)[:200]
        return answers

    def equip(self) -> None:
        """Send this Felicity to the machines if one lacks it or has another one; its packages must be there."""
        import ray

        here = installed_here()
        lacking = [
            address for address, there in self.installed().items() if isinstance(there, str) or there.code != here.code
        ]
        if lacking:
            ray.shutdown()
            _join(self._given, runtime_env={"py_modules": [str(ROOT)], "excludes": ["**/__pycache__"]})
            self.equipped = frozenset(lacking)

    def troubles(self) -> dict[str, str]:
        """Return why machines cannot run this very Felicity, by their address; those that can are not among them."""
        here, found = installed_here(), {}
        for address, there in self.installed().items():
            if isinstance(there, str):
                found[address] = (
                    f"Felicity cannot be run there ({there}); install its packages: pip install 'felicity[ray]'"
                )
            elif apart := differences(here, there):
                found[address] = f"it has {', '.join(apart)}; install the same versions on all machines"
        return found

    def check(self) -> None:
        """Raise ConfigError where a machine cannot run this very Felicity."""
        for address, trouble in self.troubles().items():
            raise ConfigError(f"machine {address} of the cluster: {trouble}")

    def hire(self, function: Callable[[Any], Any], need: Need) -> Crew:
        """Return workers on all machines. Raises ConfigError if no machine has what an item needs."""
        if need.cores == 0:
            computing = [node for node in self.nodes() if node.cores >= 1 and node.gpus >= need.gpus]
            need = replace(need, cores=int(min((node.cores for node in computing), default=1)))
        if not any(node.cores >= need.cores and node.gpus >= need.gpus for node in self.nodes()):
            wanted = f"{need.cores} cores" + (f" and {need.gpus:g} GPUs" if need.gpus else "")
            raise ConfigError(f"no machine of the cluster at {self.address} has {wanted}, which an item needs")
        return _Tasks(self, function, need)


class _Tasks:
    knows_who = True

    def __init__(self, cluster: Cluster, function: Callable[[Any], Any], need: Need) -> None:
        import ray

        self._ray, self._cluster, self._need = ray, cluster, need
        self._function = ray.put(function)
        # Ray's own retries would hide a worker that is lost again and again with the same item.
        how = {"num_cpus": need.cores, "num_gpus": need.gpus, "max_retries": 0}
        self._attempt = ray.remote(**how, max_calls=1 if need.fresh else 0)(_attempt_in)
        self._folder = os.getcwd()
        self._numbers: dict[Any, int] = {}
        self._room = self._asked_room()

    def _asked_room(self) -> int:
        """Return how many items keep all machines busy, and one more for each, on its way meanwhile."""
        fit = sum(int(node.cores // self._need.cores) for node in self._cluster.nodes() if node.gpus >= self._need.gpus)
        return max(1, 2 * fit)

    def room(self) -> int:
        return self._room

    def begin(self, number: int, item: Any) -> None:
        self._numbers[self._attempt.remote(self._folder, self._function, item)] = number

    def finished(self) -> list[tuple[int, Outcome[Any] | Lost]]:
        while not (done := self._ready(timeout=WAIT_SECONDS)):
            self._room = self._asked_room()
        return [self._taken(task) for task in done]

    def _ready(self, timeout: float) -> list[Any]:
        done, rest = self._ray.wait(list(self._numbers), num_returns=1, timeout=timeout)
        if done and rest:
            done += self._ray.wait(rest, num_returns=len(rest), timeout=0)[0]
        return list(done)

    def _taken(self, task: Any) -> tuple[int, Outcome[Any] | Lost]:
        number = self._numbers.pop(task)
        errors = self._ray.exceptions
        try:
            attempted: Attempted = self._ray.get(task)
        except errors.RayTaskError as error:  # the machine could not even begin
            return number, Outcome(number, error=WorkError(f"an item could not be begun on a machine: {error.cause}"))
        except (errors.TaskUnschedulableError, errors.TaskCancelledError) as error:
            return number, Outcome(number, error=WorkError(f"an item was not taken by the cluster: {error}"))
        except errors.RayError as error:
            return number, Lost(_why(error))
        return number, attempted.outcome(number)

    def close(self) -> None:
        for task in self._numbers:
            with suppress(Exception):  # the cluster may be gone
                self._ray.cancel(task, force=True)
        self._numbers.clear()


def _attempt_in(folder: str, function: Callable[[Any], Any], item: Any) -> Attempted:
    """Attempt it in a folder, if the machine has it, so that relative paths mean what they mean to who shares out."""
    with suppress(OSError):
        os.chdir(folder)
    one_thread()
    return attempt(function, item)


def _why(error: Exception) -> str:
    """Return the kind of a loss; Ray's own words take pages."""
    return {
        "OutOfMemoryError": "its machine was out of memory",
        "NodeDiedError": "its machine is gone",
        "WorkerCrashedError": "its process crashed, or its machine is gone",
    }.get(type(error).__name__, type(error).__name__)


def _join(address: str, **how: Any) -> None:
    import ray

    logs = os.environ.get("FELICITY_CLUSTER_LOGS", "") not in ("", "0")
    ray.init(address=address, namespace="felicity", log_to_driver=logs, logging_level="ERROR", **how)


def _installed() -> Installed:
    return installed_here()


def ray_here() -> str:
    """Return whether Ray can be used on this machine, in a few words; it is tried in a process of its own."""
    try:
        version = metadata.version("ray")
    except metadata.PackageNotFoundError:
        return "not installed"
    path = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])])
    words = [sys.executable, "-m", "felicity.work.cluster"]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=ANSWER_SECONDS, env=os.environ | {"PYTHONPATH": path}
        )
    except subprocess.TimeoutExpired:
        return f"Ray {version} gave no answer within {ANSWER_SECONDS:g} s"
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return f"Ray {version} cannot be used: {last}"
    return f"Ray {version}, {done.stdout.splitlines()[-1]}"


if __name__ == "__main__":
    try:
        with Cluster.reach("auto", check=False) as _here:
            print(f"in a cluster; machines: {len(_here.nodes())}")
    except ConfigError:
        print("in no cluster; ray start --head --disable-usage-stats begins one")
