"""The classes as which a data set is read: all eight, the seven of FER2013, the study's two, or your own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from felicity.errors import DatasetError
from felicity.labels import EXPRESSIONS, FER2013, Classes, Expression, parse_expression
from felicity.parsing import read_toml

NO_EXPRESSION = frozenset({"none", "uncertain", "unknown", "unlabeled", "no-face", "noface", "non-face", "nf"})
"""Names in data sets for an image that shows none of the eight; such images are left out and counted."""


@dataclass(frozen=True)
class ClassMap:
    """Classes in order, each a set of expressions, and the meaning of the data set's own names.

    ``classes``: class name to its expressions; an expression in no class is left out. ``names``: a data set's own class
    name (lower case) to an expression, or None to leave it out; it takes precedence over the usual synonyms. ``asked``:
    True if the user requested these classes.
    """

    classes: Mapping[str, tuple[Expression, ...]]
    names: Mapping[str, Expression | None] = field(default_factory=dict)
    asked: bool = True

    def __post_init__(self) -> None:
        seen = [expression for members in self.classes.values() for expression in members]
        if len(self.classes) < 2:
            raise DatasetError(f"at least two classes are needed, not {list(self.classes)}")
        if odd := [name for name in self.classes if not name.strip() or set(name) & set(",=+")]:
            raise DatasetError(f"a class needs a name without ',', '=' and '+', not {odd[0]!r}")
        if empty := [name for name, members in self.classes.items() if not members]:
            raise DatasetError(f"class {empty[0]!r} is made of no expression; name one of {', '.join(EXPRESSIONS)}")
        if twice := {str(expression) for expression in seen if seen.count(expression) > 1}:
            raise DatasetError(f"an expression belongs to one class, but {', '.join(sorted(twice))} to several")

    @cached_property
    def members(self) -> dict[str, tuple[str, ...]]:
        """Return the expressions of each class that is more than the one expression of its name."""
        return Classes(self.classes).merged

    def matrix(self) -> npt.NDArray[np.float32]:
        """Return float32 ``(8, classes)``, 1 if an expression belongs to a class."""
        member = np.zeros((len(EXPRESSIONS), len(self.classes)), dtype=np.float32)
        for column, expressions in enumerate(self.classes.values()):
            member[[EXPRESSIONS.index(expression) for expression in expressions], column] = 1
        return member

    def expression(self, name: str, where: str) -> Expression | None:
        """Return the expression for the class ``name`` found at ``where``, or None.

        Raises DatasetError for an unknown name.
        """
        key = name.strip().lower()
        if key in self.names:
            return self.names[key]
        if key in NO_EXPRESSION:
            return None
        if (expression := parse_expression(key)) is None:
            raise DatasetError(
                f"{where}: class {name!r} is not one of the eight expressions ({', '.join(EXPRESSIONS)}); "
                f"say what it means in the [names] table of a --classes file"
            )
        return expression


EIGHT = ClassMap({str(expression): (expression,) for expression in EXPRESSIONS})


def parse_classes(text: str | None) -> ClassMap:
    """Parse ``8``, ``7`` (FER2013's), ``happy,sad``, ``happy,negative=sad+anger``, or the path of a TOML file.

    FER2013's seven classes lack contempt. None requests no classes. The file may have a table ``[classes]``, class name
    to list of expressions, and a table ``[names]``, the data set's own class name to an expression or ``"none"``.
    Without ``[classes]`` it requests no classes. Raises DatasetError.
    """
    if text is None:
        return replace(EIGHT, asked=False)
    if text.strip() == "8":
        return EIGHT
    if text.strip() == "7":
        return ClassMap({str(expression): (expression,) for expression in EXPRESSIONS if expression in FER2013})
    if text.endswith(".toml"):
        return _from_toml(Path(text))
    chosen: dict[str, tuple[Expression, ...]] = {}
    for part in text.split(","):
        name, merged, members = (word.strip() for word in part.partition("="))
        made_of = tuple(_parse(member, "--classes") for member in (members.split("+") if merged else [name]))
        name = name if merged else str(made_of[0])
        if name in chosen:
            raise DatasetError(f"--classes: duplicate class {name!r}; name each once")
        chosen[name] = made_of
    return ClassMap(chosen)


def _parse(name: object, where: str) -> Expression:
    expression = parse_expression(name) if isinstance(name, str) else None
    if expression is None:
        raise DatasetError(f"{where}: {name!r} is not one of the eight expressions ({', '.join(EXPRESSIONS)})")
    return expression


def _from_toml(path: Path) -> ClassMap:
    try:
        document = read_toml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read as a TOML file of classes ({error})") from error
    if unknown := sorted(set(document) - {"classes", "names"}):
        raise DatasetError(f"{path}: tables are [classes] and [names], not {', '.join(unknown)}")
    eight = {name: [str(e) for e in members] for name, members in EIGHT.classes.items()}
    classes, names = document.get("classes", eight), document.get("names", {})
    if not isinstance(classes, dict) or not all(isinstance(members, list) for members in classes.values()):
        raise DatasetError(f'{path}: [classes] takes lines such as  unhappy = ["sad", "anger"]')
    if not isinstance(names, dict):
        raise DatasetError(f'{path}: [names] takes lines such as  smile = "happy"')
    return ClassMap(
        {str(name): tuple(_parse(member, str(path)) for member in members) for name, members in classes.items()},
        {
            str(name).strip().lower(): None if meaning == "none" else _parse(meaning, str(path))
            for name, meaning in names.items()
        },
        asked="classes" in document,
    )
