"""Every command's ``--json``, found from the app itself, against what ``felicity schema`` says of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import typer

from felicity.api import add_token, make_releases
from felicity.api.users import add_user
from felicity.cameras.log import Log
from felicity.cli.app import app
from felicity.imaging.encode import write_image
from felicity.labels import EXPRESSIONS
from felicity.notes import CODES, Note
from felicity.schemas import envelope
from tests.conftest import CHECKOUT
from tests.support.class_folders import write_class_folders
from tests.support.command import felicity, felicity_json
from tests.support.faces_on_disk import made_up, write_folders
from tests.support.people import faces_clip, photograph
from tests.support.town import FIRST, fill


class World:
    """Tiny inputs, each made when a command first asks for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def town(self) -> str:
        """A store of two places."""
        return fill(self.folder / "town.db", {"Harbour": lambda day: 0.3, "Market": lambda day: 0.5}, 3)

    @cached_property
    def weeks(self) -> str:
        """A store of two places over six weeks: as much as a trend needs."""
        places = {"Harbour": lambda day: 0.3, "Market": lambda day: 0.5}
        return fill(self.folder / "weeks.db", places, 42, hours=range(9, 10), populations={"Harbour": 10, "Market": 20})

    @cached_property
    def published(self) -> str:
        """A store of a place whose days are published."""
        url = fill(self.folder / "published.db", {"Harbour": lambda day: 0.3}, 2)
        make_releases(store=url)
        return url

    @cached_property
    def eight(self) -> Path:
        """A data set of all eight expressions, a folder each."""
        return write_class_folders(self.folder / "eight", dict.fromkeys(map(str, EXPRESSIONS), 8))

    @cached_property
    def photo(self) -> Path:
        """A photograph with a face."""
        write_image(self.folder / "photo.png", photograph())
        return self.folder / "photo.png"

    @cached_property
    def clip(self) -> Path:
        """A clip of two people."""
        return faces_clip(self.folder / "clip.mp4")

    def new(self, name: str) -> Path:
        """A path in the folder, to write to."""
        return self.folder / name

    @cached_property
    def quay(self) -> str:
        """A store of one place, to be removed."""
        return fill(self.folder / "quay.db", {"Quay": lambda day: 0.3}, 1)

    @cached_property
    def piers(self) -> str:
        """A store of three places, to be renamed and merged."""
        url = fill(self.folder / "piers.db", {"Pier": lambda day: 0.3, "Dock": lambda day: 0.3}, 1)
        return fill(url, {"Lane": lambda day: 0.3}, 1, begin=FIRST + timedelta(days=1))

    @cached_property
    def tokens(self) -> str:
        """A store with a token and a user."""
        url = fill(self.folder / "tokens.db", {"Pier": lambda day: 0.3}, 1)
        add_token("wall", ["read"], store=url)
        add_user("anna", "viewer", "a password of hers", store=url)
        return url

    @cached_property
    def places(self) -> Path:
        """A table of locations."""
        table = self.folder / "places.csv"
        table.write_text("name\nLane\n", encoding="utf-8")
        return table

    @cached_property
    def run(self) -> Path:
        """A training of one epoch."""
        felicity("train", self.faces, *TINY, "-o", self.folder / "run", home=self.folder / "home")
        return self.folder / "run"

    @cached_property
    def cameras(self) -> Path:
        """A file of cameras, none of them within reach, which were watched for a moment."""
        from felicity.cameras.supervisor import Supervisor

        file = self.folder / "cameras.toml"
        file.write_text(
            f"""status = "{self.folder / "status.json"}"
            store = "{self.folder / "cameras.db"}"
            detector = "hog"
            [[camera]]
            name = "quay"
            location = "Harbour"
            source = "http://127.0.0.1:9/stream"
            [[camera]]
            name = "pier"
            location = "Harbour"
            source = "0"
            enabled = false
            """
        )
        group = Supervisor(file, log=Log(stream=StringIO()))
        group.run(on_round=lambda _: group.stop())
        return file

    @cached_property
    def faces(self) -> Path:
        """A data set of 70 made-up faces in class folders."""
        return write_folders(made_up(70), self.folder / "faces", folds=True)

    @cached_property
    def people(self) -> Path:
        """A table of two groups of ``faces``."""
        names = sorted(path.name for path in self.faces.rglob("*.png"))
        rows = [f"{name},{('left', 'right')[i % 2]}" for i, name in enumerate(names)]
        (table := self.folder / "people.csv").write_text("\n".join(["file,side", *rows]))
        return table

    @cached_property
    def happy_and_others(self) -> Path:
        """A data set of 33 faces that smile, and of 45 pictures of noise, some of which look like a covered face."""
        rng = np.random.default_rng(1)
        for name in ("happy", "neutral"):
            (self.folder / "own" / name).mkdir(parents=True)
            for number in range(33 if name == "happy" else 45):
                left, top = rng.integers(-8, 8, 2)
                crop = photograph()[60 + top : 185 + top, 160 + left : 285 + left]
                picture = crop if name == "happy" else rng.integers(0, 255, crop.shape, dtype=np.uint8)
                write_image(self.folder / "own" / name / f"{number:02}.png", picture)
        return self.folder / "own"


