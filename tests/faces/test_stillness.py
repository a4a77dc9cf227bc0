"""Posters are still; people who stand are not, however little they sway."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from felicity.faces import Detection
from felicity.faces.places import Kind
from felicity.faces.stillness import Stillness
from felicity.faces.tracking import TrackedFace

START = datetime(2026, 5, 4, 9, tzinfo=UTC)
FPS = 5
Image = np.ndarray
Box = tuple[float, float, float, float]


def street(seed: int = 0) -> Image:
    """A picture with something to see everywhere, float32 ``(180, 320)``."""
    rng = np.random.default_rng(seed)
    rough = [cv2.resize(rng.normal(0, 20, (n, 2 * n)).astype(np.float32), (320, 180)) for n in (8, 20, 45)]
    return np.asarray(120 + sum(rough))


def face(side: int) -> Image:
    """Eyes, nose and mouth, more or less."""
    small = np.random.default_rng(7).normal(0, 30, (7, 6)).astype(np.float32)
    return 140 + cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC)


def wall() -> Image:
    """A plain wall, lighter at the top, with a dark door, float32 ``(180, 320)``."""
    plain = np.linspace(170, 110, 180, dtype=np.float32)[:, None] * np.ones((1, 320), np.float32)
    plain[60:150, 20:70] -= 60
    return plain


def backdrop(side: int) -> Image:
    """A plain wall, and the shoulders of whoever stands before it, float32 ``(180, 320)``."""
    plain = np.linspace(170, 150, 180, dtype=np.float32)[:, None] * np.ones((1, 320), np.float32)
    cloth = np.random.default_rng(3).normal(90, 25, (12, 16)).astype(np.float32)
    top, left, right = round(30 + 1.9 * side), round(200 - 0.8 * side), round(200 + 1.8 * side)
    plain[top:, left:right] = cv2.resize(cloth, (right - left, 180 - top))
    return plain


def film(
    side: int,
    seconds: float,
    *,
    sway: float = 0.0,
    noise: float = 3.0,
    shake: float = 0.0,
    light: float = 0.0,
    room: Image | None = None,
) -> Iterator[tuple[Image, Box]]:
    """A face of so many pixels in front of a street, whose head sways by so many face sides."""
    rng = np.random.default_rng(side)
    room, head = street() if room is None else room, face(side)
    left, top, keep = 200.0, 30.0, np.exp(-1 / FPS)
    place = rng.normal(size=2)
    for number in range(round(seconds * FPS)):
        place = keep * place + np.sqrt(1 - keep**2) * rng.normal(size=2)
        x, y = np.array([left, top]) + sway * side * place
        shifted = cv2.warpAffine(
            head, np.array([[1, 0, x], [0, 1, y]], np.float32), (320, 180), flags=cv2.INTER_CUBIC, borderValue=-1000
        )
        picture = np.where(shifted > -100, shifted, room)
        by = rng.normal(0, shake, 2) if shake else np.zeros(2)
        picture = cv2.warpAffine(
            picture, np.array([[1, 0, by[0]], [0, 1, by[1]]], np.float32), (320, 180), borderMode=cv2.BORDER_REFLECT
        )
        picture = picture * (1 + light * np.sin(number / 10)) + rng.normal(0, noise, picture.shape)
        jitter = rng.normal(0, 0.03 * side, 2) + by
        box = (left + jitter[0], top + jitter[1], left + side + jitter[0], top + side + jitter[1])
        yield np.repeat(picture.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2), box


def kind(stillness: Stillness, pictures: Iterator[tuple[Image, Box]], *, track: int = 1, after: float = 0.0) -> Kind:
    for number, (picture, box) in enumerate(pictures):
        time = START + timedelta(seconds=after + number / FPS)
        stillness.see(picture, time, [TrackedFace(track, Detection(box, 0.9))])
    return stillness.end(track)


CONDITIONS = [{"noise": 2.0}, {"noise": 6.0}, {"shake": 1.0}, {"light": 0.3}]


@pytest.mark.parametrize(("side", "how"), [(30, how) for how in CONDITIONS] + [(70, CONDITIONS[0])], ids=str)
def test_a_poster_is_still_and_one_who_stands_is_not(side: int, how: dict[str, float]) -> None:
    assert kind(Stillness(), film(side, 4, **how)) is Kind.STILL
    assert kind(Stillness(), film(side, 4, sway=0.02, **how)) is Kind.ALIVE


@pytest.mark.parametrize("how", [{"light": 0.3}, {"shake": 1.0}, {"noise": 8.0}], ids=str)
def test_a_plain_wall_shows_no_shift_that_is_none(how: dict[str, float]) -> None:
    assert kind(Stillness(), film(40, 6, room=wall(), **how)) is Kind.STILL
    assert kind(Stillness(), film(40, 6, room=wall(), sway=0.02, **how)) is Kind.ALIVE


@pytest.mark.parametrize("shake", [0.5, 1.0])
def test_a_shaken_camera_is_known_by_the_shoulders_where_the_wall_tells_nothing(shake: float) -> None:
    assert kind(Stillness(), film(40, 6, room=backdrop(40), shake=shake)) is Kind.STILL
    assert kind(Stillness(), film(40, 6, room=backdrop(40), shake=shake, sway=0.03)) is Kind.ALIVE


def test_a_poster_that_is_found_in_single_pictures_is_told() -> None:
    def glimpses(sway: float) -> list[Kind]:
        stillness, kinds = Stillness(), []
        for number, (picture, box) in enumerate(film(40, 20, noise=6, sway=sway)):
            found = number % 13 == 6
            faces = [TrackedFace(number, Detection(box, 0.9))] if found else []
            stillness.see(picture, START + timedelta(seconds=number / FPS), faces)
            kinds += [stillness.end(number)] if found else []
        return kinds

    still, alive = glimpses(0.0), glimpses(0.04)
    assert Kind.STILL in still[:5] and set(still[5:]) == {Kind.AGAIN}
    assert set(alive) == {Kind.ALIVE}


def test_wind_does_not_bring_a_poster_to_life_that_has_hung_there_all_day() -> None:
    stillness = Stillness()
    kinds = [kind(stillness, film(40, 2), track=i, after=5.0 * i) for i in range(10)]
    assert kinds == [Kind.STILL, *[Kind.AGAIN] * 9]
    assert kind(stillness, film(40, 3, sway=0.05), track=99, after=60) is Kind.AGAIN, "the poster flutters"
    assert kind(Stillness(), film(40, 3, sway=0.05)) is Kind.ALIVE


def test_a_seat_is_no_poster_though_one_who_sat_there_was_taken_for_one() -> None:
    stillness = Stillness()
    assert kind(stillness, film(40, 2.5), track=0) is Kind.STILL
    kinds = [kind(stillness, film(40, 3, sway=0.04), track=i, after=10.0 * i) for i in range(1, 5)]
    assert kinds == [Kind.ALIVE] * 4


def test_a_small_face_in_much_noise_is_told_if_it_is_seen_for_long() -> None:
    assert kind(Stillness(), film(20, 20, noise=12)) is Kind.STILL
    assert kind(Stillness(), film(20, 20, noise=12, sway=0.03)) is Kind.ALIVE


def test_a_poster_that_is_found_now_and_then_is_told_by_all_that_was_seen_of_it() -> None:
    stillness = Stillness()
    kinds = [kind(stillness, film(30, 1.2), track=i, after=3.0 * i) for i in range(4)]
    assert kinds[0] is Kind.ALIVE and Kind.STILL in kinds and kinds[-1] is Kind.AGAIN
    stillness = Stillness()
    kinds = [kind(stillness, film(30, 1.2, sway=0.04), track=i, after=3.0 * i) for i in range(4)]
    assert kinds == [Kind.ALIVE] * 4


def test_whoever_walks_is_alive() -> None:
    pictures = ((p, (b[0] + 3 * i, b[1], b[2] + 3 * i, b[3])) for i, (p, b) in enumerate(film(30, 4)))
    assert kind(Stillness(), pictures) is Kind.ALIVE


def test_a_poster_counts_once_a_day_however_often_it_is_hidden() -> None:
    stillness = Stillness()
    kinds = [kind(stillness, film(40, 2.5), track=i, after=8.0 * i) for i in range(3)]
    assert kinds == [Kind.STILL, Kind.AGAIN, Kind.AGAIN]
    assert kind(stillness, film(40, 2.5), track=9, after=90_000) is Kind.STILL, "the next day"


def test_a_glimpse_is_a_person_unless_a_poster_hangs_there() -> None:
    stillness = Stillness()
    assert kind(stillness, film(40, 1), track=1) is Kind.ALIVE
    assert kind(stillness, film(40, 2.5), track=2, after=10) is Kind.STILL
    assert kind(stillness, film(40, 1), track=3, after=20) is Kind.AGAIN
    assert kind(stillness, film(40, 2.5, sway=0.05), track=4, after=30) is Kind.ALIVE, "somebody in front of it"


def test_where_nothing_can_be_told_faces_are_people() -> None:
    assert kind(Stillness(), film(20, 4, noise=40)) is Kind.ALIVE
    assert Stillness().end(5) is Kind.ALIVE
