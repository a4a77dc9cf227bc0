"""The answers of use cases for programs and people: the name of a schema, its data, and notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from felicity.api.places import HappinessIndex
    from felicity.cities.city import CityIndex
    from felicity.cities.ranking import Ranking
    from felicity.index import IndexRow
    from felicity.notes import Note
    from felicity.over_time.effect import Effect
    from felicity.over_time.trends import Trends
    from felicity.recognition.photograph import FaceReading

TableKind = Literal["csv", "parquet"]


@dataclass(frozen=True)
class Answer:
    """An answer whose ``data`` match the schema ``name`` of ``felicity schema``, or are the object that fills it."""

    name: str
    data: Any
    notes: tuple[Note, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the answer in its envelope, as plain values."""
        from felicity.schemas.envelope import document

        return document(self.name, self.data, self.notes)


def index_answer(found: HappinessIndex) -> Answer:
    """Return the answer for a happiness index."""
    return Answer("index", found, found.notes)


def trend_answer(found: Trends) -> Answer:
    """Return the answer for trends, each with its sentence."""
    from felicity.reports.sentences import trend_sentence

    told = [{"sentence": trend_sentence(one.trend), "trend": one} for one in found.items]
    return Answer("trend", {"by": found.step, "trends": told, "missing": found.missing}, tuple(found.notes))


def effect_answer(found: Effect) -> Answer:
    """Return the answer for an effect, with its sentence."""
    from felicity.reports.sentences import effect_sentence

    return Answer("effect", {"sentence": effect_sentence(found), "effect": found}, tuple(found.notes))


def city_answer(found: CityIndex) -> Answer:
    """Return the answer for a city index, with its sentence."""
    from felicity.reports.sentences import city_sentence

    return Answer("city", {"sentence": city_sentence(found), "city": found}, tuple(found.notes))


def rank_answer(found: Ranking) -> Answer:
    """Return the answer for a ranking, with its sentence."""
    from felicity.reports.sentences import ranking_sentence

    missing = [{"location": name, "reason": reason} for name, reason in found.missing]
    data = {"sentence": ranking_sentence(found), "places": found.places}
    return Answer("rank", data | {"differences": found.differences, "missing": missing}, tuple(found.notes))


def faces_answer(faces: Iterable[FaceReading]) -> list[dict[str, Any]]:
    """Return the faces of a picture as plain values of ``schemas.seeing.FaceShape``."""
    return [face.values for face in faces]


def index_file(rows: Sequence[IndexRow], kind: TableKind) -> bytes:
    """Return rows of an index as a table; times are in each location's time zone, with their offset from UTC.

    Raises ExtraMissingError if the package for Parquet is missing.
    """
    from felicity.errors import require
    from felicity.reports.tables import index_table
    from felicity.style.tables import to_csv, to_parquet

    table = index_table(rows)
    if kind == "csv":
        return to_csv(table)
    require("pyarrow", "data")
    return to_parquet(table) or b""
