"""Catalogues: every text of the pages is in each of them, with the same values, and nothing else is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import date, datetime
from string import Formatter
from typing import get_args

import pytest
from jinja2 import Environment, nodes

from felicity.index.seeing import REASONS
from felicity.index.seeing_notes import UNFIT, UNLIKE
from felicity.labels import EXPRESSIONS
from felicity.reports.page_map import STATES
from felicity.reports.plots import WINDS
from felicity.schemas.cameras import CameraStatusShape
from felicity.serve.pages import PERIODS
from felicity.serve.problems import CODES, WRONG
from felicity.style.charts import CAVEAT
from felicity.style.dates import MONTHS, WEEKDAYS, day_span, long_date, short_date, tick_labels
from felicity.style.language import LANGUAGES, catalogue, preferred, say, speaking, spoken
from felicity.style.numbers import count, in_points, interval, number, p_value, people, percent, percent_span, points
from tests.conftest import CHECKOUT

SOURCE = CHECKOUT / "src" / "felicity"
OTHERS = [code for code in LANGUAGES if code != "en"]
CHOSEN = {
    CAVEAT,
    *MONTHS,
    *(name[:3] for name in MONTHS),
    *WEEKDAYS,
    *REASONS.values(),
    *UNFIT.values(),
    *UNLIKE,
    *WRONG.values(),
    *STATES.values(),
    *WINDS,
    *map(str, EXPRESSIONS),
    *(name for name, _ in PERIODS.values()),
    *(title for _, title in CODES.values()),
    *("not shown, too few people", "not shown, shares a crowd"),
    *("minute", "hour", "month"),
    *("by hour of the day", "by weekday", "By week", "By day", "week", "day"),
    *get_args(CameraStatusShape.model_fields["state"].annotation),
    *("camera", "state", "since", "last frame", "last window", "frames per second", "frames dropped"),
    "reconnects",
    *("by population", "by visits", "by people counted"),
    *("interrupted time series", "difference in differences", "clustered by location", "Newey-West over time"),
}
"""Texts that are chosen by a value."""


def in_code() -> Iterator[str]:
    for path in SOURCE.rglob("*.py"):
        text = path.read_text()
        if "felicity.style.language import" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                yield from (str(part.value) for part in texts(node.args[0]))
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant | ast.Dict | ast.Tuple):
                found = [str(one.value) for one in texts(node.value)]
                yield from (text for text in found if re.search(r"\{\w+\}", text))


def texts(node: ast.AST) -> Iterator[ast.Constant]:
    if isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)
    elif isinstance(node, ast.Dict):
        for value in node.values:
            yield from texts(value)
    elif isinstance(node, ast.Tuple):
        for value in node.elts:
            yield from texts(value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node


def in_templates() -> Iterator[str]:
    for path in (SOURCE / "serve" / "templates").glob("*.j2"):
        for call in Environment().parse(path.read_text()).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "_" and isinstance(call.args[0], nodes.Const):
                yield call.args[0].value


ALL = {*in_templates(), *in_code(), *CHOSEN} - {""}


def values(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_of_the_pages_is_translated_and_nothing_else(language: str) -> None:
    known = catalogue(language)
    assert sorted(ALL - set(known)) == []
    assert sorted(set(known) - ALL) == []
    assert [text for text, other in known.items() if values(text) != values(other) or not other.strip()] == []
    assert [text for text, other in known.items() if text[-1] in ".?:" and other[-1] != text[-1]] == []


def test_numbers_and_dates_are_written_as_the_language_has_them() -> None:
    day = date(2026, 5, 4)
    with speaking("de"):
        assert spoken() == "de"
        assert (number(1234.5), count(1234), percent(46.25, 2)) == ("1.234,5", "1.234", "46,25 %")
        assert (interval(46.2, 53), percent_span(1, 2)) == ("95-%-Intervall 46,2 bis 53,0", "1,0 bis 2,0 %")
        assert (points(-3.14), in_points(1.0), people(1), p_value(0.5)) == (
            "\u22123,1",
            "1,0 Punkt",
            "1 Mensch",
            "0,500",
        )
        assert (long_date(day), short_date(day)) == ("4. Mai 2026", "4. Mai")
        assert day_span(day, date(2026, 5, 10)) == "4. bis 10. Mai 2026"
        assert tick_labels([datetime(2026, 5, 1), datetime(2026, 6, 1)]) == ["Mai\n2026", "Juni"[:3]]
    with speaking("id"):
        assert (long_date(day), percent(46.2), interval(1, 2)) == (
            "4 Mei 2026",
            "46,2 %",
            "interval 95 % 1,0 sampai 2,0",
        )
    assert (long_date(day), number(1234.5), spoken()) == ("4 May 2026", "1,234.5", "en")
    assert day_span(date(2025, 12, 30), date(2026, 1, 2)) == "30 December 2025 to 2 January 2026"
    assert (
        day_span(date(2026, 4, 30), date(2026, 5, 2)) == "30 April to 2 May 2026" and day_span(day, day) == "4 May 2026"
    )


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("fr-FR, id;q=0.3, en;q=0.2", "id"),
        ("en-GB,de", "en"),
        ("fr,de;q=0", "en"),
        ("de;q=much,id", "id"),
        ("*", "en"),
    ],
)
def test_a_reader_gets_the_language_they_like_best(header: str, language: str) -> None:
    assert preferred(header) == language


def test_values_are_put_in_as_they_are() -> None:
    assert say("at {name}", name="{k} & {0}") == "at {k} & {0}"
    with speaking("de"):
        assert say("at {name}", name="{k}") == "bei {k}" and say("nowhere in a catalogue") == "nowhere in a catalogue"
