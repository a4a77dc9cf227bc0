"""The findings of an audit by file name, as a table for a spreadsheet or a script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from felicity.datasets.auditing import Audit
from felicity.datasets.findings import audit_findings
from felicity.files import write_whole
from felicity.style.tables import to_csv

COLUMNS = ("finding", "group", "name", "fold", "label")


def write_findings(audit: Audit, path: Path) -> int:
    """Write one row per image of each finding to the CSV file ``path``; return the number of rows.

    ``group`` numbers the groups of a finding from 1: rows of one number belong together. Raises ConfigError.
    """
    samples = audit.samples
    rows: list[dict[str, Any]] = []
    for finding in audit_findings(audit):
        groups = finding.examples or tuple(audit.unreadable[:, None] if finding.title == "Unreadable files" else ())
        for number, group in enumerate(groups, start=1):
            for row in group.tolist():
                label = int(samples.labels[row])
                named = samples.classes[label] if label >= 0 else ""
                cells = (finding.title, number, str(samples.names[row]), str(samples.folds[row]), named)
                rows.append(dict(zip(COLUMNS, cells, strict=True)))
    write_whole(path, to_csv(rows, COLUMNS))
    return len(rows)
