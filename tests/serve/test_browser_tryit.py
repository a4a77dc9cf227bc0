"""Try it in Chromium: it answers as the library does, pictures and camera alike, and nothing leaves the browser."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from felicity.api import web_runtime
from felicity.faces import Detection, Detector
from felicity.faces.crop import crop_faces
from felicity.faces.detection import Box
from felicity.faces.registry import open_detector, weights_of
from felicity.imaging.decode import read_image
from felicity.recognition.classifier import Classifier
from felicity.recognition.photograph import FaceReading, read_faces
from tests.conftest import absent
from tests.support.browser import DESKTOP, PHONE, Tab, check_axe, check_layout, chromium, served, tab
from tests.support.people import photograph, scene

pytestmark = pytest.mark.browser
Picture = npt.NDArray[np.uint8]
MOST_BYTES = 4_600_000
"""Of page, runtime, detector and network together, as they come over the wire."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser whose camera shows a person, and after a while a second one."""
    clip = tmp_path_factory.mktemp("clip") / "people.mjpeg"
    with clip.open("wb") as stream:
        for frame in range(60):
            room = scene((60 + frame, 60), *([(400, 200)] if frame >= 30 else []), width=640, height=480)
            stream.write(encoded(room, "JPEG", quality=92))
    with chromium("--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={clip}") as opened:
        yield opened


def test_a_page_that_is_not_set_up_reads_at_every_size(
    browser: Browser, tmp_path: Path, town: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("FELICITY_TRYIT", "FELICITY_YUNET"):
        monkeypatch.delenv(variable, raising=False)
    with served(tmp_path, town, "--open-access") as address, tab(browser, address, size=PHONE) as opened:
        page = opened.goto("/tryit")
        assert "felicity serve install tryit" in page.inner_text("pre")
        check_layout(page)
        check_axe(page)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, town: str, shared: Path) -> Iterator[str]:
    """A server with everything that the page needs."""
    if not os.environ.get("FELICITY_TRYIT") or not web_runtime.is_installed():
        absent("the runtime of Try it is not installed; make test-data does so, and names it by FELICITY_TRYIT")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FELICITY_YUNET", str(shared / "models" / weights_of("yunet").file_name))
        with served(tmp_path_factory.mktemp("home"), town, "--open-access", "--rate", "0") as address:
            yield address


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with tab(browser, address) as opened:
        yield opened.goto("/tryit")


def encoded(picture: Picture, kind: str = "PNG", **how: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, kind, **({"compress_level": 1} if kind == "PNG" else {}) | how)
    return stream.getvalue()


def give(page: Page, content: bytes, kind: str = "image/png") -> None:
    """Choose a picture, and wait for its answer."""
    page.set_input_files("input[type=file]", {"name": "picture", "mimeType": kind, "buffer": content})
    page.locator("#spent:not(:empty)").wait_for(timeout=120_000)


Floats = npt.NDArray[np.float64]


def shown(page: Page) -> tuple[Floats, Floats, Floats]:
    """Return the boxes (n, 4), the eyes (n, 4) and the shares (n, 8) of the faces on the page."""
    told = page.locator(".faces li").evaluate_all(
        """all => all.map(one => [one.dataset.box.split(" "), one.dataset.eyes.split(" "),
                                  [...one.querySelectorAll("tr")].map(row => row.dataset.share)])"""
    )
    boxes, eyes, shares = (np.array([one[i] for one in told], dtype=float) for i in range(3))
    return boxes.reshape(-1, 4), eyes.reshape(-1, 4), shares.reshape(-1, 8)


def overlap(one: Floats, other: Floats) -> float:
    """Return the intersection over union of two boxes."""
    both = np.clip(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0, None).prod()
    return float(both / (np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - both))


@dataclass(frozen=True)
class Library:
    """The library with the same two networks."""

    detector: Detector
    classifier: Classifier

    def differences(self, page: Page, picture: Picture) -> tuple[list[float], list[float]]:
        """Check number and places of the faces on the page; return the largest difference of a share of each.

        First from the library's answers to the same places, then from its answers to the places that it finds itself.
        The last bits of these depend on the processor, and a network of eight bits answers to a single grey level.
        """
        boxes, eyes, shares = shown(page)
        found = sorted(read_faces(picture, self.classifier, self.detector), key=left_of)
        assert len(found) == len(boxes)
        if not found:
            return [], []
        assert all(overlap(np.array(place_of(face)), box) >= 0.95 for face, box in zip(found, boxes, strict=True))
        same = [
            Detection((*box,), 1.0, ((ax, ay), (bx, by))) for box, (ax, ay, bx, by) in zip(boxes, eyes, strict=True)
        ]
        crops, _ = crop_faces(picture, same, size=48, colour="gray", geometry=self.detector.geometry)
        own = np.stack([face.probabilities for face in found])
        return [abs(one - shares).max(1).tolist() for one in (self.classifier.probabilities(crops), own)]  # type: ignore[return-value]


def place_of(face: FaceReading) -> Box:
    assert face.detection is not None
    return face.detection.box_xyxy


