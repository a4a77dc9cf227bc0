"""The classifier against ONNX Runtime's best plain loop on the same file, and against the processor's limit.

    python benchmarks/classifier.py [BUNDLE] [--json]

The plain loop feeds one ready float32 batch again and again: no decoding, no normalising, no softmax.
Both run in turn in one process; the ratio is taken pair by pair.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import onnxruntime as ort

from felicity.recognition.classifier import Classifier

PAIRS = 15


def timed(work: Callable[[], object], repeats: int) -> float:
    began = time.perf_counter()
    for _ in range(repeats):
        work()
    return (time.perf_counter() - began) / repeats


def main() -> None:
    rows = []
    bundle = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    for threads in (1, 2):
        classifier = Classifier.open(bundle, threads=threads)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        session = ort.InferenceSession(
            str(classifier.bundle.weights), sess_options=options, providers=["CPUExecutionProvider"]
        )
        name = session.get_inputs()[0].name
        for batch in (1, 16, 64):
            shape = (batch, *(classifier.input.size,) * 2, *(3,) * (classifier.input.colour == "rgb"))
            crops = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
            ready = classifier.input.batch(crops)
            repeats = max(2, 128 // batch)

            def ours(crops: np.ndarray = crops, classifier: Classifier = classifier) -> object:
                return classifier.probabilities(crops)

            def plain(ready: np.ndarray = ready, session: ort.InferenceSession = session, name: str = name) -> object:
                return session.run(None, {name: ready})

            timed(ours, 2), timed(plain, 2)
            pairs = [(timed(ours, repeats), timed(plain, repeats)) for _ in range(PAIRS)]
            rows.append(
                {
                    "threads": threads,
                    "batch": batch,
                    "faces_per_second": round(batch / statistics.median(a for a, _ in pairs)),
                    "share_of_plain_loop": round(statistics.median(b / a for a, b in pairs), 3),
                }
            )
    if "--json" in sys.argv:
        print(json.dumps(rows))
        return
    print(f"{'threads':>7} {'batch':>5} {'faces/s':>8} {'of plain loop':>13}")
    for row in rows:
        print(f"{row['threads']:>7} {row['batch']:>5} {row['faces_per_second']:>8} {row['share_of_plain_loop']:>13.0%}")


if __name__ == "__main__":
    main()
