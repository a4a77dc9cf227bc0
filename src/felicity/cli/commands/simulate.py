"""``felicity simulate``: a city whose true happy shares are known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from felicity.cli import console, options

if TYPE_CHECKING:
    from felicity.recognition.classifier import Classifier
    from felicity.simulation.check import Verdict
    from felicity.simulation.labelled import AnsweredFaces


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
    video: Annotated[
        Path | None, typer.Option(metavar="OUT.mp4", help="Write a film of the faces walking by, and watch it.")
    ] = None,
    detector: options.Detector = "auto",
    seed: Annotated[int, typer.Option(help="The same seed gives the same city.")] = 1,
    json: options.Json = False,
) -> None:
    """Simulate people whose expressions are known, and hold the index against the truth.

    With --check: many location-days, errors and coverage beside the targets. With --video: a film of
    faces, through detection and tracking. Otherwise: a city, written into a store; its places are called simulated.
    """
    from felicity.errors import ConfigError
    from felicity.recognition.classifier import Classifier

    if check and video is not None:
        raise ConfigError("--check and --video are two things; ask for one of them")
    if faces is None and (check or video is not None):
        raise ConfigError("labelled faces are needed; name them with --faces, such as fer2013.csv.gz")
    classifier = Classifier.open(bundle)
    if check and faces is not None:
        _check(faces, classifier, location_days, series, seed, json)
    elif video is not None and faces is not None:
        raise ConfigError("--video is not there yet")
    else:
        raise ConfigError("a store is not there yet")


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
