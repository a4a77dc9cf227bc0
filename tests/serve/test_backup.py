"""Backup and restore: the commands of docs/deploy.md, run as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from felicity import api
from felicity.store import Store, open_store
from tests.conftest import CHECKOUT, absent
from tests.store.conftest import POSTGRES
from tests.support.town import fill

PLACES = {"Harbour": lambda day: 0.3}


def commands(store: str) -> list[str]:
    """Return the commands in the table of backups, for one kind of store."""
    page = (CHECKOUT / "docs" / "deploy.md").read_text()
    (row,) = re.findall(rf"^\| {store} \|.*", page, re.MULTILINE)
    return re.findall(r"`([^`]+)`", row)


def run(command: str, folder: Path) -> None:
    if shutil.which(program := command.split()[0]) is None:
        absent(f"no program {program}")
    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def content(store: Store) -> list[object]:
    """Return what a backup has to hold: windows, figures, hashes of tokens, audit log."""
    figures = [repr(row) for row in api.happiness(store=store, by="day").rows]
    windows = [window.to_json() for window in store.windows()]
    return [windows, figures, api.list_tokens(store=store), api.audit_log(store=store)]


def filled(url: str) -> list[object]:
    """Fill a store; return what it holds."""
    fill(url, PLACES, 5)
    api.add_token("wall", ["read"], store=url)
    with open_store(url) as store:
        return content(store)


def test_a_sqlite_store_is_backed_up_while_it_is_written(tmp_path: Path) -> None:
    back_up, *names = commands("SQLite")
    city = tmp_path / "city.db"
    filled(str(city))
    with open_store(city) as served:  # as a server that runs, with its log ahead of the file
        api.add_token("later", ["read"], store=served)
        expected = content(served)
        run(back_up, tmp_path)
        fill(city, PLACES, 8, update=True)
        assert content(served) != expected
    assert names == ["city.db", "city.db-wal", "city.db-shm"]
    for name in names:
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "copy.db").rename(city)
    with open_store(city) as restored:
        assert content(restored) == expected


@pytest.fixture
def database() -> Iterator[str]:
    """The URL of a PostgreSQL database of its own."""
    base = sa.make_url(os.environ.get("FELICITY_TEST_POSTGRES", POSTGRES)).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(base, connect_args={"connect_timeout": 3}, isolation_level="AUTOCOMMIT")
    name = f"felicity_{uuid.uuid4().hex}"
    try:
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
    except (sa.exc.OperationalError, ModuleNotFoundError) as error:
        absent(f"no PostgreSQL at {base.render_as_string()}: {error.__class__.__name__}")
    yield base.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.mark.service
def test_a_postgresql_store_is_backed_up_and_restored(database: str, tmp_path: Path) -> None:
    back_up, restore = (command.replace("DATABASE", f"'{database}'") for command in commands("PostgreSQL"))
    expected = filled(database)
    run(back_up, tmp_path)
    fill(database, PLACES, 8, update=True)
    with open_store(database) as changed:
        assert content(changed) != expected
    run(restore, tmp_path)
    with open_store(database) as restored:
        assert content(restored) == expected
