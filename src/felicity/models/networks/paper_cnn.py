"""The study's CNN: three convolutions with pooling, three dense layers; 363,655 parameters at 48x48 grey, 7 classes.

Source: Setiaji, Firmansyah, Akbar, Tjahjono, Widodo: Emotional Classification Based on Facial Expression
Recognition Using Convolutional Neural Network Method.
"""

from __future__ import annotations

from typing import Any

from felicity.models.registry import ModelOptions, dropout, faces_input, register

WIDTH, DEPTH, FILTER_SIZE, DENSE = 32, 3, 3, (128, 64)


@register("paper-cnn", "the study's CNN: 3 x (convolution, pooling), 3 dense layers")
def paper_cnn(options: ModelOptions) -> Any:
    """Return ``depth`` stages of ``width``, twice and four times that many channels, with "valid" padding."""
    import keras
    from keras import layers

    width, depth = options.width or WIDTH, options.depth or DEPTH
    size = options.filter_size or FILTER_SIZE
    x = faces = faces_input(options)
    for stage in range(depth):
        x = layers.Conv2D(width * 2**stage, size, activation="relu", name=f"conv{stage + 1}")(x)
        x = layers.MaxPooling2D(2, name=f"pool{stage + 1}")(x)
    x = layers.Flatten(name="flatten")(x)
    if options.dropout:
        x = dropout(options.dropout)(x)
    for number, units in enumerate(DENSE):
        x = layers.Dense(units, activation="relu", name=f"dense{number + 1}")(x)
    return keras.Model(faces, layers.Dense(options.classes, name="logits")(x), name="paper-cnn")
