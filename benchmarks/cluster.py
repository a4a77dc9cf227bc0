"""Work over processes and over Ray's nodes on this machine: what sharing out costs, and what a lost node costs.

    python benchmarks/cluster.py [--media FOLDER] [--seconds 1.0] [--items 32] [--tiny 20000] [--nodes 1,2,4]
        [--images 1000000] [--films 4] [--rounds 3] [--picture speed.png] [--json]

Items of fixed length wait, so that nodes of one core each are told apart on a machine of two: the figures are those of
sharing out, not of the processor. Efficiency is the time that the items take over the time that passed, for each
worker. Pool and cluster run in turn. Tiny items say what one item costs, and whether the driver's memory stays flat.
A million listed images, none of which is looked at, say the same of ``felicity classify --output``. With ``--media``
clips are joined to films, an archive that one process, two, and two nodes of Ray watch in turns.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from felicity.recognition.listing import Listing, Shard
from felicity.system import available_memory
from felicity.work import Processes, Work
from felicity.work.cluster import Cluster

ROUNDS = 3
STORE_BYTES = 80 << 20


def wait(_: int, seconds: float) -> None:
    time.sleep(seconds)


def answer(number: int) -> int:
    return number


@contextmanager
def nodes(number: int) -> Iterator[tuple[Any, Work]]:
    """Ray on this machine, ``number`` nodes of one core."""
    from ray.cluster_utils import Cluster as Made

    head = {"num_cpus": 1, "object_store_memory": STORE_BYTES, "include_dashboard": False}
    head["_system_config"] = {"worker_niceness": 0}
    with TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        os.environ["RAY_TMPDIR"] = folder  # so that logs and the address for auto go with the cluster
        made = Made(initialize_head=True, head_node_args=head)
        try:
            others = [made.add_node(num_cpus=1, object_store_memory=STORE_BYTES) for _ in range(number - 1)]
            with Cluster.reach(made.address, check=False) as work:
                list(work.results(answer, range(4 * number)))  # workers begin, and import
                yield (made, others), work
        finally:
            made.shutdown()


def seconds_of(work: Work, items: int, seconds: float) -> float:
    began = time.perf_counter()
    assert len(list(work.outcomes(partial(wait, seconds=seconds), range(items), ordered=False))) == items
    return time.perf_counter() - began


def fixed(numbers: list[int], items: int, seconds: float) -> list[dict[str, float]]:
    """Efficiency by number of nodes, of Ray and of a pool of as many processes."""
    rows = []
    for number in numbers:
        with nodes(number) as (_, cluster):
            pool, ray = [], []
            for _ in range(ROUNDS):
                ray.append(seconds_of(cluster, items, seconds))
                pool.append(seconds_of(Processes(number), items, seconds))
        whole = items * seconds / number
        rows.append(
            {
                "nodes": number,
                "ray": whole / statistics.median(ray),
                "pool": whole / statistics.median(pool),
                "ratio": statistics.median(r / p for r, p in zip(ray, pool, strict=True)),
            }
        )
    return rows


def lost(items: int, seconds: float) -> dict[str, float]:
    """Results and seconds where one of two nodes is killed after a quarter."""
    with nodes(2) as ((made, others), cluster):
        began, done = time.perf_counter(), []
        for outcome in cluster.outcomes(partial(wait, seconds=seconds), range(items), ordered=False):
            done.append(outcome.number)
            if len(done) == items // 4:
                made.remove_node(others.pop(), allow_graceful=False)
        return {"items": items, "results": len(set(done)), "seconds": time.perf_counter() - began}


def tiny(items: int) -> dict[str, float]:
    """Milliseconds of an item that does nothing, and megabytes that the driver grew by over the last nine tenths."""
    with nodes(2) as (_, cluster):
        began, early = time.perf_counter(), 0
        for outcome in cluster.outcomes(answer, range(items), ordered=False):
            if outcome.number == items // 10:
                early = resident()
        passed = time.perf_counter() - began
        return {"items": items, "milliseconds": 1000 * passed / items, "grown_megabytes": (resident() - early) / 1e6}


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def listed(images: int) -> dict[str, float]:
    """Seconds for a million names in shards over two nodes, and megabytes that the driver grew by meanwhile."""
    with nodes(2) as (_, cluster), Listing.of(f"/photos/of/a/town/{i:09}.jpg" for i in range(images)) as listing:
        began, early, seen = time.perf_counter(), 0, 0
        for number in cluster.results(pretend, listing.shards()):
            seen += number
            early = early or (resident() if seen > images // 10 else 0)
        assert seen == images
        return {
            "images": images,
            "seconds": time.perf_counter() - began,
            "grown_megabytes": (resident() - early) / 1e6,
        }


def pretend(shard: Shard) -> int:
    """Look at no image of a shard."""
    return len(shard.images)


def film(clips: list[Path], path: Path) -> float:
    """Join clips; returns the seconds of the film."""
    import av

    with av.open(str(path), "w") as written:
        stream = written.add_stream("libx264", rate=Fraction(25, 2))
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 480, 270, "yuv420p", 25
        number = 0
        for clip in clips:
            with av.open(str(clip)) as opened:
                for decoded in opened.decode(video=0):
                    frame = decoded.reformat(format="yuv420p")
                    frame.pts, frame.time_base, number = number, Fraction(2, 25), number + 1
                    written.mux(stream.encode(frame))
        written.mux(stream.encode(None))
    return number * 2 / 25


def archive(media: Path, detector: str, films: int, rounds: int) -> dict[str, Any]:
    """Seconds for an archive of films by workers, over processes and over nodes, in turns."""
    clips = sorted(media.glob("*.gif"))
    found: dict[str, Any] = {"films": films, "seconds": 0.0, "processor": 0.0}
    with TemporaryDirectory() as folder, nodes(2) as ((made, _), _cluster):
        for number in range(films):  # the order of the clips differs, for no recording counts twice
            turned = clips[number % len(clips) :] + clips[: number % len(clips)]
            found["seconds"] += film(turned * 6, Path(folder) / f"film-{number}.mp4")
        ways = {"one": {"workers": 1}, "two": {"workers": 2}, "ray": {"cluster": made.address}}
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(rounds):
            for name, how in ways.items():
                began, used = time.perf_counter(), _children()
                run_archive(folder, Path(folder) / f"{name}-{turn}.db", detector, how)
                taken[name].append(time.perf_counter() - began)
                found["processor"] = found["processor"] or _children() - used
        found |= {f"{name}_seconds": statistics.median(times) for name, times in taken.items()}
        found |= {
            f"{name}_gain": statistics.median(a / b for a, b in zip(taken["one"], taken[name], strict=True))
            for name in ("two", "ray")
        }
    return found


def run_archive(folder: str, store: Path, detector: str, how: dict[str, Any]) -> None:
    from felicity.api import archive as run

    ray = __import__("ray")
    ray.shutdown()  # the command joins the cluster by itself
    found = run(f"{folder}/*.mp4", location="Film", store=store, detector=detector, **how)
    assert not found.of("failed"), found


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def draw(rows: list[dict[str, float]], path: Path) -> None:
    from felicity.style.charts import new_canvas, save, style

    workers = [row["nodes"] for row in rows]
    with style():
        canvas = new_canvas(3.6)
        axes = canvas.add_subplot()
        axes.plot(workers, workers, linestyle=":", color="0.6", label="as many times as fast")
        for name, label, marker in (("pool", "processes", "s"), ("ray", "Ray, a node each", "o")):
            axes.plot(workers, [row[name] * row["nodes"] for row in rows], marker=marker, label=label)
        axes.set_xlabel("workers of one core")
        axes.set_ylabel("times as fast as one")
        axes.set_xticks(workers)
        axes.legend()
        save(canvas, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--media", type=Path)
    parser.add_argument("--detector", default="auto")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--items", type=int, default=32)
    parser.add_argument("--tiny", type=int, default=20_000)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--films", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--nodes", default="1,2,4")
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[1] / "src"), str(Path(__file__).parent)])
    rows = fixed([int(number) for number in asked.nodes.split(",")], asked.items, asked.seconds)
    found: dict[str, Any] = {"fixed": rows, "lost": lost(asked.items, asked.seconds), "tiny": tiny(asked.tiny)}
    found["listed"] = listed(asked.images)
    if asked.media:
        found["archive"] = archive(asked.media, asked.detector, asked.films, asked.rounds)
    found["memory_free"] = available_memory()
    if asked.picture:
        draw(rows, asked.picture)
    if asked.json:
        print(json.dumps(found))
        return
    print(f"items of {asked.seconds:g} s, {asked.items} of them: efficiency, and time of Ray over that of the pool")
    for row in rows:
        print(f"  {row['nodes']} workers: Ray {row['ray']:.2f}, pool {row['pool']:.2f}, ratio {row['ratio']:.3f}")
    print("a node killed: {results} of {items} results in {seconds:.1f} s".format(**found["lost"]))
    print("tiny items: {milliseconds:.2f} ms each, driver grown by {grown_megabytes:.1f} MB".format(**found["tiny"]))
    print(
        "{images:,} images listed: {seconds:.0f} s, driver grown by {grown_megabytes:.1f} MB".format(**found["listed"])
    )
    if asked.media:
        print(
            "{films} films, {seconds:.0f} s together: {processor:.0f} s of the processor; {one_seconds:.1f} s with one "
            "process, {two_seconds:.1f} s with two ({two_gain:.2f} x), {ray_seconds:.1f} s with two nodes of Ray "
            "({ray_gain:.2f} x)".format(**found["archive"])
        )


if __name__ == "__main__":
    main()
