"""The eight expressions, in AffectNet's order, and their names and codes in the data sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Expression(StrEnum):
    """The expression that a face shows. Members stand in the order of every array of eight in this package."""

    NEUTRAL = "neutral"
    HAPPY = "happy"
    SAD = "sad"
    SURPRISE = "surprise"
    FEAR = "fear"
    DISGUST = "disgust"
    ANGER = "anger"
    CONTEMPT = "contempt"


class Mood(StrEnum):
    """The side of the balance on which an expression counts."""

    HAPPY = "happy"
    UNHAPPY = "unhappy"
    NEITHER = "neither"


EXPRESSIONS: tuple[Expression, ...] = tuple(Expression)
"""Index to expression; ``EXPRESSIONS[1]`` is happy."""

INDEX: dict[Expression, int] = {expression: i for i, expression in enumerate(EXPRESSIONS)}
"""Expression to index in an array of eight."""

HAPPY_INDEX = INDEX[Expression.HAPPY]

MOODS: dict[Expression, Mood] = {
    Expression.NEUTRAL: Mood.NEITHER,
    Expression.HAPPY: Mood.HAPPY,
    Expression.SAD: Mood.UNHAPPY,
    Expression.SURPRISE: Mood.NEITHER,
    Expression.FEAR: Mood.UNHAPPY,
    Expression.DISGUST: Mood.UNHAPPY,
    Expression.ANGER: Mood.UNHAPPY,
    Expression.CONTEMPT: Mood.UNHAPPY,
}


@dataclass(frozen=True)
class Classes:
    """The classes that a classifier answers: names in its order, and the expressions that each class contains.

    In an array of eight, a class stands at the place of its first expression (``places``); the places of its other
    expressions stay 0. No expression belongs to two classes. Raises ValueError otherwise.
    """

    members: Mapping[str, tuple[Expression, ...]]

    def __post_init__(self) -> None:
        seen: dict[Expression, str] = {}
        for name, expressions in self.members.items():
            if not expressions:
                raise ValueError(f"class {name!r} is made of no expression")
            for expression in expressions:
                if expression in seen:
                    what = f"as {'it' if seen[expression] == name else 'another class'} is"
                    raise ValueError(f"class {name!r} is {expression}, {what}")
                seen[expression] = name

    @classmethod
    def of(cls, names: Iterable[str], members: Mapping[str, Iterable[str]] | None = None) -> Classes:
        """Return the classes with these ``names``: their expressions in ``members``, else the expression of that name.

        Raises ValueError for a name that is neither an expression nor in ``members``.
        """
        known, found = members or {}, {}
        for name in names:
            expressions = tuple(map(Expression, known[name])) if name in known else (parse_expression(name),)
            if None in expressions:
                raise ValueError(f"class {name!r} is not one of the eight expressions")
            if name in found:
                raise ValueError(f"duplicate class {name!r}")
            found[name] = tuple(e for e in EXPRESSIONS if e in expressions)
        return cls(found)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names in the classifier's order."""
        return tuple(self.members)

    @property
    def places(self) -> tuple[int, ...]:
        """Return the place of each class in an array of eight."""
        return tuple(min(INDEX[expression] for expression in expressions) for expressions in self.members.values())

    def place(self, name: str) -> int:
        """Return the place of the class with this name."""
        return self.places[self.names.index(name)]

    def class_of(self, made_of: Iterable[str]) -> str | None:
        """Return the class that contains all of these expressions; None if there is none."""
        asked = set(made_of)
        return next((name for name, expressions in self.members.items() if asked <= set(expressions)), None)

    def name_at(self, place: int) -> str:
        """Return the class at ``place``, or the expression if no class stands there."""
        return dict(zip(self.places, self.members, strict=True)).get(place, str(EXPRESSIONS[place]))

    @property
    def happy(self) -> str | None:
        """Return the class that contains happy alone; None if there is none, and then there is no happy share."""
        return next((name for name, made_of in self.members.items() if made_of == (Expression.HAPPY,)), None)

    def mood(self, name: str) -> Mood | None:
        """Return the side of the balance of a class; None if its expressions lie on several sides."""
        moods = {MOODS[expression] for expression in self.members[name]}
        return moods.pop() if len(moods) == 1 else None

    @property
    def merged(self) -> dict[str, tuple[str, ...]]:
        """Return the classes that are not the single expression of their name, with their expressions."""
        return {
            name: tuple(map(str, made_of))
            for name, made_of in self.members.items()
            if made_of != (_SYNONYMS.get(name),)
        }

    def to_json(self) -> dict[str, list[str]]:
        """Return the expressions by class name, as ``of`` reads them."""
        return {name: [str(expression) for expression in made_of] for name, made_of in self.members.items()}

    @property
    def text(self) -> str:
        """Return the classes as text for people: ``happy, neutral, negative (sad, fear)``."""
        merged = self.merged
        return ", ".join(f"{name} ({', '.join(merged[name])})" if name in merged else name for name in self.members)

    @property
    def option(self) -> str:
        """Return the classes in the syntax of ``--classes``: ``happy,neutral,negative=sad+fear``."""
        merged = self.merged
        return ",".join(f"{name}={'+'.join(merged[name])}" if name in merged else name for name in self.members)


FER2013: tuple[Expression, ...] = (
    Expression.ANGER,
    Expression.DISGUST,
    Expression.FEAR,
    Expression.HAPPY,
    Expression.SAD,
    Expression.SURPRISE,
    Expression.NEUTRAL,
)
"""FER2013's ``emotion`` code (0-6) to expression (Goodfellow et al. 2013)."""

FERPLUS: tuple[Expression, ...] = (
    Expression.NEUTRAL,
    Expression.HAPPY,
    Expression.SURPRISE,
    Expression.SAD,
    Expression.ANGER,
    Expression.DISGUST,
    Expression.FEAR,
    Expression.CONTEMPT,
)
"""FER+'s vote columns to expression, without ``unknown`` and ``NF`` (Barsoum et al. 2016)."""

AFFECTNET: tuple[Expression, ...] = EXPRESSIONS
"""AffectNet's code (0-7) to expression; 8-10 are none, uncertain, no face (Mollahosseini et al. 2017)."""

_SYNONYMS: dict[str, Expression] = {
    "happiness": Expression.HAPPY,
    "joy": Expression.HAPPY,
    "sadness": Expression.SAD,
    "surprised": Expression.SURPRISE,
    "fearful": Expression.FEAR,
    "scared": Expression.FEAR,
    "disgusted": Expression.DISGUST,
    "angry": Expression.ANGER,
    "contemptuous": Expression.CONTEMPT,
} | {str(expression): expression for expression in Expression}


def parse_expression(name: str) -> Expression | None:
    """Return the expression for a class name of a data set, or None if the name means none of the eight.

    Case, surrounding space and the usual synonyms (``angry``, ``happiness``, …) do not matter.
    """
    return _SYNONYMS.get(name.strip().lower())


EIGHT_CLASSES = Classes.of(EXPRESSIONS)
"""A class for each of the eight expressions."""
