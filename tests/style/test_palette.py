"""Colours: readable as text, apart for every kind of eye, and written down in one place only."""

from __future__ import annotations

import copy
import re
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest

from felicity.labels import EXPRESSIONS
from felicity.style import palette
from felicity.style.palette import EXPRESSION, Tone, contrast, rgb, text_on
from tests.conftest import CHECKOUT

TEXT = (palette.INK, palette.MUTED, palette.MAIN, palette.ACCENT, palette.RAW, palette.BAD)
GROUNDS = (palette.PAPER, palette.GROUND, palette.SOFT)
# Machado, Oliveira & Fernandes (2009), severity 1, on linear RGB.
EYES = {
    "all colours": np.eye(3),
    "no red": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]]
    ),
    "no green": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.01182, 0.04294, 0.968881]]
    ),
    "no blue": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
         [0.004733, 0.691367, 0.3039]]
    ),
}  # fmt: skip


def values(tone: Tone, dark: bool) -> str:
    return tone.dark if dark else str(tone)


def lab(colour: str, eye: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """CIELAB of a colour as an eye sees it."""
    part = np.array(rgb(colour)) / 255
    linear = np.clip(eye @ np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4), 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ linear / np.array([0.9505, 1, 1.089])
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("dark", [False, True])
def test_text_is_readable_on_every_ground(dark: bool) -> None:
    for tone in TEXT:
        for ground in GROUNDS:
            assert contrast(values(tone, dark), values(ground, dark)) >= 4.5, (tone.name, ground.name)


@pytest.mark.parametrize("dark", [False, True])
def test_marks_stand_out_from_the_paper(dark: bool) -> None:
    for tone in (*palette.SERIES, *EXPRESSION.values(), palette.UNJUDGED):
        assert contrast(values(tone, dark), values(palette.PAPER, dark)) >= 3, tone.name


@pytest.mark.parametrize("dark", [False, True])
def test_numbers_are_readable_in_the_fullest_cell_of_a_heat_map(dark: bool) -> None:
    paper, heat = (rgb(values(tone, dark)) for tone in (palette.PAPER, palette.HEAT))
    mixed = [round(a + palette.DEEPEST * (b - a)) for a, b in zip(paper, heat, strict=True)]
    assert contrast(values(palette.INK, dark), "#{:02x}{:02x}{:02x}".format(*mixed)) >= 4.5


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("eye", EYES)
def test_expressions_can_be_told_apart(eye: str, dark: bool) -> None:
    seen = {name: lab(values(tone, dark), EYES[eye]) for name, tone in EXPRESSION.items()}
    for one, other in combinations(seen, 2):
        assert np.linalg.norm(seen[one] - seen[other]) >= 18, (one, other)


def test_every_expression_has_a_colour_and_readable_text_on_it() -> None:
    assert tuple(EXPRESSION) == EXPRESSIONS
    for tone in (*EXPRESSION.values(), palette.UNJUDGED):
        assert contrast(tone, text_on(tone)) >= 4.5, tone.name


def test_names_and_light_values_are_unique() -> None:
    tones = (*palette.TONES, *EXPRESSION.values(), palette.UNJUDGED)
    assert len({tone.name for tone in tones}) == len({str(tone) for tone in tones}) == len(tones)
    assert copy.deepcopy(palette.INK).dark == palette.INK.dark


def test_a_chart_in_a_page_follows_its_colours() -> None:
    assert palette.themed(f"fill: {palette.INK}; stroke: #123456") == "fill: var(--ink, #1c2429); stroke: #123456"


def test_no_colour_stands_outside_the_palette() -> None:
    found = [
        f"{file.relative_to(CHECKOUT)}: {colour}"
        for ending in ("*.py", "*.j2", "*.html", "*.css", "*.js")
        for file in (CHECKOUT / "src").rglob(ending)
        if file.parent.name != "style"
        for colour in re.findall(r"#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b(?=[;\"'])|\brgba?\(\d[^)]*\)", file.read_text())
    ]
    assert found == []
