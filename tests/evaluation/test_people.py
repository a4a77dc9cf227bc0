"""Who is served worse: rates by groups of people, their tests, and how far the index moves with who comes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import felicity
from felicity.errors import DatasetError
from felicity.evaluation.people import Serving, serving
from felicity.evaluation.people.attributes import banded, in_order, read_attributes
from felicity.evaluation.people.faces import Seen
from felicity.imaging.encode import write_image
from felicity.index.soft_matrix import SoftMatrix
from felicity.labels import EXPRESSIONS, HAPPY_INDEX, INDEX, Expression
from tests.support.command import felicity as command
from tests.support.command import felicity_answer
from tests.support.faces_on_disk import write_demographics

NEUTRAL_INDEX = INDEX[Expression.NEUTRAL]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def answered(rng: np.random.Generator, happy: np.ndarray, recall: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """Sure answers, happy with probability ``recall`` where happy and ``wrong`` where not; the rest neutral."""
    said = rng.random(len(happy)) < np.where(happy, recall, wrong)
    p = np.full((len(happy), 8), 0.01)
    p[np.arange(len(happy)), np.where(said, HAPPY_INDEX, NEUTRAL_INDEX)] = 0.93
    return p


def town(
    rng: np.random.Generator, *, people: int = 200, worse: float = 0.0, missed: float = 0.0
) -> tuple[Seen, np.ndarray]:
    """Two pictures each of ``people`` people of groups a and b; of b, so much less recall, and so many not found."""
    who = np.repeat(np.arange(people), 2)
    group = np.where(who % 2, "b", "a")
    happy = np.tile([True, False], people)
    found = rng.random(2 * people) >= np.where(group == "b", missed, 0.0)
    p = answered(rng, happy, 0.9 - worse * (group == "b"), np.full(2 * people, 0.05))
    p[~found] = np.nan
    names = np.array([f"{i}.png" for i in range(2 * people)])
    return Seen(names, happy, found, found.copy(), p, who.astype(str)), group


def exact_matrix(recall: float = 0.9, wrong: float = 0.05) -> SoftMatrix:
    """Means of ``answered`` to happy and neutral faces."""
    rows = []
    for rate in (recall, wrong):
        sure = [rate * 1000, (1 - rate) * 1000]
        rows += [np.repeat(np.eye(8)[[HAPPY_INDEX, NEUTRAL_INDEX]] * 0.92 + 0.01, np.round(sure).astype(int), axis=0)]
    labels = np.repeat([HAPPY_INDEX, NEUTRAL_INDEX], 1000)
    return SoftMatrix.from_probabilities(np.concatenate(rows), labels)


def served(seen: Seen, group: np.ndarray, matrix: SoftMatrix | None = None) -> Serving:
    return serving(seen, {"group": group}, matrix, model="m", data="d", draws=200)


def test_a_group_that_is_served_worse_is_found(rng: np.random.Generator) -> None:
    found = served(*town(rng, worse=0.3, missed=0.2), exact_matrix())
    (column,) = found.columns
    a, b = column.groups
    assert column.p["recall"] is not None and column.p["recall"] < 0.01
    assert column.p["found"] is not None and column.p["found"] < 0.01
    assert column.p["refused"] is None
    assert a.rates["recall"].low > b.rates["recall"].high
    assert column.apart is not None and column.apart[:2] == ("a", "b")
    gap = column.apart[2]
    expected = 0.3 * (0.9 - 0.6) / (0.9 - 0.05)
    assert gap.low > 0 and gap.low < expected < gap.high


def test_groups_alike_are_told_apart_no_more_often_than_promised() -> None:
    p = [served(*town(np.random.default_rng(seed), people=60)).columns[0].p["recall"] for seed in range(150)]
    false = np.mean([one is not None and one < 0.05 for one in p])
    assert false <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / len(p))


def test_a_group_like_the_calibration_faces_reads_the_true_share(rng: np.random.Generator) -> None:
    found = served(*town(rng, people=4000), exact_matrix())
    assert found.everybody.index is not None
    assert found.everybody.index.value == pytest.approx(found.share, abs=0.015)
    assert found.everybody.index.low < found.share < found.everybody.index.high


def test_pictures_of_one_person_count_as_one(rng: np.random.Generator) -> None:
    seen, group = town(rng, people=40, worse=0.3)
    many = Seen(*(np.tile(getattr(seen, name), (10, 1) if name == "probabilities" else 10) for name in (
        "names", "happy", "found", "judged", "probabilities", "people",
    )))  # fmt: skip
    once, again = served(seen, group).columns[0].p, served(many, np.tile(group, 10)).columns[0].p
    assert once["recall"] is not None and again["recall"] == pytest.approx(once["recall"], abs=0.05)


def test_a_rate_without_failures_has_an_interval(rng: np.random.Generator) -> None:
    found = served(*town(rng, people=20)).everybody.rates["found"]
    assert found.value == 1 and 0.7 < found.low < 1 and found.high == 1


def test_numbers_become_three_bands_and_words_stay() -> None:
    ages = np.array([str(n) for n in range(20, 50)] + [""])
    bands = banded(ages)
    assert sorted(set(bands.tolist())) == ["", "30 to under 40", "40 and over", "under 30"]
    assert bands[-1] == "" and bands[0] == "under 30" and bands[29] == "40 and over"
    assert in_order(bands) == ["under 30", "30 to under 40", "40 and over"]
    few = np.array(["1", "2", "1"])
    assert banded(few) is few
    words = np.array([f"w{i}" for i in range(20)])
    assert banded(words) is words


def test_images_are_found_by_name_and_by_file(tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_text("file,Sex,person\na/1.png,f,x\n2.png,m,y\n")
    names = np.array(["a/1.png", "b/2.png", "b/3.png"])
    said = read_attributes(tmp_path, None, names, ["sex"])
    assert said["sex"].tolist() == ["f", "m", ""] and said["person"].tolist() == ["x", "y", ""]
    with pytest.raises(DatasetError, match=r"age: people\.csv has file, sex, person; name one with --people"):
        read_attributes(tmp_path, None, names, ["age"])
    with pytest.raises(DatasetError, match=r"names none of the 1 images, such as z\.png"):
        read_attributes(tmp_path, table, np.array(["z.png"]), ["sex"])


def test_the_command_prints_groups_and_refuses_what_it_cannot_do(tmp_path: Path, rng: np.random.Generator) -> None:
    for name in ("happy", "neutral"):
        for i in range(6):
            (tmp_path / "set" / name).mkdir(parents=True, exist_ok=True)
            write_image(tmp_path / "set" / name / f"{name}{i}.png", rng.integers(0, 255, (48, 48, 3), dtype=np.uint8))
    rows = [f"{name}{i}.png,{'ab'[i % 2]}" for name in ("happy", "neutral") for i in range(6)]
    (tmp_path / "set" / "who.csv").write_text("\n".join(["file,group", *rows]))
    done = command("evaluate", "fast", "--data", tmp_path / "set", "--by", "group", "--draws", 100, home=tmp_path)
    assert "happy called happy" in done.stdout and "12" in done.stdout
    assert "fewer than 10 pictures of a, b" in done.stderr
    (tmp_path / "set" / "happy" / "happy0.png").write_bytes(b"\x89PNG\r\n\x1a\ncut")
    done = command("evaluate", "fast", "--data", tmp_path / "set", "--by", "group", "--draws", 100, home=tmp_path)
    assert "1 pictures that cannot be read are left out" in done.stderr and " 11 " in done.stdout
    for flags, sentence in (
        (("--by", "group", "--report", tmp_path / "r.html"), "--by writes no --report"),
        (("--detector", "hog"), "--people and --detector belong to --by"),
        (("--by", "age"), "no table has the columns age"),
    ):
        failed = command("evaluate", "fast", "--data", tmp_path / "set", *flags, home=tmp_path, expect=1)
        assert sentence in failed.stderr


@pytest.mark.shared_data
def test_posed_faces_by_gender_age_and_origin(shared: Path) -> None:
    found = felicity.compare_people(
        "best", shared / "data" / "faces", ["gender", "age", "ethnicity"], detector="hog", draws=200
    )
    assert found.everybody.pictures == 46 and found.everybody.people == 23
    assert found.everybody.rates["found"].value == 1
    assert found.everybody.rates["false_positive_rate"].value == 0
    assert [column.name for column in found.columns] == ["gender", "age", "ethnicity"]
    assert {group.name for group in found.columns[0].groups} == {"female", "male"}
    assert all(len(column.groups) >= 2 for column in found.columns)
    assert str(EXPRESSIONS[HAPPY_INDEX]) == "happy"


def test_a_table_of_people_holds_for_images_that_begin_with_the_person(tmp_path: Path) -> None:
    write_demographics(tmp_path)
    names = np.array(
        ["frames/1001_DFA_ANG_XX.jpg", "1002_IEO_HAP_HI.jpg", "1001_IEO_SAD_LO.jpg", "1004_IEO_SAD_LO.jpg"]
    )
    said = read_attributes(tmp_path, None, names, ["sex", "Age"])
    assert said["sex"].tolist() == ["Male", "Female", "Male", ""]
    assert said["Age"].tolist() == ["51", "21", "51", ""]
    assert said["actorid"].tolist() == ["1001", "1002", "1001", ""]


def test_actors_of_crema_d_are_compared_by_sex_and_age(tmp_path: Path, rng: np.random.Generator) -> None:
    write_demographics(tmp_path)
    for actor in (1001, 1002, 1003, 1040):
        for sentence in ("DFA", "IEO"):
            for expression in ("HAP", "NEU"):
                face = rng.integers(0, 255, (48, 48, 3), dtype=np.uint8)
                write_image(tmp_path / f"{actor}_{sentence}_{expression}_XX.png", face)
    words = ("evaluate", "fast", "--data", tmp_path, "--by", "sex", "--by", "age", "--draws", 100)
    answer, _ = felicity_answer(*words, home=tmp_path)
    groups = {column["name"]: [group["name"] for group in column["groups"]] for column in answer["columns"]}
    assert groups == {"sex": ["Female", "Male"], "age": ["21", "33", "42", "51"]}
    assert (answer["everybody"]["pictures"], answer["everybody"]["people"]) == (16, 4)


def test_raf_dbs_files_of_attributes_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "Annotation" / "manual"
    folder.mkdir(parents=True)
    landmarks = "10.5\t20.25\n" * 5
    (folder / "train_00001_manu_attri.txt").write_text(f"{landmarks}1\n0\n2\n")
    (folder / "test_0001_manu_attri.txt").write_text(f"{landmarks}0\n2\n4\n")
    names = np.array(["Image/aligned/train_00001_aligned.jpg", "Image/original/test_0001.jpg", "test_0002.jpg"])
    said = read_attributes(tmp_path, None, names, ["gender", "age", "race"])
    assert said["gender"].tolist() == ["female", "male", ""]
    assert said["age"].tolist() == ["20-39", "70 and over", ""]
    assert said["race"].tolist() == ["Caucasian", "Asian", ""]
    (folder / "test_0001_manu_attri.txt").write_text("10.5 20.25\n")
    with pytest.raises(DatasetError, match="should end in codes of gender, race and age"):
        read_attributes(tmp_path, None, names, ["age"])
