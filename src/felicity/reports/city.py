"""The report of a city: one self-contained HTML file, and its figures and tables as files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from felicity.errors import ConfigError
from felicity.files import make_folder, write_whole
from felicity.over_time.effect import Effect
from felicity.reports import drawing, drawing_map, plots, tables, wording
from felicity.reports.findings import Finding, answers, place_findings
from felicity.reports.page_charts import PlaceCharts, place_charts, ranking_bars
from felicity.reports.page_map import draw_page_map
from felicity.reports.place import CityReport, ModelCard, PlaceReport
from felicity.reports.plots import best
from felicity.reports.sentences import city_sentence, effect_sentence
from felicity.style.charts import svg_file, to_png, to_svg
from felicity.style.numbers import percent_span, points_span
from felicity.style.pages import render_page
from felicity.style.tables import to_csv, to_parquet

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

T = TypeVar("T")
ROWS_PER_FIGURE = 28
"""Places in one plot, so that it fits on a page."""
WRITTEN = ".felicity-report"
"""File in a folder of figures that names, line by line, those of its last report."""


@dataclass(frozen=True)
class Picture:
    """A drawn plot: ``name`` for files, ``title`` for people who cannot see it."""

    name: str
    title: str
    canvas: Canvas

    @property
    def svg(self) -> str:
        """Return the chart as SVG for the page."""
        return to_svg(self.canvas, self.name, self.title)


@dataclass(frozen=True)
class PlaceSection:
    """A place with its pictures, None if there is too little to draw."""

    place: PlaceReport
    pattern: Picture | None
    days: Picture | None


@dataclass(frozen=True)
class Pictures:
    """All plots of a report."""

    map: Picture | None
    index: Sequence[Picture]
    changes: Sequence[Picture]
    effect: Picture | None
    places: Sequence[PlaceSection]

    def all(self) -> list[Picture]:
        """Return all pictures, one after the other."""
        sections = [p for s in self.places for p in (s.pattern, s.days) if p]
        alone = [p for p in (self.map, self.effect) if p]
        return [*alone, *self.index, *self.changes, *sections]


def draw(report: CityReport) -> Pictures:
    """Draw every plot for which there are figures."""
    dots = plots.index_dots(report.places)
    changes = [(p.name, p.change) for p in report.places if p.change]
    sections = []
    for number, place in enumerate(report.places, 1):
        name = f"place-{number:02d}-{slug(place.name)}"
        hours, weekdays = plots.hour_dots(place.hours), plots.weekday_dots(place.weekdays)
        line = plots.day_line(place)
        pattern = days = None
        if _several(hours) or _several(weekdays):
            title = f"Happy share at {place.name} by hour of the day and by weekday"
            pattern = Picture(f"{name}-pattern", title, drawing.draw_pattern(hours, weekdays))
        if sum(best(f) is not None for f in line.figures) > 1:
            days = Picture(f"{name}-days", f"Happy share at {place.name} by day", drawing.draw_days(line, report.at))
        sections.append(PlaceSection(place, pattern, days))
    return Pictures(
        map=_map(report),
        index=[
            Picture(f"index-{i}", "Happy share per place with 95 % interval", drawing.draw_places(_from_zero(part)))
            for i, part in enumerate(_parts(dots), 1)
        ],
        changes=[
            Picture(f"before-after-{i}", "Happy share before and after", drawing.draw_changes(part))
            for i, part in enumerate(_parts(changes), 1)
        ],
        effect=_effect(report.effect) if report.effect else None,
        places=sections,
    )


def _map(report: CityReport) -> Picture | None:
    on_map = plots.map_places(report.places)
    return Picture("map", "Map of the places by happy share", drawing_map.draw_map(on_map)) if on_map else None


def _effect(effect: Effect) -> Picture:
    from felicity.reports.effect_chart import effect_figure

    return Picture("effect", "Happy share of the touched and of other places", effect_figure(effect))


@dataclass(frozen=True)
class PageSection:
    """A place as its page shows it: ``rank`` among the places, empty without one."""

    place: PlaceReport
    rank: str
    findings: Sequence[Finding]
    charts: PlaceCharts


def render(report: CityReport) -> str:
    """Return the page. All inserted text is escaped."""
    bars = ranking_bars(report)
    ranks = {place.location: place.rank for place in report.ranking.places} if report.ranking else {}
    anchors = {place.name: f"place-{number}" for number, place in enumerate(report.places, 1)}
    on_map = plots.map_places(report.places)
    return render_page(
        Path(__file__).with_name("city.html.j2"),
        title=report.title,
        report=report,
        answers=answers(report),
        bars=bars,
        anchors=anchors,
        sections=[
            PageSection(p, ranks.get(p.name, ""), place_findings(p, report.at), place_charts(p, report))
            for p in report.places
        ],
        map=draw_page_map(on_map, lambda name: f"#{anchors[name]}") if on_map else "",
        effect=_effect(report.effect) if report.effect else None,
        best=best,
        points_span=points_span,
        words=wording,
        span=percent_span,
        city_sentence=city_sentence,
        effect_sentence=effect_sentence,
        cards=[_card(card) for card in report.models],
        reasons=sorted({reason for place in report.places for reason in place.exposure.rejected}),
    )


def write_page(path: Path, html: str) -> None:
    """Write the page, whole or not at all. Raises ConfigError if it cannot be written."""
    write_whole(path, html.encode())


def write_figures(folder: Path, report: CityReport, pictures: Pictures) -> list[Path]:
    """Write each plot as PNG and SVG, each table as CSV and, with pyarrow, Parquet; return the files.

    Files that only an earlier report wrote there are removed; ``WRITTEN`` names them. Raises ConfigError if ``folder``
    cannot be created or written.
    """
    make_folder(folder)
    written = []

    def put(name: str, data: bytes) -> None:
        write_whole(folder / name, data)
        written.append(folder / name)

    for picture in pictures.all():
        put(f"{picture.name}.png", to_png(picture.canvas))
        put(f"{picture.name}.svg", svg_file(picture.svg))
    for name, table in tables.make_tables(report).items():
        put(f"{name}.csv", to_csv(table))
        if (parquet := to_parquet(table)) is not None:
            put(f"{name}.parquet", parquet)
    _keep_only(folder, [path.name for path in written])
    return written


def _keep_only(folder: Path, names: Sequence[str]) -> None:
    """Remove files that an earlier report wrote into ``folder``, unless this one wrote them, too (``names``)."""
    listed = folder / WRITTEN
    try:
        earlier = listed.read_text(encoding="utf-8").splitlines() if listed.exists() else []
        for name in set(earlier) - set(names):
            if Path(name).name == name:  # a file of this folder, whatever else the list holds
                (folder / name).unlink(missing_ok=True)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{folder}: what an earlier report wrote there cannot be removed ({error}); choose another folder"
        ) from error
    write_whole(listed, "".join(f"{name}\n" for name in names).encode())


def slug(name: str) -> str:
    """Return a name as part of a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "place"


