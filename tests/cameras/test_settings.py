"""The file of cameras: what is wrong with it is one sentence, and no secret is shown."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import jsonschema
import numpy as np
import pytest

from felicity.cameras.areas import PrivateAreas, inside
from felicity.cameras.settings import read_cameras
from felicity.errors import ConfigError
from tests.support.command import felicity, felicity_answer

CAMERA = 'name = "quay"\nlocation = "Harbour"\nsource = "rtsp://10.0.0.7/stream"\n'


def written(folder: Path, *cameras: str, before: str = "") -> Path:
    file = folder / "cameras.toml"
    file.write_text(before + "".join(f"[[camera]]\n{camera}\n" for camera in cameras), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("cameras", "words"),
    [
        ([CAMERA, CAMERA], "two cameras are called 'quay'"),
        ([CAMERA + 'colour = "red"'], "camera 'quay': colour is not a setting; known are name, location"),
        ([CAMERA + "private = [[[0, 0], [1.2, 0], [1, 1]]]"], "camera 'quay': private: points within the picture"),
        ([CAMERA + "counted = [[[0, 0], [0.5, 0.5], [1, 1]]]"], "do not all lie on one line"),
        ([CAMERA + "counted = [[[0, 0], [0.5, 0.5]]]"], "camera 'quay': counted"),
        ([CAMERA.replace("10.0", "root:hush@10.0")], "an address without user, password or token is expected"),
        ([CAMERA + 'source_env = "QUAY"'], "source and source_env are given; give one of them"),
        (['name = "quay"\nlocation = "Harbour"'], "has no source"),
        ([CAMERA + 'password_env = "QUAY"'], "has a password and no user"),
        ([CAMERA + 'expected_offline = ["22-6"]'], "hours such as 22:00-06:00"),
        ([CAMERA + "fps = 0"], "camera 'quay': fps must be a number above 0 to 60, not 0"),
        ([CAMERA.replace('"quay"', '""')], "camera 1: name"),
        ([], "camera is missing"),
        (["name"], "cannot be read as a TOML file"),
    ],
)
def test_a_wrong_file_is_one_sentence(tmp_path: Path, cameras: list[str], words: str) -> None:
    file = written(tmp_path, *cameras)
    for command in ("list", "run", "status", "service"):
        done = felicity("cameras", command, file, home=tmp_path / "home", expect=1)
        assert words in done.stderr and "hush" not in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert not (tmp_path / "home").exists()


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    done = felicity("cameras", "run", tmp_path / "cameras.toml", home=tmp_path, expect=1)
    assert "cameras.toml: cannot be read as a TOML file of cameras (No such file or directory)" in done.stderr
    never = felicity("cameras", "status", written(tmp_path, CAMERA), home=tmp_path, expect=1)
    assert "never watched here; start them with: felicity cameras run" in never.stderr


def test_the_schema_takes_what_is_read_and_refuses_unknown_keys(tmp_path: Path) -> None:
    schema = json.loads(felicity("cameras", "schema", home=tmp_path).stdout)
    check = jsonschema.Draft202012Validator(schema)
    check.validate(tomllib.loads(written(tmp_path, CAMERA).read_text()))
    with pytest.raises(jsonschema.ValidationError, match="colour"):
        check.validate(tomllib.loads(written(tmp_path, CAMERA + 'colour = "red"').read_text()))


def test_secrets_come_from_variables_and_files_and_are_shown_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("h/u@sh\n")
    file = written(
        tmp_path,
        CAMERA + f'user = "root"\npassword_file = "{tmp_path / "secret"}"',
        'name = "pier"\nlocation = "Harbour"\nsource_env = "PIER"',
    )
    monkeypatch.setenv("PIER", "rtsp://root:hush@10.0.0.8/stream")
    quay, pier = read_cameras(file).camera
    assert quay.address() == "rtsp://root:h%2Fu%40sh@10.0.0.7/stream"
    assert pier.address() == "rtsp://root:hush@10.0.0.8/stream"
    listed, _ = felicity_answer("cameras", "list", file, home=tmp_path)
    assert [camera["source"] for camera in listed] == ["rtsp://10.0.0.7/stream", "$PIER"]
    monkeypatch.delenv("PIER")
    with pytest.raises(ConfigError, match="the environment variable PIER is not set"):
        pier.address()


def test_hours_are_of_the_locations_clock_and_may_cross_midnight(tmp_path: Path) -> None:
    (camera,) = read_cameras(written(tmp_path, CAMERA + 'expected_offline = ["22:00-06:00"]')).camera
    berlin = ZoneInfo("Europe/Berlin")
    assert camera.offline_until(datetime(2026, 7, 1, 20, 0, tzinfo=UTC), berlin) == time(6)
    assert camera.offline_until(datetime(2026, 7, 1, 3, 59, tzinfo=UTC), berlin) == time(6)
    assert camera.offline_until(datetime(2026, 7, 1, 4, 0, tzinfo=UTC), berlin) is None
    assert camera.offline_until(datetime(2026, 7, 1, 19, 59, tzinfo=UTC), berlin) is None


def test_private_areas_are_black_in_pictures_of_any_size() -> None:
    left = PrivateAreas([[(0, 0), (0.5, 0), (0.5, 1), (0, 1)], [(0.9, 0.9), (1, 0.9), (1, 1)]])
    for height, width in ((90, 160), (33, 20)):
        image = np.full((height, width, 3), 200, np.uint8)
        left.blacken(image)
        assert not image[:, : width // 2].any() and not image[-1, -1].any()
        assert (image[: height // 2, width // 2 + 2 :] == 200).all()


def test_a_point_lies_in_a_polygon_or_not() -> None:
    hook = np.array([(0, 0), (1, 0), (1, 1), (0.8, 1), (0.8, 0.2), (0, 0.2)], float)
    assert inside(hook, 0.1, 0.1) and inside(hook, 0.9, 0.9)
    assert not inside(hook, 0.4, 0.6) and not inside(hook, 1.1, 0.5)


def test_the_unit_starts_at_boot_and_holds_no_secret(tmp_path: Path) -> None:
    folder = tmp_path / "my cameras"
    folder.mkdir()
    unit = felicity("cameras", "service", written(folder, CAMERA), "--user", "felix", home=tmp_path).stdout
    assert f'-m felicity cameras run "{folder / "cameras.toml"}" --log json' in unit
    assert "User=felix\n" in unit and "Restart=always" in unit and "WantedBy=multi-user.target" in unit
