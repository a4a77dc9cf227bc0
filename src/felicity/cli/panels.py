"""Headings of commands, in the order of ``felicity --help`` and of the page of commands."""

from __future__ import annotations

from enum import StrEnum


class Panel(StrEnum):
    """The heading of the commands of one purpose."""

    SET_UP = "Set up and try"
    COUNT = "Count people"
    READ = "Read the index"
    PUBLISH = "Keep and publish"
    TRAIN = "Train and compare networks"
    CHECK = "Check Felicity itself"
