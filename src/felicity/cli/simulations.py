"""The three tasks of ``felicity simulate``: the check, the moving pictures, the city."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from felicity.cli import console
from felicity.style import numbers

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from felicity.models.bundle import Bundle
    from felicity.notes import Note
    from felicity.recognition.classifier import Classifier
    from felicity.simulation.check import SimulationCheck
    from felicity.simulation.filmed import Filmed
    from felicity.simulation.labelled import AnsweredFaces, Labelled
    from felicity.simulation.moving import Filming

GAPS = 0.05
"""Fraction of the hours in which a simulated camera is off."""


def read_faces(path: Path, fold: str | None) -> Labelled:
    """Return labelled faces, and print on stderr which they are."""
    from felicity.simulation.labelled import FITTED, read_labelled

    found = read_labelled(path, fold)
    of = f" of fold {found.fold}" if found.fold else ""
    console.say(f"{len(found.samples):,} faces{of}, labels {'by FER+ votes' if found.voted else 'as the set has them'}")
    if found.copies:
        console.say(f"left out: {found.copies} faces that are also in {FITTED}, to which the weights were fitted")
    for note in found.notes:
        console.warn(note)
    return found


def answered(found: Labelled, classifier: Classifier) -> AnsweredFaces:
    """Return the faces and the classifier's answers to them."""
    from felicity.simulation.labelled import answer

    with console.progress() as progress:
        task = progress.add_task("classifying faces", total=None)
        return answer(found.samples, classifier, lambda done, n: progress.update(task, completed=done, total=n))


def run_check(
    faces: AnsweredFaces,
    classifier: Classifier,
    location_days: int,
    series: int,
    chart: Path | None,
    seed: int,
    notes: Sequence[Note],
    json: bool,
    cluster: str | None = None,
) -> None:
    """Measure, show, draw; exit with code 1 if a target is missed."""
    from felicity.simulation.chart import draw_check
    from felicity.simulation.check import check
    from felicity.work.opening import open_work

    bundle = classifier.bundle
    with open_work(cluster) as work, console.progress() as progress:
        task = progress.add_task("simulating", total=None)
        verdict = check(
            faces,
            bundle.soft_matrix,
            bundle.id,
            location_days=location_days,
            series=series,
            seed=seed,
            tick=lambda doing: progress.update(task, description=doing),
            work=work,
        )
    if json:
        console.emit("simulate-check", verdict, notes)
    else:
        show_check(verdict)
    if chart is not None:
        draw_check(verdict, chart)
        console.say(f"drawn in {chart}")
    if not verdict.ok:
        raise typer.Exit(1)


def show_check(verdict: SimulationCheck) -> None:
    """Print errors, tests, and the targets beside the measured figures."""
    from felicity.simulation.days import PEOPLE_A_MINUTE

    console.table(
        ("people a day", "minutes", "correlated", "counted", "adjusted", "bias", "coverage", "as shipped", "width"),
        [
            (
                f"{a.people:,}",
                f"about {a.people // PEOPLE_A_MINUTE}" if a.minutes is None else f"{a.minutes:,}",
                "yes" if a.correlated else "no",
                f"{a.counted:.2f}",
                f"{a.adjusted:.2f}",
                numbers.points(a.bias, 2),
                numbers.percent(a.coverage, 1),
                numbers.percent(a.coverage_as_shipped),
                f"{a.width:.1f}",
            )
            for a in verdict.accuracy
        ],
        title=f"{verdict.accuracy[0].days:,} location-days each (of 10,000 people a quarter), people drawn from "
        f"{verdict.faces:,} faces: mean absolute error of the happy share in points; coverage of the 95 % interval, "
        "the soft matrix measured again each day and as shipped; its median width",
        numbers=("people a day", "minutes", "counted", "adjusted", "bias", "coverage", "as shipped", "width"),
    )
    if verdict.tests:
        console.table(
            ("test", "false alarms", "power", "interval holds", "of"),
            [
                (
                    t.test,
                    numbers.percent(t.false_alarms, 1),
                    numbers.percent(t.power, 1),
                    numbers.percent(t.coverage),
                    t.effect,
                )
                for t in verdict.tests
            ],
            title=f"Tests over time, {verdict.tests[0].series:,} series each, with and without something to find",
            numbers=("false alarms", "power", "interval holds"),
        )
    console.table(
        ("target", "promised", "measured", "± by chance", ""),
        [
            (
                t.what,
                t.bounds,
                f"{t.measured:.2f} {t.unit}",
                f"{t.chance:.1f}" if t.chance else "",
                "ok" if t.ok else "NOT OK",
            )
            for t in verdict.targets
        ],
        numbers=("measured", "± by chance"),
    )
    console.out.print(
        f"  correlated: two people of one minute correlate by {verdict.correlation:g}; seed {verdict.seed}",
        markup=False,
    )


