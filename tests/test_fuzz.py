"""Parsers against mutated files: what once crashed, and the same new ones each time; ``make fuzz`` goes on."""

from __future__ import annotations

import random
from itertools import islice

import pytest

from tests.support.fuzzing import SLOW, TARGETS, crash, kept, mutated, seeds_of


@pytest.mark.parametrize("name", TARGETS)
def test_parsers_raise_what_they_promise(name: str) -> None:
    for seed in seeds_of(name):
        assert crash(name, seed) is None
    for content in (*kept(name), *islice(mutated(name, random.Random(1)), 20 if name in SLOW else 200)):
        assert (error := crash(name, content)) is None, (type(error), error, content[:200])
