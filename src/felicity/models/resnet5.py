"""ResNet-5: five residual blocks of two convolutions each, with skip connections.

Sources: the study's ResNet-5 (five residual blocks, sizes not given); residual blocks, He et al. 2016
(arXiv:1512.03385); pooling on the skip connection, He T. et al. 2019 (arXiv:1812.01187).
"""

from __future__ import annotations

from typing import Any

from felicity.models.registry import ModelOptions, dropout, faces_input, register

WIDTH, DEPTH, FILTER_SIZE = 16, 5, 3
MOMENTUM, EPSILON = 0.9, 1e-5
"""Of batch normalisation, set here since frameworks differ in what they take by default."""
WIDEST = 8


@register("resnet5", "five residual blocks with skip connections, batch normalisation, average pooling")
def resnet5(options: ModelOptions) -> Any:
    """A stem of stride 2; blocks of ``width`` x 1, 2, 4, 8, 8 channels, halving the side at 2, 3 and 4."""
    return residual(
        "resnet5", options, options.width or WIDTH, options.depth or DEPTH, options.filter_size or FILTER_SIZE
    )


def residual(name: str, options: ModelOptions, width: int, depth: int, filter_size: int) -> Any:
    """A network of ``depth`` residual blocks, see ``resnet5``."""
    import keras
    from keras import layers

    def norm(label: str) -> Any:
        return layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, name=label)

    def convolution(channels: int, side: int, stride: int, label: str) -> Any:
        return layers.Conv2D(channels, side, strides=stride, padding="same", use_bias=False, name=label)

    x = faces = faces_input(options)
    x = convolution(width, filter_size, 2, "stem_conv")(x)
    x = layers.ReLU(name="stem_relu")(norm("stem_norm")(x))
    before = width
    for number in range(1, depth + 1):
        channels = width * min(2 ** (number - 1), WIDEST)
        stride = 2 if channels > before else 1
        skip, label = x, f"block{number}"
        x = convolution(channels, filter_size, stride, f"{label}_conv1")(x)
        x = layers.ReLU(name=f"{label}_relu1")(norm(f"{label}_norm1")(x))
        x = norm(f"{label}_norm2")(convolution(channels, filter_size, 1, f"{label}_conv2")(x))
        if stride > 1:
            skip = layers.AveragePooling2D(2, padding="same", name=f"{label}_skip_pool")(skip)
            skip = norm(f"{label}_skip_norm")(convolution(channels, 1, 1, f"{label}_skip_conv")(skip))
        x = layers.ReLU(name=f"{label}_relu2")(layers.Add(name=f"{label}_add")([x, skip]))
        before = channels
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    if options.dropout:
        x = dropout(options.dropout)(x)
    return keras.Model(faces, layers.Dense(options.classes, name="logits")(x), name=name)
