"""Tables as files: CSV, Parquet, Excel and LaTeX, from rows of plain values."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from felicity.errors import require
from felicity.style.latex import Printed, to_latex

Table = Sequence[Mapping[str, Any]]
"""Rows with the same keys, which are the headings; cells are text, numbers, dates, booleans or None."""
ENDINGS = (".csv", ".parquet", ".xlsx", ".tex")


def check_table(path: Path) -> None:
    """Raise ConfigError if a table cannot be written to ``path``, ExtraMissingError without its package."""
    from felicity.files import check_place

    check_place(path, "a table", ENDINGS)
    if path.suffix.lower() == ".parquet":
        require("pyarrow", "data")
    elif path.suffix.lower() == ".xlsx":
        require("xlsxwriter", "excel")


def write_table(path: Path, table: Table, *, title: str = "Table", printed: Sequence[Printed] = ()) -> None:
    """Write ``table`` to ``path``, whole or not at all, in the format of its ending (``ENDINGS``).

    ``title``: of the sheet, in formats with sheets. ``printed``: the table for people that LaTeX shows in its place.
    Raises ConfigError if the file cannot be written.
    """
    from felicity.files import write_whole

    ending = path.suffix.lower()
    if ending == ".xlsx":
        content = to_xlsx(table, title=title)
    elif ending == ".parquet":
        content = to_parquet(table) or b""
    elif ending == ".tex":
        columns = list(table[0]) if table else []
        content = to_latex(printed or [Printed(title, columns, [[*map(_plain, row.values())] for row in table])])
    else:
        content = to_csv(table)
    write_whole(path, content)


def to_csv(table: Table, headings: Sequence[str] = ()) -> bytes:
    """Return UTF-8 with a heading line and empty cells for None.

    ``headings``: for a table that may have no rows. Text that a spreadsheet would compute gets an apostrophe before it.
    """
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=list(headings or (table[0] if table else ())), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _inert(_plain(cell)) for name, cell in row.items()} for row in table)
    return stream.getvalue().encode()


def to_parquet(table: Table) -> bytes | None:
    """Return the same with types, times as ISO 8601; None if pyarrow is not installed."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        return None
    stream = io.BytesIO()
    rows = [{name: _plain(cell) for name, cell in row.items()} for row in table]
    pq.write_table(pa.Table.from_pylist(rows), stream)
    return stream.getvalue()


def to_xlsx(table: Table, *, title: str) -> bytes:
    """Return an Excel workbook of one sheet: headings that stay in view and filter, local times as dates, no formula.

    Excel has no time zones: a time with an offset is written as local time, and its offset in a column of its own.
    """
    import xlsxwriter

    stream = io.BytesIO()
    rows = [_with_offsets(row) for row in table]
    columns = list(rows[0]) if rows else []
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}
    with xlsxwriter.Workbook(stream, options | {"default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        sheet = book.add_worksheet(title[:31])
        sheet.write_row(0, 0, columns, book.add_format({"bold": True, "bottom": 1}))
        for line, row in enumerate(rows, 1):
            for place, cell in enumerate(row.values()):
                if cell is not None:
                    sheet.write(line, place, cell)
        sheet.freeze_panes(1, 0)
        if rows:
            sheet.autofilter(0, 0, len(rows), len(columns) - 1)
        sheet.autofit()
    return stream.getvalue()


def _with_offsets(row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, cell in row.items():
        found[name] = cell.replace(tzinfo=None) if isinstance(cell, datetime) else cell
        if isinstance(cell, datetime) and cell.tzinfo is not None:
            found[f"{name}_utc_offset"] = f"{cell:%z}"
    return found


def _plain(cell: Any) -> Any:
    return cell.isoformat() if isinstance(cell, date) else cell


def _inert(cell: Any) -> Any:
    """Quote text that a spreadsheet would compute: a name like ``=HYPERLINK(…)`` must stay a name (CWE-1236)."""
    # Spreadsheets treat full-width signs like plain ones.
    plain = unicodedata.normalize("NFKC", cell[:1]) if isinstance(cell, str) else ""
    return f"'{cell}" if plain in ("=", "+", "-", "@", "\t", "\r", "\n", "\N{MINUS SIGN}") else cell
