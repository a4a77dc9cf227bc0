"""What the way of writing a network for eight bits gains: faces per second without each part of it, and in float32.

    python benchmarks/eight_bits.py [NETWORK ...] [--threads 1] [--json]

Weights are those a training starts from, which take as long as trained ones. All forms run in turn in one process;
times are medians, and ``x`` is how many times as fast the form in use is.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from unittest.mock import patch

import numpy as np

from felicity.export import onnx_file
from felicity.export.onnx_graph import INPUT, to_onnx
from felicity.runtime import open_session
from felicity.training.config import make_config
from felicity.training.engines import open_engine

HEADS = tuple(range(8)), tuple(range(7))
ROUNDS, BATCH = 30, 64


def as_it_is(onnx: bytes) -> bytes:
    return onnx


FLOAT_RELU = [operator for operator in onnx_file.QUANTISED if operator != "Relu"]
WITHOUT = {
    "as in use": {},
    "averages of their own": {"without_pools": as_it_is},
    "stem over one channel": {"with_grouped_stem": as_it_is},
    "ReLU in float32": {"QUANTISED": FLOAT_RELU},
    "none of the three": {"without_pools": as_it_is, "with_grouped_stem": as_it_is, "QUANTISED": FLOAT_RELU},
}


def measure(name: str, threads: int) -> list[dict[str, object]]:
    faces = np.random.default_rng(0).standard_normal((256, 1, 48, 48), dtype=np.float32)
    config = make_config({"data": {"path": "none"}, "model": {"name": name}, "backend": "torch"})
    whole = to_onnx(open_engine(config, tuple(map(len, HEADS))).model, HEADS)
    forms = {}
    for what, changes in WITHOUT.items():
        with patch.multiple(onnx_file, **changes) if changes else patch.dict({}):
            forms[what] = onnx_file.in_eight_bits(whole, faces)
    forms["float32"] = whole
    sessions = {what: open_session(form, threads=threads) for what, form in forms.items()}
    fed, seconds = {INPUT: faces[:BATCH]}, {what: list[float]() for what in forms}
    for number in range(-1, ROUNDS):
        for what, session in sessions.items():
            began = time.perf_counter()
            for _ in range(4):
                session.run(None, fed)
            if number >= 0:
                seconds[what].append((time.perf_counter() - began) / 4)
    used = seconds["as in use"]
    return [
        {
            "network": name,
            "form": what,
            "bytes": len(forms[what]),
            "faces_per_second": round(BATCH / statistics.median(taken)),
            "x": round(statistics.median(b / a for a, b in zip(used, taken, strict=True)), 2),
        }
        for what, taken in seconds.items()
    ]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("networks", nargs="*", metavar="NETWORK", default=["best", "fast"])
    asked.add_argument("--threads", type=int, default=1)
    asked.add_argument("--json", action="store_true")
    flags = asked.parse_args()
    rows = [row for name in flags.networks for row in measure(name, flags.threads)]
    if flags.json:
        print(json.dumps(rows))
        return
    print("network  form                        bytes  faces/s     x")
    for row in rows:
        print("{network:8} {form:22} {bytes:>10} {faces_per_second:>8} {x:>5}".format(**row))


if __name__ == "__main__":
    main()
