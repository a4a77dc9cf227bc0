"""Reports: everything that one page says of a city, gathered from one open store, and the page and files of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from felicity.api.over_time import effect_of
from felicity.api.places import city_of
from felicity.api.selection import Names, Selection, opened, to_datetime, to_names, to_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from felicity.api.selection import StoreLike
    from felicity.cities.city import Weight
    from felicity.cities.ranking import Ranking
    from felicity.index import Groups, IndexRow, SoftMatrix
    from felicity.reports.place import CityReport, ModelCard, PlaceReport
    from felicity.store import Store

Progress = Callable[[int, int], None]
"""Called with how many of how many places are done."""


def report(
    *,
    store: StoreLike = None,
    begin: date | None = None,
    end: date | None = None,
    locations: Names | None = None,
    k: int = 10,
    model: str | None = None,
    at: date | None = None,
    touched: Names = (),
    comparison: Names = (),
    weight: Weight | None = None,
    footfall: str | Path | None = None,
    title: str = "Happiness index",
    on_progress: Progress | None = None,
) -> CityReport:
    """Gather what a report shows, from a store that is opened once and from the shipped bundles.

    ``at``: the day that divides before from after. ``touched`` (by default all that are shown), ``comparison``:
    locations that something at ``at`` touched, and did not; with either of them the report has its effect. ``weight``
    or ``footfall``: with the index of the city; see ``city``. Other arguments as for ``happiness``. ``write_report``
    makes the page. Raises StoreError, ConfigError; EstimateError if there is no window in the period.
    """
    from felicity.errors import ConfigError, EstimateError

    selection = Selection.of(begin, end, locations, k, model)
    day = None if at is None else to_datetime(at, "at").date()
    treated, others = to_names(touched, "touched"), to_names(comparison, "comparison")
    if (treated or others) and day is None:
        raise ConfigError("--touched and --comparison need a day to compare around; give it with --at")
    table = None if footfall is None else to_path(footfall, "footfall")
    with opened(store) as open_store:
        made = _gather(open_store, selection, day, title, on_progress)
        if weight or table:
            try:
                found = city_of(open_store, selection, weight, table)
                made = replace(made, city=found, notes=tuple(dict.fromkeys((*made.notes, *found.notes))))
            except EstimateError as error:
                made = replace(made, city_lack=str(error))
        if day and (treated or others):
            names = treated or tuple(place.name for place in made.shown if place.name not in others)
            try:
                found_effect = effect_of(open_store, selection, to_datetime(day, "at"), names, others)
                made = replace(made, effect=found_effect)
            except EstimateError as error:
                made = replace(made, effect_lack=str(error))
    return made


def _gather(
    store: Store, selection: Selection, at: date | None, title: str, on_progress: Progress | None
) -> CityReport:
    """Return the report without city index and effect."""
    from felicity.cities.pattern import compute_together
    from felicity.errors import ConfigError, EstimateError
    from felicity.index.happiness import class_notes, compute_index
    from felicity.reports.place import CityReport, last_moment

    totals = selection.sums(store, "total")
    if not totals.keys:
        raise EstimateError(
            f"{store.url}: there are no windows in this store and period, so there is nothing to report; "
            "felicity watch writes them"
        )
    soft = store.soft_matrices()
    rows = {row.location: row for row in compute_index(totals, soft, k=selection.k)}
    first = min(row.start.date() for row in rows.values())
    last = max(last_moment(row).date() for row in rows.values())
    if at is not None and not first < at <= last:
        raise ConfigError(f"--at {at} lies outside the data, which run from {first} to {last}")
    return CityReport(
        title=title,
        places=_places(store, selection, totals, rows, at, on_progress),
        together=compute_together(totals, soft, k=selection.k, name="All places shown"),
        k=selection.k,
        at=at,
        notes=(*totals.notes, *class_notes(totals, soft)),
        ranking=_ranking(totals, soft, selection.k),
        models=[_card(model) for model in sorted({row.model for row in rows.values()})],
        made=datetime.now(UTC),
    )


def _ranking(totals: Groups, soft: Callable[[str, str], SoftMatrix | None], k: int) -> Ranking | None:
    from felicity.cities.ranking import rank_locations
    from felicity.errors import EstimateError

    try:
        return rank_locations(totals, soft, k=k)
    except EstimateError:
        return None


def _places(
    store: Store,
    selection: Selection,
    totals: Groups,
    rows: Mapping[str, IndexRow],
    at: date | None,
    on_progress: Progress | None,
) -> list[PlaceReport]:
    from felicity.reports.place import make_place

    soft = store.soft_matrices()
    chosen = selection.chosen(store.locations())
    made = []
    for done, place in enumerate(chosen, 1):
        row = rows.get(place.name)
        own = replace(selection, locations=(place.name,), model=row.model if row else totals.keys[0].model)
        days, hours, weeks = (own.sums(store, step) for step in ("day", "hour", "week"))
        made.append(make_place(place, row, days, hours, soft, k=selection.k, at=at, weeks=weeks))
        if on_progress:
            on_progress(done, len(chosen))
    return made


def _card(identity: str) -> ModelCard:
    from felicity.models.answering import how_it_answers
    from felicity.models.bundle import open_bundle, shipped
    from felicity.reports.place import ModelCard

    for name in shipped():
        if (bundle := open_bundle(name)).id == identity:
            facts = bundle.facts.model_dump(exclude={"soft_matrix"})
            return ModelCard(identity, facts | {"answers": how_it_answers(bundle.facts)})
    return ModelCard(identity)


@dataclass(frozen=True)
class WrittenReport:
    """What ``write_report`` wrote: the page, how many ``bytes`` it has, and the ``files`` of figures and tables."""

    page: Path
    bytes: int
    files: tuple[Path, ...] = ()


def write_report(report: CityReport, page: str | Path, *, figures: str | Path | None = None) -> WrittenReport:
    """Draw a report and write its page, whole or not at all.

    ``figures``: a folder for each figure as PNG and SVG, and the tables as CSV and, with pyarrow, Parquet; it is
    filled before the page is written. Raises ConfigError where a file cannot be written.
    """
    from felicity.reports import city as drawn

    target = to_path(page, "page")
    folder = None if figures is None else to_path(figures, "figures")
    html = drawn.render(report)
    written = drawn.write_figures(folder, report, drawn.draw(report)) if folder is not None else []
    drawn.write_page(target, html)
    return WrittenReport(target, len(html.encode()), tuple(written))
