"""How often are posters taken for people, and people who stand still for posters?

    python benchmarks/still_faces.py MEDIA [--seconds 20] [--sways 0.01 0.02 0.04] [--json]
    python benchmarks/still_faces.py MEDIA --hidden 120

MEDIA: the folder of development clips. Posters are one frame of each clip that does not move; sitters are people of the
same frames whose heads sway by so many face sides (standard deviation), and those of the clips themselves, played
forwards and backwards. All are filmed in ways that ``scripts/still_clips.py`` names; every track is asked about. With
``--hidden``, posters alone are shown for so many seconds, hidden for 2.5 s every 8 s, and people are what is printed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from felicity.faces.places import Kind
from felicity.faces.registry import open_detector
from felicity.faces.stillness import Stillness
from felicity.faces.tracking import Tracker

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from still_clips import CONDITIONS, FPS, filmed, frames, poster, sitter, there_and_back

START = datetime(2026, 5, 4, 9, tzinfo=UTC)


def verdicts(detector, pictures: Iterable[np.ndarray]) -> Counter[str]:
    """Return how many tracks were still, and how many alive (or could not be told).

    Faces of one picture alone are false detections to Felicity, and left out here, too.
    """
    tracker, stillness = Tracker(), Stillness()
    found: Counter[str] = Counter()
    hits: Counter[int] = Counter()

    def ask(tracks: list[int]) -> None:
        kinds = {track: stillness.end(track) for track in tracks}
        found.update("alive" if kinds[track] is Kind.ALIVE else "still" for track in tracks if hits[track] > 1)

    for number, picture in enumerate(pictures):
        time = START + timedelta(seconds=number / FPS)
        faces = tracker.update(detector.detect(picture), time, picture.shape[1::-1])
        stillness.see(picture, time, faces)
        hits.update(face.track_id for face in faces)
        ask(tracker.finished())
    ask(tracker.flush())
    return found


def scenes(clip: list[np.ndarray], detector, seconds: float, sways: list[float]) -> Iterator[tuple[str, list]]:
    """Yield what there is to see, by name."""
    picture = clip[len(clip) // 2]
    faces = [face.box_xyxy for face in detector.detect(picture)]
    yield "poster", list(poster(picture, seconds))
    for sway in sways:
        yield f"sway {sway:g}", list(sitter(picture, faces, seconds, sway))
    yield "clip", list(there_and_back(clip, seconds))


def hidden(media: Path, detector, seconds: float) -> None:
    """Print how many people are counted of posters that are hidden now and then; a bus passes, say."""
    print("| filmed with | posters | passages | people counted |\n|---|---|---|---|")
    clips = {path.name: frames(path) for path in sorted(media.glob("*.gif"))}
    pictures = {name: clip[len(clip) // 2] for name, clip in clips.items()}
    posters = {name: len(detector.detect(picture)) for name, picture in pictures.items()}
    for name, how in CONDITIONS.items():
        found: Counter[str] = Counter()
        for clip, picture in pictures.items():
            if posters[clip]:
                found += verdicts(detector, filmed(poster(picture, seconds, shown=5.5, hidden=2.5), how))
        print(f"| {name} | {sum(posters.values())} | {found.total()} | {found['alive']} |", flush=True)


def main() -> None:
    """Print a table: rows are ways of filming, columns what was filmed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("media", type=Path)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--sways", type=float, nargs="*", default=[0.01, 0.02, 0.04])
    parser.add_argument("--hidden", type=float, metavar="SECONDS")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    detector = open_detector("yunet")
    if options.hidden:
        hidden(options.media, detector, options.hidden)
        return
    table: dict[str, dict[str, Counter[str]]] = {name: {} for name in CONDITIONS}
    for path in sorted(options.media.glob("*.gif")):
        for scene, pictures in scenes(frames(path), detector, options.seconds, options.sways):
            for name, how in CONDITIONS.items():
                table[name].setdefault(scene, Counter()).update(verdicts(detector, filmed(pictures, how)))
        print(path.name, {n: {s: dict(c) for s, c in r.items()} for n, r in table.items()}, file=sys.stderr, flush=True)
    if options.json:
        print(json.dumps(table))
        return
    columns = list(next(iter(table.values())))
    print("| filmed with | " + " | ".join(columns) + " |")
    for name, row in table.items():
        cells = []
        for scene in columns:
            right = row[scene]["still"] if scene == "poster" else row[scene]["alive"]
            cells.append(f"{right} of {row[scene].total()}")
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
