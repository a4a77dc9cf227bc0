"""Charts of the index: in the time zones of their places, with holes where nothing is known, with intervals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.dates import num2date

from felicity.cli.commands.index import show_rows
from felicity.index.happiness import Figure, IndexRow
from felicity.reports.index_chart import draw_index, index_figure, index_series

TOKYO, NEW_YORK = ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")


def row(start: datetime, end: datetime, share: float | None = 60.0, location: str = "Quay") -> IndexRow:
    shown = Figure() if share is None else Figure(share, share, share - 5, share + 5)
    return IndexRow(location, start, end, "model", 40, 40, 1, share is None, happy_share=shown, balance=shown)


def days(*numbers: int, zone: ZoneInfo = TOKYO, hidden: tuple[int, ...] = ()) -> list[IndexRow]:
    starts = [datetime(2026, 3, number, tzinfo=zone) for number in numbers]
    return [row(one, one + timedelta(days=1), None if one.day in hidden else 60.0) for one in starts]


def drawn(rows: list[IndexRow]) -> tuple[list[list[datetime]], Any]:
    """The times of each stretch that is drawn, without zone, and the panel."""
    (panel, *_) = index_figure(index_series(rows), "x").axes
    return [
        [num2date(x).replace(tzinfo=None) for x in panel.convert_xunits(line.get_xdata())] for line in panel.lines
    ], panel


def test_days_stand_where_the_calendar_of_the_place_has_them() -> None:
    (line,), _ = drawn(days(1, 2, 3))
    assert line == [datetime(2026, 3, day) for day in (1, 2, 3)]


def test_a_night_with_an_hour_twice_is_one_stretch(capsys: pytest.CaptureFixture[str]) -> None:
    starts = [datetime(2026, 11, 1, hour, tzinfo=UTC).astimezone(NEW_YORK) for hour in (4, 5, 6, 7)]
    ends = [datetime(2026, 11, 1, hour, tzinfo=UTC).astimezone(NEW_YORK) for hour in (5, 6, 7, 8)]
    rows = [row(*pair) for pair in zip(starts, ends, strict=True)]
    (line,), _ = drawn(rows)
    assert [time.hour for time in line] == [0, 1, 1, 2]
    show_rows(rows, by="hour")
    printed = capsys.readouterr().out
    assert "2026-11-01 01:00 -0400" in printed and "2026-11-01 01:00 -0500" in printed
    assert "2026-11-01 00:00  " in printed


def test_what_is_hidden_or_was_not_watched_is_a_hole() -> None:
    lines, _ = drawn(days(1, 2, 3, 4, 5, 9, 10, hidden=(3,)))
    assert [[time.day for time in line] for line in lines] == [[1, 2], [4, 5], [9, 10]]


def test_a_figure_without_neighbours_has_its_interval_too() -> None:
    _, panel = drawn(days(1, 2, 20))
    (bar,) = [one for one in panel.collections if isinstance(one, LineCollection)]
    np.testing.assert_allclose(bar.get_segments()[0][:, 1], [55, 65])


def test_a_single_day_stands_amid_days_not_years() -> None:
    _, panel = drawn(days(2))
    first, last = panel.get_xlim()
    assert last - first == pytest.approx(2)


@pytest.mark.parametrize("name", ["中央", "$5 Bridge", "Caf\u00e9 \U0001f600"])
def test_any_name_is_drawn_without_a_word(name: str, tmp_path: Path) -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    draw_index(index_series([row(start, start + timedelta(days=1), location=name)]), tmp_path / "x.png")
    assert cv2.imread(str(tmp_path / "x.png")).std() > 5
