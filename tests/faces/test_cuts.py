"""Cuts end a scene; light, flashes, a bus and a shaken camera do not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from felicity.faces.cuts import Change, Cuts
from felicity.simulation.street import film, send_walkers
from felicity.simulation.unrest import Unrest
from tests.faces.test_tracking import CLIPS

START = datetime(2026, 5, 4, tzinfo=UTC)
Image = np.ndarray


def view(seed: int, *, size: tuple[int, int] = (320, 240)) -> Image:
    """Something to look at: rough shapes of all sizes, float32 ``(height, width, 3)``."""
    rng = np.random.default_rng(seed)
    rough = [cv2.resize(rng.normal(0, 25, (n, n)).astype(np.float32), size) for n in (6, 14, 30)]
    return np.repeat((120 + sum(rough))[..., None], 3, axis=2)


def taken(pictures: Iterable[Image], fps: float = 5.0) -> Iterator[Change]:
    """What becomes of the scene in noisy pictures."""
    cuts, rng = Cuts(), np.random.default_rng(1)
    for number, picture in enumerate(pictures):
        noisy = (picture + rng.normal(0, 4, picture.shape)).clip(0, 255).astype(np.uint8)
        yield cuts.see(noisy, START + timedelta(seconds=number / fps))


def moved(picture: Image, right: float, down: float) -> Image:
    return cv2.warpAffine(  # type: ignore[return-value]
        picture,
        np.array([[1, 0, right], [0, 1, down]], np.float32),
        picture.shape[1::-1],
        borderMode=cv2.BORDER_REFLECT,
    )


@pytest.mark.parametrize("fps", [1, 5, 25])
@pytest.mark.parametrize("after", [view(2), np.full((240, 320, 3), 90.0)], ids=["scene", "grey"])
def test_a_cut_is_told_within_half_a_second_or_by_the_next_frame(fps: float, after: Image) -> None:
    found = list(taken([view(1)] * 10 + [after] * 15 + [view(1)] * 15, fps))
    assert found.count(Change.CUT) == 2
    first, second = (i for i, change in enumerate(found) if change is Change.CUT)
    wait = max(1, round(0.4 * fps))
    assert 10 < first <= 10 + wait and 25 < second <= 25 + wait
    assert all(change is Change.HELD for change in found[10:first] + found[25:second])
    assert all(change is Change.NONE for change in found[:10] + found[first + 1 : 25] + found[second + 1 :])


def test_light_a_flash_and_a_torn_picture_are_no_cuts() -> None:
    scene = view(1)
    light = [scene * gain + rise for gain, rise in ((1, 0), (0.4, 0), (1.3, 30), (0.2, 5), (1, 0), (1, -60))]
    sun = scene * np.linspace(0.6, 1.5, 320)[:, None]
    flash, torn = scene * 0.3 + 230, np.vstack([scene[:60], view(2)[60:]])
    found = list(taken([*light, *light, sun, scene, flash, scene, scene, torn, scene, scene]))
    assert Change.CUT not in found
    assert {i for i, change in enumerate(found) if change is Change.HELD} <= {14, 17}, "flash and torn picture"


@pytest.mark.parametrize("fps", [3, 5, 10])
def test_a_bus_that_passes_and_hides_everything_is_no_cut(fps: int) -> None:
    street, bus = view(1), view(3, size=(640, 240))

    def passing() -> Iterator[Image]:
        for i in range(4 * fps):
            front = round(320 * (i / fps - 1.05) / 0.7)  # 0.7 s from edge to edge, twice as long as the view is wide
            picture = street.copy()
            left, right = max(0, front - 640), min(320, front)
            if left < right:
                picture[:, left:right] = bus[:, 640 - front + left : 640 - front + right]
            yield picture

    assert Change.CUT not in list(taken(passing(), fps))


@pytest.mark.parametrize("fps", [2, 15])
def test_a_shaken_camera_cuts_nothing_and_has_every_frame_looked_at(fps: int) -> None:
    shake = np.random.default_rng(5).normal(0, 5, (60, 2))
    assert set(taken((moved(view(1), *by) for by in shake), fps)) == {Change.NONE}


@pytest.mark.parametrize(("seed", "unrest", "light"), [(0, False, 1.0), (0, True, 1.0), (2, False, 0.12)])
def test_people_who_walk_by_in_the_simulated_street_cut_nothing(seed: int, unrest: bool, light: float) -> None:
    rng = np.random.default_rng(seed)
    walkers = send_walkers([0] * 8, 6.0, rng)
    faces = [rng.integers(0, 256, (48, 48)).astype(np.uint8)]
    rain = Unrest(640, 360, rng) if unrest else None
    cuts = Cuts()
    moments = film(walkers, faces, rng, fps=2, unrest=rain)
    changes = {cuts.see((m.image_rgb_u8 * light).round().astype(np.uint8), m.time) for m in moments}
    assert changes == {Change.NONE}


def clip_of(shared: Path, name: str, every: int = 1) -> list[Image]:
    with av.open(str(shared / "data" / "media" / f"{name}.gif")) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][::every][-15:]


@pytest.mark.shared_data
@pytest.mark.parametrize("every", [1, 4])
def test_clips_behind_each_other_are_cut_where_they_meet(shared: Path, every: int) -> None:
    """Two of them were taken in one corridor by one camera: nothing but the people tells them apart."""
    clips = {name: clip_of(shared, name, every) for name in CLIPS}
    corridor = {"face-demographics-walking-and-pause", "face-demographics-walking"}
    for first, second in permutations(CLIPS, 2):
        cuts = Cuts()
        found = [
            cuts.see(image, START + timedelta(seconds=i * every / 12))
            for i, image in enumerate(clips[first] + clips[second])
        ]
        if {first, second} != corridor:
            assert found.count(Change.CUT) == 1, (first, second)
            assert found[len(clips[first])] is Change.HELD, (first, second)
        else:
            assert found.count(Change.CUT) <= 1
