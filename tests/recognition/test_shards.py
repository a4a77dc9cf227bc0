"""Photographs by the million: a row for each image, in order, once, however often it is stopped."""

from __future__ import annotations

import io
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from felicity.api import classify
from felicity.errors import ConfigError
from felicity.imaging.encode import write_image
from felicity.recognition.listing import Listing, Shard, listed
from felicity.work import Here, Lost, Need
from tests.support.command import felicity, felicity_answer, felicity_json
from tests.support.people import photograph
from tests.support.wire import Wire


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty small pictures, of which one is damaged: three shards."""
    folder = tmp_path_factory.mktemp("many") / "photos"
    for number in range(20):
        write_image(folder / f"{number}.png", photograph()[60:185, 160 + number : 285 + number])
    (folder / "13.png").write_bytes(b"no picture")
    return folder


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in this process, which has begun already."""
    monkeypatch.setattr("felicity.work.opening.Processes", lambda workers: Here())


def rows(output: Path) -> list[dict[str, Any]]:
    files = sorted(output.glob("part-*")) if output.is_dir() else [output]
    return [row for file in files for row in pq.read_table(file, partitioning=None).to_pylist()]


def test_rows_are_the_lines_that_json_prints(photos: Path, tmp_path: Path) -> None:
    lines = felicity_json("classify", photos, "--crop", home=tmp_path, expect=1)
    for name in ("faces.parquet", "faces"):
        found, _ = felicity_answer(
            "classify", photos, "--crop", "-o", tmp_path / name, "-j", 1, home=tmp_path, expect=1
        )
        assert rows(tmp_path / name) == lines
        assert (found["images"], found["faces"], found["unreadable"], found["there"]) == (20, 19, 1, 0)
    assert len(list((tmp_path / "faces").glob("*.parquet"))) == 3
    assert not (tmp_path / "faces.parquet.shards").exists()
    with pytest.raises(ConfigError, match="is not empty; go on with --resume"):
        classify(photos, tmp_path / "faces", crop=True)


def test_boxes_are_those_of_json_too(tmp_path: Path) -> None:
    write_image(tmp_path / "photo.png", photograph())
    how = [tmp_path / "photo.png", "--detector", "hog", "--smallest-face", 60]
    lines = felicity_json("classify", *how, home=tmp_path)
    felicity("classify", *how, "-o", tmp_path / "faces.parquet", "-j", 1, home=tmp_path)
    assert rows(tmp_path / "faces.parquet") == lines and len(lines[0]["faces"]) == 1


@pytest.mark.parametrize("name", ["faces.parquet", "faces"])
def test_a_stopped_classification_is_resumed_and_reads_no_image_twice(name: str, photos: Path, tmp_path: Path) -> None:
    whole, stopped = tmp_path / "whole" / name, tmp_path / "stopped" / name
    for folder in (whole, stopped):
        folder.parent.mkdir()
    classify(photos, whole, crop=True)
    seen: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        classify(photos, stopped, crop=True, on_images=_stop_after(2, seen))
    assert not stopped.is_file(), "a file appears when it is whole"
    shards = stopped if name == "faces" else stopped.with_name(f"{name}.shards")
    first = sorted(shards.glob("part-*"))[0]
    first.write_bytes(first.read_bytes()[:-100])
    found = classify(photos, stopped, crop=True, resume=True)
    assert (found.images, found.there) == (20, 8), "one shard was whole, another cut short"
    assert rows(stopped) == rows(whole)
    again = classify(photos, stopped, crop=True, resume=True)
    assert (again.images, again.faces, again.unreadable, again.there) == (20, 19, 1, 20)


def _stop_after(shards: int, seen: list[int]) -> Callable[[int], None]:
    def told(images: int) -> None:
        seen.append(images)
        if len(seen) == shards:
            raise KeyboardInterrupt

    return told


def test_other_images_or_settings_are_refused(photos: Path, tmp_path: Path) -> None:
    output = tmp_path / "faces"
    classify(photos, output, crop=True)
    with pytest.raises(ConfigError, match=r"the list of images has changed \(20 images when it was begun, 21 now"):
        classify([photos, photos / "1.png"], output, crop=True, resume=True)
    with pytest.raises(ConfigError, match=r"was begun with model best.*, not fast"):
        classify(photos, output, crop=True, resume=True, bundle="fast")
    with pytest.raises(ConfigError, match="was begun with shares in-use, not equal"):
        classify(photos, output, crop=True, resume=True, shares="equal")
    with pytest.raises(ConfigError, match="holds other files, and no begun classification"):
        classify(photos, photos, crop=True, resume=True)


