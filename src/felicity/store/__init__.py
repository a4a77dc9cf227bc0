"""Where windows are kept: SQLite or PostgreSQL, by URL."""

from felicity.store.runs import Run
from felicity.store.store import Store, open_store

__all__ = ["Run", "Store", "open_store"]
