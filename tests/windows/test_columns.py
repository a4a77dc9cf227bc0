"""The columns of a window are written once: attributes, JSON, addition, tables and rows follow."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import felicity
from felicity.store.tables import days, hours, windows
from felicity.windows import Sums, Window
from felicity.windows.columns import SUM_COLUMNS, WINDOW_COLUMNS

MIGRATION = '''"""A made-up column."""
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9000", "{head}"


def upgrade() -> None:
    """Add it."""
    for table in ("windows", "hours", "days", "folded", "crowds"):
        op.add_column(table, sa.Column("smiles", sa.LargeBinary))
'''

USE = """
import sys
from datetime import UTC, datetime
import numpy as np
from felicity.store import open_store
from felicity.windows import Sums, Window, WindowKey

run_start, nine = datetime(2026, 5, 4, tzinfo=UTC), datetime(2026, 5, 4, 9, tzinfo=UTC)
keys = [WindowKey("Pier", "c", "s", run_start, "m", nine.replace(minute=minute), 60) for minute in (0, 1)]
added = [Window(key, smiles=np.arange(3) + i) for i, key in enumerate(keys)]
assert (added[0] + added[0]).smiles.tolist() == [0, 2, 4]
assert Window.from_json(added[1].to_json()).smiles.tolist() == [1, 2, 3]
with open_store(sys.argv[1]) as store:
    run = store.begin_run("Pier", "c", "s", keys[0].run_start, "m")
    store.write_windows(run, added)
    assert [window.smiles.tolist() for window in store.windows()] == [[0, 1, 2], [1, 2, 3]]
    for by in ("minute", "hour", "total"):
        assert store.sums(by).sums.smiles.sum(axis=0).tolist() == [1, 3, 5]
"""


def test_windows_and_sums_have_an_attribute_for_each_column() -> None:
    assert [field.name for field in fields(Window)] == ["key", *(column.name for column in WINDOW_COLUMNS)]
    assert {field.name for field in fields(Sums)} == {column.name for column in SUM_COLUMNS}
    for table, kept in ((windows, WINDOW_COLUMNS), (hours, SUM_COLUMNS), (days, SUM_COLUMNS)):
        assert {column.name for column in kept} <= set(table.columns.keys())


def test_a_new_column_is_a_line_in_the_table_two_attributes_and_a_migration(tmp_path: Path) -> None:
    source = Path(felicity.__file__).parent
    copy = tmp_path / "felicity"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("zoo", "__pycache__", "*.html", "*.onnx"))

    def insert(file: str, before: str, line: str) -> None:
        text = (copy / file).read_text()
        assert text.count(before) == 1
        (copy / file).write_text(text.replace(before, line + before))

    insert("windows/columns.py", '    Column("frames_seen"', '    Column("smiles", "made up", np.int64, (3,)),\n')
    insert(
        "windows/window.py", "    frames_seen: int", '    smiles: Ints = field(default_factory=COLUMN["smiles"].zero)\n'
    )
    insert("windows/sums.py", "    frames_seen: Ints", "    smiles: Ints\n")
    versions = copy / "store" / "migrations" / "versions"
    head = max(path.name[:4] for path in versions.glob("[0-9]*.py"))
    (versions / "9000_smiles.py").write_text(MIGRATION.format(head=head))
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", USE, str(tmp_path / "store.db")], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
