"""Files of strangers at the door: whatever a parser meets in them is one sentence of ours."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from felicity.array_files import read_arrays
from felicity.datasets.manifest import IMAGES, MANIFEST, read_images, read_manifest
from felicity.datasets.preparing import prepare
from felicity.datasets.registry import open_dataset
from felicity.errors import DatasetError, FelicityError, TrainingError
from felicity.parsing import DEEPEST, read_json, read_toml
from felicity.training import checkpoint
from felicity.training.run import RUN, open_run
from felicity.windows import Window
from felicity.windows.window import WindowKey
from tests.support.command import felicity
from tests.support.media import write_images

HUGE = "9" * 400


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
        "NaN",
        "-Infinity",
        "1e999",
        HUGE,
        "-" + HUGE,
        "{",
        "\xff",
    ],
)
def test_json_beyond_the_bounds_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        read_json(text.encode("latin-1"))


def test_json_and_toml_within_the_bounds_are_read() -> None:
    assert read_json(' {"a": [1, -2.5e3, true, null, "x", 9223372036854775807]} ') == {
        "a": [1, -2500.0, True, None, "x", 2**63 - 1]
    }
    assert read_toml("a = [1, 2.5]\n[b]\nc = 1979-05-27") == {"a": [1, 2.5], "b": {"c": datetime(1979, 5, 27).date()}}


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 5_000, f"a = {HUGE}", "a = 1e999", "a = inf", "=", "a" + ".a" * 200 + "=1"]
)
def test_toml_beyond_the_bounds_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        read_toml(text)


@pytest.mark.parametrize("text", ["[" * 5_000, HUGE, "x = " + "[" * 5_000, f"x = {HUGE}", "[1, 2]", "\x00"])
@pytest.mark.parametrize(
    "command",
    [
        "train --config {file}.toml data",
        "data inspect {folder} --classes {file}.toml",
        "simulate --places {file}.toml --store {folder}/s.db",
        "locations import {file}.json --store {folder}/s.db",
        "locations add Here --geometry {file}.json --store {folder}/s.db",
    ],
)
def test_commands_say_one_sentence_about_configuration_and_geography(command: str, text: str, tmp_path: Path) -> None:
    for ending in (".toml", ".json"):
        (tmp_path / f"f{ending}").write_text(text)
    words = command.format(file=tmp_path / "f", folder=tmp_path).split()
    done = felicity(*words, home=tmp_path, expect=None)
    assert done.returncode in (1, 2) and "Traceback" not in done.stderr and "RecursionError" not in done.stderr


def window() -> dict[str, Any]:
    key = WindowKey(
        "Here", "door", "film", datetime(2026, 1, 1, tzinfo=UTC), "m@1", datetime(2026, 1, 1, tzinfo=UTC), 60
    )
    return Window(key).to_json()


@pytest.mark.parametrize("name", sorted(window()))
@pytest.mark.parametrize("value", [int(HUGE), -int(HUGE), [int(HUGE)] * 8, {"x": int(HUGE)}, [[[]]], None, ""])
def test_windows_of_impossible_values_are_a_value_error(name: str, value: Any) -> None:
    if (name, value) == ("detector", ""):
        return  # windows of before do not say theirs
    with pytest.raises(ValueError):
        Window.from_json(window() | {name: value})


@pytest.mark.parametrize(
    "text", ["[]", "3", '{"format": 1}', '{"format": 1, "pixels": [], "config": 3, "classes": 3}', "[" * 9999]
)
def test_runs_that_are_none_are_one_sentence(text: str, tmp_path: Path) -> None:
    (tmp_path / RUN).write_text(text)
    with pytest.raises(FelicityError):
        open_run(tmp_path)


def archive(members: dict[str, bytes], packing: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packing) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return file.getvalue()


def npy(shape: tuple[int, ...], content: bytes = b"") -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return file.getvalue() + content


@pytest.mark.parametrize(
    "content",
    [
        archive({"a.npy": npy((10**12,))}),
        archive({"a.npy": npy((-1,), b"xxxx")}),
        archive({"a.npy": npy((50_000_000,), bytes(200_000_000))}, zipfile.ZIP_DEFLATED),
        archive({"a.npy": b"\x93NUMPY\x01\x00\xff\xff"}),
        archive({"a.npy": b"\x93NUMPY\x01\x00\x76\x00{'descr': " + b"(" * 90}),
        archive({"a.npy": b"no array"}),
        b"PK\x05\x06" + bytes(18),
        b"",
    ],
)
def test_checkpoints_of_strangers_are_refused_before_they_are_unpacked(content: bytes, tmp_path: Path) -> None:
    assert len(content) < 1_000_000
    (tmp_path / "last.npz").write_bytes(content)
    with pytest.raises(TrainingError, match="no checkpoint of Felicity"):
        checkpoint.load(tmp_path / "last.npz")


def test_archives_beyond_their_size_are_refused() -> None:
    content = archive({"a.npy": npy((1000,), bytes(4000))}, zipfile.ZIP_DEFLATED)
    assert read_arrays(content, 5000)["a"].shape == (1000,)
    with pytest.raises(ValueError, match="more than the 4,000 bytes allowed"):
        read_arrays(content, 4000)
    with pytest.raises(ValueError, match="packed"):
        read_arrays(content, 5000, packed=False)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("set")
    for name in ("happy", "sad"):
        write_images(root / name, range(1, 5) if name == "happy" else range(10, 14))
    prepare(open_dataset(root), root.parent / f"{root.name}-out")
    return root.parent / f"{root.name}-out"


@pytest.mark.parametrize(
    "change",
    [
        {"classes": 3}, {"classes": []}, {"options": []}, {"options": {"split": 3}}, {"left_out": []},
        {"left_out": {"x": "y"}},
        {"remarks": 3}, {"warnings": [3]}, {"format": None}, {"version": [2]}, "drop label", "drop source",
        "drop flags",
        "number source", "number label", "number split", "nothing height", "number content_hash", "no facts",
        "list facts",
    ],
    ids=str,
)  # fmt: skip
def test_manifests_of_strangers_are_one_sentence(change: Any, prepared: Path, tmp_path: Path) -> None:
    table = pq.read_table(prepared / MANIFEST)
    facts = json.loads(table.schema.metadata[b"felicity"])
    if isinstance(change, dict):
        facts |= change
    else:
        how, what = change.split()
        if what == "facts":
            facts = {} if how == "no" else [facts]
        elif how == "drop":
            table = table.drop([what])
        else:
            at = table.column_names.index(what)
            table = table.set_column(at, what, pa.array([3 if how == "number" else None] * len(table)))
    pq.write_table(table.replace_schema_metadata({"felicity": json.dumps(facts)}), tmp_path / MANIFEST)
    with pytest.raises(DatasetError, match="prepare"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        b"\x93NUMPY\x01\x00\x76\x00{'descr': " + b"(" * 90,
        npy((3, 48, 48), bytes(4)),
        npy((0, 48, 48)),
        npy((2,)),
    ],
)
def test_images_of_strangers_are_one_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / IMAGES).write_bytes(content)
    with pytest.raises(DatasetError):
        read_images(tmp_path)
