"""The data that a caller may see: everything in the store, or published figures alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from felicity import api
from felicity.serve.problems import Problem
from felicity.style.language import say

if TYPE_CHECKING:
    from felicity.api.selection import StoreLike
    from felicity.serve.versions import Versions

PUBLIC_SECONDS = 60
"""Seconds for which caches may keep a public answer; a release may have come meanwhile."""


@dataclass(frozen=True)
class Everything:
    """All windows of a store, for callers with a token. ``k``: fewest people of a shown figure.

    ``shared``: everybody sees the same, so caches of others may keep it.
    """

    store: StoreLike
    k: int
    fresh_seconds: float
    versions: Versions
    public: bool = False
    shared: bool = False

    def index(self, **asked: Any) -> api.HappinessIndex:
        """Return the index; see ``api.happiness``."""
        return api.happiness(store=self.store, **asked)

    def trends(self, **asked: Any) -> Any:
        """Return the trends; see ``api.trends``."""
        return api.trends(store=self.store, **asked)

    def effect(self, *given: Any, **asked: Any) -> Any:
        """Return the effect; see ``api.effect``."""
        return api.effect(*given, store=self.store, **asked)

    def city(self, **asked: Any) -> Any:
        """Return the city index; see ``api.city``."""
        return api.city(store=self.store, **asked)

    def rank(self, **asked: Any) -> Any:
        """Return the ranking; see ``api.rank``."""
        return api.rank(store=self.store, **asked)

    def locations(self) -> Any:
        """Return the locations; see ``api.list_locations``."""
        return api.list_locations(store=self.store)

    def latest(self) -> datetime | None:
        """Return the end of the latest window, in its location's time zone; None without any."""
        found = api.latest(store=self.store)
        if not found:
            return None
        name = max(found, key=lambda name: found[name])
        return next((found[name].astimezone(place.zone) for place in self.locations() if place.name == name), None)

    def selection(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the requested selection with the server's ``k``. Raises Problem for a smaller one."""
        k = asked.pop("k") or self.k
        if k < self.k:
            raise Problem("invalid", say("k: this server shows no figure of fewer than {k} people", k=self.k))
        return asked | {"k": k}

    @property
    def version(self) -> str:
        """Return the state of the data on which an answer depends beside the question. Raises StoreError."""
        return self.versions.of_data()

    @property
    def kept_seconds(self) -> float:
        """Return how long the server takes an answer for valid without a look at the version."""
        return self.fresh_seconds

    @property
    def seconds(self) -> int:
        """Return how long caches may keep an answer."""
        return int(self.fresh_seconds)


@dataclass(frozen=True)
class Published(Everything):
    """Releases alone, for everybody and for viewers. Their own k counts."""

    public: bool = True

    def index(self, **asked: Any) -> api.HappinessIndex:
        """Return the index; see ``api.published_index``."""
        return api.published_index(store=self.store, **asked)

    def trends(self, **asked: Any) -> Any:
        """Return the trends; see ``api.published_trends``."""
        return api.published_trends(store=self.store, **asked)

    def effect(self, *given: Any, **asked: Any) -> Any:
        """Return the effect; see ``api.published_effect``."""
        _, touched, comparison = given
        self._check_known((*touched, *comparison))
        return api.published_effect(*given, store=self.store, **asked)

    def city(self, **asked: Any) -> Any:
        """Return the city index; see ``api.published_city``."""
        return api.published_city(store=self.store, **asked)

    def rank(self, **asked: Any) -> Any:
        """Return the ranking; see ``api.published_rank``."""
        self._check_known(asked.get("locations") or ())
        return api.published_rank(store=self.store, **asked)

    def locations(self) -> Any:
        """Return the locations; see ``api.published_locations``."""
        return api.published_locations(store=self.store)

    def latest(self) -> datetime | None:
        """Return the end of today's latest published crowd; None without any."""
        ends = [now.row.end for now in api.published_now(store=self.store) if now.row]
        return max(ends, default=None)

    def selection(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the requested selection. Raises Problem for parameters that releases fix."""
        for name in ("k", "model"):
            if asked.pop(name) is not None:
                text = "{name}: the release decides this; ask with a token to choose another"
                raise Problem("invalid", say(text, name=name))
        self._check_known(asked.get("locations") or ())
        return asked

    def _check_known(self, names: Iterable[str]) -> None:
        """Raise Problem for a location without releases, as if it did not exist."""
        known = {location.name for location in self.locations()}
        if unknown := next((name for name in names if name not in known), None):
            raise Problem("invalid", say("there is no location {name}", name=repr(unknown)))

    @property
    def version(self) -> str:
        """Return the number of the latest release, and the hour, because the latest figure of a day depends on it."""
        return self.versions.of_releases()

    @property
    def kept_seconds(self) -> float:
        """Return how long the server takes an answer for valid without a look at the version: never."""
        return 0.0

    @property
    def seconds(self) -> int:
        """Return how long caches may keep an answer."""
        return PUBLIC_SECONDS
