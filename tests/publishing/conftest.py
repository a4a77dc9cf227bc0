"""The stores of ``tests/store``, here as well."""

from __future__ import annotations

from tests.store.conftest import postgres_url, store, url

__all__ = ["postgres_url", "store", "url"]
