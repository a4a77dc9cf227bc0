"""Figures for other places: a badge, a sentence, both in a frame without a script, and a sign to print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from felicity import api
from felicity.reports import wording
from felicity.reports.badges import draw_badge, draw_sentence
from felicity.reports.sentences import city_sentence
from felicity.reports.sign import draw_sign
from felicity.serve import queries
from felicity.serve.cache import Body
from felicity.serve.guard import POLICY
from felicity.serve.languages import language_of, told
from felicity.serve.pages import PeriodName, begin_of, page
from felicity.serve.problems import Problem
from felicity.serve.routes import needs
from felicity.serve.sight import Everything
from felicity.style.dates import day_span
from felicity.style.language import say, speaking
from felicity.style.numbers import interval, percent

if TYPE_CHECKING:
    from felicity.reports.place import CityReport
    from felicity.serve.settings import Settings

router = APIRouter(include_in_schema=False, dependencies=[needs("read")])
EVERYWHERE = {
    "Content-Security-Policy": POLICY.replace("frame-ancestors 'none'", "frame-ancestors *"),
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""Headers of public content, which other pages may show."""


class Chosen(queries.Query):
    """The city, or one place of it, in a period."""

    place: str = Field("", max_length=200)
    period: PeriodName = "all"


class Framed(Chosen):
    """The fields of a frame."""

    show: Literal["sentence", "badge"] = "sentence"


class Sign(queries.Query):
    """A sign on paper."""

    size: Literal["A4", "A3"] = "A4"


@dataclass(frozen=True)
class Said:
    """One figure: its subject, ``value`` with interval, the ``sentence``, and its days."""

    name: str
    value: str
    sentence: str
    when: str


@router.get("/badge.svg")
def badge(request: Request, query: Annotated[Chosen, Query()]) -> Response:
    """Return the figure of the city or a place as a badge."""

    def make() -> Body:
        said = _said(request, query)
        return _picture(request, draw_badge(say("{name}: people looking happy", name=said.name), said.value, said.when))

    return told(request, make)


@router.get("/sentence.svg")
def sentence(request: Request, query: Annotated[Chosen, Query()]) -> Response:
    """Return the figure of the city or a place as a sentence in a picture."""

    def make() -> Body:
        said = _said(request, query)
        return _picture(request, draw_sentence(said.sentence, said.when))

    return told(request, make)


@router.get("/embed")
def embed(request: Request, query: Annotated[Framed, Query()]) -> Response:
    """Return a page for a frame of another page: the sentence or the badge, without a script."""

    def make() -> Body:
        said = _said(request, query)
        picture = draw_badge(say("{name}: people looking happy", name=said.name), said.value, said.when)
        body = page(request, "embed", said.name, said=said, badge=picture if query.show == "badge" else None)
        return Body(body.content, body.media_type, {**body.headers, **_headers(request)}, body.seconds, body.public)

    return told(request, make)


@router.get("/sign.svg")
def sign(request: Request, query: Annotated[Sign, Query()]) -> Response:
    """Return a sign to print, whose code leads to the page about the measurement, under the requested host name."""
    with speaking(language_of(request)):
        drawn = _sign(request, query)
    return Body(drawn.encode(), "image/svg+xml").response(request)


def _sign(request: Request, query: Sign) -> str:
    settings: Settings = request.app.state.settings
    lines = [
        say(
            "Cameras here count how many of the people who pass look happy. A program judges the expression of faces "
            "while they are in the picture."
        ),
        say("No picture is kept and nobody is identified. No figure is made of fewer than {k} people.", k=settings.k),
    ]
    if settings.contact:
        lines.append(say("Ask: {contact}", contact=settings.contact))
    return draw_sign(
        say("How happy do people look here?"),
        lines,
        invitation=say("What is measured here, what is stored, and what the law says"),
        address=f"{request.base_url}about",
        size=query.size,
    )


def _picture(request: Request, svg: str) -> Body:
    sight: Everything = request.state.sight
    return Body(svg.encode(), "image/svg+xml", _headers(request), sight.seconds, sight.shared)


def _headers(request: Request) -> dict[str, str]:
    return EVERYWHERE if request.state.sight.shared else {}


def _said(request: Request, query: Chosen) -> Said:
    settings: Settings = request.app.state.settings
    sight: Everything = request.state.sight
    report = api.overview(
        store=sight.store, begin=begin_of(query.period), k=sight.k, title=settings.title, public=sight.public
    )
    return _of_place(report, query.place) if query.place else _of_city(report)


def _of_city(report: CityReport) -> Said:
    if not report.models:
        return Said(report.title, say("no figure"), say("Nothing was counted in this period."), "")
    when = day_span(*report.period)
    if report.city is None:
        return Said(report.title, say("no figure"), wording.city(report), when)
    return Said(
        report.title, _value(report.city.share, report.city.low, report.city.high), city_sentence(report.city), when
    )


def _of_place(report: CityReport, name: str) -> Said:
    place = next((place for place in report.places if place.name == name), None)
    if place is None:
        raise Problem("not-found", say("there is no location {name}", name=repr(name)))
    total = place.total
    when = day_span(total.first_day, total.last_day) if total and total.first_day and total.last_day else ""
    share = place.share
    value = say("no figure") if place.state != "shown" else _value(share.adjusted, share.low, share.high)
    return Said(name, value, wording.at_place(place, report.k), when)


def _value(share: float | None, low: float | None, high: float | None) -> str:
    return f"{percent(share, 0)} ({interval(low, high, 0)})"
