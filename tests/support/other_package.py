"""A package of another author, ``smiles`` 1.2, as pip would have installed it: modules and metadata in a folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MODULE = '''
"""Everything that a package can bring."""
import keras
import numpy as np
from keras import layers, ops

from felicity.datasets.class_folders import class_folders_of, read_folders
from felicity.faces.detection import CropGeometry, Detection


class Gate(layers.Layer):
    """Squeeze and excitation, written by hand."""

    def build(self, shape):
        self.inner = layers.Dense(4, activation="swish")
        self.outer = layers.Dense(shape[-1], activation="sigmoid")
        self.inner.build((None, shape[-1]))
        self.outer.build((None, 4))

    def call(self, x):
        gate = self.outer(self.inner(ops.mean(x, axis=[1, 2])))
        return x * ops.reshape(gate, (-1, 1, 1, x.shape[-1]))


def build(options):
    """Separable convolutions, gates and attention pooling."""
    faces = keras.Input((options.size, options.size, options.channels))
    x = layers.Conv2D(options.width or 8, 3, strides=2, padding="same", use_bias=False)(faces)
    x = layers.Activation("swish")(layers.BatchNormalization()(x))
    x = layers.SeparableConv2D(12, 3, padding="same")(x)
    x = layers.GroupNormalization(4)(Gate()(x))
    x = layers.ReLU(6.0)(x) * 0.5
    x = layers.Dropout(0.1)(layers.Reshape((-1, 12))(x))
    x = layers.Dot(axes=1)([layers.Softmax(axis=1)(layers.Dense(1)(x)), x])
    return keras.Model(faces, layers.Dense(options.classes)(layers.Flatten()(x)))


def with_softmax(options):
    faces = keras.Input((options.size, options.size, options.channels))
    return keras.Model(faces, layers.Dense(options.classes, activation="softmax")(layers.Flatten()(faces)))


def of_another_size(options):
    faces = keras.Input((99, 99, 1))
    return keras.Model(faces, layers.Dense(3)(layers.Flatten()(faces)))


def broken(options):
    return options.no_such_thing


def no_model(options):
    return 3


def darker(images, rng):
    return (images * rng.uniform(0.8, 1.0, (len(images),) + (1,) * (images.ndim - 1))).astype(np.uint8)


def wrong_shape(images, rng):
    return images[:, ::2]


def plain(targets, logits):
    """Cross-entropy, written by hand."""
    return -ops.sum(targets * ops.log_softmax(logits), axis=-1)


def focal(targets, logits):
    sure = ops.sum(targets * ops.softmax(logits), axis=-1)
    return (1 - sure) ** 2 * plain(targets, logits)


def one_number(targets, logits):
    return ops.mean(plain(targets, logits))


def missed_smiles(labels, probabilities):
    return float((probabilities.argmax(1) != 0)[labels == 0].mean())


def no_number(labels, probabilities):
    return float("nan")


class Reader:
    """Folders whose names begin with an underscore."""

    name = "smiles"

    def sniff(self, tree, classes):
        return 9 if any(name.startswith("smiles_here") for name in tree.names) else 0

    def read(self, tree, options):
        return read_folders(tree, options.classes, self.name)


class Middle:
    """A detector that takes the middle of the picture for a face."""

    name = "middle"
    geometry = CropGeometry(scale=1.0)
    weights = None
    rank = -1

    @classmethod
    def check(cls):
        pass

    def detect(self, image):
        height, width = image.shape[:2]
        return [Detection((width / 4, height / 4, width * 3 / 4, height * 3 / 4), 1.0)]
'''
ENTRIES = """
[felicity.networks]
smiles-net = smiles:build
[felicity.readers]
smiles = smiles:Reader
[felicity.detectors]
middle = smiles:Middle
[felicity.augmentations]
darker = smiles:darker
"""


@contextmanager
def installed(folder: Path, *, announce: bool = True) -> Iterator[Path]:
    """Within, the package can be imported and, if it is to ``announce`` them, its parts are known by name."""
    (folder / "smiles.py").write_text(MODULE)
    facts = folder / "smiles-1.2.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: smiles\nVersion: 1.2\n")
    (facts / "RECORD").write_text("smiles.py,,\n")
    if announce:
        (facts / "entry_points.txt").write_text(ENTRIES)
    sys.path.insert(0, str(folder))
    try:
        yield folder
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("smiles", None)
