"""Tokens and the audit log in every kind of store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from felicity.errors import ConfigError, StoreError
from felicity.store import Store
from felicity.store.tables import audit


def test_tokens_are_found_by_their_digest_until_they_are_revoked(store: Store) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    made = store.access.add_token("wall", "fel_abcd", "digest", ["read", "push:Harbour"], until)
    assert store.access.find_token("digest") == made and store.access.find_token("another") is None
    assert (made.scopes, made.expires, made.used, made.revoked) == (("read", "push:Harbour"), until, None, None)
    store.access.token_used(made.id)
    gone = store.access.revoke_token(made.id)
    assert gone.revoked is not None and gone.used is not None and not gone.is_valid(datetime.now(UTC))
    assert store.access.list_tokens() == [gone]
    with pytest.raises(ConfigError, match="no token"):
        store.access.revoke_token(made.id)


def test_the_audit_log_only_grows(store: Store) -> None:
    store.access.record("user anna", "location-add", "Harbour", {"windows": 3})
    before = store.access.read_audit(None, None, 10)
    for change in (sa.update(audit).values(actor="nobody"), sa.delete(audit)):
        with pytest.raises(StoreError, match="stay as they are"), store._write("a test") as connection:
            connection.execute(change)
    assert store.access.read_audit(None, None, 10) == before
    assert [(entry.actor, entry.action, entry.subject, entry.detail) for entry in before] == [
        ("user anna", "location-add", "Harbour", {"windows": 3})
    ]
