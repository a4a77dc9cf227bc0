"""What is published over time, in whatever order people come, go and are asked for, says nothing about fewer than k.

As in ``test_published``: two towns that differ only within crowds cannot be told apart, here by anything that any
sequence of releases and questions shows. Crowds are those of the ledger at the end; people who are in none of them are
altogether other people in the other town.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from felicity import api
from felicity.errors import ConfigError, EstimateError
from felicity.schemas.index import IndexShape
from felicity.store import RunState, Store, open_store
from felicity.store.tables import crowds, lost_windows, runs
from felicity.store.tables import windows as stored
from felicity.windows import Location, Window
from tests.store.conftest import postgres_url
from tests.support.releases import arrive, window
from tests.support.town import FIRST, MODEL, ZONE
from tests.support.windows import soft_matrix
from tests.test_published import same

__all__ = ["postgres_url"]
K = 10
MODELS = (MODEL, "model-2")
Content = dict[str, Any]
Contents = Mapping[tuple[str, str], Sequence[Content]]
"""What people of each window of a source showed, as a model reads it."""
SHOWN = ("hard_counts", "prob_sums", "prob_cross")


def _minutes(days: range, hours: Sequence[int], step: int) -> list[int]:
    return [day * 1440 + hour * 60 + minute for day in days for hour in hours for minute in range(0, 60, step)]


FOOTAGE: dict[str, tuple[str, list[int], float]] = {
    "square": ("Busy", _minutes(range(3), (9, 10, 14), 10), 2.5),
    "gate": ("Busy", _minutes(range(2), (9, 10), 15), 1.2),
    "lane": ("Quiet", _minutes(range(12), (8, 17), 30), 0.8),
    "yard": ("Quiet", _minutes(range(2, 4), (17,), 10), 1.5),
}
"""By source: its place, the minutes in which people come, and how many on average."""


def contents_of(seed: int) -> tuple[dict[str, list[Window]], dict[tuple[str, str], list[Content]]]:
    """Windows of each source, and what is shown in them, as each model reads it."""
    rng = np.random.default_rng(seed)
    listed: dict[str, list[Window]] = {}
    shown: dict[tuple[str, str], list[Content]] = {}
    for source, (place, minutes, usual) in FOOTAGE.items():
        counts = [min(int(n), 6) for n in np.random.default_rng(len(source)).poisson(usual, len(minutes))]
        pairs = list(zip(minutes, counts, strict=True))
        for model in MODELS:
            made = [window(rng, place, minute, n, source=source, model=model) for minute, n in pairs]
            listed[source] = made
            shown[source, model] = [{name: getattr(one, name) for name in SHOWN} for one in made]
    return listed, shown


WINDOWS, SHOWN_IN_ONE = contents_of(1)
_, OTHERS = contents_of(2)


@dataclass
class Town:
    """A store, its time, and all that was published so far."""

    store: Store
    contents: Contents
    now: int = 0
    said: list[Any] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=lambda: {"Busy": "Busy", "Quiet": "Quiet"})

    def arrive(self, source: str, model: str, begin: int, count: int, ends: bool) -> None:
        """Write some windows of a source, and end its run, which takes back what it wrote before, or only stop it."""
        listed = list(zip(WINDOWS[source], self.contents[source, model], strict=True))[begin : begin + count]
        place = self.places[FOOTAGE[source][0]]
        made = [replace(w, key=replace(w.key, location=place, model=model), **shown) for w, shown in listed]
        if made:
            arrive(self.store, made, state=RunState.ENDED if ends else RunState.STOPPED)

    def release(self, minutes: int, over: Any) -> None:
        self.now += minutes
        time = FIRST + timedelta(minutes=self.now)
        made = api.make_releases(store=self.store, over=over, k=K, now=time)
        self.said.append([(one.location, one.releases) for one in made])
        self.ask("hour")

    def remove(self, source: str) -> None:
        self.store.remove_runs([run.id for run in self.store.runs() if run.source == source][:1])

    def rename(self, place: str) -> None:
        name = self.places[place]
        if list(self.places.values()).count(name) == 1:
            new = name.swapcase()
            self.store.rename_location(name, new)
            self.places[place] = new

    def merge(self) -> None:
        if self.places["Quiet"] != self.places["Busy"]:
            self.store.merge_locations(self.places["Quiet"], self.places["Busy"])
            self.places["Quiet"] = self.places["Busy"]

    def forget(self, place: str) -> None:
        """Remove a location; another of its name is there thereafter."""
        name = self.places[place]
        self.store.remove_location(name)
        self.store.add_location(Location(name, ZONE.key, population=100))

    def calibrate(self, seed: int) -> None:
        self.store.save_calibration(self.places["Busy"], MODEL, soft_matrix(np.random.default_rng(seed)))

    def ask(self, what: Any) -> None:
        """Write down an answer to whoever asks."""
        time = FIRST + timedelta(minutes=self.now)
        latest = api.published_version(store=self.store).number
        try:
            if what == "now":
                answer: Any = [(one.location, one.row) for one in api.published_now(store=self.store, now=time)]
            elif what == "rank":
                answer = [vars(place) for place in api.published_rank(store=self.store).places]
            elif what == "city":
                answer = vars(api.published_city(store=self.store, weight="people"))["share"]
            elif what == "releases":
                answer = [replace(one, made=FIRST) for one in api.releases(store=self.store)]
            else:
                past = None if what != "earlier" else latest // 2
                by = "total" if what == "earlier" else what
                answer = api.published_index(store=self.store, by=by, release=past)
                assert all(row.people >= K for row in answer.rows)
                answer = IndexShape.model_validate(answer).model_dump(mode="json")
                if past is None and latest:
                    # Days are added up when they are published; as of a release, from each crowd.
                    crowd_by_crowd = api.published_index(store=self.store, by=by, release=latest)
                    same(answer["rows"], IndexShape.model_validate(crowd_by_crowd).model_dump(mode="json")["rows"])
        except (EstimateError, ConfigError) as error:
            answer = str(error)
        self.said.append((what, latest, answer))


SOURCES = st.sampled_from(sorted(FOOTAGE))
PLACES = st.sampled_from(["Busy", "Quiet"])
BEGIN = st.sampled_from([0, 3, 10, 20, 30])
COUNT = st.sampled_from([2, 6, 20, 100])
MODEL_READS = st.sampled_from([MODEL, MODEL, MODEL, MODELS[1]])
ARRIVAL = st.tuples(st.just("arrive"), SOURCES, MODEL_READS, BEGIN, COUNT, st.booleans())
RELEASE = st.tuples(
    st.just("release"), st.sampled_from([0, 45, 600, 1500, 4000]), st.sampled_from(["day", "hour", "minute"])
)
QUESTION = st.tuples(
    st.just("ask"), st.sampled_from(["now", "rank", "city", "releases", "day", "week", "total", "earlier"])
)
STEP = st.one_of(
    ARRIVAL,
    ARRIVAL,
    RELEASE,
    RELEASE,
    QUESTION,
    st.tuples(st.just("remove"), SOURCES),
    st.tuples(st.just("rename"), PLACES),
    st.tuples(st.just("merge")),
    st.tuples(st.just("forget"), PLACES),
    st.tuples(st.just("calibrate"), st.integers(1, 3)),
)
ALL = [("arrive", source, MODEL, 0, 100, False) for source in FOOTAGE]
USUAL = [*ALL, ("release", 1500, "day")]


def play(store: Store, contents: Contents, steps: Sequence[tuple[Any, ...]]) -> Town:
    town = Town(store, contents)
    for name, *arguments in steps:
        getattr(town, name)(*arguments)
    for what in ("hour", "day", "week", "total", "now", "rank", "city", "releases", "earlier"):
        town.ask(what)
    return town


def crowds_of(store: Store) -> dict[tuple[str, int], int]:
    """The crowd of each window that was ever published, by source and start; in one only, whoever reads it."""
    found: dict[tuple[str, int], set[int]] = defaultdict(set)
    with store.transaction(writes=False, doing="testing") as connection:
        kept = sa.select(runs.c.source, stored.c.start, stored.c.crowd).join(runs, runs.c.id == stored.c.run_id)
        lost = sa.select(lost_windows.c.source, lost_windows.c.start, lost_windows.c.crowd)
        for query in (kept.where(stored.c.crowd.is_not(None)), lost):
            for source, start, crowd in connection.execute(query):
                found[source, start].add(crowd)
        sizes = connection.execute(sa.select(crowds.c.people)).scalars().all()
    assert all(size >= K for size in sizes)
    assert all(len(numbers) == 1 for numbers in found.values())
    return {key: min(numbers) for key, numbers in found.items()}


def other_town(crowd: Mapping[tuple[str, int], int]) -> tuple[dict[tuple[str, str], list[Content]], int]:
    """What is shown where windows of a crowd with equally many people have exchanged it, and how many have.

    Windows in no crowd show something else.
    """
    made = {key: list(shown) for key, shown in OTHERS.items()}
    alike: dict[tuple[int, int], list[tuple[str, int]]] = defaultdict(list)
    for source, listed in WINDOWS.items():
        for i, one in enumerate(listed):
            number = crowd.get((source, int(one.key.start.timestamp())))
            if number is not None:
                alike[number, one.people].append((source, i))
    exchanged = 0
    for members in alike.values():
        for (source, i), (another, j) in zip(members, members[::-1], strict=True):
            exchanged += (source, i) != (another, j)
            for model in MODELS:
                made[source, model][i] = SHOWN_IN_ONE[another, model][j]
    return made, exchanged


def check(one: Store, other: Store, steps: Sequence[tuple[Any, ...]]) -> int:
    """Play the same steps in two towns and compare all that was said; return how many windows they differ in."""
    first = play(one, SHOWN_IN_ONE, steps)
    contents, exchanged = other_town(crowds_of(one))
    second = play(other, contents, steps)
    same(plain(first.said), plain(second.said))
    return exchanged


def plain(value: Any) -> Any:
    """Nested values of plain kinds."""
    if hasattr(value, "__dataclass_fields__"):
        value = {name: getattr(value, name) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def prepare(store: Store) -> None:
    for number, model in enumerate(MODELS):
        store.save_model(model, soft_matrix(np.random.default_rng(number)))
    store.add_locations([Location(name, ZONE.key, population=100) for name in ("Busy", "Quiet")])


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with nobody in it."""
    file = tmp_path_factory.mktemp("empty") / "store.db"
    with open_store(file) as store:
        prepare(store)
    return file


