from felicity.labels import (
    AFFECTNET,
    EXPRESSIONS,
    FER2013,
    FERPLUS,
    INDEX,
    MOODS,
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
