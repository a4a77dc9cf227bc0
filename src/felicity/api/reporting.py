"""Reports: all figures of one page, gathered from one open store, and the page and its files."""

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

    from felicity.api.selection import Counted, StoreLike
    from felicity.api.shown import ShownReport
    from felicity.cities.city import Weight
    from felicity.cities.ranking import Ranking
    from felicity.index import Groups, IndexRow
    from felicity.reports.place import CityReport, Matrices, ModelCard, PlaceReport

Progress = Callable[[int, int], None]
"""Callback that receives how many of how many places are done."""


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
) -> ShownReport:
    """Gather the figures of a report, from a store that is opened once and from the shipped bundles.

    ``at``: the day that divides before from after. ``touched``: the locations that the event at ``at`` affected, by
    default all; ``comparison``: locations that it did not affect. With either of them the report has an effect. With
    ``weight`` or ``footfall`` it has a city index; see ``city``. Other arguments as for ``happiness``. ``write_report``
    makes the page. Raises StoreError, ConfigError; EstimateError if there is no window in the period.
    """
    from felicity.api.shown import ShownReport, shown_as
    from felicity.errors import ConfigError, EstimateError

    selection = Selection.of(begin, end, locations, k, model)
    day = None if at is None else to_datetime(at, "at").date()
    treated, others = to_names(touched, "touched"), to_names(comparison, "comparison")
    if (treated or others) and day is None:
        raise ConfigError("--touched and --comparison need a day to compare around; give it with --at")
    table = None if footfall is None else to_path(footfall, "footfall")
    with opened(store) as open_store:
        made = gather(open_store, selection, day, title, on_progress)
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
    return shown_as(ShownReport, made)


def gather(
    store: Counted, selection: Selection, at: date | None, title: str, on_progress: Progress | None = None
) -> CityReport:
    """Return the report without city index and effect. Raises as ``report``."""
    from felicity.api.places import conditions
    from felicity.errors import ConfigError, EstimateError
    from felicity.index.covered import covered_notes, covered_places
    from felicity.index.happiness import class_notes, compute_index
    from felicity.reports.place import CityReport, last_moment

    totals = selection.sums(store, "total")
    if not totals.keys:
        raise EstimateError(
            f"{getattr(store, 'url', 'releases')}: there are no windows in this store and period, so there is nothing "
            "to report; felicity watch writes them"
        )
    soft = store.soft_matrices()
    rows = {row.location: row for row in compute_index(totals, soft, k=selection.k)}
    first = min(row.start.date() for row in rows.values())
    last = max(last_moment(row).date() for row in rows.values())
    if at is not None and not first < at <= last:
        raise ConfigError(f"--at {at} lies outside the data, which run from {first} to {last}")
    places = _places(store, selection, totals, rows, at, on_progress)
    covered = (*covered_places(totals), *(note for place in places for note in covered_notes(place.weeks)))
    return CityReport(
        title=title,
        places=places,
        together=join(totals, soft, selection.k),
        k=selection.k,
        at=at,
        notes=(*totals.notes, *class_notes(totals, soft), *conditions(store, selection, totals), *covered),
        ranking=ranked(totals, soft, selection.k),
        models=[model_card(model) for model in sorted({row.model for row in rows.values()})],
        made=datetime.now(UTC),
    )


def join(totals: Groups, soft: Matrices, k: int) -> IndexRow | None:
    """Return the joint figure of all places shown; None if they cannot be joined."""
    from felicity.cities.pattern import compute_together

    return compute_together(totals, soft, k=k, name="All places shown")


def ranked(totals: Groups, soft: Matrices, k: int) -> Ranking | None:
    """Rank the places; None if fewer than two have a figure."""
    from felicity.cities.ranking import rank_locations
    from felicity.errors import EstimateError

    try:
        return rank_locations(totals, soft, k=k)
    except EstimateError:
        return None


def _places(
    store: Counted,
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
        used = row or totals.keys[0]
        own = replace(selection, locations=(place.name,), model=used.model, detector=used.detector or None)
        days, hours, weeks = (own.sums(store, step) for step in ("day", "hour", "week"))
        made.append(make_place(place, row, days, hours, soft, k=selection.k, at=at, weeks=weeks))
        if on_progress:
            on_progress(done, len(chosen))
    return made


def model_card(identity: str) -> ModelCard:
    """Return the facts of a shipped bundle; of another bundle, its identity alone."""
    from felicity.models.answering import how_it_answers
    from felicity.models.bundle import open_bundle, shipped
    from felicity.reports.place import ModelCard

    for name in shipped():
        if (bundle := open_bundle(name)).id == identity:
            facts = bundle.facts.model_dump(exclude={"soft_matrix", "soft_matrix_parts"})
            return ModelCard(identity, facts | {"answers": how_it_answers(bundle.facts)})
    return ModelCard(identity)


@dataclass(frozen=True)
class WrittenReport:
    """The result of ``write_report``: the page, its size in ``bytes``, and the ``files`` of figures and tables."""

    page: Path
    bytes: int
    files: tuple[Path, ...] = ()


def write_report(report: CityReport, page: str | Path, *, figures: str | Path | None = None) -> WrittenReport:
    """Draw a report and write its page, whole or not at all.

    ``figures``: a folder for each figure as PNG and SVG, and for the tables as CSV and, with pyarrow, Parquet; it is
    filled before the page is written. The page ends in .html or .htm. Raises ConfigError if a file cannot be written.
    """
    from felicity.files import check_folder, check_place
    from felicity.reports import city as drawn

    target = to_path(page, "page")
    folder = None if figures is None else to_path(figures, "figures")
    check_place(target, "a page", (".html", ".htm"))
    if folder is not None:
        check_folder(folder)
    html = drawn.render(report)
    written = drawn.write_figures(folder, report, drawn.draw(report)) if folder is not None else []
    drawn.write_page(target, html)
    return WrittenReport(target, len(html.encode()), tuple(written))
