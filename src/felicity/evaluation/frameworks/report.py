"""A comparison as table, sentences and JSON, and as files ``comparison.*``: pages, tables, charts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from felicity.evaluation.frameworks.chart import draw_comparison
from felicity.evaluation.frameworks.comparison import Comparison
from felicity.evaluation.frameworks.summary import LABELS, PARTS, Mean, pairs, rows, verdict
from felicity.style.charts import save_each
from felicity.style.document import Block, Items, Picture, Table, to_markdown, to_page
from felicity.style.latex import Printed
from felicity.style.notebook import Shown, to_frame
from felicity.style.tables import write_table
from felicity.training.checkpoint import write
from felicity.training.run import environment

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

TITLE = "Frameworks compared"


@dataclass(frozen=True)
class Report(Shown):
    """The ``columns`` and ``rows`` of the table, and the sentences below it."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    first_steps: list[str]
    verdict: str
    facts: dict[str, Any] = field(repr=False)
    figure: Canvas = field(repr=False)

    @property
    def frame(self) -> Any:
        """Return a ``pandas.DataFrame``: each figure of each framework, its mean over seeds and 95 % interval."""
        return to_frame(plain_rows(self.facts["frameworks"]), index="framework")

    @property
    def blocks(self) -> list[Block]:
        """Return the blocks for Markdown, page and notebook."""
        chart = Picture("comparison", "Accuracy by part and by epoch, time and memory", self.figure)
        return [self.title, Table(self.columns, self.rows), Items(self.first_steps), self.verdict, chart]


def write_comparison(comparison: Comparison, folder: Path) -> Report:
    """Write the files into ``folder``. Raises TrainingError if it cannot be written."""
    config, images = comparison.config, comparison.data["images"]
    columns, table = rows(comparison)
    first = [
        f"first step, {LABELS[step.contestant]} against {LABELS[step.reference]}: loss differs by {step.loss:.1e}, "
        f"gradients by {step.median:.1e} (median) and {step.largest:.1e} (largest): "
        f"{'float32 rounding' if step.fair else 'more than float32 rounding explains'}"
        for step in comparison.first_steps
    ]
    said = verdict(comparison)
    title = (
        f"{config.model.name}, {images['train']:,} images, {config.epochs} epochs, batch {config.batch_size}, "
        f"{len(comparison.seeds)} seeds: mean ± 95 %; accuracy, seconds, peak memory"
    )
    facts: dict[str, Any] = {
        "model": config.model.name,
        "config": config.model_dump(),
        "seeds": list(comparison.seeds),
        "data": comparison.data,
        "environment": environment(),
        "frameworks": {name: _figures(comparison, name) for name in comparison.contestants},
        "first_step": [asdict(step) | {"fair": step.fair} for step in comparison.first_steps],
        "pairs": [
            {"one": p.one, "other": p.other, "test_accuracy": _mean(p.difference), "p": None if p.p != p.p else p.p}
            for p in pairs(comparison)
        ],
        "fair": all(step.fair for step in comparison.first_steps),
        "verdict": said,
    }
    report = Report(title, columns, table, first, said, facts, draw_comparison(comparison))
    write(folder / "comparison.json", (json.dumps(facts, indent=1) + "\n").encode())
    write(folder / "comparison.md", to_markdown(TITLE, report.blocks, pictures=".").encode())
    write(folder / "comparison.html", to_page(TITLE, report.blocks).encode())
    save_each(report.figure, folder / "comparison")
    write_table(folder / "comparison.csv", plain_rows(facts["frameworks"]))
    write_table(folder / "comparison.tex", [], printed=[Printed(title, columns, table)])
    return report


def plain_rows(frameworks: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each figure of each framework: its mean over seeds, and the ends of its 95 % interval."""
    return [
        {"framework": name, "figure": figure, "part": part or None} | ends
        for name, figures in frameworks.items()
        for figure, found in figures.items()
        for part, ends in (found.items() if figure in ("accuracy", "loss") else (("", found),))
    ]


def _figures(comparison: Comparison, name: str) -> dict[str, Any]:
    return {
        "accuracy": {part: _mean(Mean.of(comparison.values(name, part, "accuracy"), 0, 1)) for part in PARTS},
        "loss": {part: _mean(Mean.of(comparison.values(name, part, "loss"), 0)) for part in PARTS},
        "seconds_per_epoch": _mean(Mean.of(comparison.seconds(name), 0)),
        "first_epoch_seconds": _mean(Mean.of(comparison.first_seconds(name), 0)),
        "peak_memory_mb": _mean(Mean.of(comparison.memory(name), 0)),
    }


def _mean(mean: Mean) -> dict[str, float | None]:
    low, high = (mean.low, mean.high) if mean.known else (None, None)
    return {"mean": mean.value, "low": low, "high": high}
