from pathlib import Path

import numpy as np
import pytest

from felicity.errors import ConfigError, ImageError
from felicity.imaging.decode import read_image
from felicity.imaging.draw import Label, draw_faces
from felicity.imaging.encode import VideoWriter, write_image
from felicity.labels import Expression
from felicity.sources.registry import open_source


def test_a_box_is_drawn_on_a_copy() -> None:
    picture = np.full((200, 300, 3), 128, np.uint8)
    drawn = draw_faces(picture, [Label((100, 80, 160, 150), Expression.HAPPY, 0.93)], caption="Harbour")
    assert (picture == 128).all()
    assert drawn.shape == picture.shape and drawn.dtype == np.uint8
    edge = drawn[80, 100:160].astype(int)
    assert (edge[:, 1] > edge[:, 0] + 50).all(), "the happy box is green"
    assert (drawn[100:140, 115:145] == 128).all(), "the face itself stays free"


def test_boxes_over_the_edge_and_faces_not_judged() -> None:
    picture = np.zeros((60, 60, 3), np.uint8)
    labels = [Label((-20, -20, 30, 30), Expression.SAD, 0.5), Label((50, 50, 90, 90), None, remark="small")]
    assert [label.text for label in labels] == ["sad 50 %", "small"]
    assert draw_faces(picture, labels).max() > 0


def test_images_are_written_whole(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    write_image(tmp_path / "new" / "a.png", picture)
    assert (read_image(tmp_path / "new" / "a.png") == picture).all()
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.png"]
    with pytest.raises(ImageError, match=r"cannot be written as \.txt; use \.jpg or \.png"):
        write_image(tmp_path / "a.txt", picture)
    (tmp_path / "file").write_text("")
    (folder := tmp_path / "folder.png").mkdir()
    with pytest.raises(ConfigError, match=r"cannot be made, for .*file is a file; choose another folder"):
        write_image(tmp_path / "file" / "a.png", picture)
    with pytest.raises(ConfigError, match="is a folder; name a picture in it"):
        write_image(folder, picture)


def test_a_video_keeps_frames_and_times(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4") as video:
        for i in range(10):
            video.write(np.full((65, 81, 3), 20 * i, np.uint8), i * 0.2)
    with open_source(tmp_path / "a.mp4") as source:
        frames = list(source)
    assert len(frames) == 10 and frames[0].image_rgb_u8.shape == (64, 80, 3)
    assert (frames[9].time - frames[0].time).total_seconds() == pytest.approx(1.8, abs=0.01)
    assert abs(int(frames[9].image_rgb_u8.mean()) - 180) < 4


def test_an_interrupted_video_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), VideoWriter(tmp_path / "a.mp4") as video:
        video.write(np.zeros((64, 64, 3), np.uint8), 0)
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ImageError, match=r"\.mp4"):
        VideoWriter(tmp_path / "a.avi")
