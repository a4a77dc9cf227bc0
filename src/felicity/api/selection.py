"""The selection of windows from a store: arguments that the use cases share, checked once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from felicity.errors import ConfigError
from felicity.notes import Note
from felicity.style.language import say

if TYPE_CHECKING:
    from felicity.index import Groups
    from felicity.recognition.classifier import Classifier
    from felicity.store import Store
    from felicity.store.matrices import SoftMatrices
    from felicity.windows import Location
    from felicity.windows.buckets import By

    StoreLike: TypeAlias = Store | str | Path | None

Names: TypeAlias = Sequence[str] | str


class Counted(Protocol):
    """The origin of figures: a ``Store``, or its published part (``publishing.view``)."""

    def locations(self) -> list[Location]:
        """Return the locations, by name."""

    def sums(
        self,
        by: By = "total",
        *,
        begin: datetime | None = None,
        end: datetime | None = None,
        locations: Sequence[str] | None = None,
        model: str | None = None,
        detector: str | None = None,
        k: int | None = None,
    ) -> Groups:
        """Return sums by location and period; see ``Store.sums``."""

    def soft_matrices(self) -> SoftMatrices:
        """Return the soft matrix of each location and model."""


@contextmanager
def opened(store: StoreLike, *, create: bool = False) -> Iterator[Store]:
    """Yield an open store: ``store`` itself if it is open, else a store that is open until the context ends.

    ``create``: create a missing store. Raises as ``store.open_store``.
    """
    from felicity.store import Store, open_store

    if isinstance(store, Store):
        yield store
        return
    with open_store(store, create=create) as own:
        yield own


@dataclass(frozen=True)
class Selection:
    """Windows that start in ``begin`` ≤ start < ``end`` at ``locations``, of ``model``; None selects all.

    ``k``: figures of fewer people are not shown. ``model``: a bundle's ``id``; None stands for that of the latest
    windows. ``published``: select from releases. ``detector``: name and version of the face detector.
    """

    begin: datetime | None
    end: datetime | None
    locations: tuple[str, ...] | None
    k: int
    model: str | None
    published: bool = False
    detector: str | None = None

    @classmethod
    def of(
        cls, begin: date | None, end: date | None, locations: Names | None, k: int, model: str | None = None
    ) -> Selection:
        """Return a selection from the arguments of a use case. Raises ConfigError for a value of another type.

        ``model`` may name the detector after a slash: ``best@1f2e3d4c/hog 2014``.
        """
        from felicity.index.suppression import check_k

        check_k(k)
        if model is not None and not isinstance(model, str):
            raise ConfigError(f"model is a bundle's id, not {model!r}; felicity bundle show prints it")
        bundle, _, detector = (None, "", "") if model is None else model.partition("/")
        return cls(
            None if begin is None else to_datetime(begin, "begin"),
            None if end is None else to_datetime(end, "end"),
            None if locations is None else tuple(dict.fromkeys(to_names(locations, "locations"))),
            k,
            bundle,
            detector=detector or None,
        )

    def sums(self, store: Counted, by: By) -> Groups:
        """Return the sums of the selected windows by location and period; see ``Store.sums``."""
        return store.sums(
            by,
            begin=self.begin,
            end=self.end,
            locations=self.locations,
            model=self.model,
            detector=self.detector,
            k=self.k,
        )

    def chosen(self, known: Sequence[Location]) -> list[Location]:
        """Return the selected ones of the ``known`` locations."""
        return [place for place in known if self.locations is None or place.name in self.locations]

    def absent(self, found: Collection[str]) -> tuple[Note, ...]:
        """Return a note for each requested location that has no windows."""
        if self.published:
            return tuple(
                Note("nothing-published", say("{name}: nothing is published of this period", name=name), name)
                for name in self.locations or ()
                if name not in found
            )
        if self.model is None:
            text = "{name}: there are no windows in this period"
        else:
            text = "{name}: there are no windows of model {model} in this period"
        return tuple(
            Note("no-windows", say(text, name=name, model=self.model), name)
            for name in self.locations or ()
            if name not in found
        )


def counting_classifier(bundle: str | Path | None) -> Classifier:
    """Open a bundle to count people with. Raises BundleError, also if no class is happy alone."""
    from felicity.index.soft_matrix import check_countable
    from felicity.recognition.classifier import Classifier

    classifier = Classifier.open(bundle)
    check_countable(classifier.classes, f"bundle {classifier.bundle.id}")
    return classifier


def to_datetime(time: date, name: str) -> datetime:
    """Return a datetime as it is, and a date's midnight. Raises ConfigError for anything else, calling it ``name``."""
    if isinstance(time, datetime):
        return time
    if isinstance(time, date):
        return datetime(time.year, time.month, time.day)
    raise ConfigError(f"{name} is a date or a datetime, not {time!r}; datetime.fromisoformat reads text")


def to_time(text: str, name: str) -> datetime:
    """Parse ISO 8601; a time without an offset has no time zone.

    Raises ConfigError for other text, calling it ``name``.
    """
    from felicity.windows.buckets import read_time

    try:
        return read_time(text)
    except ValueError:
        raise ConfigError(
            say(
                "{name} {given}: a time in ISO 8601 expected, such as 2026-05-01, 2026-05-01T09:00 or "
                "2026-05-01T09:00+02:00",
                name=name,
                given=repr(text),
            )
        ) from None


def to_names(names: Names, name: str) -> tuple[str, ...]:
    """Return one name or several as a tuple. Raises ConfigError for anything else, calling it ``name``."""
    listed = (names,) if isinstance(names, str) else tuple(names) if isinstance(names, Collection) else None
    if listed is None or not all(isinstance(one, str) for one in listed):
        raise ConfigError(f"{name} is a location's name or a list of names, not {names!r}")
    return listed


def to_path(path: str | Path, name: str) -> Path:
    """Return a path. Raises ConfigError for a value that is neither text nor a path, calling it ``name``."""
    if isinstance(path, (str, Path)):
        return Path(path)
    raise ConfigError(f"{name} is a file's path, not {path!r}")


def split_names(texts: Names, store: StoreLike = None) -> list[str]:
    """Split texts such as ``A,B`` into names of locations.

    A name that the store knows may hold commas: the longest known name is taken.
    """
    with opened(store) as open_store:
        known = {location.name for location in open_store.locations()}
    names = []
    for text in to_names(texts, "locations"):
        parts = text.split(",")
        while parts:
            joined = [",".join(parts[:n]).strip() for n in range(len(parts), 0, -1)]
            name = next((one for one in joined if one in known), joined[-1])
            parts = parts[len(parts) - joined.index(name) :]
            names += [name] if name else []
    return names
