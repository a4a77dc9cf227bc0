"""Preparing: the same bytes every time, whole or not at all, taken up after an interruption."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from felicity.datasets import (
    Manifest,
    PrepareOptions,
    Samples,
    SplitOptions,
    open_dataset,
    prepare,
    preparing,
    read_images,
    read_manifest,
)
from felicity.datasets import manifest as manifest_file
from felicity.errors import ConfigError, DatasetError
from tests.support import faces_on_disk as disk

Image = npt.NDArray[np.uint8]


@pytest.fixture
def samples(tmp_path: Path) -> Samples:
    """Folders of 70 faces, a copy in the training set of one that is held out, a blank and a damaged file."""
    faces = disk.made_up(70)
    folder = disk.write_folders(faces, tmp_path / "faces", folds=True)
    held_out = faces.folds.index("PublicTest")
    disk.write_png(faces.images[held_out], folder / "train" / faces.name(held_out) / "copy.png")
    disk.write_png(np.zeros((48, 48), np.uint8), folder / "train" / "sad" / "blank.png")
    (folder / "train" / "sad" / "damaged.png").write_bytes(b"\x89PNG\r\n")
    return open_dataset(folder)


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_array_and_manifest_belong_together(samples: Samples, tmp_path: Path) -> None:
    written = prepare(samples, tmp_path / "out", PrepareOptions(folds=3))

    images, manifest = read_images(str(tmp_path / "out")), read_manifest(str(tmp_path / "out"))
    assert isinstance(images, np.memmap)
    assert images.shape == (72, 48, 48)
    assert images.dtype == np.uint8
    assert set(content(tmp_path / "out")) == {"images.npy", "manifest.parquet"}
    for name in ("names", "labels", "folds", "splits", "groups", "k_folds", "heights"):
        np.testing.assert_array_equal(getattr(manifest, name), getattr(written, name))
    assert manifest.hashes == written.hashes
    assert manifest.flags == written.flags
    assert manifest.options == written.options
    assert manifest.left_out["that cannot be decoded"] == 1
    for row, name in enumerate(manifest.names.tolist()):
        np.testing.assert_array_equal(images[row], samples.images[samples.names.tolist().index(name)])


def test_splits_of_the_manifest_do_not_leak(samples: Samples, tmp_path: Path) -> None:
    manifest = prepare(samples, tmp_path / "out", PrepareOptions(folds=3))
    by_hash: dict[str, set[str]] = {}
    for digest, part in zip(manifest.hashes, manifest.splits.tolist(), strict=True):
        by_hash.setdefault(digest, set()).add(part)
    assert sorted(map(sorted, (parts for parts in by_hash.values() if len(parts) > 1))) == [["left out", "test"]]
    assert manifest.left_out["of the training set that resemble a held-out image (kept, but in no set)"] == 1
    copy = manifest.names.tolist().index(next(n for n in manifest.names.tolist() if n.endswith("copy.png")))
    assert manifest.flags[copy] == ["identical"]
    assert manifest.flags[manifest.names.tolist().index("train/sad/blank.png")] == ["blank"]


@pytest.mark.parametrize("drop_blank", [False, True])
def test_prepared_data_keep_their_parts_when_prepared_again(samples: Samples, tmp_path: Path, drop_blank: bool) -> None:
    before = prepare(samples, tmp_path / "out")
    again = prepare(open_dataset(tmp_path / "out"), tmp_path / "again", PrepareOptions(size=32, drop_blank=drop_blank))
    parts = dict(zip(before.names.tolist(), before.splits.tolist(), strict=True))
    assert [parts[name] for name in again.names.tolist()] == again.splits.tolist()
    assert dict(again.left_out) == dict(before.left_out) | ({"that are blank": 1} if drop_blank else {})


def test_what_left_the_data_is_not_counted_as_left_out_of_training(samples: Samples, tmp_path: Path) -> None:
    prepare(samples, tmp_path / "out")
    again = prepare(open_dataset(tmp_path / "out"), tmp_path / "again", PrepareOptions(deduplicate=True))
    assert again.left_out == {"that cannot be decoded": 1, "that are copies of another": 1}


def test_what_cannot_be_divided_is_said_before_the_work(samples: Samples, tmp_path: Path) -> None:
    (tmp_path / "faces" / "train" / "happy").rename(tmp_path / "faces" / "happy")
    steps: list[int] = []
    with pytest.raises(DatasetError, match="images in no fold; call each fold train, validation or test"):
        prepare(open_dataset(tmp_path / "faces"), tmp_path / "out", progress=steps.append)
    with pytest.raises(ConfigError, match="there must be 2 to 73 folds, not 500"):
        prepare(samples, tmp_path / "out", PrepareOptions(folds=500), progress=steps.append)
    assert not steps and not list(tmp_path.glob(".out*"))


def test_leaky_is_written_down(samples: Samples, tmp_path: Path) -> None:
    manifest = prepare(samples, tmp_path / "out", PrepareOptions(split=SplitOptions(leaky=True)))
    assert manifest.leaky
    assert read_manifest(tmp_path / "out").leaky
    assert "left out" not in manifest.splits
    assert not prepare(samples, tmp_path / "other").leaky


def test_the_same_input_gives_the_same_bytes(samples: Samples, tmp_path: Path) -> None:
    options = PrepareOptions(size=32, colour="rgb", deduplicate=True, drop_blank=True)
    prepare(samples, tmp_path / "one", options)
    prepare(samples, tmp_path / "two", options)
    assert content(tmp_path / "one") == content(tmp_path / "two")
    prepare(samples, tmp_path / "three", replace(options, split=SplitOptions(seed=2)))
    assert content(tmp_path / "one") != content(tmp_path / "three")
    assert read_images(tmp_path / "one").shape == (70, 32, 32, 3)


def test_several_processes_give_the_same_bytes(
    samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "CHUNK_IMAGES", 12)
    prepare(samples, tmp_path / "one")
    prepare(samples, tmp_path / "two", workers=2, crop=middle)
    assert content(tmp_path / "one")["images.npy"] != content(tmp_path / "two")["images.npy"]
    prepare(samples, tmp_path / "three", workers=1, crop=middle)
    assert content(tmp_path / "two") == content(tmp_path / "three")


def middle(image: Image) -> Image | None:
    """Stands for a face detector: the middle of the picture; nothing in a blank one."""
    return image[8:40, 8:40] if image.std() > 5 else None


def test_images_without_a_face_are_left_out(samples: Samples, tmp_path: Path) -> None:
    manifest = prepare(samples, tmp_path / "out", crop=middle)
    assert manifest.left_out["in which no face was found"] == 1
    assert len(manifest.names) == 71


def test_deduplicating_keeps_one_of_each_and_prefers_the_held_out(samples: Samples, tmp_path: Path) -> None:
    manifest = prepare(samples, tmp_path / "out", PrepareOptions(deduplicate=True, drop_blank=True))
    assert len(set(manifest.hashes)) == len(manifest.hashes) == 70
    assert not any(name.endswith("copy.png") for name in manifest.names.tolist())
    assert manifest.left_out == {
        "that cannot be decoded": 1,
        "that are blank": 1,
        "that are copies of another": 1,
    }


def test_the_order_of_files_does_not_matter(samples: Samples, tmp_path: Path) -> None:
    order = np.random.default_rng(3).permutation(len(samples))
    options = PrepareOptions(deduplicate=True, folds=4)
    one = prepare(samples, tmp_path / "one", options)
    two = prepare(samples.take(order), tmp_path / "two", options)
    assert dict(zip(one.names.tolist(), zip(one.splits, one.k_folds, strict=True), strict=True)) == dict(
        zip(two.names.tolist(), zip(two.splits, two.k_folds, strict=True), strict=True)
    )


class Interruption(Exception):
    """Stands for Ctrl-C."""


def after(images: int) -> Callable[[int], None]:
    """A progress callback that interrupts after so many images."""
    seen = 0

    def progress(done: int) -> None:
        nonlocal seen
        seen += done
        if seen >= images:
            raise Interruption

    return progress


def test_an_interrupted_run_is_taken_up(samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "CHUNK_IMAGES", 10)
    prepare(samples, tmp_path / "whole")
    with pytest.raises(Interruption):
        prepare(samples, tmp_path / "out", progress=after(40))
    assert not (tmp_path / "out").exists()
    with pytest.raises(DatasetError, match="its preparation was interrupted; run the same command again"):
        open_dataset(tmp_path / ".out.part")

    decoded = []
    prepare(samples, tmp_path / "out", progress=decoded.append)

    assert decoded[0] == 40
    assert sum(decoded) == len(samples)
    assert content(tmp_path / "out") == content(tmp_path / "whole")
    assert not (tmp_path / ".out.part").exists()


def test_other_options_or_files_start_anew(samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "CHUNK_IMAGES", 10)
    with pytest.raises(Interruption):
        prepare(samples, tmp_path / "out", progress=after(40))
    begun: list[int] = []
    with pytest.raises(Interruption):
        prepare(samples, tmp_path / "out", PrepareOptions(size=24), progress=lambda n: (begun.append(n), after(1)(n)))
    assert begun[0] == 0


def test_what_exists_is_not_overwritten(samples: Samples, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(DatasetError, match=r"out: is there already; remove it, or choose another place"):
        prepare(samples, tmp_path / "out")


def test_a_full_disk_is_one_sentence_and_leaves_no_output(
    samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(preparing, "_write_images", full)
    with pytest.raises(DatasetError, match=r"cannot be written \(No space left on device\); what was done is kept"):
        prepare(samples, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_manifest_of_another_version_is_refused(
    samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    current = manifest_file.VERSION
    monkeypatch.setattr(manifest_file, "VERSION", 99)
    prepare(samples, tmp_path / "out")
    monkeypatch.undo()
    with pytest.raises(DatasetError, match=f"is a manifest of version 99, but this Felicity reads version {current}"):
        open_dataset(tmp_path / "out")


def damage_table(folder: Path) -> None:
    """Cut the manifest short."""
    (folder / "manifest.parquet").write_bytes((folder / "manifest.parquet").read_bytes()[:100])


def damage_images(folder: Path) -> None:
    """Cut the array short."""
    (folder / "images.npy").write_bytes((folder / "images.npy").read_bytes()[:1000])


def fewer_images(folder: Path) -> None:
    """Another array than the manifest's."""
    np.save(folder / "images.npy", np.zeros((3, 48, 48), np.uint8))


