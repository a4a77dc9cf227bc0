"""Tables as files: the same cells in CSV, Parquet and Excel; names stay names."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from felicity.errors import ConfigError
from felicity.style.latex import Printed, to_latex
from felicity.style.tables import check_table, to_csv, to_xlsx, write_table

ROWS = [
    {"location": "=HYPERLINK(1)", "start": datetime(2026, 5, 4, 9, tzinfo=UTC), "share": 41.25, "suppressed": False},
    {"location": "Quay", "start": datetime(2026, 5, 4, 10, tzinfo=UTC), "share": None, "suppressed": True},
]


def test_csv() -> None:
    assert to_csv(ROWS).decode().splitlines() == [
        "location,start,share,suppressed",
        "'=HYPERLINK(1),2026-05-04T09:00:00+00:00,41.25,False",
        "Quay,2026-05-04T10:00:00+00:00,,True",
    ]


def test_excel_has_dates_filters_and_no_formula() -> None:
    book = zipfile.ZipFile(io.BytesIO(to_xlsx(ROWS, title="Happy share by day, and a title that is too long")))
    sheet, words = (book.read(f"xl/{name}.xml").decode() for name in ("worksheets/sheet1", "sharedStrings"))
    assert "<f>" not in sheet and "=HYPERLINK(1)" in words and "start_utc_offset" in words and "+0000" in words
    assert "autoFilter" in sheet and "<v>41.25</v>" in sheet and "<v>46146.375</v>" in sheet


def test_the_ending_says_the_format(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    write_table(tmp_path / "t.parquet", ROWS)
    assert pq.read_table(tmp_path / "t.parquet").to_pylist()[0]["share"] == 41.25
    write_table(tmp_path / "t.xlsx", ROWS)
    assert (tmp_path / "t.xlsx").read_bytes()[:2] == b"PK"
    write_table(tmp_path / "t.tex", ROWS, title="By day")
    assert (tmp_path / "t.tex").read_text().splitlines()[-3].startswith("Quay & 2026-05-04T10:00:00+00:00 & -- & True")
    with pytest.raises(
        ConfigError, match=r"a table is written as \.csv, \.parquet, \.xlsx, \.tex; give a name with such an ending"
    ):
        check_table(tmp_path / "t.ods")


def test_latex_sets_figures_flush_right_and_escapes_signs() -> None:
    rows = [
        ("a_b & 50 %", "84.8 % (83.6 to 86.1)", "\N{MINUS SIGN}1.5"),
        ("$x$", None, "0.98 \N{PLUS-MINUS SIGN} 0.01"),
    ]
    lines = to_latex([Printed("of 100 %", ("figure", "value", "more"), rows)]).decode().splitlines()
    assert lines == [
        "% needs \\usepackage{booktabs}",
        "% of 100 %",
        "\\begin{tabular}{lrr}",
        "\\toprule",
        "figure & value & more \\\\",
        "\\midrule",
        "a\\_b \\& 50 \\% & 84.8 \\% (83.6 to 86.1) & $-$1.5 \\\\",
        "\\$x\\$ & -- & 0.98 $\\pm$ 0.01 \\\\",
        "\\bottomrule",
        "\\end{tabular}",
    ]
