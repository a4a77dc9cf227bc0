import pytest

from felicity.labels import (
    AFFECTNET,
    EXPRESSIONS,
    FER2013,
    FERPLUS,
    INDEX,
    MOODS,
    Classes,
    Expression,
    Mood,
    parse_expression,
)


def test_the_order_is_affectnets() -> None:
    assert [str(e) for e in EXPRESSIONS] == [
        "neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt",
    ]  # fmt: skip
    assert AFFECTNET == EXPRESSIONS
    assert [INDEX[e] for e in EXPRESSIONS] == list(range(8))


def test_every_expression_has_a_side() -> None:
    assert {e for e in EXPRESSIONS if MOODS[e] is Mood.HAPPY} == {Expression.HAPPY}
    assert {e for e in EXPRESSIONS if MOODS[e] is Mood.NEITHER} == {Expression.NEUTRAL, Expression.SURPRISE}
    assert sum(MOODS[e] is Mood.UNHAPPY for e in EXPRESSIONS) == 5


def test_codes_of_data_sets() -> None:
    assert FER2013[3] is Expression.HAPPY and FER2013[6] is Expression.NEUTRAL and len(FER2013) == 7
    assert FERPLUS[1] is Expression.HAPPY and FERPLUS[7] is Expression.CONTEMPT
    assert sorted(FERPLUS) == sorted(EXPRESSIONS)


def test_names_and_synonyms() -> None:
    assert parse_expression(" Angry ") is Expression.ANGER
    assert parse_expression("happiness") is Expression.HAPPY
    assert parse_expression("SADNESS") is Expression.SAD
    assert all(parse_expression(e) is e for e in Expression)
    assert parse_expression("unknown") is None


def test_classes_find_their_place() -> None:
    assert Classes.of(("happy", "sad")).places == (1, 2)
    assert Classes.of(("Anger", "joy")).places == (6, 1)
    three = Classes.of(("happy", "negative", "rest"), {"negative": ["anger", "sad"], "rest": ["surprise", "neutral"]})
    assert three.places == (1, 2, 0) and three.happy == "happy"
    assert [three.mood(name) for name in three.names] == [Mood.HAPPY, Mood.UNHAPPY, Mood.NEITHER]
    assert three.text == "happy, negative (sad, anger), rest (neutral, surprise)"
    assert [three.name_at(place) for place in (2, 1, 6)] == ["negative", "happy", "anger"]
    assert three.class_of(["sad"]) == "negative" and three.class_of(["sad", "fear"]) is None
    assert Classes.of(["glad", "other"], {"glad": ["happy"], "other": ["sad", "neutral"]}).happy == "glad"
    wide = Classes.of(["happy", "other"], {"happy": ["happy", "surprise"], "other": ["sad", "neutral"]})
    assert wide.happy is None and wide.mood("happy") is wide.mood("other") is None


@pytest.mark.parametrize(
    ("names", "members", "message"),
    [
        (("happy", "unhappy"), {}, "'unhappy' is not one of the eight"),
        (("happy", "joy"), {}, "'joy' is happy, as another class is"),
        (("happy", "sad"), {"sad": ["sad", "happy"]}, "'sad' is happy, as another class is"),
        (("happy", "other"), {"other": []}, "'other' is made of no expression"),
    ],
)
def test_classes_that_share_an_expression_or_have_none(
    names: tuple[str, ...], members: dict[str, list[str]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Classes.of(names, members)
