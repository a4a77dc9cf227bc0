"""What goes wrong in places, periods and stores: one sentence each, and no figure is invented."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from felicity.cli.app import app
from felicity.errors import FelicityError
from felicity.store import open_store
from felicity.windows import Location, Window
from tests.support.command import SRC, felicity, felicity_answer, felicity_process
from tests.support.windows import make_windows, soft_matrix

READERS = (
    ("index",),
    ("trend",),
    ("effect", "--at", "2026-05-01", "--locations", "A"),
    ("city",),
    ("report",),
    ("locations", "list"),
)


def refused(*arguments: object) -> str:
    """The one sentence that is said on an error; nothing is on stdout."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert isinstance(done.exception, FelicityError) and done.stdout == "", (done.output, done.exception)
    message = str(done.exception)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("command", READERS)
def test_who_only_reads_makes_no_store(tmp_path: Path, command: Sequence[str]) -> None:
    wrong = tmp_path / "there" / "twon.db"
    assert f"store {wrong}: there is no such file" in refused(*command, "--store", wrong)
    assert not wrong.parent.exists() and list(tmp_path.iterdir()) == []


def test_a_demo_is_not_put_where_a_file_is(tmp_path: Path) -> None:
    (tmp_path / "demo.txt").write_text("")
    assert "demo.txt: cannot be made (File exists); choose another folder" in refused(
        "demo", "-o", tmp_path / "demo.txt"
    )


def put(url: Path, windows: Sequence[Window]) -> Path:
    with open_store(str(url)) as store:
        key = windows[0].key
        store.save_model(key.model, soft_matrix(np.random.default_rng(1)))
        run = store.begin_run(key.location, key.camera, key.source, key.run_start, key.model)
        store.write_windows(run, windows)
        store.finish_run(run)
    return url


def index(*arguments: object, home: Path) -> list[Any]:
    """The rows of ``felicity index --json``."""
    rows: list[Any] = felicity_answer("index", *arguments, home=home)[0]["rows"]
    return rows


