"""The store of windows: SQLite or PostgreSQL, by URL."""

from felicity.store.runs import RunState, WatchRun
from felicity.store.store import Store, open_store

__all__ = ["RunState", "Store", "WatchRun", "open_store"]
