"""Moving pictures: that they show what they say, and that what is seen in them is measured."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from felicity.cli.simulations import video_answer
from felicity.errors import ConfigError
from felicity.faces import Detection
from felicity.faces.registry import open_detector
from felicity.models.bundle import open_bundle
from felicity.recognition.classifier import Classifier
from felicity.schemas.envelope import document
from felicity.simulation.labelled import answer, read_labelled
from felicity.simulation.moving import Filming, film_scenes
from felicity.simulation.street import HEIGHT, WIDTH, Shown, Walker, film, send_walkers
from felicity.simulation.witness import matched
from tests.conftest import absent
from tests.support.command import felicity

FACE = np.tile(np.arange(48, dtype=np.uint8) * 5, (48, 1))


def test_a_walker_crosses_the_picture_and_is_where_it_is_said_to_be() -> None:
    walker = Walker(face=0, side=60, middle=150, enters=1.0, speed=120.0)
    moments = list(film([walker], [FACE], np.random.default_rng(1)))

    assert moments[0].image_rgb_u8.shape == (HEIGHT, WIDTH, 3)
    assert not moments[0].shown and not moments[-1].shown
    whole = [m for m in moments if m.shown and m.shown[0].visible > 0.85]
    assert len(whole) == pytest.approx((WIDTH - 60) / 120 * 5, abs=2)
    for moment in whole:
        left, top, right, bottom = moment.shown[0].box_xyxy
        middle = moment.image_rgb_u8[top + 20 : bottom - 20, left + 6 : right - 6, 1].astype(float)
        slope = np.polyfit(np.arange(middle.shape[1]), middle.mean(axis=0), 1)[0]
        assert slope == pytest.approx(5 * 48 / 60, rel=0.1), "the face lies where its box is"


def test_a_face_behind_another_is_said_to_be_hidden() -> None:
    behind = Walker(0, side=40, middle=150, enters=0.0, speed=100.0)
    before = Walker(0, side=80, middle=150, enters=0.0, speed=-100.0)
    least = min(s.visible for m in film([behind, before], [FACE], np.random.default_rng(2)) for s in m.shown if
                s.walker == 0 and 100 < s.box_xyxy[0] < WIDTH - 100)  # fmt: skip
    assert least == 0


def test_as_many_are_in_view_as_was_asked_for() -> None:
    walkers = send_walkers([0] * 400, 3.0, np.random.default_rng(3))
    until = walkers[-1].enters
    times = np.linspace(30, until, 300)
    there = [sum(0 <= w.box(t)[0] + w.side / 2 <= WIDTH for w in walkers) for t in times]
    assert np.mean(there) == pytest.approx(3.0, rel=0.25)


def test_detections_are_matched_to_the_face_they_overlap_most() -> None:
    shown = [Shown(7, (100, 100, 140, 140), 1.0), Shown(8, (150, 100, 190, 140), 1.0)]
    found = [
        Detection((152, 101, 192, 139), 0.9),
        Detection((98, 98, 141, 143), 0.9),
        Detection((300, 9, 340, 49), 0.9),
    ]
    assert [owner and owner.walker for owner in matched(found, shown)] == [8, 7, None]
    assert matched(found, []) == [None] * 3 and matched([], shown) == []


@pytest.mark.shared_data
def test_people_in_moving_pictures_are_found_and_counted(shared: Path) -> None:
    detector = open_yunet(shared)
    classifier = Classifier(open_bundle())
    samples = read_labelled(shared / "data" / "fer2013" / "fer2013.csv.gz").samples.take(np.arange(600))
    faces = answer(samples, classifier)
    pictures: list[np.ndarray] = []
    filmed = film_scenes(
        samples,
        faces,
        classifier,
        detector,
        people=12,
        shares=(0.5,),
        filming=Filming(in_view=1.0),
        on_picture=pictures.append,
    )

    sight, rates = filmed.sight, filmed.rates()
    assert sight.people == 12 and sight.frames > 100
    assert filmed.scenes[0].truth == 50
    assert rates["detected"] >= 90
    assert 10 <= sight.found <= 12
    assert sight.again + sight.nobody + sight.mixed <= 4
    assert rates["same_answer"] >= 80
    assert abs(filmed.scenes[0].filmed.adjusted - 50) < 30
    assert pictures[0].shape == (HEIGHT, WIDTH, 3)
    assert document("simulate-video", video_answer(filmed))["data"]["sight"]["people"] == 12

    blind = film_scenes(samples, faces, classifier, _Blind(), people=10, shares=(0.5,), filming=Filming(in_view=5.0))
    assert blind.rates()["detected"] == blind.rates()["found"] == 0
    assert document("simulate-video", video_answer(blind))["data"]["scenes"][0]["filmed"]["adjusted"] is None
    assert math.isnan(blind.scenes[0].filmed.adjusted)

    for wrong in ({"people": 5}, {"people": 100_000}, {"shares": (1.5,)}, {"shares": ()}):
        with pytest.raises(ConfigError):
            film_scenes(samples, faces, classifier, detector, **wrong)
    for impossible in ({"in_view": 0.0}, {"fps": 0}):
        with pytest.raises(ConfigError):
            Filming(**impossible)


@pytest.mark.shared_data
def test_the_command_refuses_what_cannot_be_filmed(shared: Path, tmp_path: Path) -> None:
    csv = shared / "data" / "fer2013" / "fer2013.csv.gz"
    told = felicity("simulate", "--video", "--faces", csv, "--people", 20, "-d", "hog", home=tmp_path, expect=1)
    assert "at least 100 people" in told.stderr
    told = felicity("simulate", "--video", "--faces", csv, "-d", "eagle", home=tmp_path, expect=1)
    assert "eagle" in told.stderr


class _Blind:
    """Finds nobody."""

    name = "blind"

    def __init__(self) -> None:
        self.geometry = open_detector("hog").geometry

    def detect(self, image_rgb_u8: np.ndarray, within: object = None) -> list[Detection]:
        return []


def open_yunet(shared: Path):  # type: ignore[no-untyped-def]
    weights = shared / "models" / "face_detection_yunet_2023mar.onnx"
    if not weights.is_file():
        absent(f"YuNet's weights not found at {weights}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FELICITY_YUNET", str(weights))
        return open_detector("yunet")