TINY = ["--model", "test-tiny", "--epochs", "1", "--size", "16", "--batch-size", "16", "--backend", "torch"]
Recipe = Callable[[World], list[object]]

RECIPES: dict[str, Recipe] = {
    "bundle-export": lambda world: ["bundle", "export", world.run, "-o", world.folder / "bundle", "--force"],
    "bundle-show": lambda world: ["bundle", "show", "fast"],
    "bundle-verify": lambda world: ["bundle", "verify", "fast"],
    "calibrate": lambda world: [
        "calibrate",
        "Harbour",
        "--labelled",
        world.happy_and_others,
        "--crop",
        "--store",
        world.town,
    ],
    "calibrate-sample": lambda world: ["calibrate", "Harbour", "--pictures", world.happy_and_others, "--crop"],
    "cameras-check": lambda world: ["cameras", "check", world.cameras, "--camera", "quay"],
    "cameras-list": lambda world: ["cameras", "list", world.cameras],
    "cameras-status": lambda world: ["cameras", "status", world.cameras],
    "city": lambda world: ["city", "--store", world.weeks],
    "evaluate-by": lambda world: [
        "evaluate",
        "fast",
        "--data",
        world.faces,
        "--draws",
        100,
        "--by",
        "side",
        "--people",
        world.people,
    ],
    "evaluate": lambda world: ["evaluate", "fast", "--data", world.faces, "--draws", 100],
    "effect": lambda world: [
        "effect",
        "--store",
        world.weeks,
        "--at",
        "2026-02-23",
        "--locations",
        "Harbour",
        "--comparison",
        "Market",
    ],
    "index": lambda world: ["index", "--store", world.town, "--by", "day"],
    "rank": lambda world: ["rank", "--store", world.weeks],
    "usual": lambda world: [
        "usual",
        "--from",
        "2026-03-09T09:00",
        "--to",
        "2026-03-14",
        "--weeks",
        4,
        "--store",
        world.weeks,
    ],
    "locations-add": lambda world: ["locations", "add", "Hall", "--store", world.folder / "hall.db"],
    "locations-import": lambda world: ["locations", "import", world.places, "--store", world.folder / "lane.db"],
    "locations-remove": lambda world: ["locations", "remove", "Quay", "--yes", "--store", world.quay],
    "locations-rename": lambda world: ["locations", "rename", "Pier", "Port", "--store", world.piers],
    "locations-merge": lambda world: ["locations", "merge", "Dock", "Lane", "--yes", "--store", world.piers],
    "locations-list": lambda world: ["locations", "list", "--store", world.town],
    "report": lambda world: ["report", "--store", world.town, "-o", world.folder / "report.html"],
    "trend": lambda world: ["trend", "--store", world.weeks],
    "compare": lambda world: [
        "compare",
        world.faces,
        *TINY[:-2],
        "--backends",
        "torch",
        "--seeds",
        1,
        "-o",
        world.folder / "side",
    ],
    "crossval": lambda world: [
        "crossval",
        world.faces,
        *TINY,
        "--folds",
        2,
        "--validation-share",
        0.3,
        "-o",
        world.folder / "folds",
    ],
    "train": lambda world: ["train", world.faces, *TINY, "-o", world.folder / "trained"],
    "tune": lambda world: ["tune", world.faces, *TINY, "--trials", 1, "-o", world.folder / "tuned"],
    "classify": lambda world: ["classify", world.photo, "--detector", "hog"],
    "classify-output": lambda world: [
        *("classify", world.photo, "--crop", "--workers", 1, "-o", world.new("faces.parquet"))
    ],
    "classify-share": lambda world: ["classify", world.photo, "--detector", "hog", "--share"],
    "data-inspect": lambda world: ["data", "inspect", world.faces, "-j", 1],
    "data-prepare": lambda world: ["data", "prepare", world.faces, "-o", world.new("prepared"), "-j", 1],
    "detectors-list": lambda world: ["detectors", "list"],
    "doctor": lambda world: ["doctor"],
    "models-list": lambda world: ["models", "list", "--size", 16],
    "models-show": lambda world: ["models", "show", "test-tiny"],
    "audit": lambda world: ["audit", "--store", world.tokens],
    "token-add": lambda world: ["token", "add", "wall", "--scope", "read", "--store", world.tokens],
    "token-list": lambda world: ["token", "list", "--store", world.tokens],
    "token-revoke": lambda world: ["token", "revoke", 1, "--store", world.tokens],
    "user-list": lambda world: ["user", "list", "--store", world.tokens],
    "user-remove": lambda world: ["user", "remove", "anna", "--store", world.tokens],
    "retention-run": lambda world: ["retention", "run", "--store", world.town],
    "retention-show": lambda world: ["retention", "show", "--store", world.town],
    "releases-make": lambda world: ["releases", "make", "--store", world.published],
    "releases-list": lambda world: ["releases", "list", "--store", world.published],
    "releases-show": lambda world: ["releases", "show", 1, "--store", world.published],
    "releases-index": lambda world: ["releases", "index", "--by", "day", "--store", world.published],
    "releases-now": lambda world: ["releases", "now", "--store", world.published],
    "runs-list": lambda world: ["runs", "list", "--store", world.town],
    "simulate": lambda world: ["simulate", "--store", world.folder / "simulated.db", "--days", 2],
    "simulate-check": lambda world: [
        "simulate",
        "--check",
        "--faces",
        world.eight,
        "--location-days",
        50,
        "--series",
        0,
    ],
    "archive": lambda world: [
        *("archive", world.clip, "--location", "Harbour", "--detector", "hog", "--workers", 1),
        *("--store", f"sqlite:///{world.folder / 'archive.db'}"),
    ],
    "watch": lambda world: [
        "watch",
        world.clip,
        "--location",
        "Harbour",
        "--detector",
        "hog",
        "--start",
        "2026-05-04T09:00",
        "--store",
        world.new("watched.db"),
    ],
}
"""By name of the answer: a command line that prints it, without ``--json``."""

