"""The wall: one large screen that nobody touches and that renews itself for weeks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from felicity import api
from felicity.errors import ConfigError
from felicity.reports import wording
from felicity.reports.page_charts import place_charts, ranking_bars
from felicity.reports.sentences import city_sentence, usual_sentence
from felicity.serve import queries
from felicity.serve.cache import Body
from felicity.serve.languages import told
from felicity.serve.pages import PERIODS, PeriodName, begin_of, page
from felicity.serve.problems import Problem
from felicity.serve.routes import needs
from felicity.serve.sight import Everything

if TYPE_CHECKING:
    from felicity.serve.settings import Settings

router = APIRouter(include_in_schema=False, dependencies=[needs("read")])
MOST_PLACES = 12
"""Number of places on one screen; of more, it shows the number of the others."""


class WallPage(queries.Query):
    """The city, or one place of it."""

    place: str = Field("", max_length=200)
    period: PeriodName = "7"


@router.get("/wall")
def wall(request: Request, query: Annotated[WallPage, Query()]) -> Response:
    """Show the city, or a place, on one screen."""
    return told(request, lambda: _place(request, query) if query.place else _city(request, query))


def _city(request: Request, query: WallPage) -> Body:
    settings: Settings = request.app.state.settings
    sight: Everything = request.state.sight
    report = api.overview(
        store=sight.store, begin=begin_of(query.period), k=sight.k, title=settings.title, public=sight.public
    )
    bars = ranking_bars(report) if report.models else None
    return page(
        request,
        "wall",
        settings.title,
        report=report,
        view=None,
        figure=report.city,
        sentence=city_sentence(report.city) if report.city else wording.city(report) if report.models else "",
        bars=bars,
        shown=bars.bars[:MOST_PLACES] if bars else [],
        others=max(len(bars.bars) - MOST_PLACES, 0) if bars else 0,
        charts=None,
        period=PERIODS[query.period][0],
        latest=sight.latest(),
    )


def _place(request: Request, query: WallPage) -> Body:
    sight: Everything = request.state.sight
    try:
        view = api.place_view(
            query.place, store=sight.store, begin=begin_of(query.period), k=sight.k, public=sight.public
        )
    except ConfigError as error:
        raise Problem("not-found", str(error)) from None
    whole = view.whole.places[0] if view.whole else None
    return page(
        request,
        "wall",
        query.place,
        report=None,
        view=view,
        figure=whole.total if whole and whole.state == "shown" else None,
        sentence=usual_sentence(view.usual) if view.usual else "",
        bars=None,
        shown=[],
        others=0,
        charts=place_charts(whole, view.whole) if whole and view.whole else None,
        period=PERIODS[query.period][0],
        latest=view.latest.end if view.latest else None,
    )
