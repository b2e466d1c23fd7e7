"""DOMAIN §4 "Amounts": the column decides what the one mark of `12.000` is, else the currency."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reading.lone_marks import decide_lone_marks

LONE = ["12.000", "9.600", "1.500", "2.250"]


def decide(texts, currency="XOF"):
    return decide_lone_marks(texts, field="claimed_amount", column="Montant facturé", currency=currency)


@pytest.mark.parametrize("currency", ["XOF", "EUR", ""])
@pytest.mark.parametrize(
    ("others", "meaning"), [(["1.234.567"], "thousands"), (["1.234,5"], "thousands"), (["12.5"], "decimal")]
)
def test_another_text_of_the_column_decides_in_every_currency(others, meaning, currency):
    (mark,) = decide([*LONE, *others], currency)
    assert (mark.mark, mark.meaning, mark.reason) == (".", meaning, "column")
    assert mark.evidence[meaning] == others


@pytest.mark.parametrize(
    ("currency", "meaning"),
    [
        ("XOF", "thousands"),
        ("XAF", "thousands"),
        ("GNF", "thousands"),
        ("EUR", "ambiguous"),
        ("GHS", "ambiguous"),
        ("TND", "ambiguous"),
        ("", "ambiguous"),
    ],
)
@pytest.mark.parametrize(("others", "reason"), [([], "neither"), (["1.234.567", "12.5"], "both")])
def test_where_the_column_does_not_decide_the_currency_does(others, reason, currency, meaning):
    (mark,) = decide([*LONE, *others], currency)
    assert (mark.meaning, mark.reason, mark.currency) == (meaning, reason, currency)


def test_the_other_mark_is_no_evidence():
    (mark,) = decide([*LONE, "12,5", "1,234,567"])
    assert (mark.mark, mark.reason) == (".", "neither")


def test_each_mark_is_decided_for_itself():
    decided = {mark.mark: mark.meaning for mark in decide(["12.000", "9,600", "12,5"])}
    assert decided == {".": "thousands", ",": "decimal"}


def test_three_examples_of_the_texts_in_question_are_kept_and_all_are_counted():
    (mark,) = decide(LONE)
    assert (mark.examples, mark.count) == (LONE[:3], 4)
    assert (mark.field, mark.column) == ("claimed_amount", "Montant facturé")


def test_a_column_without_such_texts_decides_nothing():
    assert decide(["12000", "12,5", "1.234.567", "0.500", "-", "12.05.2023"]) == []


@given(st.lists(st.sampled_from(["12.000", "1.234.567", "12.5", "0.500", "1234", "9,600", "x"]), max_size=6))
def test_the_order_of_the_texts_does_not_matter(texts):
    def meanings(ordered):
        return {mark.mark: (mark.meaning, mark.reason, mark.count) for mark in decide(ordered)}

    assert meanings(texts) == meanings(texts[::-1])
