"""Pages for people, made on the server, usable without a script: the city, a place, a comparison, the measurement."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from felicity import __version__, api
from felicity.api import web_runtime
from felicity.errors import ConfigError, EstimateError
from felicity.reports import wording
from felicity.reports.findings import REASONS, place_findings
from felicity.reports.page_charts import place_charts, ranking_bars
from felicity.reports.page_map import draw_page_map
from felicity.reports.plots import map_places
from felicity.reports.sentences import city_sentence, effect_sentence, ranking_sentence, usual_sentence
from felicity.serve import account, queries
from felicity.serve.cache import Body
from felicity.serve.health import cameras_at, may_see_cameras
from felicity.serve.languages import told
from felicity.serve.problems import Problem
from felicity.serve.routes import needs
from felicity.serve.sight import Everything
from felicity.style.dates import long_date, moment
from felicity.style.language import LANGUAGES, say, spoken
from felicity.style.numbers import interval, p_value, people, percent_span, points_span
from felicity.style.pages import render_page

if TYPE_CHECKING:
    from felicity.serve.settings import Settings

router = APIRouter(include_in_schema=False, dependencies=[needs("read")])
TEMPLATES = Path(__file__).with_name("templates")
PERIODS = {"all": ("all time", None), "28": ("last 4 weeks", 28), "7": ("last 7 days", 7)}
PeriodName = Literal["all", "28", "7"]


class CityPage(queries.Query):
    """The first page."""

    period: PeriodName = "all"


class PlacePage(queries.Query):
    """One place."""

    name: queries.Name
    period: PeriodName = "all"
    begin: str = Field("", alias="from", max_length=40)
    end: str = Field("", alias="to", max_length=40)


class ComparePage(queries.Query):
    """Two places, or a place before and after a date; empty fields of a form count as left out."""

    first: str = Field("", max_length=200)
    second: str = Field("", max_length=200)
    begin: str = Field("", alias="from", max_length=40)
    end: str = Field("", alias="to", max_length=40)
    place: str = Field("", max_length=200)
    at: str = Field("", max_length=40)
    beside: str = Field("", max_length=200)


@router.get("/")
def city(request: Request, query: Annotated[CityPage, Query()]) -> Response:
    """Show the city: map and ranking with intervals, the weighted index, and what was not watched."""

    def make() -> Body:
        settings: Settings = request.app.state.settings
        sight: Everything = request.state.sight
        report = api.overview(
            store=sight.store, begin=begin_of(query.period), k=sight.k, title=settings.title, public=sight.public
        )
        on_map = map_places(report.places)
        return page(
            request,
            "city",
            settings.title,
            report=report,
            periods=_periods("/", query.period),
            bars=ranking_bars(report) if report.models else None,
            ranks={place.location: place.rank for place in report.ranking.places} if report.ranking else {},
            map=draw_page_map(on_map, place_link) if on_map else None,
            off_map=[place.name for place in report.places if place.location.geometry is None],
            missing=[place.name for place in report.places if place.state == "missing"],
            words=wording,
            city_sentence=city_sentence,
            ranking_sentence=ranking_sentence,
        )

    return told(request, make)


@router.get("/place")
def place(request: Request, query: Annotated[PlacePage, Query()]) -> Response:
    """Show one place: now, what is usual, its course with shifts and limits, its week, and who was not judged."""

    def make() -> Body:
        sight: Everything = request.state.sight
        begin, end = _days(query.begin, query.end)
        begin = begin or begin_of(query.period)
        try:
            view = api.place_view(query.name, store=sight.store, begin=begin, end=end, k=sight.k, public=sight.public)
        except ConfigError as error:
            known = query.name in {location.name for location in sight.locations()}
            raise Problem("invalid" if known else "not-found", str(error)) from None
        whole = view.whole.places[0] if view.whole else None
        charts = place_charts(whole, view.whole) if whole and view.whole else None
        found = whole.over_time if whole else None
        return page(
            request,
            "place",
            query.name,
            view=view,
            place=whole,
            periods=_periods("/place", "" if query.begin or query.end else query.period, name=query.name),
            asked=query,
            health=cameras_at(request, query.name),
            findings=place_findings(whole) if whole and whole.total else [],
            charts=charts,
            rows=() if whole is None or charts is None else whole.weeks if charts.by == "week" else whole.days,
            limits=[long_date(start) for start in found.outside] if found else [],
            notes=view.whole.notes if view.whole else (),
            reasons=REASONS,
            words=wording,
            usual_sentence=usual_sentence,
        )

    return told(request, make, "admin" if may_see_cameras(request) else "")


@router.get("/compare")
def compare(request: Request, query: Annotated[ComparePage, Query()]) -> Response:
    """Compare two places, or a place before and after a date."""

    def make() -> Body:
        sight: Everything = request.state.sight
        names = [location.name for location in sight.locations()]
        pair, pair_lack = _tried(lambda: _pair(sight, query)) if query.first and query.second else (None, "")
        effect, effect_lack = _tried(lambda: _effect(sight, query)) if query.place and query.at else (None, "")
        asked = query.model_copy(
            update={"first": query.first or next(iter(names), ""), "second": query.second or next(iter(names[1:]), "")}
        )
        return page(
            request,
            "compare",
            say("Compare"),
            names=names,
            asked=asked,
            pair=pair,
            pair_lack=pair_lack,
            effect=effect,
            effect_lack=effect_lack,
            effect_sentence=effect_sentence,
        )

    return told(request, make)


@router.get("/about")
def about(request: Request, query: Annotated[queries.NoQuery, Query()]) -> Response:
    """Show the page about the installation: what it measures, stores and classifies with, and whom to ask."""

    def make() -> Body:
        settings: Settings = request.app.state.settings
        here_is = api.installation(store=request.app.state.store, public=request.state.sight.public)
        return page(
            request,
            "about",
            say("What is measured here"),
            here_is=here_is,
            classify=settings.classify,
            contact=settings.contact,
        )

    return told(request, make)


def page(request: Request, template: str, title: str, **values: Any) -> Body:
    """Return the page of a template with the parts of all pages."""
    settings: Settings = request.app.state.settings
    sight: Everything | None = getattr(request.state, "sight", None)
    here_again = values.setdefault("here_again", _again(request))
    html = render_page(
        TEMPLATES / f"{template}.html.j2",
        title=title,
        site=settings.title,
        here=request.url.path,
        languages=LANGUAGES,
        k=settings.k,
        version=__version__,
        caveat=wording.CAVEAT,
        place_link=place_link,
        span=percent_span,
        points_span=points_span,
        interval=interval,
        people=people,
        moment=moment,
        p_value=p_value,
        tries=settings.try_it and (web_runtime.is_installed() or not (sight and sight.public)),
        fresh=0 if sight and sight.public else settings.fresh_seconds,
        account=account.place(request, here_again),
        **values,
    )
    seconds, public = (sight.seconds, sight.shared) if sight else (0, False)
    return Body(html.encode(), "text/html; charset=utf-8", {"Content-Language": spoken()}, seconds, public)


def place_link(name: str) -> str:
    """Return the address of a place's page."""
    return f"/place?{urlencode({'name': name})}"


