"""The eight expressions, in AffectNet's order, and what every data set calls them."""

from __future__ import annotations

from enum import StrEnum


class Expression(StrEnum):
    """What a face shows. Members stand in the order of every array of eight in this package."""

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
"""FER+'s vote columns to expression, ``unknown`` and ``NF`` left out (Barsoum et al. 2016)."""

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
    """The expression that a data set's class name means, or None if it means none of the eight.

    Case, surrounding space and the usual synonyms (``angry``, ``happiness``, …) do not matter.
    """
    return _SYNONYMS.get(name.strip().lower())