def test_lists_are_text_csv_parquet_and_standard_input(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [str(photos / f"{number}.png") for number in (3, 1, 3)]
    (tmp_path / "list.txt").write_text("\n".join([*names, ""]))
    (tmp_path / "list.csv").write_text("id,Path\n" + "".join(f'7,"{name}"\r\n' for name in names))
    pq.write_table(pa.table({"path": ["x"] * 3, "image": names}), tmp_path / "list.parquet")
    for name in ("list.txt", "list.csv", "list.parquet"):
        found = felicity_json("classify", "--list", tmp_path / name, "--crop", home=tmp_path)
        assert [row["image"] for row in found] == names
    (tmp_path / "stdin").write_text("\n".join(names))
    with (tmp_path / "stdin").open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert list(listed("-")) == names
    classify(output=tmp_path / "faces.parquet", lists=[tmp_path / "list.csv"], crop=True)
    assert [row["image"] for row in rows(tmp_path / "faces.parquet")] == names


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("none.txt", None, "cannot be read"),
        ("empty.txt", b"\n\n", "a list of images expected, none found"),
        ("picture.txt", b"\x89PNG\0\0", "a binary file found"),
        ("wrong.csv", b"name,label\na.png,happy\n", "a column image, path or file expected, found name, label"),
        ("short.csv", b"id,path\n1\n", "line 2: as many values as columns expected"),
        ("quote.csv", b'path\n"a.png\n', "is no CSV file"),
        ("wrong.parquet", b"PAR1", "is no Parquet file that can be read"),
    ],
)
def test_a_list_that_is_none_is_one_sentence(name: str, content: bytes | None, told: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = felicity("classify", "--list", tmp_path / name, "--crop", home=tmp_path, expect=1)
    assert told in done.stderr and "Traceback" not in done.stderr
    stream = io.BytesIO()
    pq.write_table(pa.table({"path": [None]}), stream)
    (tmp_path / "nothing.parquet").write_bytes(stream.getvalue())
    with pytest.raises(ConfigError, match="paths expected, None found"):
        list(listed(str(tmp_path / "nothing.parquet")))


def test_options_that_do_not_go_together_are_refused(photos: Path, tmp_path: Path) -> None:
    for words, told in (
        (["--share", "-o", tmp_path / "faces"], "--share prints or draws, and --output writes a table"),
        (["--resume"], "--resume belongs to --output"),
        (["--cluster", "auto"], "--cluster belongs to --output"),
        (["-o", tmp_path / "faces.csv"], "written as .parquet"),
    ):
        assert told in felicity("classify", photos, *words, home=tmp_path, expect=1).stderr
    assert "give images, folders, or a --list" in felicity("classify", home=tmp_path, expect=2).stderr


class Losing(Here):
    """Work in this process that loses its worker with a certain image."""

    def hire(self, function: Callable[[Any], Any], need: Need) -> Any:
        crew = super().hire(function, need)
        finished = crew.finished

        def lose() -> list[tuple[int, Any]]:
            assert crew._next is not None
            number, item = crew._next
            if any(name.endswith("/5.png") for name in item.images):
                crew._next = None
                return [(number, Lost("its process crashed"))]
            return finished()

        crew.finished = lose
        return crew


def test_an_image_that_ends_its_worker_is_set_aside_alone(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("felicity.work.opening.Processes", lambda workers: Losing())
    errors: list[str] = []
    found = classify(photos, tmp_path / "faces.parquet", crop=True, on_error=errors.append)
    read = rows(tmp_path / "faces.parquet")
    assert [Path(row["image"]).name for row in read] == [f"{number}.png" for number in range(20)]
    assert [Path(row["image"]).stem for row in read if row["error"]] == ["5", "13"]
    assert "5.png: cannot be read: a worker was lost" in read[5]["error"]
    assert found.unreadable == 2 and sorted(errors) == sorted(row["error"] for row in read if row["error"])


def test_no_pixel_goes_over_the_wire(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire()
    monkeypatch.setattr("felicity.work.opening.Processes", lambda workers: wire)
    classify(photos, tmp_path / "faces.parquet", crop=True)
    assert len(wire.sent) == 1 + 2 * 3, "a function, then names and rows of three shards"
    assert {"Shard", "Part", "Counts"} <= wire.kinds
    assert not wire.kinds & {"ndarray", "FaceReading", "ImageReading", "_reconstruct", "_frombuffer"}
    assert not wire.traces(photograph()[60:185, 160:285])
    assert max(map(len, wire.sent)) < 10_000


def test_memory_does_not_grow_with_the_number_of_images() -> None:
    peaks = []
    for number in (20_000, 100_000):
        with Listing.of(f"/photos/of/somebody/{i:09}.jpg" for i in range(number)) as listing:
            tracemalloc.start()
            counted = sum(Here().results(_count, listing.shards()))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert counted == number
    assert peaks[1] < 1_000_000
    assert peaks[1] < 5 * peaks[0], "a shard has 79 images, and then 391"


def _count(shard: Shard) -> int:
    return len(shard.images)


def test_names_that_are_no_text_are_kept_as_bytes_and_escaped_in_rows(photos: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd" / b"bad\xff.png".decode(errors="surrogateescape")
    odd.parent.mkdir()
    odd.write_bytes((photos / "1.png").read_bytes())
    classify(odd.parent, tmp_path / "faces.parquet", crop=True)
    (row,) = rows(tmp_path / "faces.parquet")
    assert row["image"].endswith("bad\\xff.png") and row["error"] is None and len(row["faces"]) == 1


def test_probabilities_have_a_column_for_each_class(photos: Path, tmp_path: Path) -> None:
    classify(photos / "1.png", tmp_path / "faces.parquet", crop=True)
    face = pq.read_schema(tmp_path / "faces.parquet").field("faces").type.value_type
    assert [field.name for field in face.field("probabilities").type][:2] == ["neutral", "happy"]
    assert np.isclose(sum(rows(tmp_path / "faces.parquet")[0]["faces"][0]["probabilities"].values()), 1, atol=1e-4)
