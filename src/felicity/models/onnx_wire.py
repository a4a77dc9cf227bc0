"""The parts of an ONNX file, read from its bytes alone, before a runtime opens it.

ONNX is a Protocol Buffers message: fields with a number and a kind. This module reads only those that can lead out of
the file or make its time unbounded; https://github.com/onnx/onnx/blob/main/onnx/onnx.proto names them.
"""

from __future__ import annotations

from collections.abc import Iterator

MODEL, GRAPH, NODE, ATTRIBUTE, TENSOR, SPARSE = "model", "graph", "node", "attribute", "tensor", "sparse"
_BELOW = {
    MODEL: {7: GRAPH},
    GRAPH: {1: NODE, 5: TENSOR, 15: SPARSE},
    NODE: {5: ATTRIBUTE},
    ATTRIBUTE: {5: TENSOR, 10: TENSOR, 22: SPARSE, 23: SPARSE},
    SPARSE: {1: TENSOR, 2: TENSOR},
}
_REFUSED = {
    (MODEL, 20): "steps of a training",
    (MODEL, 25): "functions of its own",
    (ATTRIBUTE, 6): "a graph within an operator (If, Loop, Scan)",
    (ATTRIBUTE, 11): "graphs within an operator",
    (TENSOR, 13): "weights in another file, which no digest covers",
}
DOMAINS = frozenset({b"", b"ai.onnx", b"com.microsoft"})
"""Accepted domains of operators: those of ONNX, and of ONNX Runtime for eight bits."""
MOST_NODES = 20_000


def check_network(content: bytes) -> None:
    """Raise ValueError unless ``content`` is a self-contained network in which every operator runs once.

    Such a network has no external data, no graphs within operators, no functions, and no operators of other libraries.
    """
    nodes = 0
    waiting = [(MODEL, 0, len(content))]
    while waiting:
        kind, begin, end = waiting.pop()
        for number, wire, at, to in _fields(content, begin, end):
            if (kind, number) in _REFUSED and (wire != 2 or to > at):
                raise ValueError(f"holds {_REFUSED[kind, number]}")
            if kind == TENSOR and number == 14 and at:
                raise ValueError("holds weights in another file, which no digest covers")
            if kind == NODE and number == 7 and content[at:to] not in DOMAINS:
                raise ValueError(f"needs operators of {content[at:to][:40]!r}")
            if wire == 2 and (inner := _BELOW.get(kind, {}).get(number)):
                nodes += inner == NODE
                waiting.append((inner, at, to))
        if nodes > MOST_NODES:
            raise ValueError(f"has more than {MOST_NODES:,} operators")


def _fields(content: bytes, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield number and wire kind of each field, and the range of its bytes; for a number, the value and the end."""
    while at < end:
        key, at = _varint(content, at, end)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(content, at, end)
            yield number, wire, value, at
            continue
        if wire == 2:
            size, at = _varint(content, at, end)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError("is not an ONNX file")
        if at + size > end:
            raise ValueError("is not a whole ONNX file")
        yield number, wire, at, at + size
        at += size


def _varint(content: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 70:
        byte = content[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise ValueError("is not a whole ONNX file")
