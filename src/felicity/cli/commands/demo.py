"""``felicity demo``: a real photograph and a simulated town, without network or data."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from felicity.cli import console
from felicity.cli.panels import Panel
from felicity.style import numbers

if TYPE_CHECKING:
    from felicity.models.bundle import Bundle

FIRST_DAY = datetime(2026, 5, 4, tzinfo=UTC)
DAYS = 28
PANEL = Panel.SET_UP


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the pictures.")] = Path(
        "felicity-demo"
    ),
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulated town.")] = 1,
) -> None:
    """Classify a real photograph, then simulate four places over four weeks and print their index.

    The places are simulated from stated true shares, so you can compare the index with the truth.
    """
    from felicity.files import make_folder
    from felicity.models.bundle import open_bundle

    make_folder(output)
    bundle = open_bundle()
    _photograph(output / "photograph.png", bundle)
    _town(output, bundle, seed)
    _clip(output / "people.mp4")


def _photograph(target: Path, bundle: Bundle) -> None:
    import skimage

    from felicity.faces.registry import open_detector
    from felicity.imaging.decode import read_image
    from felicity.imaging.draw import draw_faces
    from felicity.imaging.encode import write_image
    from felicity.recognition.classifier import Classifier
    from felicity.recognition.photograph import read_faces

    image = read_image(Path(skimage.__file__).parent / "data" / "astronaut.png")
    detector = open_detector("auto")
    faces = read_faces(image, Classifier(bundle), detector)
    height, width = image.shape[:2]
    write_image(target, draw_faces(image, [face.label(width, height) for face in faces]))
    found = ", ".join(f"{face.expression} {numbers.share(face.probabilities.max(), 0)}" for face in faces) or "no face"
    console.out.print(
        f"A real photograph (Eileen Collins, NASA; detector {detector.name}): {found}\n  drawn in {target}",
        markup=False,
    )


def _clip(target: Path) -> None:
    from felicity.simulation.passing import write_passing

    write_passing(target)
    console.out.print(
        f"The photographed face passes a camera in {target}\n"
        f"  next, pages of a simulated city with this clip as a camera: felicity serve --demo --clip {target} --open",
        markup=False,
        soft_wrap=True,
    )


def _town(output: Path, bundle: Bundle, seed: int) -> None:
    from felicity.api import happiness
    from felicity.cli.commands.index import show_rows
    from felicity.reports.index_chart import draw_index, index_series
    from felicity.simulation.people import AnswerModel
    from felicity.simulation.town import TOWN, write_town
    from felicity.store import open_store

    soft = bundle.soft_matrix
    answers = AnswerModel(soft.matrix, soft.cross)
    file = output / "town.db"
    for part in output.glob("town.db*"):
        part.unlink()
    with open_store(str(file)) as store, console.progress() as progress:
        task = progress.add_task("simulating", total=len(TOWN) * DAYS)
        truths = write_town(store, bundle, answers, FIRST_DAY, DAYS, seed=seed, tick=lambda: progress.advance(task))
    overall = {truth.place: truth.happy for truth in truths}
    rows = happiness(store=file, by="total").rows
    show_rows(
        rows,
        title=f"A simulated town, {DAYS} days: the index beside the truth",
        extra=("true", [numbers.share(overall[row.location]) for row in rows]),
    )
    days = happiness(store=file, by="day").rows
    chart = output / "index.png"
    draw_index(
        index_series(days, truth={truth.place: list(truth.days) for truth in truths}),
        chart,
        title="Happy share by day, adjusted, with 95 % interval (simulated; dashed: the truth)",
    )
    console.out.print(f"  drawn in {chart}; the windows are in {file}", markup=False)
    console.out.print(
        f"  next: felicity index --store {file} --by week\n        felicity watch VIDEO --location NAME --store my.db",
        markup=False,
    )
