"""Results about places in notebooks: tables, charts and data frames beside the figures themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

from felicity.cities.city import CityIndex
from felicity.over_time.effect import Effect
from felicity.over_time.trends import Trends
from felicity.reports.place import CityReport
from felicity.style.notebook import Shown, to_frame

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

    from felicity.style.document import Block
    from felicity.style.latex import Printed

T = TypeVar("T")
SHOWN = 100
"""Rows of a table in a notebook; the data frame has all."""


def shown_as(kind: type[T], found: Any) -> T:
    """Return ``found`` as ``kind``, a subclass of its dataclass, with the same fields."""
    return kind(**{one.name: getattr(found, one.name) for one in fields(found)})


def table_blocks(table: Printed, notes: Iterable[object] = ()) -> list[Block]:
    """Return a table, shortened to ``SHOWN`` rows, and the notes below it."""
    from felicity.style.document import Items, Table

    more = f"{len(table.rows) - SHOWN:,} further rows are in the data frame, `frame`."
    said = [str(note) for note in notes]
    return [
        f"{table.title}.",
        Table(table.columns, table.rows[:SHOWN]),
        *([more] if len(table.rows) > SHOWN else []),
        *([Items(said)] if said else []),
    ]


@dataclass(frozen=True, eq=False)
class ShownTrends(Shown, Trends):
    """Trends, in a form that notebooks show."""

    @property
    def frame(self) -> Any:
        """Return a ``pandas.DataFrame``: slope, interval and p-value of each location; points of happy share."""
        from felicity.reports.tables import trend_row

        return to_frame([trend_row(one.trend) | {"shifts": len(one.shifts)} for one in self.items], index="location")

    @property
    def figure(self) -> Canvas:
        """Draw each location's course with trend, control limits and shifts."""
        from felicity.reports.trend_chart import trend_figure, trend_picture

        return trend_figure([trend_picture(one.trend, one.limits, one.shifts) for one in self.items])

    @property
    def blocks(self) -> list[Block]:
        """Return the blocks that a notebook shows."""
        from felicity.reports.printed import printed_trends
        from felicity.style.document import Picture

        notes = (*self.notes, *(f"{one.location}: {one.reason}" for one in self.missing))
        return [*table_blocks(printed_trends(self), notes), Picture("trends", "Happy shares over time", self.figure)]


@dataclass(frozen=True, eq=False)
class ShownEffect(Shown, Effect):
    """An effect, in a form that notebooks show."""

    @property
    def frame(self) -> Any:
        """Return a ``pandas.DataFrame`` by period, in percent: touched, comparison, fitted and expected values."""
        from felicity.reports.tables import effect_table

        return to_frame(effect_table(self), index="start")

    @property
    def figure(self) -> Canvas:
        """Draw the touched locations, their expected course, and the comparison."""
        from felicity.reports.effect_chart import effect_figure

        return effect_figure(self)

    @property
    def blocks(self) -> list[Block]:
        """Return the blocks that a notebook shows."""
        from felicity.reports.printed import printed_effect
        from felicity.reports.sentences import effect_sentence
        from felicity.style.document import Picture

        drawn = Picture("effect", "Happy share of the touched and of other places", self.figure)
        return [effect_sentence(self), *table_blocks(printed_effect(self), self.notes), drawn]


@dataclass(frozen=True, eq=False)
class ShownCity(Shown, CityIndex):
    """The index of a city, in a form that notebooks show."""

    @property
    def frame(self) -> Any:
        """Return a ``pandas.DataFrame``: a row per location, and the city's own last."""
        from felicity.reports.tables import city_table

        return to_frame(city_table(self))

    @property
    def blocks(self) -> list[Block]:
        """Return the blocks that a notebook shows."""
        from felicity.reports.printed import printed_city
        from felicity.reports.sentences import city_sentence

        return [city_sentence(self), *table_blocks(printed_city(self), self.notes)]


@dataclass(frozen=True, eq=False)
class ShownReport(Shown, CityReport):
    """A report, in a form that notebooks show; ``felicity.write_report`` makes its page."""

    @property
    def frames(self) -> dict[str, Any]:
        """Return each table as a ``pandas.DataFrame``, by its name, such as ``index``; empty tables are left out."""
        from felicity.reports.tables import make_tables

        return {name: to_frame(rows) for name, rows in make_tables(self).items()}

    @property
    def figures(self) -> dict[str, Canvas]:
        """Draw every chart for which there are figures, by name."""
        from felicity.reports.city import draw

        return {one.name: one.canvas for one in draw(self).all()}

    @property
    def blocks(self) -> list[Block]:
        """Return the blocks that a notebook shows."""
        from felicity.reports.findings import answers
        from felicity.reports.printed import printed_index
        from felicity.style.document import Table

        rows = [place.total for place in self.places if place.total]
        found = [(one.question, one.answer, one.detail) for one in answers(self)]
        return [
            Table(("question", "answer", ""), found, text=True),
            *table_blocks(printed_index(rows, "total", self.k), self.notes),
        ]
