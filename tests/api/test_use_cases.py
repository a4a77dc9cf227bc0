"""The use cases over a store: open, by path and by URL; what they refuse; how often they open it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import felicity
from felicity import api
from felicity.errors import ConfigError, FelicityError, SchemaError
from felicity.schemas.cities import CityShape
from felicity.schemas.index import IndexShape
from felicity.schemas.over_time import EffectShape, TrendShape
from felicity.store import Store, open_store
from tests.conftest import CHECKOUT
from tests.support.town import fill

AT = date(2026, 2, 27)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three places over 50 days; Harbour rises by 25 points at day 25; "Quay, old" has a comma in its name."""
    places = {"Harbour": lambda day: 0.3 + 0.25 * (day >= 25), "Market": lambda day: 0.5, "Quay, old": lambda day: 0.6}
    path = tmp_path_factory.mktemp("town") / "town.db"
    fill(path, places, 50, hours=range(9, 11), populations={"Harbour": 3000, "Market": 1000})
    return path


def index(store: Any) -> Any:
    return IndexShape.model_validate(felicity.happiness(store=store, by="week"))


def trends(store: Any) -> Any:
    found = felicity.trends(store=store, locations="Harbour")
    return [TrendShape.model_validate(one) for one in found.items], found.missing, found.notes


def effect(store: Any) -> Any:
    return EffectShape.model_validate(felicity.effect(AT, "Harbour", ["Market"], store=store))


def city(store: Any) -> Any:
    return CityShape.model_validate(felicity.city(store=store))


def report(store: Any) -> Any:
    found = felicity.report(store=store, at=AT, touched="Harbour", comparison="Market", weight="population")
    assert found.city and found.effect
    return found.places[0].share, found.city.share, found.effect.estimate, found.all_notes


USE_CASES = [index, trends, effect, city, report]


@pytest.mark.parametrize("use_case", USE_CASES)
def test_an_open_store_a_path_and_a_url_give_the_same(town: Path, use_case: Callable[[Any], Any]) -> None:
    with open_store(town) as opened:
        first = use_case(opened)
        assert opened.locations(), "it is still open"
    assert use_case(town) == first
    assert use_case(f"sqlite:///{town}") == first


@pytest.mark.parametrize("use_case", USE_CASES)
def test_a_store_is_opened_once_and_closed(
    town: Path, use_case: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, closed = [], []
    begin, close = Store.__init__, Store.close
    monkeypatch.setattr(
        Store, "__init__", lambda self, *rest, **more: (opened.append(self), begin(self, *rest, **more))[1]
    )
    monkeypatch.setattr(Store, "close", lambda self: (closed.append(self), close(self))[1])
    use_case(town)
    assert len(opened) == 1 and closed == opened


def test_a_store_of_a_newer_felicity_is_refused_with_both_versions(town: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer.db"
    newer.write_bytes(town.read_bytes())
    with sqlite3.connect(newer) as connection:
        (ours,) = connection.execute("SELECT version_num FROM felicity_version").fetchone()
        connection.execute("UPDATE felicity_version SET version_num = '9999'")
    for use_case in USE_CASES:
        with pytest.raises(SchemaError) as error:
            use_case(newer)
        assert "9999" in str(error.value) and ours in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"store": 5}, "a store is a path, a URL or an open Store, not 5"),
        ({"k": "ten"}, "k is a whole number of at least 1, not 'ten'"),
        ({"k": 0}, "k is a whole number of at least 1, not 0"),
        ({"locations": 7}, "locations is a location's name or a list of names, not 7"),
        ({"locations": ["Harbour", None]}, "locations is a location's name or a list of names, not ['Harbour', None]"),
        ({"model": 3}, "model is a bundle's id, not 3"),
        ({"begin": "2026-02-03"}, "begin is a date or a datetime, not '2026-02-03'"),
        ({"end": 2026}, "end is a date or a datetime, not 2026"),
    ],
)
def test_values_of_another_kind_are_refused_in_one_sentence(
    town: Path, arguments: dict[str, Any], sentence: str
) -> None:
    for function in (felicity.happiness, felicity.series, felicity.trends, felicity.city, felicity.report):
        with pytest.raises(ConfigError) as error:
            function(**{"store": town} | arguments)
        assert sentence in str(error.value) and "\n" not in str(error.value)


