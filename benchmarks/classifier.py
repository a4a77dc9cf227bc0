"""The shipped bundles against ONNX Runtime's best plain loop on the same file, and against the processor's limit.

    python benchmarks/classifier.py [BUNDLE ...] [--json]

The plain loop feeds one ready float32 batch again and again: no decoding, no normalising, no softmax. Both run in turn
in one process; the ratio is taken pair by pair. GFLOP/s are two operations for each multiply-add of the network. The
limit is the product of two float32 matrices of 1,536 rows in ONNX Runtime, taken in the same turns; beside it stands
what AVX2 could do at the clock that the system names: 16 operations per cycle and core. Networks in eight-bit integers
may pass both.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import onnx
from onnx import helper

from felicity.models.bundle import open_bundle, shipped
from felicity.recognition.classifier import Classifier
from felicity.runtime import open_session

PAIRS, SIDE = 15, 1536


def timed(work: Callable[[], object], repeats: int) -> float:
    began = time.perf_counter()
    for _ in range(repeats):
        work()
    return (time.perf_counter() - began) / repeats


@cache
def multiply_adds(name: str) -> int:
    """Of the network as it is defined, per face; what the exported file spends beyond them is no work done."""
    facts = open_bundle(name).facts
    if facts.training is None:
        raise SystemExit(f"{name}: does not say which network it is; give a bundle that felicity train made")
    said, second = facts.training["config"]["model"], facts.second.prior if facts.second else []
    classes = len(facts.training["classes"]) + np.count_nonzero(second)
    flags = ["--classes", str(classes)]
    flags += [word for key in ("width", "depth", "filter_size") if said[key] for word in (f"--{key}", str(said[key]))]
    command = [sys.executable, "-m", "felicity", "models", "show", said["name"], "--json", *flags]
    shown = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return int(shown["data"]["multiply_adds"])


def matrix_product(threads: int) -> Callable[[], object]:
    """The product of two square matrices in ONNX Runtime."""
    kind = onnx.TensorProto.FLOAT
    ends = [helper.make_tensor_value_info(name, kind, [SIDE, SIDE]) for name in "abc"]
    graph = helper.make_graph([helper.make_node("MatMul", ["a", "b"], ["c"])], "product", ends[:2], ends[2:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = open_session(model.SerializeToString(), threads=threads)
    fed = {name: np.random.default_rng(0).standard_normal((SIDE, SIDE), dtype=np.float32) for name in "ab"}
    return lambda: session.run(None, fed)


def avx2_gflops(cores: int) -> float:
    """By the clock that /proc/cpuinfo names; 0 where it does not."""
    clock = re.search(r"cpu MHz\s*:\s*([\d.]+)", Path("/proc/cpuinfo").read_text())
    return cores * 16 * float(clock[1]) / 1e3 if clock else 0.0


def measure(name: str, threads: int, batch: int) -> dict[str, float | str]:
    bundle = open_bundle(name)
    classifier, session = Classifier(bundle, threads=threads), open_session(bundle.weights, threads=threads)
    fed, output = session.get_inputs()[0].name, session.get_outputs()[0].name
    shape = (batch, *(bundle.input.size,) * 2, *(3,) * (bundle.input.colour == "rgb"))
    crops = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    ready, product = bundle.input.batch(crops), matrix_product(threads)
    works: list[tuple[Callable[[], object], int]] = [
        (lambda: classifier.probabilities(crops), max(2, 256 // batch)),
        (lambda: session.run([output], {fed: ready}), max(2, 256 // batch)),
        (product, 1),
    ]
    for work, repeats in works:
        timed(work, repeats)
    rounds = [[timed(work, repeats) for work, repeats in works] for _ in range(PAIRS)]
    ours, plain, matrices = (statistics.median(column) for column in zip(*rounds, strict=True))
    gflops = 2 * multiply_adds(name) * batch / plain / 1e9
    limit = 2 * SIDE**3 / matrices / 1e9
    return {
        "bundle": bundle.name,
        "threads": threads,
        "batch": batch,
        "faces_per_second": round(batch / ours),
        "share_of_plain_loop": round(statistics.median(b / a for a, b, _ in rounds), 3),
        "gflops": round(gflops),
        "matrix_gflops": round(limit),
        "of_matrix": round(gflops / limit, 3),
        "of_avx2": round(gflops / avx2_gflops(threads), 2) if avx2_gflops(threads) else 0.0,
    }


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("bundles", nargs="*", metavar="BUNDLE")
    asked.add_argument("--json", action="store_true")
    flags = asked.parse_args()
    names = flags.bundles or shipped()
    rows = [measure(name, threads, batch) for name in names for threads in (1, 2) for batch in (1, 16, 64)]
    if flags.json:
        print(json.dumps(rows))
        return
    print("bundle  threads  batch  faces/s  of plain loop  GFLOP/s  matrices  of them  of AVX2 at its clock")
    for row in rows:
        print(
            f"{row['bundle']:7} {row['threads']:>7} {row['batch']:>6} {row['faces_per_second']:>8} "
            f"{row['share_of_plain_loop']:>14.0%} {row['gflops']:>8} {row['matrix_gflops']:>9} "
            f"{row['of_matrix']:>8.0%} {row['of_avx2']:>9.0%}"
        )


if __name__ == "__main__":
    main()
