"""fer as a rival: its network in the form it ships it (keras or tflite), its own Haar cascade for pictures.

Started by run.py in an environment of its own: python worker_fer.py keras|tflite THREADS

Answers and pictures go through fer's own code. For speed alone, the network is fed ready float32 faces, in the
fastest of several ways that give what fer's own call gives; fer itself feeds tflite one face at a time.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import cv2
import numpy as np
import tensorflow as tf
from fer import fer as package
from protocol import SEVEN, rate, serve

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
CHUNK, CLOSE, TRIALS = 64, 1e-3, 4
Way = Callable[[np.ndarray], np.ndarray]


class Fer:
    def __init__(self, form: str, threads: int) -> None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        cv2.setNumThreads(threads)
        self.form, self.threads = form, threads
        self.fer = package.FER(use_tflite=form == "tflite")
        if tuple(self.fer._get_labels().values()) != LABELS:
            raise ValueError("fer's labels are not in the order expected")
        self.best: dict[int, Way] = {}
        self.greeting = {
            "threads": threads,
            "versions": {"fer": version("fer"), "tensorflow": tf.__version__, "opencv": cv2.__version__},
            "detector": "Haar cascade",
            "way": "fastest of calls that give what fer gives",
        }

    def answer(self, crops: np.ndarray, labels: str) -> list[int]:
        """As ``detect_emotions`` prepares a face: resized as uint8, then to -1..1."""
        faces = np.array([cv2.resize(crop, (64, 64)) for crop in crops], dtype="float32")
        faces = (faces / 255.0 - 0.5) * 2.0
        return [int(i) for part in range(0, len(faces), CHUNK) for i in self._own(faces[part : part + CHUNK]).argmax(1)]

    def time(self, batch: int, seconds: float) -> float:
        faces = np.random.default_rng(0).uniform(-1, 1, (batch, 64, 64, 1)).astype(np.float32)
        if batch not in self.best:
            self.best[batch] = self._fastest(faces, seconds)
        return rate(lambda: self.best[batch](faces), batch, seconds)

    def pictures(self, files: list[str]) -> list[list[dict[str, Any]]]:
        return [[told(face) for face in self.fer.detect_emotions(file)] for file in files]

    def _own(self, faces: np.ndarray) -> np.ndarray:
        """(N, 64, 64) to probabilities (N, 7), by fer's own call."""
        return np.asarray(self.fer._classify_emotions(faces))

    def _fastest(self, faces: np.ndarray, seconds: float) -> Way:
        expected = self._own(faces[..., 0])
        ways = self._ways(len(faces))
        if any(np.abs(way(faces) - expected).max() > CLOSE for way in ways):
            raise ValueError("a fast way of running fer's network does not give what fer gives")
        speeds = [[rate(lambda way=way: way(faces), len(faces), seconds / 2) for way in ways] for _ in range(TRIALS)]
        return ways[int(np.max(speeds, axis=0).argmax())]

    def _ways(self, batch: int) -> list[Way]:
        if self.form == "keras":
            model = package.FER._model_cache
            graph = tf.function(lambda faces: model(faces, training=False))
            return [lambda faces: graph(tf.constant(faces)).numpy(), lambda faces: model.predict_on_batch(faces)]
        one = interpreter(1, 1)
        ways = [
            lambda faces: np.concatenate([one(faces[i : i + 1]) for i in range(batch)]),
            interpreter(batch, 1),
            interpreter(batch, self.threads),
        ]
        if batch >= self.threads > 1:
            ways.append(side_by_side(batch, self.threads))
        return ways


def interpreter(batch: int, threads: int) -> Way:
    """fer's tflite file for batches of one size."""
    file = Path(package.__file__).parent / "data" / "emotion_model_quantized.tflite"
    lite = tf.lite.Interpreter(model_path=str(file), num_threads=threads)
    taken, given = lite.get_input_details()[0]["index"], lite.get_output_details()[0]["index"]
    lite.resize_tensor_input(taken, [batch, 64, 64, 1])
    lite.allocate_tensors()

    def run(faces: np.ndarray) -> np.ndarray:
        lite.set_tensor(taken, faces)
        lite.invoke()
        return lite.get_tensor(given)

    return run


def side_by_side(batch: int, threads: int) -> Way:
    """A batch shared out among interpreters of one thread each."""
    edges = np.linspace(0, batch, threads + 1).astype(int)
    parts = [slice(a, b) for a, b in itertools.pairwise(edges)]
    each = [interpreter(part.stop - part.start, 1) for part in parts]
    pool = ThreadPoolExecutor(threads)
    return lambda faces: np.concatenate(list(pool.map(lambda run, part: run(faces[part]), each, parts)))


def told(face: dict[str, Any]) -> dict[str, Any]:
    _, _, width, height = (int(edge) for edge in face["box"])
    best = max(face["emotions"], key=lambda name: face["emotions"][name])
    return {"area": width * height, "expression": SEVEN[LABELS.index(best)]}


if __name__ == "__main__":
    serve(lambda: Fer(sys.argv[1], int(sys.argv[2])))
