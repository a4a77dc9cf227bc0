"""The chart of an audit: counts per class, findings, and disagreements between sources. It shows no faces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from felicity.datasets.auditing import Audit
from felicity.datasets.findings import audit_findings
from felicity.style.charts import new_canvas, style
from felicity.style.marks import bare, grid, heat_map
from felicity.style.numbers import count
from felicity.style.palette import BAD, MAIN, MUTED, SERIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas


@style()
def draw_audit(audit: Audit, *, title: str = "") -> Canvas:
    """Draw counts alone, so that the chart may be published even if faces may not."""
    compared = next(((s, d) for s, d in audit.disagreements.items() if d.compared), None)
    canvas = new_canvas(4.9, 15 if compared else 10.5)
    if title:
        canvas.suptitle(title, x=0.01, ha="left", fontsize=14)
    axes = canvas.subplots(1, 3 if compared else 2, width_ratios=(1, 1.05, 1.1) if compared else (1, 1.05))
    _classes(axes[0], audit)
    _found(axes[1], audit)
    if compared:
        _agreement(axes[2], audit, compared[0])
    return canvas


def _classes(axis: Axes, audit: Audit) -> None:
    """Draw stacked bars: images per class, by fold."""
    counts = audit.samples.counts()
    names = [n for n in (*audit.samples.classes, "undecided") if any(row.get(n, 0) for row in counts.values())]
    folds = sorted(counts, key=lambda fold: -sum(counts[fold].values()))
    left = np.zeros(len(names))
    for colour, fold in zip((SERIES * len(folds))[: len(folds)], folds, strict=True):
        values = np.array([counts[fold].get(name, 0) for name in names])
        axis.barh(names, values, left=left, color=colour, label=fold, height=0.68)
        left += values
    for row, total in enumerate(left):
        axis.text(total + left.max() * 0.015, row, count(total), va="center", color=MUTED)
    axis.invert_yaxis()
    axis.set_xlim(0, left.max() * 1.16)
    axis.set_xticks([])
    axis.grid(visible=False)
    bare(axis, f"Images per class (largest is {audit.imbalance:.0f} times the smallest)")
    if len(folds) > 1:
        axis.legend(loc="lower right")


def _found(axis: Axes, audit: Audit) -> None:
    """Draw bars: the number of each finding, on a logarithmic scale, because one leak matters as thousands do."""
    found = audit_findings(audit)
    values = np.array([finding.count for finding in found])
    least = 0.5  # the begin of the axis, so that a single one still has a bar
    top = max(values.max(), 10)
    axis.barh([finding.title for finding in found], np.maximum(values - least, 0), left=least, color=BAD, height=0.6)
    for row, finding in enumerate(found):
        text = f"{count(finding.count)} {finding.unit}" if finding.count else "none"
        colour = MUTED if finding.count else MAIN
        axis.text(max(finding.count, least) * 1.15, row, text, va="center", color=colour)
    axis.set_xscale("log")
    axis.minorticks_off()
    axis.invert_yaxis()
    ticks = 10 ** np.arange(int(np.log10(top)) + 1)
    axis.set_xticks(ticks, [count(float(tick)) for tick in ticks])
    axis.set_xlim(least, top * 12)
    grid(axis, "x")
    bare(axis, "What the audit found (logarithmic scale)")


def _agreement(axis: Axes, audit: Audit, source: str) -> None:
    """Draw a heat map: of the images with one label, the share with each label of the other source."""
    counts = audit.disagreements[source].counts
    rows = np.flatnonzero(counts.sum(1))
    columns = np.flatnonzero(counts.sum(0))
    share = counts[np.ix_(rows, columns)] / counts[rows].sum(1, keepdims=True)
    names = audit.samples.classes
    heat_map(axis, share, [names[r] for r in rows], [names[c] for c in columns])
    bare(axis, f"What {source} says (across) of each label (down)")