def test_a_report_asks_for_what_it_can_use(town: Path, tmp_path: Path) -> None:
    for more, sentence in (
        ({"touched": "Harbour"}, "need a day to compare around"),
        ({"at": "spring"}, "at is a date or a datetime, not 'spring'"),
        ({"at": AT, "touched": 1}, "touched is a location's name or a list of names, not 1"),
        ({"footfall": 1}, "footfall is a file's path, not 1"),
        ({"weight": "age"}, "a weight is one of population, visits, people, not 'age'"),
    ):
        with pytest.raises(FelicityError) as error:
            felicity.report(store=town, **more)
        assert sentence in str(error.value)
    with pytest.raises(ConfigError, match="page is a file's path, not 1"):
        felicity.write_report(felicity.report(store=town), 1)  # type: ignore[arg-type]


def test_no_output_of_a_function_takes_the_place_of_what_is_read(town: Path, tmp_path: Path) -> None:
    city, report = felicity.city(store=town, weight="people"), felicity.report(store=town)
    before = town.read_bytes()
    for name in ("store.html", "store.geojson"):
        (tmp_path / name).symlink_to(town)
    for write, says in (
        (lambda: felicity.write_geojson(city, town), r"a map is written as \.geojson, \.json"),
        (lambda: felicity.write_report(report, town), r"a page is written as \.html, \.htm"),
        (lambda: felicity.write_geojson(city, tmp_path / "store.geojson"), "is a store .* would be replaced"),
        (lambda: felicity.write_report(report, tmp_path / "store.html"), "is a store .* would be replaced"),
        (lambda: felicity.export_bundle(tmp_path, tmp_path, replace=True), "is read by this command"),
    ):
        with pytest.raises(ConfigError, match=says):
            write()
    assert town.read_bytes() == before and (tmp_path / "store.html").is_symlink()


def test_trends_hold_shifts_limits_and_what_is_missing(town: Path) -> None:
    found = felicity.trends(store=town, begin=date(2026, 2, 2))
    assert [one.location for one in found.items] == ["Harbour", "Market", "Quay, old"]
    assert all(one.limits is None and one.shifts == () for one in found.items), "fifty days are too few for limits"
    assert [note.code for note in found.notes] == ["season-unknown"]


def test_an_effect_says_what_makes_it_doubtful(town: Path) -> None:
    alone = felicity.effect(AT, "Harbour", store=town)
    assert [note.code for note in alone.notes] == ["no-comparison"]
    assert felicity.effect(AT, "Harbour", "Market", store=town).notes == ()


def test_names_with_commas_are_told_from_lists_of_names(town: Path) -> None:
    assert api.split_names(["Quay, old,Harbour", "Market"], town) == ["Quay, old", "Harbour", "Market"]
    assert api.split_names("Nowhere,Market", town) == ["Nowhere", "Market"]


def test_runs_and_locations_are_listed_and_removed(tmp_path: Path) -> None:
    url = fill(tmp_path / "s.db", {"Quay": lambda day: 0.3, "Hall": lambda day: 0.4, "Lane": lambda day: 0.4}, 2)
    with open_store(url) as opened:
        assert api.list_runs(store=opened) == api.list_runs(store=url)
        (run,) = api.list_runs(store=opened, locations="Quay")
        with pytest.raises(ConfigError, match="runs are numbers that felicity runs list shows, not 'Quay'"):
            api.remove_runs("Quay", store=opened)  # type: ignore[arg-type]
        assert api.remove_runs(run.id, store=opened) == (run,)
        assert api.list_runs(store=opened, locations=["Quay"]) == ()
        removed = api.remove_location("Hall", store=opened)
        assert (removed.name, removed.windows) == ("Hall", 8) and removed.people > 0
        saved = api.save_locations([{"name": "Lane", "population": 5}], store=opened, update=True)
        assert (saved.added, saved.changed, saved.store) == ((), ("Lane",), opened.url)
        renamed = api.rename_location("Lane", "Old lane", store=opened)
        assert (renamed.into, renamed.windows) == ("Old lane", 8)
        merged = api.merge_locations("Old lane", "Quay", store=opened)
        assert (merged.into, merged.windows, merged.people) == ("Quay", 8, renamed.people)
    assert [place.name for place in api.list_locations(store=url)] == ["Quay"]


def test_the_page_on_python_runs_and_lists_what_is_exported(
    town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (CHECKOUT / "docs" / "python.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "town.db").write_bytes(town.read_bytes())
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert "Harbour 2026-02-02: " in capsys.readouterr().out
    assert (tmp_path / "report.html").exists() and (tmp_path / "figures" / "index.csv").exists()
    for name in sorted(set(felicity.__all__) - {"__version__"}):
        assert f"`{name}(" in page or f"`felicity.{name}`" in page, name


def test_everything_exported_is_documented() -> None:
    for name in api.__all__:
        assert getattr(api, name).__doc__, name
    for name in felicity.__all__:
        assert name in dir(felicity) and getattr(felicity, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'felicitous'"):
        felicity.felicitous  # noqa: B018
