"""Figures over HTTP: the index, trends, effects, and the city, in the schemas of the commands' ``--json``."""

from __future__ import annotations

import base64
import json
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from felicity import api
from felicity.api import answers
from felicity.serve.cache import Body
from felicity.serve.problems import Problem
from felicity.serve.queries import CityQuery, EffectQuery, IndexQuery, TrendQuery
from felicity.serve.routes import answered, kept
from felicity.serve.sight import Everything

router = APIRouter(prefix="/api/v1", tags=["figures"])
ROWS = 1000
"""Rows of one JSON answer, unless the caller requests more."""
TABLES: dict[str, tuple[answers.TableKind, str]] = {
    "csv": ("csv", "text/csv; charset=utf-8"),
    "parquet": ("parquet", "application/vnd.apache.parquet"),
}


@router.get("/index", **answered("index", "text/csv", "application/vnd.apache.parquet"))
def index(request: Request, query: Annotated[IndexQuery, Query()]) -> Response:
    """Return the happiness index of locations and periods, a page of rows at a time."""
    if query.format != "json" and not request.state.sight.shared:
        detail = {name: value for name, value in query.model_dump(by_alias=True, exclude_none=True).items()}
        api.record(request.app.state.store, "export", "index", detail, actor=request.state.caller.name)
    return kept(request, lambda: _index(request, query))


@router.get("/trend", **answered("trend"))
def trend(request: Request, query: Annotated[TrendQuery, Query()]) -> Response:
    """Return the trend of each location, with its lasting shifts."""
    sight: Everything = request.state.sight

    def make() -> Body:
        found = sight.trends(by=query.by, **query.selection(sight))
        return document(sight, answers.trend_answer(found))

    return kept(request, make)


@router.get("/effect", **answered("effect"))
def effect(request: Request, query: Annotated[EffectQuery, Query()]) -> Response:
    """Return the effect of a measure on locations, against their earlier course or against others."""
    sight: Everything = request.state.sight

    def make() -> Body:
        at, selection = api.to_time(query.at.strip(), "at"), query.selection(sight)
        found = sight.effect(at, query.locations, query.comparison or (), by=query.by, **selection)
        return document(sight, answers.effect_answer(found))

    return kept(request, make)


@router.get("/city", **answered("city"))
def city(request: Request, query: Annotated[CityQuery, Query()]) -> Response:
    """Return the happy share of the city, the weighted mean of its locations."""
    sight: Everything = request.state.sight

    def make() -> Body:
        return document(sight, answers.city_answer(sight.city(weight=query.weight, **query.selection(sight))))

    return kept(request, make)


def document(sight: Everything, answer: answers.Answer, headers: dict[str, str] | None = None) -> Body:
    """Return an answer in its envelope."""
    text = json.dumps(answer.document(), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Body(text.encode(), "application/json", headers or {}, sight.seconds, sight.shared)


def _index(request: Request, query: IndexQuery) -> Body:
    sight: Everything = request.state.sight
    found = sight.index(by=query.by, **query.selection(sight))
    most = query.limit or (ROWS if query.format == "json" else None)
    page, link = _page(request, found, most, query.after)
    headers = {"Link": link} if link else {}
    if query.format == "json":
        return document(sight, answers.index_answer(page), headers)
    kind, media_type = TABLES[query.format]
    headers["Content-Disposition"] = f'attachment; filename="index.{kind}"'
    return Body(answers.index_file(page.rows, kind), media_type, headers, sight.seconds, sight.shared)


def _page(
    request: Request, found: api.HappinessIndex, most: int | None, after: str | None
) -> tuple[api.HappinessIndex, str]:
    """Return the rows after ``after``, and the header that leads to the next ones, empty at the end."""
    from dataclasses import replace

    rows = found.rows
    if after is not None:
        location, start = _row_key(after)
        rows = tuple(row for row in rows if (row.location, row.start.timestamp()) > (location, start))
    if most is None or len(rows) <= most:
        return replace(found, rows=rows), ""
    last = rows[most - 1]
    key = base64.urlsafe_b64encode(json.dumps([last.location, last.start.timestamp()]).encode()).decode()
    others = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
    return replace(found, rows=rows[:most]), f'<{request.url.path}?{urlencode([*others, ("after", key)])}>; rel="next"'


def _row_key(text: str) -> tuple[str, float]:
    try:
        location, start = json.loads(base64.b64decode(text.encode(), altchars=b"-_", validate=True))
        if isinstance(location, str) and isinstance(start, (int, float)) and not isinstance(start, bool):
            return location, float(start)
    except (ValueError, TypeError, RecursionError, OverflowError):
        pass
    raise Problem("invalid", "after: what the Link header of an answer gave is expected")