def other_images(folder: Path) -> None:
    """An array that holds no images."""
    np.save(folder / "images.npy", np.zeros((72, 48, 48), np.float32))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_table, r"manifest\.parquet: cannot be read"),
        (damage_images, r"images\.npy: cannot be read"),
        (fewer_images, r"holds 3 images, but manifest\.parquet names 72"),
        (other_images, r"holds float32 \(72, 48, 48\), not images"),
        (lambda folder: (folder / "manifest.parquet").unlink(), r"has no manifest\.parquet"),
        (lambda folder: (folder / "images.npy").unlink(), r"images\.npy: cannot be read"),
    ],
)
def test_damaged_output_is_refused(
    damage: Callable[[Path], None], message: str, samples: Samples, tmp_path: Path
) -> None:
    prepare(samples, tmp_path / "out")
    damage(tmp_path / "out")
    with pytest.raises(DatasetError, match=message):
        open_dataset(tmp_path / "out")


def test_nothing_left_is_said(tmp_path: Path) -> None:
    disk.write_png(np.zeros((48, 48), np.uint8), tmp_path / "faces" / "happy" / "a.png")
    with pytest.raises(DatasetError, match=r"no image is left to prepare \(1 that are blank\)"):
        prepare(open_dataset(tmp_path / "faces"), tmp_path / "out", PrepareOptions(drop_blank=True))
    assert not (tmp_path / "out").exists()