def left_of(face: FaceReading) -> float:
    return place_of(face)[0]


@pytest.fixture(scope="module")
def library(shared: Path) -> Library:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FELICITY_YUNET", str(shared / "models" / weights_of("yunet").file_name))
        return Library(open_detector("yunet"), Classifier.open("fast"))


def pictures(shared: Path) -> Iterator[Picture]:
    """Portraits, small grey faces, frames, close-ups, several people, and dim, tiny, empty and large pictures."""
    data = shared / "data"
    portraits = [read_image(path) for path in sorted((data / "faces").glob("*.jpg"))]
    yield from portraits
    for path in sorted((data / "news_faces" / "images").glob("*.jpg"))[:400:20]:
        yield read_image(path)
    for path in sorted((data / "media").glob("*.gif")):
        with Image.open(path) as clip:
            for frame in (0, 20):
                clip.seek(frame)
                yield np.array(clip.convert("RGB"))
    yield cv2.resize(photograph(), (1800, 1800), interpolation=cv2.INTER_CUBIC)  # type: ignore[misc]  # searched smaller
    close_up = np.ascontiguousarray(portraits[0][100:500, 100:500])
    yield cv2.resize(close_up, (1200, 1200), interpolation=cv2.INTER_CUBIC)  # type: ignore[misc]  # searched twice
    yield (photograph() * 0.12).astype(np.uint8)
    yield np.ascontiguousarray(photograph()[:50, :40])
    yield np.concatenate(portraits[:4], axis=1)
    yield np.full((300, 400, 3), 90, np.uint8)


@pytest.mark.shared_data
def test_the_browser_answers_as_the_library_does(page: Page, library: Library, shared: Path) -> None:
    there: list[float] = []
    whole: list[float] = []
    for picture in pictures(shared):
        give(page, encoded(picture))
        for known, found in zip((there, whole), library.differences(page, picture), strict=True):
            known += found
    assert len(there) > 80
    assert max(there) <= 1e-3
    assert np.mean(np.array(whole) <= 1e-3) > 0.8 and max(whole) <= 0.05


@pytest.mark.shared_data
def test_photographs_are_turned_upright_and_transparent_ones_lie_on_white(page: Page, library: Library) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    lying = encoded(np.ascontiguousarray(np.rot90(photograph())), exif=turned.tobytes())
    see_through = np.dstack([photograph(), np.full((512, 512), 255, np.uint8)])
    see_through[:, :150, 3], see_through[:40, :, 3] = 0, 120
    for content in (lying, encoded(see_through)):
        give(page, content)
        (difference,), _ = library.differences(page, read_image(content))
        assert difference <= 1e-3
    photo = encoded(photograph(), "JPEG", quality=90)
    give(page, photo, "image/jpeg")
    (difference,), _ = library.differences(page, read_image(photo))
    assert difference <= 0.01, "browsers may decode JPEG otherwise by a grey level"


@pytest.mark.shared_data
@pytest.mark.parametrize("locale", ["en-GB", "de-DE", "id-ID"])
def test_it_reads_at_every_size_and_in_every_light(browser: Browser, address: str, locale: str) -> None:
    with tab(browser, address, size=PHONE, locale=locale, color_scheme="dark") as opened:
        page = opened.goto("/tryit")
        give(page, encoded(scene((40, 60), (380, 80))))
        assert page.locator(".faces li").count() == 2 and "2" in page.inner_text("#said")
        check_layout(page)
        check_axe(page)
        page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
        page.emulate_media(color_scheme="light")
        check_layout(page)
        check_axe(page)


@pytest.mark.shared_data
def test_the_keyboard_chooses_a_picture_and_a_reader_hears_the_answer(browser: Browser, address: str) -> None:
    with tab(browser, address, reduced_motion="reduce") as opened:
        page = opened.goto("/tryit")
        page.on("filechooser", lambda _: None)  # asked for early, as the browser needs a moment to report choosers
        page.locator(".keys:not([hidden])").wait_for()  # the script shows them, and what is hidden takes no focus
        page.get_by_label("Choose a picture").focus()
        page.wait_for_function("document.activeElement.type === 'file' && document.hasFocus()")
        with page.expect_file_chooser() as chooser:
            page.keyboard.press("Enter")
        chooser.value.set_files({"name": "me.png", "mimeType": "image/png", "buffer": encoded(photograph())})
        page.locator("#spent:not(:empty)").wait_for(timeout=120_000)
        assert page.get_by_role("status").first.inner_text().startswith("One face, most likely happy (")
        assert page.get_by_role("table", name="Face 1: happy").get_by_role("row", name="happy 100").count() == 1
        assert page.get_by_role("img", name="One face, most likely happy").count() == 1
        assert page.evaluate("getComputedStyle(document.querySelector('.bar div div')).transitionDuration") == "0s"