def test_models_are_kept_apart_and_that_is_said(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    store = put(tmp_path / "s.db", make_windows(rng, 30, model="old", people=3, happy=0.1))
    begin = datetime(2024, 4, 2, tzinfo=UTC)
    put(store, make_windows(rng, 30, model="new", people=3, happy=0.9, begin=begin))
    done = felicity("index", "--store", store, home=tmp_path)
    assert "Harbour: windows of model old are left out (30 windows" in done.stderr
    assert "models are never mixed" in done.stderr
    (new,), (old,) = index("--store", store, home=tmp_path), index("--store", store, "--model", "old", home=tmp_path)
    assert (new["model"], old["model"]) == ("new", "old")
    assert old["happy_share"]["adjusted"] < 30 < 70 < new["happy_share"]["adjusted"]


@pytest.mark.parametrize(("day", "hours"), [("2024-03-31", 23), ("2024-10-27", 25)])
def test_days_of_23_and_of_25_hours_are_the_places_own(tmp_path: Path, day: str, hours: int) -> None:
    """Somebody every hour, and everybody is on the day that the place's clock says."""
    url = tmp_path / "s.db"
    with open_store(str(url)) as store:
        store.add_location(Location("Harbour", "Europe/Paris"))
    first = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(hours=26)
    windows = make_windows(np.random.default_rng(1), 80, begin=first, labels=[1] * 12)
    put(url, [replace(w, key=replace(w.key, start=first + timedelta(hours=i))) for i, w in enumerate(windows)])
    rows = index("--store", url, "--by", "day", home=tmp_path)
    (row,) = [row for row in rows if row["start"].startswith(day)]
    assert row["people"] == 12 * hours
    length = datetime.fromisoformat(row["end"]) - datetime.fromisoformat(row["start"])
    assert length.total_seconds() == hours * 3600
    inside = index("--store", url, "--from", day, "--to", row["end"][:10], home=tmp_path)
    assert inside[0]["people"] == row["people"], "a time without a zone is on the place's clock"
    hourly = index("--store", url, "--by", "hour", home=tmp_path)
    starts = [row["start"] for row in hourly]
    assert len(starts) == len(set(starts)) == 80, "the hour that comes twice is two hours"


def test_a_clock_that_jumps_loses_nobody(tmp_path: Path) -> None:
    """Recordings whose clocks jumped ahead a year and back are rows of their own, and all people count once."""
    rng, begin = np.random.default_rng(1), datetime(2024, 3, 30, tzinfo=UTC)
    parts = [
        make_windows(rng, 20, labels=[1, 0], begin=begin + timedelta(days=days), run_start=begin)
        for days in (0, 366, 0)
    ]
    later = [replace(w, key=replace(w.key, start=w.key.start + timedelta(minutes=20))) for w in parts[2]]
    url = put(tmp_path / "s.db", [*parts[0], *parts[1], *later])
    days = index("--store", url, "--by", "day", home=tmp_path)
    assert [(row["start"][:10], row["people"]) for row in days] == [("2024-03-30", 80), ("2025-03-31", 40)]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("trend",), "Harbour: a trend needs at least 42 days with a figure, and there are 1"),
        (("effect", "--at", "2024-03-31", "--locations", "Harbour"), "lies outside the data"),
        (("effect", "--at", "2024-03-30", "--locations", "Harbour"), "lies outside the data"),
        (("city",), "no location has both figures and a weight by population: its population is not known"),
        (("city", "--weight", "visits"), "weights by visits need a table of visits or flows"),
        (("city", "--weight", "visits", "--footfall", "{table}"), "line 3: visits is a number from 0, not 'missing'"),
        (("index", "-l", "Harbor"), "there is no location 'Harbor'; known are Harbour"),
        (("trend", "-l", "Harbor"), "there is no location 'Harbor'; known are Harbour"),
        (("city", "-l", "Harbor"), "there is no location 'Harbor'; known are Harbour"),
        (("index", "--from", "2024-04-01", "--to", "2024-03-01"), "must be after the begin"),
        (("index", "--from", "2024-04-01+02:00"), "'2024-04-01+02:00': a time in ISO 8601 expected"),
        (("trend", "--to", "2024-04-01_09:00"), "'2024-04-01_09:00': a time in ISO 8601 expected"),
        (("index", "--model", "none"), "no windows of model 'none'; known are model-1"),
        (("report", "--at", "2030-01-01"), "--at 2030-01-01 lies outside the data"),
    ],
)
def test_each_mistake_is_one_sentence(tmp_path: Path, command: Sequence[str], message: str) -> None:
    store = put(tmp_path / "s.db", make_windows(np.random.default_rng(1), 30, labels=[0, 1]))
    table = tmp_path / "visits.csv"
    table.write_text("location,hour,visits\nHarbour,9,4\nHarbour,10,\n")
    arguments = [argument.format(table=table) for argument in command]
    if command[0] == "report":
        arguments += ["-o", str(tmp_path / "report.html")]
    assert message in refused(*arguments, "--store", store)
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("simulate", "--people", 5), "--people belongs to --video, and a simulated city is asked for; leave it out"),
        (("simulate", "--location-days", 5), "--location-days belongs to --check, and a simulated city"),
        (("simulate", "--check", "--faces", "x.csv", "-d", "hog"), "--detector belongs to --video, and --check is"),
        (("simulate", "--video", "--faces", "x.csv", "--days", 3), "--days belongs to a simulated city, and --video"),
        (("classify", "--crop", "--detector", "auto", "x.png"), "--crop takes each image for a face, and --detector"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(command: Sequence[object], message: str) -> None:
    assert message in refused(*command)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none/x.png", "there is no folder"),
        ("x.foo", "a chart is written as .png, .svg, .pdf"),
        ("f.png", "is a folder"),
    ],
)
@pytest.mark.parametrize(
    "command", [*READERS[:3], ("simulate", "--check", "--faces", "none.csv")], ids=lambda command: command[0]
)
def test_a_chart_that_cannot_be_drawn_is_refused_before_the_work(
    tmp_path: Path, command: Sequence[str], name: str, message: str
) -> None:
    (tmp_path / "f.png").mkdir()
    assert message in refused(*command, "--store", tmp_path / "none.db", "--chart", tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["f.png"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (".", "is a folder"),
        ("file/x.json", "there is no folder"),
        ("visits.csv", "a map is written as .geojson, .json"),
    ],
)
def test_a_map_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "file").touch()
    assert message in refused("city", "--store", tmp_path / "none.db", "--geojson", tmp_path / name)


