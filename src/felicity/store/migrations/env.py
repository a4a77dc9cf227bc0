"""The script that Alembic runs; the connection comes from ``migrations.upgrade``."""

from alembic import context

from felicity.store.migrations import VERSION_TABLE
from felicity.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
