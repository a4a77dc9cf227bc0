"""What a notebook is shown of results about places: tables, charts and data frames of the same figures."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

import felicity
from tests.support.town import fill

AT = date(2026, 2, 27)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two places over 50 days; Harbour rises by 25 points at day 25; the name of the other is no HTML."""
    path = tmp_path_factory.mktemp("town") / "town.db"
    places = {"Harbour": lambda day: 0.3 + 0.25 * (day >= 25), "<b>Market": lambda day: 0.5}
    fill(path, places, 50, hours=range(9, 11), populations={"Harbour": 3000, "<b>Market": 1000})
    return path


def html(found: Any) -> str:
    page: str = found._repr_html_()
    assert page.startswith("<style>") and "<b>" not in page
    return page


def test_an_index_is_a_table_and_a_chart_of_what_changes(town: Path) -> None:
    total = felicity.happiness(store=town)
    page = html(total)
    assert "&lt;b&gt;Market" in page and "<svg" not in page, "one figure of each place makes no chart"
    weeks = felicity.happiness(store=town, by="week")
    frame = weeks.frame
    assert len(frame) == len(weeks.rows)
    assert frame["happy_share_adjusted"].tolist() == [row.happy_share.adjusted for row in weeks.rows]
    assert html(weeks).count("<svg") == 1


def test_a_long_table_says_where_the_rest_is(town: Path) -> None:
    hours = felicity.happiness(store=town, by="hour", k=1)
    assert len(hours.rows) == 200
    page = html(hours)
    assert "100 further rows are in the data frame, <code>frame</code>." in page and page.count("<tr>") == 101


def test_trends_show_slopes_and_courses(town: Path) -> None:
    found = felicity.trends(store=town)
    frame = found.frame
    assert frame.loc["Harbour", "points_per_month"] == found.items[1].trend.slope
    assert list(frame.index) == ["<b>Market", "Harbour"] and list(frame["shifts"]) == [
        len(one.shifts) for one in found.items
    ]
    page = html(found)
    assert "Theil-Sen slope" in page and page.count("<svg") == 1


def test_an_effect_shows_its_sentence_and_its_periods(town: Path) -> None:
    found = felicity.effect(AT, "Harbour", ["<b>Market"], store=town)
    frame = found.frame
    assert len(frame) == len(found.starts) and frame["after"].sum() == found.after
    page = html(found)
    assert "Difference in differences" in page and page.count("<svg") == 1


def test_a_city_and_a_report_show_the_figures_of_their_places(town: Path) -> None:
    found = felicity.city(store=town)
    assert found.frame["happy_share"].tolist()[-1] == found.share and "weighted by population" in html(found)
    report = felicity.report(store=town, at=AT, touched="Harbour", comparison=["<b>Market"], weight="population")
    page = html(report)
    assert "Where do people look happiest?" in page and "&lt;b&gt;Market" in page
    assert set(report.frames) >= {"index", "days", "trend", "effect", "city"}
    assert report.frames["index"]["location"].tolist()[:2] == ["<b>Market", "Harbour"]
    assert {"map", "index-1", "effect"} <= set(report.figures)