ELSEWHERE = {
    "cluster-status": "a cluster, checked in tests/work/test_cluster.py",
    "reproduce": "three frameworks, checked in tests/evaluation/test_study.py",
    "user-add": "a password from standard input, checked in tests/serve/test_sign_in.py",
    "user-password": "a password from standard input, checked in tests/serve/test_sign_in.py",
    "simulate-video": "a minute of film, checked in tests/simulation/test_moving.py",
}
"""Answers whose commands take too long for this walk, and the tests that hold their shape."""

SERVED = {
    "serve-windows": "tests/serve/test_push.py",
    "serve-picture": "tests/serve/test_classify.py",
}
"""Answers that a server gives, and no command; and the tests that hold them."""

FAILS = {"simulate-check", "cameras-check"}
"""Commands that end with exit code 1 here: so few faces do not meet the targets, and no camera is within reach."""


def commands_with_json() -> set[str]:
    """All commands of the app that know ``--json``, their words joined by hyphens."""

    def walk(command: Any, words: tuple[str, ...]) -> Iterator[str]:
        for name, below in getattr(command, "commands", {}).items():
            yield from walk(below, (*words, name))
        if any("--json" in parameter.opts for parameter in command.params):
            yield "-".join(words)

    return set(walk(typer.main.get_command(app), ()))