@pytest.mark.shared_data
def test_what_is_no_picture_and_what_has_no_face_is_said(page: Page) -> None:
    page.set_input_files("input[type=file]", {"name": "a", "mimeType": "image/png", "buffer": b"no picture"})
    page.get_by_text("Your browser cannot show this file").wait_for()
    give(page, encoded(np.full((300, 400, 3), 90, np.uint8)))
    assert page.inner_text("#said") == "No face is found." and page.locator(".faces li").count() == 0
    stream = io.BytesIO()
    Image.new("1", (9000, 5600)).save(stream, "PNG")
    page.set_input_files("input[type=file]", {"name": "a", "mimeType": "image/png", "buffer": stream.getvalue()})
    page.get_by_text("more than 50 million pixels").wait_for()


@pytest.mark.shared_data
def test_without_a_script_the_page_says_that_it_needs_one(browser: Browser, address: str) -> None:
    with tab(browser, address, java_script_enabled=False) as opened:
        page = opened.goto("/tryit")
        assert page.get_by_text("This page needs a script").is_visible()
        assert page.get_by_label("Choose a picture").is_hidden()


def asked(opened: Tab) -> list[str]:
    """Return the addresses of the page that were asked for, without the icon, which may come at any time."""
    return [one.url for one in opened.asked if not one.url.endswith("/icon.svg")]


def check_nothing_left(opened: Tab, address: str) -> None:
    """Every request asked for a page or a file, and carried nothing."""
    assert [one.method for one in opened.asked if one.method != "GET" or one.post_data_buffer] == []
    assert {one.resource_type for one in opened.asked} <= {"document", "script", "image", "fetch", "other", "xhr"}
    parts = [urlsplit(one.url) for one in opened.asked]
    assert [part for part in parts if part.query or f"{part.scheme}://{part.netloc}/" != address] == []
    assert {part.path.partition("/")[0] for part in parts} == {""}


@pytest.mark.shared_data
def test_no_request_carries_a_picture_and_none_is_made_once_it_is_loaded(browser: Browser, address: str) -> None:
    with tab(browser, address, permissions=["camera"]) as opened:
        sockets: list[Any] = []
        opened.page.on("websocket", lambda socket: sockets.append(socket))
        page = opened.goto("/tryit")
        assert len(asked(opened)) == 2, "page and script alone: the rest is loaded on a click only"
        give(page, encoded(photograph()))
        assert len(asked(opened)) == 9, "the worker with its two parts, and four files"
        assert sum(int(one.response().header_value("content-length")) for one in opened.asked) < MOST_BYTES
        page.context.set_offline(True)  # from here on nothing can leave, and nothing is missed
        give(page, encoded(photograph()))
        page.get_by_role("button", name="Use the camera").click()
        page.get_by_text("2 faces; 2 of them most likely look happy.").wait_for()
        page.get_by_role("button", name="Stop the camera").click()
        page.context.set_offline(False)
        page.wait_for_timeout(300)
        assert len(asked(opened)) == 9 and sockets == []
        check_nothing_left(opened, address)
        assert page.evaluate(
            "[localStorage.length, document.cookie, performance.getEntriesByType('navigation').length]"
        ) == [0, "", 1]


@pytest.mark.shared_data
def test_the_page_itself_may_send_nothing(browser: Browser, address: str) -> None:
    with tab(browser, address) as opened:
        page = opened.goto("/tryit")
        tried = page.evaluate(
            """async () => [await fetch("/", { method: "POST", body: "x" }).then(() => "sent", () => "refused"),
                             navigator.sendBeacon("/", "x") ? "queued" : "refused"]"""
        )
        assert tried[0] == "refused"
        assert [one.method for one in opened.asked if one.method != "GET"] == []
        opened.wrong.clear()  # the browser says what it refused


@pytest.mark.shared_data
def test_the_camera_starts_and_stops_and_leaves_nothing_behind(browser: Browser, address: str) -> None:
    with tab(browser, address, size=PHONE, permissions=["camera"]) as opened:
        page = opened.goto("/tryit")
        page.get_by_role("button", name="Use the camera").press("Enter")
        page.locator("#spent:not(:empty)").wait_for(timeout=120_000)
        assert page.locator("video").is_visible() and page.locator("svg rect").count() >= 2
        assert page.evaluate("document.querySelector('video').srcObject.getAudioTracks().length") == 0
        page.evaluate("globalThis.track = document.querySelector('video').srcObject.getTracks()[0]")
        check_layout(page)
        check_axe(page)
        page.get_by_role("button", name="Stop the camera").press("Enter")
        assert page.locator("video").is_hidden() and page.locator(".faces li").count() == 0
        assert page.evaluate("[track.readyState, document.querySelector('video').srcObject]") == ["ended", None]
        page.wait_for_timeout(500)
        assert page.locator(".faces li").count() == 0 and page.inner_text("#said") == ""
        give(page, encoded(photograph()))
        assert page.locator("canvas").is_visible() and page.locator(".faces li").count() == 1


@pytest.mark.shared_data
def test_a_camera_that_is_not_allowed_is_named(browser: Browser, address: str) -> None:
    with tab(browser, address) as opened:
        page = opened.goto("/tryit")
        page.get_by_role("button", name="Use the camera").click()
        page.get_by_text("The camera is not allowed").wait_for()
        assert page.locator("video").is_hidden()
