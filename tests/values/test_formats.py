"""Amounts and days as people read them, in both languages."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils.translation import override

from common.formats import format_amount, format_cents, format_count, format_day, format_period
from common.money import minor_units


def plain(text: str) -> str:
    """The text with ordinary spaces."""
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("value", "currency", "english", "french"),
    [
        ("12500.00", "XOF", "12,500", "12 500"),
        ("1234567.00", "XAF", "1,234,567", "1 234 567"),
        ("999.00", "GNF", "999", "999"),
        ("12500.00", "EUR", "12,500.00", "12 500,00"),
        ("12500", "EUR", "12,500.00", "12 500,00"),
        ("12.00", "TND", "12.000", "12,000"),
        ("12500.00", "", "12,500.00", "12 500,00"),
        ("-12500.00", "XOF", "-12,500", "-12 500"),
        ("-0.00", "XOF", "0", "0"),
        ("1000", "xof", "1,000", "1 000"),
    ],
)
def test_amounts_are_grouped_and_have_the_decimals_of_their_currency(
    value: str, currency: str, english: str, french: str
) -> None:
    with override("en"):
        assert plain(format_amount(Decimal(value), currency)) == english
    with override("fr"):
        assert plain(format_amount(Decimal(value), currency)) == french


@pytest.mark.parametrize(
    ("value", "currency", "shown"),
    [("12500.50", "XOF", "12,500.50"), ("0.01", "XOF", "0.01"), ("-0.25", "XOF", "-0.25"), ("1.005", "EUR", "1.005")],
)
def test_cents_that_are_there_are_shown_whatever_the_currency(value: str, currency: str, shown: str) -> None:
    with override("en"):
        assert format_amount(Decimal(value), currency) == shown


def test_a_currency_is_written_as_people_write_it() -> None:
    with override("fr"):
        assert plain(format_amount(Decimal("12500.00"), "XOF", with_currency=True)) == "12 500 F CFA"
        assert plain(format_amount(Decimal("12500.00"), "XAF", with_currency=True)) == "12 500 F CFA"
        assert plain(format_amount(Decimal("99.90"), "EUR", with_currency=True)) == "99,90 EUR"
        assert format_amount(Decimal("99.90"), "", with_currency=True) == "99,90"


def test_an_amount_is_never_broken_across_two_lines() -> None:
    with override("fr"):
        assert " " not in format_amount(Decimal("12500.00"), "XOF", with_currency=True)


def test_hundredths_are_shown_as_currency_units() -> None:
    with override("en"):
        assert format_cents(1250000, "XOF") == "12,500"
        assert format_cents(-5, "EUR") == "-0.05"


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        format_amount(Decimal("NaN"), "XOF")


def test_counts_and_days_are_in_the_active_language() -> None:
    with override("en"):
        assert (format_count(104212), format_day(date(2023, 12, 31))) == ("104,212", "31/12/2023")
    with override("fr"):
        assert plain(format_count(104212)) == "104 212"
        assert format_period(date(2023, 1, 1), date(2023, 12, 31)) == "01/01/2023 – 31/12/2023"


def test_templates_write_amounts_and_days_by_filters() -> None:
    page = Template(
        "{% load formats %}{{ a|amount:'XOF' }}|{{ a|money:'XOF' }}|{{ none|amount:'XOF' }}|{{ d|day }}|{{ n|count }}"
    )
    with override("en"):
        shown = page.render(Context({"a": Decimal("5000.00"), "none": None, "d": date(2024, 3, 10), "n": 1234}))
    assert plain(shown) == "5,000|5,000 F CFA|–|10/03/2024|1,234"


@pytest.mark.parametrize(("currency", "units"), [("XOF", 0), ("XAF", 0), ("GNF", 0), ("EUR", 2), ("TND", 3), ("", 2)])
def test_the_decimals_of_a_currency_are_those_of_iso_4217(currency: str, units: int) -> None:
    assert minor_units(currency) == units
