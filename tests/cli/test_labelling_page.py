"""The page on which pictures are labelled, in Chromium: it shows them from where they lie, and saves a table."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

import felicity
from felicity.datasets import open_dataset
from tests.support.browser import PHONE, check_axe, check_layout, chromium

pytestmark = pytest.mark.browser


def test_labels_chosen_on_the_page_are_read_as_a_data_set(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for number in range(12):
        noise = rng.integers(0, 255, (48, 48), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / f"a, {number}.png"), cv2.GaussianBlur(noise, (0, 0), 2))
    made = felicity.calibration_sample(tmp_path, number=10, crop=True)
    with chromium() as browser:
        page = browser.new_page(viewport={"width": PHONE[0], "height": PHONE[1]})
        page.goto(made.page.as_uri())
        check_layout(page)
        check_axe(page)
        assert page.evaluate("document.images[0].naturalWidth") == 48
        for face, label in ((0, "happy"), (1, "neutral"), (2, "sad")):
            page.locator("fieldset").nth(face).get_by_label(label, exact=True).check()
        assert page.get_by_role("status").inner_text() == "3 of 10 labelled"
        with page.expect_download() as download:
            page.get_by_role("button").click()
        download.value.save_as(tmp_path / "labels.csv")
    with (tmp_path / "labels.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["label"] for row in rows] == ["happy", "neutral", "sad"]
    assert all(float(row["weight"]) > 0 for row in rows)
    assert sorted(open_dataset(tmp_path / "labels.csv").names) == sorted(row["path"] for row in rows)