def command_of(name: str) -> str:
    """The command that prints the answer ``name``, such as ``simulate`` for ``simulate-check``."""
    return max((c for c in commands_with_json() if f"{name}-".startswith(f"{c}-")), key=len)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


def test_every_command_with_json_has_a_shape_and_a_recipe() -> None:
    assert {command_of(name) for name in (*RECIPES, *ELSEWHERE)} == commands_with_json()
    assert not set(ELSEWHERE) & set(RECIPES)
    assert set(envelope.names()) == set(RECIPES) | set(ELSEWHERE) | set(SERVED)


@pytest.mark.usefixtures("contestants_in_kept_processes")
@pytest.mark.parametrize("name", RECIPES)
def test_what_is_printed_is_what_the_schema_says(name: str, world: World, tmp_path: Path) -> None:
    schema = json.loads(felicity("schema", name, home=tmp_path).stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema" and schema["title"] == f"felicity {name}"
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    printed = felicity_json(*RECIPES[name](world), home=tmp_path, expect=int(name in FAILS))
    if name not in envelope.streams():
        (document,) = printed
        assert set(document) == {"format", "data", "notes"} and document["format"] == envelope.FORMAT
        assert {note["code"] for note in document["notes"]} <= set(CODES)
    assert printed
    for each in printed:
        check.validate(each)


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    listed = felicity("schema", home=tmp_path).stdout.split()
    assert listed == envelope.names()
    wrong = felicity("schema", "runs", home=tmp_path, expect=1)
    assert "'runs'" in wrong.stderr and "runs-list" in wrong.stderr


@pytest.mark.parametrize("name", envelope.names())
def test_every_field_of_a_schema_is_closed(name: str) -> None:
    """No object takes unknown keys, but those whose keys are data."""

    def objects(value: Any) -> Iterator[dict[str, Any]]:
        if isinstance(value, dict):
            if value.get("type") == "object":
                yield value
            for inner in value.values():
                yield from objects(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from objects(inner)

    for each in objects(envelope.json_schema(name)):
        assert each.get("additionalProperties") is False or "properties" not in each
        assert set(each.get("required", ())) == set(each.get("properties", ()))


def test_a_rounding_error_does_not_leave_the_range() -> None:
    share = dict.fromkeys(("counted", "adjusted", "low", "high", "emq"), 100.00000000000001) | {"people": 1}
    data = envelope.document("classify-share", {"images": [], "happy_share": share})["data"]
    assert data["happy_share"]["counted"] == 100
    with pytest.raises(ValueError, match="less than or equal to 100"):
        envelope.document("classify-share", {"images": [], "happy_share": share | {"low": 100.1}})


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), "many", None])
def test_what_has_not_its_shape_is_not_printed(wrong: Any) -> None:
    row = {
        "id": 1, "location": "Harbour", "camera": "quay", "source": "quay.mp4", "model": "m", "first": None,
        "last": None, "windows": 1, "people": wrong, "state": "ended", "heartbeat": None, "ended": None,
    }  # fmt: skip
    with pytest.raises(ValueError, match="people"):
        envelope.document("runs-list", [row])
    with pytest.raises(ValueError, match="more"):
        envelope.document("runs-list", [row | {"people": 1, "more": 1}])


def test_the_reference_lists_all_names_and_codes() -> None:
    page = (CHECKOUT / "docs" / "json.md").read_text()
    assert [name for name in envelope.names() if f"| `{name}` |" not in page] == []
    assert [code for code, sentence in CODES.items() if f"| `{code}` | {sentence} |" not in page] == []


def test_a_note_has_a_listed_code() -> None:
    with pytest.raises(ValueError, match="not listed"):
        Note("no-such-code", "A remark.")
    assert all(sentence.endswith(".") and sentence[0].isupper() for sentence in CODES.values())
    note = Note("no-windows", "Park: no windows", "Park")
    assert str(note) == "Park: no windows"
    assert envelope.document("runs-list", [], [note])["notes"] == [
        {"code": "no-windows", "text": "Park: no windows", "location": "Park"}
    ]
