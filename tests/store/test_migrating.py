"""A store of an earlier schema is brought up to date, and others who use it are not kept waiting."""

from __future__ import annotations

from contextlib import closing

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from felicity.errors import StoreError
from felicity.store import migrations, open_store
from felicity.store.migrations import HEAD


def made_long_ago(connection: sa.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations._HERE))
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")


@pytest.mark.service
def test_it_does_not_wait_forever_for_a_busy_table(postgres_url: str) -> None:
    engine = sa.create_engine(postgres_url)
    with engine.begin() as connection:
        made_long_ago(connection)
        tables = sa.inspect(connection).get_table_names()
    with closing(engine.connect()) as reader:
        reader.execute(sa.text(f"LOCK TABLE {', '.join(tables)} IN ACCESS SHARE MODE"))
        with pytest.raises(StoreError, match=r"another program holds its tables, and nothing was changed: end its"):
            open_store(postgres_url, busy_seconds=0.2)
        assert migrations.current(reader) == "0001"
    with open_store(postgres_url), engine.connect() as connection:
        assert migrations.current(connection) == HEAD
    engine.dispose()
