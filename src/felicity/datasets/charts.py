"""One figure of an audit: counts per class, what was found, and where two sources disagree. No faces."""

from __future__ import annotations

import io

import numpy as np

from felicity.datasets.auditing import Audit
from felicity.datasets.findings import findings

INK, MUTED, GRID = "#1d2733", "#66758a", "#e3e8ee"
FOLD_COLOURS = ("#2f6f9f", "#e39a2d", "#5b9b6b", "#8a6fb0", "#a7b3c0")
FOUND, CLEAR = "#c8553d", "#3f8455"


def chart_png(audit: Audit, *, title: str, dots_per_inch: int = 150) -> bytes:
    """The figure as a PNG; it shows counts alone, so it may be published where faces may not."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    compared = next(((s, d) for s, d in audit.disagreements.items() if d.compared), None)
    figure = Figure(figsize=(15 if compared else 10.5, 4.9), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.01, ha="left", fontsize=14, fontweight="bold", color=INK)
    axes = figure.subplots(1, 3 if compared else 2, width_ratios=(1, 1.05, 1.1) if compared else (1, 1.05))
    _classes(axes[0], audit)
    _found(axes[1], audit)
    if compared:
        _agreement(axes[2], audit, compared[0])
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=dots_per_inch, metadata={"Software": None})
    return file.getvalue()


def bare(axis, title: str) -> None:  # type: ignore[no-untyped-def]
    """A title at the left, no frame, no tick marks."""
    axis.set_title(title, loc="left", fontsize=11, color=INK, pad=8, wrap=True)
    axis.tick_params(length=0, labelsize=9, colors=INK)
    for side in axis.spines.values():
        side.set_visible(False)


def _classes(axis, audit: Audit) -> None:  # type: ignore[no-untyped-def]
    """Stacked bars: images per class, by fold."""
    counts = audit.samples.counts()
    names = [n for n in (*audit.samples.classes, "undecided") if any(row.get(n, 0) for row in counts.values())]
    folds = sorted(counts, key=lambda fold: -sum(counts[fold].values()))
    left = np.zeros(len(names))
    for colour, fold in zip((FOLD_COLOURS * len(folds))[: len(folds)], folds, strict=True):
        values = np.array([counts[fold].get(name, 0) for name in names])
        axis.barh(names, values, left=left, color=colour, label=fold, height=0.68)
        left += values
    for row, total in enumerate(left):
        axis.text(total + left.max() * 0.015, row, f"{int(total):,}", va="center", fontsize=9, color=MUTED)
    axis.invert_yaxis()
    axis.set_xlim(0, left.max() * 1.16)
    axis.set_xticks([])
    bare(axis, f"Images per class (largest is {audit.imbalance:.0f} times the smallest)")
    if len(folds) > 1:
        axis.legend(frameon=False, fontsize=9, loc="lower right", labelcolor=INK)


def _found(axis, audit: Audit) -> None:  # type: ignore[no-untyped-def]
    """Bars: how many of each finding, on a logarithmic scale, since one leak matters as thousands do."""
    found = findings(audit)
    values = np.array([finding.count for finding in found])
    least = 0.5  # where the axis begins, so that a single one still has a bar
    top = max(values.max(), 10)
    axis.barh([finding.title for finding in found], np.maximum(values - least, 0), left=least, color=FOUND, height=0.6)
    for row, finding in enumerate(found):
        text = f"{finding.count:,} {finding.unit}" if finding.count else "none"
        colour = MUTED if finding.count else CLEAR
        axis.text(max(finding.count, least) * 1.15, row, text, va="center", fontsize=9, color=colour)
    axis.set_xscale("log")
    axis.minorticks_off()
    axis.invert_yaxis()
    ticks = 10 ** np.arange(int(np.log10(top)) + 1)
    axis.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axis.set_xlim(least, top * 12)
    axis.grid(axis="x", color=GRID)
    axis.set_axisbelow(True)
    bare(axis, "What the audit found (logarithmic scale)")


def _agreement(axis, audit: Audit, source: str) -> None:  # type: ignore[no-untyped-def]
    """Heat map: of the images with one label, the share that the other source labels so."""
    counts = audit.disagreements[source].counts
    rows = np.flatnonzero(counts.sum(1))
    columns = np.flatnonzero(counts.sum(0))
    share = counts[np.ix_(rows, columns)] / counts[rows].sum(1, keepdims=True)
    names = audit.samples.classes
    heat_map(axis, share, [names[r] for r in rows], [names[c] for c in columns])
    bare(axis, f"What {source} says (across) of each label (down)")


def heat_map(axis, share, rows, columns, counts=None) -> None:  # type: ignore[no-untyped-def]
    """Draw ``share`` (R, C), 0 to 1, as shaded cells with their percentages, and ``counts`` (R, C) below these."""
    axis.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for i, j in np.ndindex(share.shape):
        colour = "white" if share[i, j] > 0.55 else INK
        small = {"ha": "center", "va": "center", "color": colour}
        if share[i, j] >= 0.005:
            axis.text(j, i - (0.14 if counts is not None else 0), f"{share[i, j]:.0%}", fontsize=8.5, **small)
        if counts is not None and counts[i, j]:
            axis.text(j, i + 0.22, f"{counts[i, j]:,}", fontsize=6.5, alpha=0.75, **small)
    axis.set_xticks(range(len(columns)), columns, rotation=35, ha="right")
    axis.set_yticks(range(len(rows)), rows)
