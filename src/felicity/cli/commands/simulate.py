"""``felicity simulate``: a city whose true happy shares are known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from felicity.cli import console, options

if TYPE_CHECKING:
    from felicity.models.bundle import Bundle
    from felicity.recognition.classifier import Classifier
    from felicity.simulation.check import Verdict
    from felicity.simulation.labelled import AnsweredFaces
    from felicity.simulation.town import Measure

GAPS = 0.05
"""Part of the hours in which a simulated camera is off."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(simulate)


def simulate(
    check: Annotated[
        bool, typer.Option("--check", help="Hold the index against known truth; exit code 1 if a target is missed.")
    ] = False,
    faces: Annotated[
        Path | None,
        typer.Option(metavar="DATASET", help="Labelled faces to draw people from; of FER2013, PublicTest alone."),
    ] = None,
    bundle: options.Bundle = None,
    location_days: Annotated[
        int, typer.Option("--location-days", metavar="N", help="--check: location-days per number of people.")
    ] = 400,
    series: Annotated[
        int, typer.Option(metavar="N", min=0, help="--check: series for the tests over time; 0 leaves them out.")
    ] = 400,
    store: options.Store = None,
    places: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="The places, instead of four built-in ones.")
    ] = None,
    days: Annotated[int, typer.Option(metavar="N", min=1, help="How long the city is watched.")] = 28,
    effect: Annotated[
        str | None,
        typer.Option(metavar="DATE=POINTS", help="A measure: from then on the first place is that much happier."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same city.")] = 1,
    json: options.Json = False,
) -> None:
    """Simulate people whose expressions are known, and hold the index against the truth.

    With --check: many location-days, errors and coverage beside the targets. Otherwise: a city, written into
    --store; its places are called simulated, and the truth is printed beside their index.
    """
    from felicity.errors import ConfigError
    from felicity.recognition.classifier import Classifier

    if check and faces is None:
        raise ConfigError("labelled faces are needed; name them with --faces, such as fer2013.csv.gz")
    classifier = Classifier.open(bundle)
    if check and faces is not None:
        _check(faces, classifier, location_days, series, seed, json)
    else:
        answers = _answered(faces, classifier) if faces is not None else None
        _city(classifier.bundle, answers, store, places, days, effect, seed, json)


def _answered(path: Path, classifier: Classifier) -> AnsweredFaces:
    from felicity.simulation.labelled import answer, read_labelled

    with console.progress() as progress:
        task = progress.add_task("reading faces", total=None)
        samples = read_labelled(path)
        progress.update(task, description="classifying faces")
        return answer(samples, classifier, lambda done, total: progress.update(task, completed=done, total=total))


def _check(path: Path, classifier: Classifier, location_days: int, series: int, seed: int, json: bool) -> None:
    from felicity.index import SoftMatrix
    from felicity.simulation.check import check

    bundle = classifier.bundle
    faces = _answered(path, classifier)
    soft = SoftMatrix.from_json(bundle.facts.soft_matrix.model_dump())
    with console.progress() as progress:
        task = progress.add_task("simulating", total=None)
        verdict = check(
            faces,
            soft,
            bundle.id,
            location_days=location_days,
            series=series,
            seed=seed,
            tick=lambda doing: progress.update(task, description=doing),
        )
    if json:
        console.emit_json(verdict.to_json())
    else:
        _show(verdict)
    if not verdict.ok:
        raise typer.Exit(1)


def _show(verdict: Verdict) -> None:
    from felicity.simulation.days import CORRELATION

    console.table(
        ("people a day", "correlated", "counted", "adjusted", "bias", "coverage", "width"),
        [
            (
                f"{a.people:,}",
                "yes" if a.correlated else "no",
                f"{a.counted:.2f}",
                f"{a.adjusted:.2f}",
                f"{a.bias:+.2f}",
                f"{a.coverage:.1f} %",
                f"{a.width:.1f}",
            )
            for a in verdict.accuracy
        ],
        title=f"{verdict.accuracy[0].days} location-days each, people drawn from {verdict.faces:,} faces: "
        f"mean absolute error in points, coverage and width of the 95 % interval",
        numbers=("people a day", "counted", "adjusted", "bias", "coverage", "width"),
    )
    console.table(
        ("target", "promised", "measured", ""),
        [(t.what, t.bounds, f"{t.measured:.2f} {t.unit}", "ok" if t.ok else "NOT OK") for t in verdict.targets],
        numbers=("measured",),
    )
    for t in verdict.tests:
        console.out.print(f"  {t.test} test: power {t.power:.0f} % at {t.effect} ({t.series} series)", markup=False)
    console.out.print(
        f"  correlated: two people of one minute agree by {CORRELATION:g}; seed {verdict.seed}", markup=False
    )


def _city(
    bundle: Bundle,
    faces: AnsweredFaces | None,
    url: str | None,
    places: Path | None,
    days: int,
    effect: str | None,
    seed: int,
    json: bool,
) -> None:
    from felicity.api import happiness
    from felicity.cli.commands.demo import FIRST_DAY
    from felicity.cli.commands.index import show_rows
    from felicity.errors import ConfigError
    from felicity.index import SoftMatrix
    from felicity.simulation.people import AnswerModel
    from felicity.simulation.town import TOWN, read_places, write_town
    from felicity.store import open_store

    if url is None:
        raise ConfigError("a simulated city does not belong among your own windows; name a store for it with --store")
    soft = SoftMatrix.from_json(bundle.facts.soft_matrix.model_dump())
    chosen = read_places(places) if places else TOWN
    measure = _measure(effect, chosen[0].name, days) if effect else None
    answers = AnswerModel(soft.matrix, soft.cross) if faces is None else faces
    with open_store(url) as store, console.progress() as progress:
        task = progress.add_task("simulating", total=len(chosen) * days)
        truths = write_town(
            store,
            bundle,
            answers,
            FIRST_DAY,
            days,
            places=chosen,
            measure=measure,
            gaps=GAPS,
            seed=seed,
            tick=lambda: progress.advance(task),
        )
    truth = {t.place: t for t in truths}
    rows, _ = happiness(store=url, by="total", locations=list(truth), model=bundle.id)
    if json:
        for row in rows:
            console.emit_json(row.to_json() | {"truth": round(100 * truth[row.location].happy, 4)})
        return
    show_rows(
        rows,
        title=f"A simulated city, {days} days: the index beside the truth",
        extra=("true", [f"{100 * truth[row.location].happy:.1f} %" for row in rows]),
    )
    if measure is not None:
        console.out.print(
            f"  from {measure.date:%Y-%m-%d} on, {measure.place} is truly {100 * measure.change:+g} points happier",
            markup=False,
        )


def _measure(text: str, place: str, days: int) -> Measure:
    from datetime import timedelta

    from felicity.cli.commands.demo import FIRST_DAY
    from felicity.cli.commands.watch import parse_time
    from felicity.errors import ConfigError
    from felicity.simulation.town import Measure

    date, _, points = text.partition("=")
    try:
        change = float(points) / 100
    except ValueError:
        change = 2.0
    if not -1 <= change <= 1:
        raise ConfigError(f"--effect {text}: DATE=POINTS expected, with points from -100 to 100, such as 2026-05-18=8")
    at, end = parse_time(date), FIRST_DAY + timedelta(days=days)
    if not FIRST_DAY < at < end:
        raise ConfigError(
            f"--effect {text}: the city is simulated from {FIRST_DAY:%Y-%m-%d} to {end:%Y-%m-%d}; name a day between"
        )
    return Measure(place, at, change)
