"""Felicity and its rivals on the same crops and the same pictures, in one run: one table.

    python benchmarks/peers/run.py DATA --pictures FACES [--faces N] [--rounds N] [--json | --markdown] [-o FILE]

DATA holds FER2013 and FER+ (fer2013.csv.gz, fer2013new.csv); FACES holds portraits and labels.csv. Rivals are
installed once, into environments of their own under .cache/peers. README.md beside this file says what is measured.
A rival that cannot be installed or fails is left out with the reason; the exit code is 1 where that is Felicity.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from environments import SetupError, node_of, python_of, surroundings
from measures import (
    BATCHES,
    PICTURE_ROUNDS,
    Faces,
    Pictures,
    picture_scores,
    read_faces,
    read_pictures,
    scores,
    speed_turn,
    speeds,
)
from rival import Rival, RivalError
from table import markdown, text

from felicity.errors import FelicityError
from felicity.models.bundle import shipped

HERE = Path(__file__).parent
THREADS = 2
OURS = "Felicity"
RIVALS = ("fer", "human", "face-api")
CANNOT_RUN = {
    "deepface 0.0.103": "its package holds no weights; they are downloaded when it is first used",
    "EmotiEffLib 1.1.1": "its package holds no weights; they are downloaded when it is first used",
    "py-feat 2.1.5": "its package holds no weights; they are downloaded when it is first used",
}
"""Looked at, and not able to run without a download at run time."""


class Contest:
    """The rivals still in it, and why others are not."""

    def __init__(self) -> None:
        self.rivals: dict[str, Rival] = {}
        self.left_out: dict[str, str] = {}

    def start(self, name: str, make: Callable[[], Rival]) -> None:
        """Add a rival, or its reason."""
        say(f"{name}: starting")
        try:
            self.rivals[name] = make()
        except (SetupError, RivalError, OSError) as error:
            self.drop(name, error)

    def drop(self, name: str, error: Exception) -> None:
        """Leave a rival out from here on, with all that it did."""
        self.left_out[name] = str(error).rstrip(".")
        say(f"{name}: left out: {error}")
        if rival := self.rivals.pop(name, None):
            rival.close()

    def each(self, turn: int = 0) -> Iterator[Rival]:
        """The rivals, in an order that moves on by one with each ``turn``."""
        names = list(self.rivals)
        for i in range(len(names)):
            yield self.rivals[names[(i + turn) % len(names)]]

    @contextmanager
    def forgiving(self, rival: Rival) -> Iterator[None]:
        """Within it, a failure of ``rival`` leaves it out."""
        try:
            yield
        except RivalError as error:
            self.drop(rival.name, error)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def start(contest: Contest, options: argparse.Namespace) -> None:
    cache: Path = options.cache

    def fer(form: str) -> Rival:
        command = [*python_of(cache), str(HERE / "worker_fer.py"), form, str(THREADS)]
        return Rival(f"fer, {form}", command, surroundings())

    def node(name: str, worker: str) -> Rival:
        program, folder = node_of(cache)
        return Rival(name, [program, str(HERE / worker), str(folder)])

    def ours(name: str, bundle: str) -> Rival:
        command = [sys.executable, str(HERE / "worker_felicity.py"), bundle, str(THREADS), options.detector]
        return Rival(name, command)

    if "fer" in options.only:
        contest.start("fer, keras", lambda: fer("keras"))
        contest.start("fer, tflite", lambda: fer("tflite"))
    if "human" in options.only:
        contest.start("human", lambda: node("human", "worker_human.mjs"))
    if "face-api" in options.only:
        contest.start("face-api", lambda: node("face-api", "worker_face_api.mjs"))
    for bundle in dict.fromkeys(options.bundle or shipped()):
        name = f"{OURS}, {Path(bundle).name}"
        if name in contest.rivals:  # two folders of one name
            name = f"{OURS}, {bundle}"
        contest.start(name, lambda name=name, bundle=bundle: ours(name, bundle))


def answer_crops(contest: Contest, faces: Faces) -> dict[str, Any]:
    """By rival and convention of labels. Only Felicity may answer differently by convention."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "crops.u8"
        file.write_bytes(faces.crops.tobytes())
        for rival in contest.each():
            say(f"{rival.name}: answering {len(faces.crops):,} crops")
            with contest.forgiving(rival):
                own: dict[str, list[int]] = {}
                for labels in faces.labels:
                    if own and not rival.name.startswith(OURS):
                        own[labels] = next(iter(own.values()))
                        continue
                    own[labels] = rival.ask(do="answer", crops=str(file), labels=labels)["answers"]
                found[rival.name] = {labels: scores(faces, labels, answers) for labels, answers in own.items()}
    return found


