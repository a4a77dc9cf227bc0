"""Where windows are kept: SQLite or PostgreSQL, by URL."""

from felicity.store.store import Run, Store, open_store

__all__ = ["Run", "Store", "open_store"]
