"""Locations: add, rename, merge and remove them with all their windows."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from felicity.errors import ConfigError
from felicity.store import ledger, published_days, rollups
from felicity.store.matrices import bundle_of
from felicity.store.retention import check_zone, move_folded
from felicity.store.tables import calibrations, days, folded, hours, locations, models, retention, runs, windows
from felicity.style.language import say
from felicity.windows.location import Location


def list_locations(connection: sa.Connection) -> list[Location]:
    """Return all locations; see ``Store.locations``."""
    rows = connection.execute(sa.select(locations).order_by(locations.c.name)).mappings().all()
    return [Location.known(**{k: v for k, v in row.items() if k != "id"}) for row in rows]


def add_locations(connection: sa.Connection, added: Sequence[Location], *, update: bool) -> None:
    """Add locations; see ``Store.add_locations``."""
    there = {row.name: row for row in connection.execute(sa.select(locations))}
    if not update and (known := sorted({location.name for location in added} & set(there))):
        raise ConfigError(f"location {known[0]!r} is there already; choose another name, or pass --update to change it")
    ledger.lock(connection)
    for location in added:
        values = {
            "timezone": location.timezone,
            "geometry": location.geometry,
            "population": location.population,
            "site_type": location.site_type,
            "code": location.code,
        }
        if (row := there.get(location.name)) is None:
            connection.execute(sa.insert(locations).values(name=location.name, **values))
            continue
        connection.execute(sa.update(locations).where(locations.c.id == row.id).values(**values))
        if any(getattr(row, column) != value for column, value in values.items()):
            ledger.changed_location(connection, row.id)
        if row.timezone != location.timezone:
            check_zone(connection, row.id, location.name, ZoneInfo(row.timezone), location.zone)
            rollups.rebuild(connection, row.id, location.zone)
            published_days.refresh(connection, row.id, location.zone)


def remove_location(connection: sa.Connection, name: str) -> None:
    """Remove a location; see ``Store.remove_location``."""
    ledger.lock(connection)
    place = _id_of(connection, name)
    ledger.lose(connection, windows.c.location_id == place)
    for table in (windows, runs):
        connection.execute(sa.delete(table).where(table.c.location_id == place))
    ledger.forget(connection, place)
    _forget(connection, place)


def rename_location(connection: sa.Connection, name: str, new: str) -> None:
    """Rename a location; see ``Store.rename_location``."""
    ledger.lock(connection)
    place = _id_of(connection, name)
    if connection.execute(sa.select(locations.c.id).where(locations.c.name == new)).first() is not None:
        raise ConfigError(
            f"location {new!r} is there already; to count both as one: felicity locations merge {name!r} {new!r}"
        )
    connection.execute(sa.update(locations).where(locations.c.id == place).values(name=new))
    ledger.changed_location(connection, place)


def merge_locations(connection: sa.Connection, name: str, into: str) -> None:
    """Merge two locations; see ``Store.merge_locations``."""
    if name == into:
        raise ConfigError(f"location {name!r} cannot be merged into itself; name another location")
    ledger.lock(connection)
    source, target = _id_of(connection, name), _id_of(connection, into)
    _check_no_run_twice(connection, source, target, into)
    zones = {location.name: location.zone for location in list_locations(connection)}
    check_zone(connection, source, name, zones[name], zones[into])
    move_folded(connection, source, target)
    connection.execute(sa.update(runs).where(runs.c.location_id == source).values(location_id=target))
    connection.execute(sa.update(windows).where(windows.c.location_id == source).values(location_id=target))
    ledger.move(connection, source, target)
    _forget(connection, source)
    rollups.rebuild(connection, target, zones[into])
    published_days.refresh(connection, target, zones[into])


def _check_no_run_twice(connection: sa.Connection, source: int, target: int, into: str) -> None:
    one, other = runs.alias(), runs.alias()
    same = [one.c[key] == other.c[key] for key in ("camera", "source", "run_start", "model_id")]
    query = sa.select(one.c.id, one.c.source).join(other, sa.and_(*same))
    twice = connection.execute(query.where(one.c.location_id == source, other.c.location_id == target)).first()
    if twice is not None:
        raise ConfigError(
            f"{twice.source} was watched at {into!r}, too, and would count twice; take it back first: "
            f"felicity runs remove {twice.id}"
        )


def _forget(connection: sa.Connection, place: int) -> None:
    """Delete a location that has no windows any more, with its sums and calibrations."""
    for table in (hours, days, folded, calibrations, retention):
        connection.execute(sa.delete(table).where(table.c.location_id == place))
    connection.execute(sa.delete(locations).where(locations.c.id == place))


def _id_of(connection: sa.Connection, name: str) -> int:
    check_names(connection, [name], None)
    return int(connection.execute(sa.select(locations.c.id).where(locations.c.name == name)).scalar_one())


def check_names(
    connection: sa.Connection, names: Sequence[str] | None, model: str | None, detector: str | None = None
) -> None:
    """Raise ConfigError for locations, models and detectors that are not in the store; None stands for all."""
    if names is not None:
        known = set(connection.execute(sa.select(locations.c.name)).scalars())
        if unknown := [name for name in names if name not in known]:
            text = "there is no location {name}; known are {known}"
            raise ConfigError(say(text, name=repr(unknown[0]), known=", ".join(sorted(known)) or say("none")))
    if model is not None:
        identities = {bundle_of(*row) for row in connection.execute(sa.select(models.c.identity, models.c.detector))}
        if model not in identities:
            raise ConfigError(f"no windows of model {model!r}; known are {', '.join(sorted(identities)) or 'none'}")
    if detector is not None:
        found = set(connection.execute(sa.select(models.c.detector).where(models.c.detector != "")).scalars())
        if detector not in found:
            raise ConfigError(f"no windows of detector {detector!r}; known are {', '.join(sorted(found)) or 'none'}")