def time_networks(contest: Contest, rounds: int) -> dict[str, Any]:
    """Rounds in which every rival has a turn at every batch size; the first round only warms up."""
    turns: dict[str, dict[int, list[float]]] = {name: {b: [] for b in BATCHES} for name in contest.rivals}
    for number in range(rounds + 1):
        say(f"speed: round {number} of {rounds}" if number else "speed: warming up")
        for batch in BATCHES:
            for rival in contest.each(number):
                with contest.forgiving(rival):
                    speed = speed_turn(rival, batch)
                    if number:
                        turns[rival.name][batch].append(speed)
    return speeds({name: turns[name] for name in contest.rivals})


def answer_pictures(contest: Contest, pictures: Pictures) -> dict[str, Any]:
    """Each rival's whole pipeline; the first pass only warms up."""
    answers: dict[str, dict[str, Any]] = {}
    seconds: dict[str, list[float]] = {name: [] for name in contest.rivals}
    for number in range(PICTURE_ROUNDS + 1):
        say(f"pictures: round {number} of {PICTURE_ROUNDS}" if number else "pictures: warming up")
        for rival in contest.each(number):
            with contest.forgiving(rival):
                answers[rival.name] = rival.ask(do="pictures", files=pictures.files)
                if number:
                    seconds[rival.name].append(answers[rival.name]["seconds"])
    return {name: picture_scores(pictures, answers[name], seconds[name]) for name in contest.rivals}


def compare(contest: Contest, options: argparse.Namespace) -> dict[str, Any]:
    """Everything, as it is written with --json."""
    faces = read_faces(options.data, options.faces)
    pictures = read_pictures(options.pictures) if options.pictures else None
    start(contest, options)
    if os.getloadavg()[0] > 0.5 * (os.cpu_count() or 1):
        say(f"the machine is busy (load {os.getloadavg()[0]:.1f}): take no speed of this run for true")
    parts = {"crops": answer_crops(contest, faces), "speed": time_networks(contest, options.rounds)}
    if pictures:
        parts["pictures"] = answer_pictures(contest, pictures)
    rows = [
        {"rival": name, **rival.greeting, **{part: found[name] for part, found in parts.items()}}
        for name, rival in contest.rivals.items()
    ]
    left_out = contest.left_out | CANNOT_RUN
    return {
        "faces": {labels: int((numbers >= 0).sum()) for labels, numbers in faces.labels.items()},
        "rounds": options.rounds,
        "cores": os.cpu_count(),
        "rivals": rows,
        "left_out": [{"rival": name, "reason": reason} for name, reason in left_out.items()],
    }


def arguments() -> argparse.Namespace:
    def positive(word: str) -> int:
        if not word.isdigit() or int(word) < 1:
            raise argparse.ArgumentTypeError(f"a whole number from 1 is expected, not {word!r}")
        return int(word)

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--pictures", type=Path, metavar="FACES", help="portraits; without it that part is left out")
    parser.add_argument("--faces", type=positive, metavar="N", help="crops drawn from PublicTest (default: all)")
    parser.add_argument("--rounds", type=positive, default=15, metavar="N", help="of the speed (default: 15)")
    parser.add_argument("--bundle", action="append", metavar="NAME", help="of Felicity, again for more (default: all)")
    parser.add_argument("--detector", default="auto", help="of Felicity (default: the best that is installed)")
    parser.add_argument(
        "--only",
        nargs="*",
        choices=RIVALS,
        default=RIVALS,
        help="the rivals to run (default: all; none: Felicity alone)",
    )
    parser.add_argument("--cache", type=Path, default=HERE.parents[1] / ".cache" / "peers", metavar="FOLDER")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true")
    form.add_argument("--markdown", action="store_true")
    parser.add_argument("-o", dest="output", type=Path, metavar="FILE", help="write there, not to standard output")
    return parser.parse_args()


def main() -> int:
    options, contest = arguments(), Contest()
    if options.output and not options.output.parent.is_dir():
        say(f"{options.output}: cannot be written, because there is no folder {options.output.parent}")
        return 1
    try:
        result = compare(contest, options)
    except FelicityError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    finally:
        for rival in contest.each():
            rival.close()
    shown = json.dumps(result, indent=1) if options.json else (markdown if options.markdown else text)(result)
    if not options.output:
        print(shown)
    else:
        beside = options.output.with_name(f".{options.output.name}.part")
        try:
            beside.write_text(shown + "\n", encoding="utf-8")
            os.replace(beside, options.output)
        except OSError as error:
            print(shown)
            say(f"{options.output}: cannot be written ({error.strerror}), so the result is on standard output")
            return 1
    return int(any(name.startswith(OURS) for name in contest.left_out))


if __name__ == "__main__":
    sys.exit(main())