def test_classes_and_soft_labels_survive(tmp_path: Path) -> None:
    faces = disk.made_up(30)
    votes = np.random.default_rng(0).multinomial(10, [0.4, 0.4, 0.0, 0.2, 0, 0, 0, 0, 0, 0], size=30)
    disk.write_csv(faces, tmp_path / "fer2013.csv")
    disk.write_ferplus(votes, faces.folds, tmp_path / "fer2013new.csv")
    samples = open_dataset(tmp_path / "fer2013new.csv", classes="happy,sad")
    manifest: Manifest = prepare(samples, tmp_path / "out")

    again = open_dataset(tmp_path / "out")

    assert again.classes == manifest.classes == ("happy", "sad")
    np.testing.assert_array_equal(again.labels, samples.labels)
    assert again.soft_labels is not None
    assert samples.soft_labels is not None
    np.testing.assert_array_equal(again.soft_labels, samples.soft_labels)
    with pytest.raises(DatasetError, match="is of classes happy, sad already"):
        open_dataset(tmp_path / "out", classes="7")


def test_subjects_stay_on_one_side(tmp_path: Path) -> None:
    faces = disk.made_up(60)
    for row, image in enumerate(faces.images):
        disk.write_png(image, tmp_path / "ck" / faces.name(row) / f"S{row // 6:03}_001_000000{row:02}.png")
    manifest = prepare(open_dataset(tmp_path / "ck"), tmp_path / "out", PrepareOptions(folds=5))
    assert manifest.subjects is not None
    for subject in set(manifest.subjects.tolist()):
        rows = manifest.subjects == subject
        assert len(set(manifest.splits[rows].tolist())) == 1
        assert manifest.k_folds is not None
        assert len(set(manifest.k_folds[rows].tolist())) == 1


@pytest.mark.parametrize("options", [{"size": 4}, {"colour": "blue"}, {"folds": 1}])
def test_impossible_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        PrepareOptions(**options)  # type: ignore[arg-type]