def stores(empty: Path) -> tuple[Store, Store]:
    copies = [empty.with_name(f"{name}.db") for name in ("one", "other")]
    for copy in copies:
        for old in empty.parent.glob(f"{copy.name}*"):
            old.unlink()
        shutil.copy(empty, copy)
    return open_store(copies[0]), open_store(copies[1])


SEQUENCES: dict[str, list[tuple[Any, ...]]] = {
    "late": [("arrive", "square", MODEL, 0, 30, False), ("release", 1500, "day"), *USUAL],
    "removed": [*USUAL, ("remove", "gate"), ("release", 600, "day"), ("remove", "square"), ("release", 600, "hour")],
    "again": [
        *USUAL,
        ("remove", "square"),
        ("release", 600, "day"),
        ("arrive", "square", MODEL, 3, 20, False),
        ("release", 600, "minute"),
        ("arrive", "square", MODEL, 0, 100, True),
        ("release", 600, "day"),
    ],
    "models": [
        *USUAL,
        ("arrive", "square", MODELS[1], 0, 20, False),
        ("release", 600, "day"),
        ("arrive", "square", MODELS[1], 0, 100, False),
        ("release", 600, "day"),
        ("remove", "square"),
        ("release", 600, "day"),
    ],
    "places": [
        *USUAL,
        ("rename", "Quiet"),
        ("merge",),
        ("remove", "lane"),
        ("release", 4000, "day"),
        ("forget", "Busy"),
        ("arrive", "square", MODEL, 0, 6, False),
        ("release", 45, "minute"),
        *USUAL,
    ],
    "minutes": [
        ("release", 500, "minute"),
        *(step for i in range(8) for step in (("arrive", "square", MODEL, 6 * i, 6, False), ("release", 45, "minute"))),
    ],
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences_that_happen(empty: Path, name: str) -> None:
    one, other = stores(empty)
    with one, other:
        assert check(one, other, SEQUENCES[name]) > 5


# Shrinking takes minutes, and the steps say enough.
@settings(
    deadline=None,
    max_examples=12,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(usual=st.sampled_from([USUAL, USUAL, []]), steps=st.lists(STEP, min_size=3, max_size=10))
def test_no_order_of_arrival_release_removal_and_asking_tells_of_fewer_than_k_people(
    empty: Path, usual: list[tuple[Any, ...]], steps: list[tuple[Any, ...]]
) -> None:
    note(str([*usual, *steps]))
    one, other = stores(empty)
    with one, other:
        check(one, other, [*usual, *steps])


@pytest.mark.service
@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences_in_postgresql(postgres_url: str, empty: Path, name: str) -> None:
    _, other = stores(empty)
    with open_store(postgres_url) as one, other:
        prepare(one)
        assert check(one, other, SEQUENCES[name]) > 5
