"""``felicity rank``: locations by happy share, with shared ranks where they do not differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel
from felicity.style import numbers

if TYPE_CHECKING:
    from felicity.cities.ranking import Ranking

PANEL = Panel.READ


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(rank)


def rank(
    store: options.Store = None,
    begin: options.Begin = None,
    end: options.End = None,
    location: options.Locations = None,
    k: options.K = 10,
    model: options.Model = None,
    json: options.Json = False,
) -> None:
    """Rank locations by their happy share. Locations that cannot be told apart share their ranks."""
    import felicity
    from felicity.api.answers import rank_answer
    from felicity.reports.sentences import ranking_sentence

    found = felicity.rank(store=store, begin=begin, end=end, locations=location, k=k, model=model)
    console.notes((*found.notes, *(f"{name} has no rank: {reason}" for name, reason in found.missing)))
    if json:
        console.emit_answer(rank_answer(found))
        return
    console.out.print(ranking_sentence(found), markup=False, soft_wrap=True)
    show(found)


def show(found: Ranking) -> None:
    """Print a row per location."""
    columns = ("rank", "location", "people", "happy share", "95 % interval", "to the next", "interval", "p")
    cells = []
    for place in found.places:
        pair = place.to_next
        cells.append(
            (
                place.rank,
                place.location,
                f"{place.people:,}",
                numbers.percent(place.share),
                numbers.percent_span(place.low, place.high),
                numbers.points(pair.difference) if pair else "",
                numbers.points_span(pair.low, pair.high) if pair else "",
                numbers.p_value(pair.p_value) if pair else "",
            )
        )
    title = "Happy share, adjusted; differences in points, intervals and p for all pairs at once"
    console.table(columns, cells, title=title, numbers=("rank", *columns[2:]))
