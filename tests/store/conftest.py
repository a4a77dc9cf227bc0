"""One suite for every kind of store: each test gets an empty one of its own."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from felicity.store import Store, open_store
from tests.conftest import absent

POSTGRES = "postgresql://root@127.0.0.1:5432/test"


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """A PostgreSQL schema of its own."""
    base = sa.make_url(os.environ.get("FELICITY_TEST_POSTGRES", POSTGRES)).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(base, connect_args={"connect_timeout": 3}, isolation_level="AUTOCOMMIT")
    name = f"felicity_{uuid.uuid4().hex}"
    try:
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE SCHEMA {name}"))
    except (sa.exc.OperationalError, ModuleNotFoundError) as error:
        absent(f"no PostgreSQL at {base.render_as_string()}: {error.__class__.__name__}")
    yield base.update_query_dict({"options": f"-csearch_path={name}"}).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP SCHEMA {name} CASCADE"))
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store's URL, for each kind of store."""
    if request.param == "sqlite":
        return str(tmp_path / "store.db")
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An empty store of each kind."""
    with open_store(url) as opened:
        yield opened
