"""Models as the index uses them: by identity, with their own soft matrices and those of places."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from felicity.errors import ConfigError
from felicity.index.soft_matrix import SoftMatrix, check_countable
from felicity.store.engine import id_of
from felicity.store.tables import calibrations, models
from felicity.store.tables import locations as places


def bundle_of(identity: str, detector: str) -> str:
    """Return the bundle's id from the identity of a bundle with a detector."""
    return identity.removesuffix(f"/{detector}") if detector else identity


def bundle_is(bundle: str) -> sa.ColumnElement[bool]:
    """Return the condition that a row of the table of models is of a bundle, with any detector."""
    return models.c.identity == sa.case((models.c.detector == "", bundle), else_=bundle + "/" + models.c.detector)


def model_id_of(connection: sa.Connection, bundle: str, detector: str) -> int:
    """Return the number of a bundle with a detector, or of the bundle alone without one; insert it if it is missing."""
    if not detector:
        return id_of(connection, models.c.identity, bundle)
    return id_of(connection, models.c.identity, f"{bundle}/{detector}", detector=detector)


@dataclass(frozen=True)
class SoftMatrices:
    """A function from (location, model) to the soft matrix to use, or None."""

    of_model: Mapping[str, SoftMatrix]
    of_location: Mapping[tuple[str, str], SoftMatrix]

    def __call__(self, location: str, model: str) -> SoftMatrix | None:
        """Return the location's own matrix, else the model's."""
        return self.of_location.get((location, model)) or self.of_model.get(model)


def save_model(connection: sa.Connection, identity: str, soft_matrix: SoftMatrix | None, name: str | None) -> None:
    """Store a model; see ``Store.save_model``."""
    if soft_matrix is not None:
        check_countable(soft_matrix.classes, f"bundle {identity}")
    values = {"name": name, "soft_matrix": None if soft_matrix is None else soft_matrix.to_json()}
    model_id = id_of(connection, models.c.identity, identity)
    connection.execute(sa.update(models).where(models.c.id == model_id).values(**values))


def save_calibration(connection: sa.Connection, location: str, model: str, soft_matrix: SoftMatrix) -> None:
    """Store a calibration; see ``Store.save_calibration``."""
    location_id = connection.execute(sa.select(places.c.id).where(places.c.name == location)).scalar_one_or_none()
    if location_id is None:
        raise ConfigError(f"there is no location {location!r}; see: felicity locations list")
    model_id = id_of(connection, models.c.identity, model)
    key = (calibrations.c.location_id == location_id, calibrations.c.model_id == model_id)
    connection.execute(sa.delete(calibrations).where(*key))
    connection.execute(
        sa.insert(calibrations).values(
            location_id=location_id, model_id=model_id, soft_matrix=soft_matrix.to_json(), created=int(time.time())
        )
    )


def read_matrices(connection: sa.Connection) -> SoftMatrices:
    """Read all soft matrices of the store."""
    of_model = connection.execute(sa.select(models.c.identity, models.c.soft_matrix)).all()
    of_location = connection.execute(
        sa.select(places.c.name, models.c.identity, calibrations.c.soft_matrix)
        .join(places, places.c.id == calibrations.c.location_id)
        .join(models, models.c.id == calibrations.c.model_id)
    ).all()
    return SoftMatrices(
        {identity: SoftMatrix.from_json(value) for identity, value in of_model if value is not None},
        {(name, identity): SoftMatrix.from_json(value) for name, identity, value in of_location},
    )


def stored_matrix(connection: sa.Connection, location_id: int, model_id: int) -> Mapping[str, Any] | None:
    """Return the soft matrix that a location uses for a model, as JSON: its own, else the model's, else None.

    The matrix is that of the bundle, with any detector.
    """
    named = connection.execute(sa.select(models.c.identity, models.c.detector).where(models.c.id == model_id)).one()
    model_id = model_id_of(connection, bundle_of(*named), "")
    own = sa.select(calibrations.c.soft_matrix).where(
        calibrations.c.location_id == location_id, calibrations.c.model_id == model_id
    )
    found: Mapping[str, Any] | None = connection.execute(own).scalar()
    if found is None:
        found = connection.execute(sa.select(models.c.soft_matrix).where(models.c.id == model_id)).scalar()
    return found
