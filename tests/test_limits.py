"""What one file of a stranger may cost, measured: 1 GB and 30 s at most (docs/explanation/security.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.hostile import FILES, QUICK
from tests.support.limits import MOST_BYTES, MOST_SECONDS, cost


@pytest.mark.parametrize("name", QUICK)
def test_no_file_costs_more_than_it_may(name: str, tmp_path: Path) -> None:
    each = FILES[name]
    file = tmp_path / each.name
    each.make(file)
    spent = cost(each.code, *(word.replace("{}", str(file)) for word in each.words))
    assert each.said in spent.said and "Traceback" not in spent.said, spent
    assert spent.memory < MOST_BYTES and spent.seconds < MOST_SECONDS, spent
