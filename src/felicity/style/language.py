"""The languages that pages speak: text is written in English, and catalogues beside this module translate it.

Everything but pages speaks English, whatever the locale of the machine.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("languages")
LANGUAGES = {"en": "English", "de": "Deutsch", "id": "Bahasa Indonesia"}
"""Codes of languages (BCP 47) with their own names."""
ENGLISH = "en"
_COMMA = ("de", "id")
"""Languages that write ``1.234,5``."""
_SWAPPED = str.maketrans(",.", ".,")
_chosen: ContextVar[str] = ContextVar("language", default=ENGLISH)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak one of ``LANGUAGES`` within the context, in this thread."""
    token = _chosen.set(language)
    try:
        yield
    finally:
        _chosen.reset(token)


def spoken() -> str:
    """Return the code of the present language."""
    return _chosen.get()


def say(text: str, /, **values: Any) -> str:
    """Return ``text`` in the present language, with each ``{name}`` replaced by its value.

    Text that is missing in the catalogue stays English.
    """
    found = catalogue(_chosen.get()).get(text, text)
    return found.format(**values) if values else found


def in_digits(text: str) -> str:
    """Return an English number in the format of the present language."""
    return text.translate(_SWAPPED) if _chosen.get() in _COMMA else text


def preferred(accepted: str) -> str:
    """Return the language that a header ``Accept-Language`` prefers, English if it prefers none of them."""
    wishes = sorted(_wishes(accepted), key=lambda wish: -wish[1])
    return next((code for code, weight in wishes if code in LANGUAGES and weight > 0), ENGLISH)


@cache
def catalogue(language: str) -> dict[str, str]:
    """Return the catalogue from English text to ``language``."""
    if language == ENGLISH:
        return {}
    return dict(tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8")))


def _wishes(accepted: str) -> Iterable[tuple[str, float]]:
    for part in accepted[:1000].split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            yield tag.partition("-")[0].lower(), float(weight or 1)
        except ValueError:
            continue
