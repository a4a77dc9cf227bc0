"""A network drawn like the study's figures: a box per layer with its output shape and parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from felicity.models.describe import Description, LayerFacts
from felicity.style.charts import new_canvas, style
from felicity.style.numbers import count, number
from felicity.style.palette import LAYERS, MUTED, OTHER_LAYER

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

SHORT = {
    "BatchNormalization": "BatchNorm",
    "GlobalAveragePooling2D": "GlobalAvgPooling",
    "AveragePooling2D": "AvgPooling",
}
FADED = {"ReLU", "BatchNormalization"}
"""Layers drawn in the box of the layer before them."""
WIDE, HIGH, GAP, ASIDE = 4.4, 0.42, 0.2, 0.45


@dataclass
class _Box:
    """A box; ``row`` counts layers from the input along the longest path. Boxes off that path stand beside it."""

    layers: list[LayerFacts]
    sources: list[_Box]
    row: int = 0
    main: bool = field(default=False)

    @property
    def x(self) -> float:
        return 0.0 if self.main else WIDE + ASIDE

    @property
    def y(self) -> float:
        return self.row * (HIGH + GAP)

    @property
    def middle(self) -> float:
        return self.y + HIGH / 2

    @property
    def entry(self) -> float:
        return self.y + HIGH * 0.3

    @property
    def exit(self) -> float:
        return self.y + HIGH * 0.7


@style()
def draw_network(description: Description) -> Canvas:
    """Draw a network with the input on top; layers of skip connections stand beside the main path."""
    from matplotlib.patches import FancyBboxPatch

    boxes = _boxes(description)
    height = (max(box.row for box in boxes) + 1) * (HIGH + GAP)
    width = WIDE if all(box.main for box in boxes) else 2 * WIDE + ASIDE
    canvas = new_canvas(height + 0.7, width + 0.8)
    canvas.set_layout_engine("none")
    axes = canvas.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.4, width + 0.4), ylim=(height + 0.1, -0.6))
    axes.set_axis_off()
    axes.text(0, -0.3, description.name, fontsize=10, weight="bold", va="center")
    facts = (
        f"{count(description.parameters)} parameters, {number(description.multiply_adds / 1e6)} million multiply-adds"
    )
    axes.text(WIDE, -0.3, facts, fontsize=8, va="center", ha="right")
    for box in boxes:
        kind, shape = box.layers[0].kind, "x".join(map(str, box.layers[-1].output))
        axes.add_patch(
            FancyBboxPatch(
                (box.x, box.y), WIDE, HIGH, boxstyle="round,pad=0,rounding_size=0.06", linewidth=0.8,
                edgecolor=MUTED, facecolor=LAYERS.get(kind, OTHER_LAYER),
            )
        )  # fmt: skip
        names = " + ".join(SHORT.get(layer.kind, layer.kind) for layer in box.layers)
        axes.text(box.x + 0.1, box.middle, names, fontsize=7.5, va="center")
        axes.text(box.x + WIDE - 1.05, box.middle, shape, fontsize=7.5, va="center", ha="right")
        if weights := sum(layer.parameters for layer in box.layers):
            axes.text(
                box.x + WIDE - 0.1, box.middle, count(weights), fontsize=7.5, va="center", ha="right", color=MUTED
            )
        for source in box.sources:
            _connect(axes, source, box)
    return canvas


def _connect(axes: object, source: _Box, box: _Box) -> None:
    """Draw a line with an arrow head at its end."""
    below, centre = source.y + HIGH, WIDE / 2
    if source.x == box.x and box.row == source.row + 1:
        way = [(source.x + centre, below), (box.x + centre, box.y)]
    elif source.main and box.main:
        side = WIDE + ASIDE / 2
        way = [(WIDE, source.exit), (side, source.exit), (side, box.entry), (WIDE, box.entry)]
    elif source.main:
        way = [(WIDE, source.exit), (box.x + centre, source.exit), (box.x + centre, box.y)]
    else:
        way = [(source.x + centre, below), (source.x + centre, box.entry), (WIDE, box.entry)]
    axes.plot(*zip(*way, strict=True), color=MUTED, linewidth=0.9)  # type: ignore[attr-defined]
    axes.annotate(  # type: ignore[attr-defined]
        "",
        way[-1],
        way[-2],
        arrowprops={"arrowstyle": "-|>", "color": MUTED, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0},
    )


def _boxes(description: Description) -> list[_Box]:
    """Return layers grouped into boxes, each with its row; the longest path from input to output is marked ``main``."""
    boxes: list[_Box] = []
    of_layer: dict[str, _Box] = {}
    for layer in description.layers:
        before = of_layer.get(layer.inputs[0]) if layer.inputs else None
        if layer.kind in FADED and before is not None and before.layers[-1].name == layer.inputs[0]:
            before.layers.append(layer)
            of_layer[layer.name] = before
            continue
        sources = [of_layer[name] for name in layer.inputs]
        box = _Box([layer], sources, 1 + max((source.row for source in sources), default=-1))
        boxes.append(box)
        of_layer[layer.name] = box
    at = boxes[-1]
    at.main = True
    while at.sources:
        at = max(at.sources, key=lambda source: source.row)
        at.main = True
    return boxes
