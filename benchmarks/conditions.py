"""What does the index claim when the picture gets worse, and what should it? Dark, noisy, blurred, small, coarse, slow.

    python benchmarks/conditions.py SHARED [--detector yunet] [--people 80] [--only STEP...] [--json]

SHARED has ``data`` with FER2013 and the development clips. Every step is watched twice, the way ``felicity watch``
watches: a simulated street whose people are known, and the clips. Every second one of the street's people is happy; in
one camera's view walk the happy ones, in another's the rest, so that the table can say who is missed. Both cameras are
one place, whose adjusted share ought to be 50 %. The clips' truth is what they show as they are. Frames exist in memory
only; H.264 in a buffer.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np

import felicity
from felicity.datasets.samples import as_input
from felicity.faces import Detector
from felicity.faces.registry import open_detector
from felicity.labels import HAPPY_INDEX
from felicity.recognition.classifier import Classifier
from felicity.simulation.labelled import Labelled, read_labelled
from felicity.simulation.street import film, send_walkers
from felicity.sources import Frame
from felicity.sources.frame import SourceStats
from felicity.store import open_store
from felicity.store.store import Store
from felicity.watching.watch import watch_source

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from still_clips import Filmed, filmed, frames, there_and_back

Image = np.ndarray
START = datetime(2026, 5, 4, 9, tzinfo=UTC)
FPS = 5
CLIP_SECONDS = 20


@dataclass(frozen=True)
class Step:
    """How a camera films: ``light`` and ``size`` as shares, ``noise`` in grey levels, ``blur`` as a sigma in pixels,
    ``crf`` of H.264, ``fps``."""

    light: float = 1.0
    noise: float = 0.0
    blur: float = 0.0
    size: float = 1.0
    crf: int | None = None
    fps: int = FPS


STEPS: dict[str, Step] = {
    "as it is": Step(),
    **{f"light {light:g}, noise 2": Step(light=light, noise=2) for light in (0.5, 0.25, 0.12)},
    **{f"light {light:g}": Step(light=light) for light in (0.25, 0.12)},
    **{f"noise {noise}": Step(noise=noise) for noise in (4, 8, 12, 16)},
    **{f"blur {blur} px": Step(blur=blur) for blur in (1, 2, 3)},
    **{f"size {size:g}": Step(size=size) for size in (0.7, 0.5, 0.4)},
    **{f"crf {crf}": Step(crf=crf) for crf in (28, 34, 40)},
    **{f"{fps} frames a second": Step(fps=fps) for fps in (1, 2, 3, 10)},
    "light 0.25, noise 2, crf 34": Step(light=0.25, noise=2, crf=34),
}


class Shown:
    """Pictures as a source: what ``felicity.sources`` asks of one."""

    live, recording, stills, on_idle, stopped = False, None, False, None, False

    def __init__(self, name: str, pictures: Iterable[Image], fps: float) -> None:
        self.source_id, self.stats, self._pictures, self._fps = name, SourceStats(), pictures, fps

    def __iter__(self) -> Iterator[Frame]:
        for number, picture in enumerate(self._pictures):
            yield Frame(picture, START + timedelta(seconds=number / self._fps), self.source_id, number)


def spoilt(pictures: Iterable[Image], step: Step) -> Iterator[Image]:
    """Yield pictures as the camera of a step gives them."""
    worse = _worse(pictures, step, np.random.default_rng(2))
    return worse if step.crf is None else filmed(worse, Filmed(noise=0, crf=step.crf))


def _worse(pictures: Iterable[Image], step: Step, rng: np.random.Generator) -> Iterator[Image]:
    for picture in pictures:
        if step.blur:
            picture = cv2.GaussianBlur(picture, (0, 0), step.blur)
        if step.size < 1:
            picture = cv2.resize(picture, None, fx=step.size, fy=step.size, interpolation=cv2.INTER_AREA)
        if step.light < 1 or step.noise:
            grain = rng.standard_normal(picture.shape, dtype=np.float32) * step.noise
            picture = np.clip(picture * np.float32(step.light) + grain, 0, 255).round().astype(np.uint8)
        yield picture


def street(found: Labelled, happy: bool, people: int, fps: int) -> Iterator[Image]:
    """Yield a street in which only happy people walk, or none; the same ones in every step."""
    rng = np.random.default_rng([1, happy])
    rows = np.flatnonzero((found.samples.labels == HAPPY_INDEX) == happy)
    images = [as_input(image, 48, "gray") for image in found.samples.images]
    walkers = send_walkers(rng.choice(rows, people, replace=False).tolist(), 2.0, rng)
    return (moment.image_rgb_u8 for moment in film(walkers, images, rng, fps=fps))


@dataclass(frozen=True)
class Answer:
    """What the index says of a place, and of whom."""

    step: str
    place: str
    seen: dict[str, int]
    judged: int
    rejected: dict[str, int]
    counted: float | None
    adjusted: float | None
    quality: float | None
    notes: list[str]


def answer(
    name: str,
    place: str,
    cameras: dict[str, Callable[[], Shown]],
    classifier: Classifier,
    detector: Detector,
    store: Store,
) -> Answer:
    """Watch the cameras of a place and ask for its index."""
    seen, notes = {}, set()
    for camera, source in cameras.items():
        summary = watch_source(
            source(), location=place, camera=camera, store=store, classifier=classifier, detector=detector
        )
        seen[camera] = summary.people_seen
        notes |= {note.code for note in summary.notes}
    index = felicity.happiness(store=store, locations=[place], k=1)
    (row,) = index.rows
    notes |= {note.code for note in index.notes}
    share = row.happy_share
    return Answer(
        name, place, seen, row.people, dict(row.rejected), share.raw, share.adjusted, row.seeing.quality, sorted(notes)
    )


def answers(shared: Path, finder: Detector, people: int, names: list[str]) -> Iterator[Answer]:
    """Yield what the index says in every step, of the street and of the clips."""
    found = read_labelled(shared / "data" / "fer2013" / "fer2013.csv.gz")
    clips = {path.stem: frames(path) for path in sorted((shared / "data" / "media").glob("*.gif"))}
    classifier = Classifier.open(None, threads=1)
    for name in names:
        step = STEPS[name]

        def walk(happy: bool, step: Step = step) -> Callable[[], Shown]:
            return lambda: Shown(f"street {happy}", spoilt(street(found, happy, people, step.fps), step), step.fps)

        def play(stem: str, clip: list[Image], step: Step = step) -> Callable[[], Shown]:
            pace = step.fps / FPS
            return lambda: Shown(stem, spoilt(there_and_back(clip, pace * CLIP_SECONDS, 12 / pace), step), step.fps)

        places = {
            "street": {"happy": walk(True), "others": walk(False)},
            "clips": {stem: play(stem, clip) for stem, clip in clips.items()},
        }
        for place, cameras in places.items():
            with tempfile.TemporaryDirectory() as folder, open_store(f"{folder}/store.db") as store:
                yield answer(name, place, cameras, classifier, finder, store)


def row(of: Answer, people: int, before: Answer | None) -> str:
    """Return a line of the table. ``before``: the same place as it is; the street's truth is known."""

    def share(value: float | None) -> str:
        return "-" if value is None else f"{value:.1f}"

    if of.place == "street":
        found = " | ".join(f"{100 * of.seen[who] / people:.0f}" for who in ("happy", "others"))
        truth: float | None = 50.0
    else:
        seen, usual = (sum(a.seen.values()) for a in (of, before or of))
        found, truth = f"{seen} of {usual} | ", (before or of).adjusted
    bias = "-" if of.adjusted is None or truth is None else f"{of.adjusted - truth:+.1f}"
    quality = "-" if of.quality is None else f"{of.quality:.0f}"
    why = ", ".join(f"{count} {reason}" for reason, count in of.rejected.items())
    cells = (of.step, found, of.judged, why, share(of.counted), share(of.adjusted), bias, quality, ", ".join(of.notes))
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    """Print a table of each place."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("shared", type=Path)
    asked.add_argument("--detector", default="auto")
    asked.add_argument("--people", type=int, default=80, help="in each of the street's two views")
    asked.add_argument("--only", nargs="*", default=list(STEPS), choices=list(STEPS), metavar="STEP")
    asked.add_argument("--json", action="store_true")
    flags = asked.parse_args()
    finder = open_detector(flags.detector)
    said: list[Answer] = []
    for each in answers(flags.shared, finder, flags.people, flags.only):
        said.append(each)
        print(json.dumps(asdict(each)), file=sys.stdout if flags.json else sys.stderr, flush=True)
    if flags.json:
        return
    for place, who in (("street", "happy found, % | others found, %"), ("clips", "people found | ")):
        mine = [each for each in said if each.place == place]
        print(
            f"\n| {place}, {finder.name} | {who} | judged | not judged | counted | adjusted | bias | quality | notes |"
        )
        print("|---" * 10 + "|")
        for each in mine:
            print(row(each, flags.people, mine[0]))


if __name__ == "__main__":
    main()
