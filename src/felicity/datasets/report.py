"""The audit as one self-contained HTML file: counts, findings, and examples to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from felicity.datasets.auditing import Audit
from felicity.datasets.charts import draw_audit
from felicity.datasets.duplicates import Rows
from felicity.datasets.findings import AuditFinding, audit_findings
from felicity.datasets.samples import UNDECIDED, Image
from felicity.files import write_whole
from felicity.style.charts import to_svg
from felicity.style.pages import data_uri, render_page

EXAMPLES, IMAGES_PER_EXAMPLE, UNREADABLE_LISTED = 12, 8, 30
SHOWN_SIDE = 96
CHART = "Images per class, counts of each finding, agreement between sources"


def write_audit_report(audit: Audit, path: Path, *, title: str) -> None:
    """Write the report to ``path``, whole or not at all. Raises ConfigError."""
    numbers = audit.counts()
    page = render_page(
        Path(__file__).with_name("report.html.j2"),
        title=title,
        samples=audit.samples,
        remarks=audit.remarks,
        numbers=numbers,
        columns=list(dict.fromkeys(name for row in numbers["classes"].values() for name in row)),
        imbalance=audit.imbalance,
        sizes=audit.sizes()[:8],
        picture=to_svg(draw_audit(audit), "audit", CHART),
        findings=[(finding, _examples(audit, finding)) for finding in audit_findings(audit)],
        unreadable=[str(audit.facts.error[row]) for row in audit.unreadable[:UNREADABLE_LISTED]],
    )
    write_whole(path, page.encode())


def _examples(audit: Audit, finding: AuditFinding) -> list[list[dict[str, Any]]]:
    """Return sheets: up to EXAMPLES groups, evenly taken from all, each with its pictures and captions."""
    groups = finding.examples
    if groups and len(groups[0]) == 1:  # single images fill a line together
        chosen: Sequence[Rows] = [np.concatenate(_evenly(groups, 2 * IMAGES_PER_EXAMPLE))]
        limit = 2 * IMAGES_PER_EXAMPLE
    else:
        chosen, limit = _evenly(groups, EXAMPLES), IMAGES_PER_EXAMPLE
    return [[_figure(audit, int(row)) for row in rows[:limit]] for rows in chosen]


def _evenly(groups: Sequence[Rows], n: int) -> list[Rows]:
    at = np.unique(np.linspace(0, len(groups) - 1, min(n, len(groups))).round().astype(int))
    return [groups[i] for i in at]


def _figure(audit: Audit, row: int) -> dict[str, Any]:
    samples = audit.samples
    label = int(samples.labels[row])
    others = {
        s: int(labels[row]) for s, labels in samples.other_labels.items() if labels[row] not in (label, UNDECIDED)
    }
    return {
        "image": data_uri(small_png(samples.images[row])),
        "label": samples.classes[label] if label >= 0 else "undecided",
        "fold": str(samples.folds[row]),
        "others": [f"{source}: {samples.classes[other]}" for source, other in others.items()],
        "name": str(samples.names[row]),
    }


def small_png(image: Image) -> bytes:
    """Return the image, at most SHOWN_SIDE pixels in each direction."""
    scale = SHOWN_SIDE / max(image.shape[:2])
    small: Any = image
    if scale < 1:
        size = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    if small.ndim == 3:
        small = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", small)[1].tobytes()
