"""Which windows of which store: the arguments that the use cases share, checked once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from felicity.errors import ConfigError
from felicity.notes import Note

if TYPE_CHECKING:
    from felicity.index import Groups
    from felicity.recognition.classifier import Classifier
    from felicity.store import Store
    from felicity.windows import Location
    from felicity.windows.buckets import By

    StoreLike: TypeAlias = Store | str | Path | None

Names: TypeAlias = Sequence[str] | str


@contextmanager
def opened(store: StoreLike, *, create: bool = False) -> Iterator[Store]:
    """Yield an open store: ``store`` itself if it is open, else one that is opened here and closed at the end.

    ``create``: make a store that is not there. Raises as ``store.open_store``.
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

    ``k``: figures of fewer people are not shown. ``model``: a bundle's ``id``; None is that of the latest windows.
    """

    begin: datetime | None
    end: datetime | None
    locations: tuple[str, ...] | None
    k: int
    model: str | None

    @classmethod
    def of(
        cls, begin: date | None, end: date | None, locations: Names | None, k: int, model: str | None = None
    ) -> Selection:
        """Make one from the arguments of a use case. Raises ConfigError for a value of another kind."""
        from felicity.index.suppression import check_k

        check_k(k)
        if model is not None and not isinstance(model, str):
            raise ConfigError(f"model is a bundle's id, not {model!r}; felicity bundle show prints it")
        return cls(
            None if begin is None else to_datetime(begin, "begin"),
            None if end is None else to_datetime(end, "end"),
            None if locations is None else tuple(dict.fromkeys(to_names(locations, "locations"))),
            k,
            model,
        )

    def sums(self, store: Store, by: By) -> Groups:
        """Return the sums of the selected windows by location and period; see ``Store.sums``."""
        return store.sums(by, begin=self.begin, end=self.end, locations=self.locations, model=self.model, k=self.k)

    def chosen(self, known: Sequence[Location]) -> list[Location]:
        """Return those of the ``known`` locations that are selected."""
        return [place for place in known if self.locations is None or place.name in self.locations]

    def absent(self, found: Collection[str]) -> tuple[Note, ...]:
        """Return a note for each location that was asked for by name and has no windows."""
        windows = "windows" if self.model is None else f"windows of model {self.model}"
        return tuple(
            Note("no-windows", f"{name}: there are no {windows} in this period", name)
            for name in self.locations or ()
            if name not in found
        )


def counting_classifier(bundle: str | Path | None) -> Classifier:
    """Open a bundle that people are to be counted with. Raises BundleError; also where no class is happy alone."""
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


def to_names(names: Names, name: str) -> tuple[str, ...]:
    """Return one name or several as a tuple. Raises ConfigError for anything else, calling it ``name``."""
    listed = (names,) if isinstance(names, str) else tuple(names) if isinstance(names, Collection) else None
    if listed is None or not all(isinstance(one, str) for one in listed):
        raise ConfigError(f"{name} is a location's name or a list of names, not {names!r}")
    return listed


def to_path(path: str | Path, name: str) -> Path:
    """Return a path. Raises ConfigError for what is neither text nor a path, calling it ``name``."""
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
