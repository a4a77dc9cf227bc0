"""A network that states one picture size, opened to all sizes: its ONNX file without the stated shapes.

An ONNX file is a protocol buffer (https://protobuf.dev/programming-guides/encoding/). Its fields are copied unchanged,
so that running a network needs no package that reads ONNX.
"""

from __future__ import annotations

from collections.abc import Sequence

Path = tuple[int, ...]

# Field numbers of onnx.proto: ModelProto.graph 7; GraphProto.input 11, .output 12, .value_info 13; from there
# ValueInfoProto.type 2, TypeProto.tensor_type 1, Tensor.shape 2, TensorShapeProto.dim 1, Dimension.dim_value 1.
_SIDES_OF_INPUTS: Path = (7, 11, 2, 1, 2, 1, 1)
_SHAPES_OF_OUTPUTS: Path = (7, 12, 2, 1, 2)
_SHAPES_BETWEEN: Path = (7, 13)
_LENGTHS = {1: 8, 5: 4}  # bytes of a value, by wire type


def with_free_sides(onnx: bytes) -> bytes:
    """Return the same network for inputs of any size; each input keeps its number of dimensions."""
    return _without(onnx, [_SIDES_OF_INPUTS, _SHAPES_OF_OUTPUTS, _SHAPES_BETWEEN])


def _without(message: bytes, paths: Sequence[Path]) -> bytes:
    """Return the message without the fields at ``paths``."""
    kept, at = bytearray(), 0
    while at < len(message):
        begin = at
        key, at = _varint(message, at)
        field, wire = key >> 3, key & 7
        if wire == 2:
            length, body = _varint(message, at)
            at = body + length
        elif wire == 0:
            at = _varint(message, at)[1]
        else:
            at += _LENGTHS[wire]
        below = [path[1:] for path in paths if path[0] == field]
        if () in below:
            continue
        if below and wire == 2:
            inner = _without(message[body:at], below)
            kept += _as_varint(key) + _as_varint(len(inner)) + inner
        else:
            kept += message[begin:at]
    return bytes(kept)


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Return the number at ``at``, seven bits a byte, and its end."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _as_varint(value: int) -> bytes:
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])
