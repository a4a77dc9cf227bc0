"""Happy against not happy on posed faces, by detector and by group of people.

    python benchmarks/posed_faces.py FACES [--bundles best,fast] [--detectors yunet,hog] [--crop 1.1] [--json]

FACES is a folder of portraits with ``labels.csv`` (columns ``file``, ``expression``, ``gender``, ``age``,
``ethnicity``). A picture is right where one face is found and it is called happy just where the person was asked to
smile. ``--crop`` cuts faces out so many times as large as the detector's geometry says. Groups of a few people say
nothing certain; they are here so that a network that fails one of them altogether is noticed.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from felicity.faces.registry import open_detector
from felicity.labels import Expression
from felicity.models.bundle import shipped
from felicity.recognition.classifier import Classifier
from felicity.recognition.photographs import read_photographs


def groups_of(row: dict[str, str]) -> list[tuple[str, str]]:
    age = int(row["age"])
    return [
        ("all", ""),
        ("asked to", "smile" if row["expression"] == Expression.HAPPY else "be neutral"),
        ("gender", row["gender"]),
        ("age", "under 30" if age < 30 else "30 and over"),
        ("ethnicity", row["ethnicity"]),
    ]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("faces", type=Path)
    asked.add_argument("--bundles", default=",".join(shipped()))
    asked.add_argument("--detectors", default="yunet,hog")
    asked.add_argument("--crop", type=float, default=1.0)
    asked.add_argument("--json", action="store_true")
    flags = asked.parse_args()
    with open(flags.faces / "labels.csv", newline="") as stream:
        labels = {row["file"]: row for row in csv.DictReader(stream)}
    columns = [(bundle, name) for bundle in flags.bundles.split(",") for name in flags.detectors.split(",")]
    right: dict[tuple[str, str], dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
    totals: dict[tuple[str, str], int] = defaultdict(int)
    for row in labels.values():
        for group in groups_of(row):
            totals[group] += 1
    for bundle, name in columns:
        files = [flags.faces / file for file in labels]
        detector = open_detector(name)
        detector.geometry = replace(detector.geometry, scale=detector.geometry.scale * flags.crop)
        for reading, _ in read_photographs(files, Classifier.open(bundle), detector):
            row = labels[Path(reading.path).name]
            said = [str(face.expression) == Expression.HAPPY for face in reading.faces]
            for group in groups_of(row):
                right[group][bundle, name] += said == [row["expression"] == Expression.HAPPY]
    rows = [
        {"group": " ".join(filter(None, group)), "pictures": totals[group]}
        | {f"{bundle}, {name}": right[group][bundle, name] for bundle, name in columns}
        for group in sorted(totals, key=lambda group: (group[0] != "all", group))
    ]
    if flags.json:
        print(json.dumps(rows))
        return
    for line in (list(rows[0]), *(row.values() for row in rows)):
        print("".join(f"{cell!s:<22}" if i == 0 else f"{cell!s:>14}" for i, cell in enumerate(line)))


if __name__ == "__main__":
    main()
