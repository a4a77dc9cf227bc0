"""``felicity simulate``: a city whose true happy shares are known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from felicity.cli import console, options
from felicity.cli.panels import Panel

OWN = {
    "--check": ("location_days", "series", "chart", "cluster"),
    "--video": ("people", "in_view", "fps", "unrest", "every_frame", "detector", "picture"),
    "a simulated city": ("store", "places", "days", "effect"),
}
"""Options that apply to only one of the three tasks."""
PANEL = Panel.CHECK


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(simulate)


def simulate(
    ctx: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="Compare the index with known truth; exit code 1 if a target is missed.")
    ] = False,
    video: Annotated[
        bool, typer.Option("--video", help="Film people who walk by, and compare detector and tracker with the truth.")
    ] = False,
    faces: Annotated[
        Path | None,
        typer.Option(metavar="DATASET", help="Labelled faces to draw people from; of FER2013, PublicTest alone."),
    ] = None,
    bundle: options.Bundle = None,
    fold: Annotated[
        str | None, typer.Option(metavar="NAME", help="Faces of this fold (default: PublicTest, if the set has it).")
    ] = None,
    location_days: Annotated[
        int, typer.Option("--location-days", metavar="N", help="--check: location-days per number of people.")
    ] = 4000,
    series: Annotated[
        int, typer.Option(metavar="N", min=0, help="--check: series for the tests over time; 0 leaves them out.")
    ] = 2000,
    chart: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="--check: draw targets and errors (PNG, SVG, PDF).", callback=options.chart_file
        ),
    ] = None,
    people: Annotated[int, typer.Option(metavar="N", help="--video: people who walk by, over ten scenes.")] = 400,
    in_view: Annotated[float, typer.Option("--in-view", metavar="N", help="--video: people in view on average.")] = 2.0,
    fps: Annotated[int, typer.Option(metavar="N", help="--video: frames a second.")] = 5,
    unrest: Annotated[
        bool, typer.Option("--unrest", help="--video: a tree sways, a screen and the light change, and it rains.")
    ] = False,
    every_frame: options.EveryFrame = False,
    detector: options.Detector = "auto",
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="--video: draw one frame, of the data set's faces (PNG, JPEG).")
    ] = None,
    store: options.Store = None,
    places: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="The places, instead of four built-in ones.")
    ] = None,
    days: Annotated[int, typer.Option(metavar="N", min=1, max=3660, help="Number of days of the city.")] = 28,
    effect: Annotated[
        str | None,
        typer.Option(metavar="DATE=POINTS", help="A measure: from then on the first place is that much happier."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same city.")] = 1,
    cluster: options.Cluster = None,
    json: options.Json = False,
) -> None:
    """Simulate people whose expressions are known, and compare the index with the truth.

    With --check: errors and coverage over many location-days, beside the targets. With --video: moving pictures that go
    through detector and tracker. Otherwise: a city, written into --store; its places are called simulated, and the
    truth is printed beside their index.
    """
    from felicity.cli import simulations
    from felicity.errors import ConfigError
    from felicity.imaging.encode import check_picture
    from felicity.models.bundle import open_bundle
    from felicity.recognition.classifier import Classifier
    from felicity.simulation.labelled import unseen_by
    from felicity.simulation.moving import Filming

    if check and video:
        raise ConfigError("--check and --video are two things; ask for one of them")
    asked = "--check" if check else "--video" if video else "a simulated city"
    for thing, names in OWN.items():
        given = [name for name in names if thing != asked and options.is_given(ctx, name)]
        if given:
            raise ConfigError(
                f"--{given[0].replace('_', '-')} belongs to {thing}, and {asked} is asked for; leave it out"
            )
    if (check or video) and faces is None:
        raise ConfigError("labelled faces are needed; name them with --faces, such as fer2013.csv.gz")
    if picture is not None:
        check_picture(picture)
    labelled = simulations.read_faces(faces, fold) if faces is not None else None
    opened, more = unseen_by(open_bundle(bundle), labelled)
    for note in more:
        console.warn(note)
    classifier = Classifier(opened)
    if labelled and video:
        filming = Filming(in_view, fps, unrest, every_frame)
        simulations.run_video(labelled, classifier, detector, people, filming, picture, seed, json)
        return
    answers = simulations.answered(labelled, classifier) if labelled else None
    notes = (*labelled.notes, *more) if labelled else ()
    if answers and check:
        simulations.run_check(answers, classifier, location_days, series, chart, seed, notes, json, cluster)
    else:
        simulations.run_city(classifier.bundle, answers, store, places, days, effect, seed, notes, json)
