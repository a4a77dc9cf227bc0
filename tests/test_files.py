"""Files: what is written appears whole, where nobody else can lead it, and is nobody else's to read."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from felicity.datasets.preparing import prepare
from felicity.datasets.registry import open_dataset
from felicity.errors import ConfigError, DatasetError
from felicity.files import NewFile, check_apart, locked, make_folder, put, write_whole
from felicity.imaging.encode import VideoWriter, write_image
from felicity.store import open_store
from felicity.training import checkpoint
from tests.support.command import SRC, felicity
from tests.support.media import numbered, write_images, write_video

KILLED = """
import os, signal, sys
from pathlib import Path
from felicity.files import NewFile
new = NewFile(Path(sys.argv[1]))
new.stream.write(b"half")
new.stream.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def everything_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.mark.parametrize("nameless", [True, False])
def test_a_new_file_cannot_be_foretold_or_led_elsewhere(
    nameless: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not nameless:
        monkeypatch.delattr(os, "O_TMPFILE")
    target, victim = tmp_path / "out.txt", tmp_path / "victim"
    victim.write_text("mine")
    target.symlink_to(victim)
    new = NewFile(target)
    new.stream.write(b"whole")
    beside = everything_below(tmp_path) - {"out.txt", "victim"}
    assert len(beside) == (0 if nameless else 1)
    assert not any("out" in name or str(os.getpid()) in name for name in beside)
    new.keep()
    assert target.read_text() == "whole" and not target.is_symlink() and victim.read_text() == "mine"
    assert everything_below(tmp_path) == {"out.txt", "victim"}


def test_nothing_is_left_of_a_process_that_is_killed(tmp_path: Path) -> None:
    words = [sys.executable, "-c", KILLED, str(tmp_path / "out.txt")]
    done = subprocess.run(words, env=os.environ | {"PYTHONPATH": str(SRC)}, timeout=60)
    assert done.returncode == -signal.SIGKILL and everything_below(tmp_path) == set()


def test_links_where_files_were_once_written_are_left_alone(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    for name in (".a.mp4.part", ".last.npz.part", f".x.png.{os.getpid()}.part", f".w.txt.{os.getpid()}.part"):
        victim.write_text("mine")
        (tmp_path / name).symlink_to(victim)
    with VideoWriter(tmp_path / "a.mp4") as video:
        video.write(numbered(1), 0.0)
    checkpoint.save(tmp_path / "last.npz", {"a": np.zeros(2)}, {})
    write_image(tmp_path / "x.png", numbered(1))
    write_whole(tmp_path / "w.txt", b"w")
    assert victim.read_text() == "mine"
    (tmp_path / "lock").symlink_to(victim)
    with pytest.raises(ConfigError, match="cannot be written"), locked(tmp_path / "lock"):
        pass
    assert victim.read_text() == "mine"


def test_an_unfinished_preparation_of_others_is_not_taken_up(tmp_path: Path) -> None:
    write_images(tmp_path / "happy", [1, 2])
    (tmp_path / "set").mkdir()
    (tmp_path / "happy").rename(tmp_path / "set" / "happy")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".out.part").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DatasetError, match="no folder of yours"):
        prepare(open_dataset(tmp_path / "set"), tmp_path / "out")
    assert everything_below(tmp_path / "elsewhere") == set()


def test_what_tells_of_people_is_for_the_user_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FELICITY_HOME", str(tmp_path / "home"))
    kept = os.umask(0o022)
    try:
        felicity(
            "watch",
            write_video(tmp_path / "f.mp4", 5),
            "-l",
            "Here",
            "--annotate",
            tmp_path / "a.mp4",
            home=tmp_path / "home",
        )
        with open_store() as store:
            store.save_model("m@1")  # keeps the log ahead of the store open
            files = sorted((tmp_path / "home").iterdir())
        write_image(tmp_path / "x.png", numbered(1))
        put(tmp_path / "page.html", b"for all")
        make_folder(tmp_path / "home" / "prepared" / "x")
    finally:
        os.umask(kept)
    assert "felicity.db-wal" in {file.name for file in files}
    assert {mode(file) for file in (*files, tmp_path / "a.mp4", tmp_path / "x.png") if file.exists()} == {0o600}
    assert {mode(tmp_path / "home"), mode(tmp_path / "home" / "prepared" / "x")} == {0o700}
    assert mode(tmp_path / "page.html") == 0o644


def test_files_to_write_are_compared_as_the_system_knows_them(tmp_path: Path) -> None:
    (tmp_path / "in.db").write_text("rows")
    (tmp_path / "hard.svg").hardlink_to(tmp_path / "in.db")
    (tmp_path / "soft.svg").symlink_to(tmp_path / "in.db")
    for name in ("in.db", "hard.svg", "soft.svg", "../" + tmp_path.name + "/in.db"):
        with pytest.raises(ConfigError, match="is read by this command"):
            check_apart([tmp_path / name], [tmp_path / "in.db"])
    with pytest.raises(ConfigError, match="named twice"):
        check_apart([tmp_path / "new.png", tmp_path / "." / "new.png"], [])
    check_apart([tmp_path / "new.png", tmp_path / "other.png"], [tmp_path / "in.db", tmp_path / "missing"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["report", "--store", "s.html", "-o", "s.html"],
        ["city", "--store", "sqlite:///s.json", "--geojson", "s.json"],
        ["index", "--store", "s.svg", "--chart", "s.svg"],
        ["index", "--chart", "link.svg"],
        ["index", "--store", "s.svg", "--chart", "hard.svg"],
        ["watch", "s.svg", "-l", "Here", "--annotate", "film.mp4", "--store", "film.mp4"],
        ["data", "inspect", "table.csv", "--table", "table.csv"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_no_output_replaces_an_input(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("s.html", "s.json", "s.svg", "felicity.db", "film.mp4"):
        open_store(tmp_path / name).close()
    (tmp_path / "table.csv").write_text("image,label\na.png,happy\n")
    (tmp_path / "hard.svg").hardlink_to(tmp_path / "s.svg")
    (tmp_path / "link.svg").symlink_to(tmp_path / "felicity.db")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.chdir(tmp_path)
    done = felicity(*arguments, home=tmp_path, expect=1)
    assert "would be replaced" in done.stderr or "belongs to the data set" in done.stderr
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