def begin_of(period: str) -> datetime | None:
    """Return the midnight on which a period of ``PERIODS`` begins, None for all time."""
    days = PERIODS[period][1]
    if days is None:
        return None
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None) - timedelta(days=days)


def _days(begin: str, end: str) -> tuple[datetime | None, datetime | None]:
    """Return the times of a form's fields; empty ones count as left out. Raises ConfigError."""
    return api.to_time(begin, "from") if begin else None, api.to_time(end, "to") if end else None


def _periods(path: str, chosen: str, **values: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "link": f"{path}?{urlencode(values | {'period': key})}" if key != "all" or values else path,
            "chosen": key == chosen,
        }
        for key, (name, _) in PERIODS.items()
    ]


def _again(request: Request) -> str:
    """Return the address of this page, as a link within the server."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _tried(make: Callable[[], Any]) -> tuple[Any, str]:
    """Return the result, or None and the sentence why there is none."""
    try:
        return make(), ""
    except (ConfigError, EstimateError) as error:
        return None, str(error)


def _pair(sight: Everything, query: ComparePage) -> dict[str, Any]:
    begin, end = _days(query.begin, query.end)
    asked = {"begin": begin, "end": end, "k": None, "model": None}
    if query.first == query.second:
        raise ConfigError(say("{name} is compared with itself; choose two places", name=query.first))
    found = sight.rank(locations=[query.first, query.second], **sight.selection(asked))
    (one,) = found.differences
    if one.found:
        said = say(
            "{first} looks happier than {second}: the difference is more than chance.",
            first=one.first,
            second=one.second,
        )
    else:
        first, second = (place.location for place in found.places)
        said = say(
            "{first} and {second} cannot be told apart: the difference may be chance.", first=first, second=second
        )
    return {"ranking": found, "sentence": said}


def _effect(sight: Everything, query: ComparePage) -> Any:
    comparison = [query.beside] if query.beside else []
    asked = sight.selection({"begin": None, "end": None, "k": None, "model": None})
    return sight.effect(api.to_time(query.at, "at"), [query.place], comparison, **asked)