def _several(dots: Sequence[plots.Dot]) -> bool:
    return sum(best(dot.figure) is not None for dot in dots) > 1


def _parts(rows: Sequence[T]) -> list[Sequence[T]]:
    return [rows[i : i + ROWS_PER_FIGURE] for i in range(0, len(rows), ROWS_PER_FIGURE)]


def _from_zero(dots: Sequence[plots.Dot]) -> list[plots.Dot]:
    from dataclasses import replace

    return [replace(dot, at=dot.at - dots[0].at) for dot in dots]


def _card(card: ModelCard) -> dict[str, Any]:
    """Return a bundle's facts as rows, and its confusion matrix with shares of each row."""
    if card.facts is None:
        return {"identity": card.identity, "facts": [], "labels": [], "confusion": []}
    facts = card.facts
    spec = facts["input"]
    rows = [
        ("input", f"faces of {spec['size']} by {spec['size']} pixels, {spec['colour']}"),
        ("trained on", facts["trained_on"]),
        ("calibrated on", facts["calibrated_on"]),
        ("answers", facts["answers"]),
        ("licence", facts["licence"]),
    ]
    for name, measured in facts["metrics"].items():
        rows.append(
            (
                f"measured on {name.replace('_', ' ')}",
                ", ".join(f"{k.replace('_', ' ')} {v:g}" for k, v in measured.items()),
            )
        )
    confusion = [
        {"label": label, "faces": sum(row), "shares": [n / max(sum(row), 1) for n in row]}
        for label, row in zip(facts["labels"], facts["confusion"], strict=True)
    ]
    return {"identity": card.identity, "facts": rows, "labels": facts["labels"], "confusion": confusion}