def run_video(
    found: Labelled,
    classifier: Classifier,
    detector: str,
    people: int,
    filming: Filming,
    picture: Path | None,
    seed: int,
    json: bool,
) -> None:
    """Film, count and show; draw one frame if an option asks for a picture."""
    from felicity.errors import ConfigError
    from felicity.faces.registry import open_detector
    from felicity.imaging.encode import write_image
    from felicity.simulation.moving import LEAST_PEOPLE, SHARES, film_scenes

    finder = open_detector(detector)
    if people < (least := LEAST_PEOPLE * len(SHARES)):
        raise ConfigError(f"--people: {len(SHARES)} scenes take at least {least} people, not {people}")
    faces = answered(found, classifier)
    pictures: list[npt.NDArray[np.uint8]] = []
    with console.progress() as progress:
        task = progress.add_task("filming", total=people)
        filmed = film_scenes(
            found.samples,
            faces,
            classifier,
            finder,
            people=people // len(SHARES),
            filming=filming,
            seed=seed,
            on_picture=pictures.append if picture else None,
            tick=lambda done, total: progress.update(task, completed=done, total=total),
        )
    if json:
        console.emit("simulate-video", video_answer(filmed), found.notes)
    else:
        show_video(filmed)
    if picture is not None and pictures:
        write_image(picture, pictures[0])
        console.say(f"drawn in {picture}: faces of the data set, simulated people")


def video_answer(filmed: Filmed) -> dict[str, Any]:
    """Return the values of ``schemas.simulation.FilmedShape``."""
    return vars(filmed) | {"sight": filmed.sight, "percent": filmed.rates(), "errors": filmed.errors()}


def show_video(filmed: Filmed) -> None:
    """Print the counts of people and the errors of the shares."""
    sight, rates, errors = filmed.sight, filmed.rates(), filmed.errors()
    tracks = sight.tracks
    console.table(
        ("seen", "number", "percent", "of"),
        [
            (
                "faces detected",
                f"{sight.detected:,}",
                numbers.percent(rates["detected"]),
                f"{sight.clear:,} clear faces",
            ),
            ("boxes where no face is", f"{sight.false_boxes:,}", "", f"{sight.frames:,} frames"),
            ("people found", f"{sight.found:,}", numbers.percent(rates["found"]), f"{sight.people:,} people"),
            (
                "people counted once more",
                f"{sight.again:,}",
                numbers.percent(rates["again"]),
                f"{sight.people:,} people",
            ),
            ("tracks of nobody", f"{sight.nobody:,}", numbers.percent(rates["nobody"]), f"{tracks:,} tracks"),
            ("tracks of two people", f"{sight.mixed:,}", numbers.percent(rates["mixed"]), f"{tracks:,} tracks"),
            ("tracks not judged", f"{sight.rejected:,}", numbers.percent(rates["rejected"]), f"{tracks:,} tracks"),
            (
                "cut-out faces answered alike",
                f"{sum(s.same for s in filmed.scenes):,}",
                numbers.percent(rates["same_answer"]),
                f"{sum(s.cut for s in filmed.scenes):,} people",
            ),
        ],
        title=f"{len(filmed.scenes)} scenes, {filmed.in_view:g} people in view on average, {filmed.fps} frames a "
        f"second, detector {filmed.detector}, {_searched(filmed)}",
        numbers=("number", "percent"),
    )
    console.table(
        ("people", "counted", "adjusted", "bias"),
        [
            (
                name,
                f"{errors[way]['counted']:.2f}",
                f"{errors[way]['adjusted']:.2f}",
                numbers.points(errors[way]["bias"], 2),
            )
            for name, way in (("as in the data set", "direct"), ("in moving pictures", "filmed"))
        ],
        title="Mean absolute error of the happy share against the people who were there, points",
        numbers=("counted", "adjusted", "bias"),
    )


def _searched(filmed: Filmed) -> str:
    where = "every frame searched whole" if filmed.every_frame else "searched where something moves"
    return f"{where}, with unrest" if filmed.unrest else where


def run_city(
    bundle: Bundle,
    faces: AnsweredFaces | None,
    url: str | None,
    places: Path | None,
    days: int,
    effect: str | None,
    seed: int,
    notes: Sequence[Note],
    json: bool,
) -> None:
    """Write the city and print its index beside the truth."""
    from felicity.api import happiness
    from felicity.cli.commands.demo import FIRST_DAY
    from felicity.cli.commands.index import show_rows
    from felicity.cli.measures import parse_measure
    from felicity.errors import ConfigError
    from felicity.simulation.people import AnswerModel
    from felicity.simulation.town import TOWN, read_places, write_town
    from felicity.store import open_store

    if url is None:
        raise ConfigError("a simulated city does not belong among your own windows; name a store for it with --store")
    soft = bundle.soft_matrix
    chosen = read_places(places) if places else TOWN
    measure = parse_measure(effect, chosen[0].name, days) if effect else None
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
    found = happiness(store=url, by="total", locations=list(truth), model=bundle.id)
    rows = found.rows
    console.notes(found.notes)
    if json:
        answer = [vars(row) | {"truth": 100 * truth[row.location].happy} for row in rows]
        console.emit("simulate", answer, (*notes, *found.notes))
        return
    show_rows(
        rows,
        title=f"A simulated city, {days} days: the index beside the truth",
        extra=("true", [numbers.share(truth[row.location].happy) for row in rows]),
    )
    if measure is not None:
        console.out.print(
            f"  from {measure.date:%Y-%m-%d} on, {measure.place} is truly {100 * measure.change:+g} points happier",
            markup=False,
        )