def test_counts_that_cannot_be_adjusted_are_said_to_be_so(tmp_path: Path) -> None:
    url = tmp_path / "s.db"
    windows = make_windows(np.random.default_rng(1), 60, people=20)
    key = windows[0].key
    with open_store(str(url)) as store:
        run = store.begin_run(key.location, key.camera, key.source, key.run_start, key.model)
        days = [replace(w, key=replace(w.key, start=key.start + timedelta(days=i))) for i, w in enumerate(windows)]
        store.write_windows(run, days)
    for command in (("trend",), ("effect", "--at", "2024-04-29", "--locations", "Harbour")):
        said = refused(*command, "--store", url)
        assert said.startswith("Harbour: people are counted, but the store holds no soft matrix of their model")
    for begin in ("2024-01-01", "2030-01-01"):
        chart = tmp_path / "x.png"
        done = felicity("index", "--store", url, "--from", begin, "--chart", chart, home=tmp_path)
        assert "x.png is not drawn, because there is no adjusted figure to draw" in done.stderr
        assert not chart.exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["watch", "x", "--device", "y"], "felicity watch has no option --device; choose one of --location, --camera,"),
        (["watch", "x", "--detektor", "y"], "felicity watch has no option --detektor; did you mean --detector?"),
        (["train", "x", "--zzz", "3"], "felicity train has no option --zzz; see: felicity train --help"),
        (["reprot"], "felicity has no command 'reprot'; did you mean report or reproduce?"),
        (["data", "look"], "felicity data has no command 'look'; choose one of inspect, prepare, augment"),
        (["watch"], "felicity watch needs SOURCE; see: felicity watch --help"),
        (["watch", "x"], "felicity watch needs --location; see: felicity watch --help"),
        (["doctor", "b"], "felicity doctor: got unexpected extra argument"),
        (["index", "--k"], "option '--k' requires an argument"),
        (["index", "--k", "0"], "--k must be a whole number at least 1, not '0'"),
        (["index", "--by", "year"], "--by must be total, minute, hour, day, week or month, not 'year'"),
        (["simulate", "--days", "nan"], "--days must be a whole number of 1 to 3,660, not 'nan'"),
        (["watch", "x", "--fps", "many"], "--fps must be a number, not 'many'"),
        (["runs", "remove", "first"], "RUNS must be a whole number, not 'first'"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_exit_code_2(
    tmp_path: Path, words: Sequence[str], sentence: str
) -> None:
    done = felicity(*words, home=tmp_path, expect=2)
    assert done.stdout == "" and done.stderr.startswith("error ") and done.stderr.count("\n") == 1
    assert sentence in done.stderr


def test_a_group_without_a_command_shows_its_help(tmp_path: Path) -> None:
    done = felicity("data", home=tmp_path, expect=2)
    assert "inspect" in done.stdout + done.stderr and "error" not in done.stderr.lower()


def test_a_negative_seed_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["simulate", "--store", str(tmp_path / "s.db"), "--seed", "-1"])
    assert done.exit_code == 2 and "--seed" in done.output
    assert list(tmp_path.iterdir()) == []


def test_on_the_terminal_it_is_one_line(tmp_path: Path) -> None:
    done = felicity("trend", "--store", tmp_path / "none.db", home=tmp_path, expect=1)
    assert done.stdout == "" and done.stderr.startswith("error store ") and done.stderr.count("\n") == 1


def test_ctrl_c_while_the_program_is_still_being_imported_is_quiet(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("import signal\nsignal.raise_signal(signal.SIGINT)\n")
    done = felicity_process("index", home=tmp_path, expect=130, PYTHONPATH=f"{tmp_path}{os.pathsep}{SRC}")
    assert (done.stdout, done.stderr) == ("", "")
