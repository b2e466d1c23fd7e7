"""DOMAIN §4 "Amounts"."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.money import (
    MarkMeaning,
    cents_of,
    decimal_string,
    lone_mark_of,
    mark_evidence,
    parse_amount,
    to_decimal,
)

amounts = st.integers(min_value=-(10**14 - 1), max_value=10**14 - 1)


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        # numbers
        ("19200", 1920000),
        ("-300", -30000),
        ("+300", 30000),
        ("0", 0),
        ("-0", 0),
        ("19200.5", 1920050),
        ("30400.000000000004", 3040000),
        ("0.30000000000000004", 30),
        ("007", 700),
        # spaces as thousands
        ("12 345", 1234500),
        ("1\xa0234\xa0567", 123456700),
        ("1\u202f234\u202f567,5", 123456750),
        ("12\u2009345", 1234500),
        ("12  345", 1234500),
        # `,` or `.` as decimal
        ("1234,5", 123450),
        ("1234.56", 123456),
        (",5", 50),
        (".5", 50),
        ("500,", 50000),
        # both present: the last is the decimal
        ("1,234.56", 123456),
        ("1.234,56", 123456),
        ("1 234,567.89", 123456789),
        # one that repeats is the thousands separator
        ("1.234.567", 123456700),
        ("1,234,567", 123456700),
        ("1.234.567,89", 123456789),
        ("1,234,567.89", 123456789),
        # leading or trailing currency
        ("500 XOF", 50000),
        ("XOF 500", 50000),
        ("12 345 F CFA", 1234500),
        ("12 345FCFA", 1234500),
        ("500 fcfa", 50000),
        ("500 F.CFA", 50000),
        ("500 CFA", 50000),
        ("500 F", 50000),
        ("500F", 50000),
        ("500 XAF", 50000),
        ("500 GNF", 50000),
        ("€ 12,50", 1250),
        ("12,50 €", 1250),
        ("$1,234.50", 123450),
        ("500 USD", 50000),
        ("-500 XOF", -50000),
        ("XOF -500", -50000),
        ("-XOF 500", -50000),
        # unicode minus
        ("\u2212500", -50000),
        ("\u2013 500", -50000),
        ("- 500", -50000),
        # a minus behind
        ("500-", -50000),
        ("1 500,25 -", -150025),
        ("500\u2212", -50000),
        ("500- XOF", -50000),
        ("500 XOF-", -50000),
        ("XOF 500-", -50000),
        # (500)
        ("(500)", -50000),
        ("(1 500,25)", -150025),
        ("(500 XOF)", -50000),
        ("(500) XOF", -50000),
        ("XOF (500)", -50000),
        # rounded half up to 2 decimals
        ("0.005", 1),
        ("-0.005", -1),
        ("0.00499999999999999999", 0),
        ("0.675", 68),
        ("2,6750", 268),
        ("0.995", 100),
        # twelve digits
        ("999999999999.99", 99999999999999),
    ],
)
def test_an_amount_reads_as_cents(text, cents):
    assert parse_amount(text) == cents


@pytest.mark.parametrize(
    "text",
    [
        "nan", "NaN", "inf", "-inf", "Infinity", "TRUE", "FALSE", "VRAI", "#N/A", "#REF!", "#DIV/0!", "12abc3",
        "1e5", "1E+05", "0x10",
        "douze mille", "???", "F", "XOF", "F CFA", "500 ABC", "500 usd", "XOF 500 XOF", "1 2", "1 2 3", "12 34",
        "1234 567",
        "12.05.2023", "2023-05-06", "06/05/2023", "1,23,456", "1.234,567.8", "1,234.567,8", "--5", "+-5",
        "-5-", "(5-)", "5+", "-(5)", "5 CR", "5 DB",
        "(-5)", "(5", "()", "(",
        ".", ",", "-", "1/2", "5%", "5 + 5", "1'234", "١٢", "１２", "²", "1000000000000", "999999999999.995",
        "100000000000000000000", "1" * 5000, "",
    ],
)  # fmt: skip
def test_what_is_no_amount_is_unreadable_and_never_guessed(text):
    assert parse_amount(text) is None


@pytest.mark.parametrize(
    ("text", "mark", "thousands", "decimal"),
    [
        ("12.000", ".", 1200000, 1200),
        ("1,234", ",", 123400, 123),
        ("999.995", ".", 99999500, 100000),
        ("-1.005", ".", -100500, -101),
        ("(12.000)", ".", -1200000, -1200),
        ("12.000-", ".", -1200000, -1200),
        ("12,000 F CFA", ",", 1200000, 1200),
        ("XOF +12.000", ".", 1200000, 1200),
    ],
)
def test_a_lone_mark_before_three_digits_is_what_the_column_says_and_else_unreadable(text, mark, thousands, decimal):
    assert lone_mark_of(text) == mark
    assert mark_evidence(text) == {}
    assert parse_amount(text) is None
    assert parse_amount(text, lone_mark=MarkMeaning.THOUSANDS) == thousands
    assert parse_amount(text, lone_mark=MarkMeaning.DECIMAL) == decimal


DECIMAL, THOUSANDS = MarkMeaning.DECIMAL, MarkMeaning.THOUSANDS


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        # one, two or more than three digits after it
        ("12.5", {".": DECIMAL}),
        ("12,50", {",": DECIMAL}),
        ("12.3456", {".": DECIMAL}),
        # more than three before it
        ("1234.567", {".": DECIMAL}),
        ("1 234,567", {",": DECIMAL}),
        # a leading 0, or nothing
        ("0.500", {".": DECIMAL}),
        ("012.345", {".": DECIMAL}),
        (",500", {",": DECIMAL}),
        # the other mark beside it
        ("1.234,567", {".": THOUSANDS, ",": DECIMAL}),
        ("1,234.5", {",": THOUSANDS, ".": DECIMAL}),
        # it repeats
        ("1.234.567", {".": THOUSANDS}),
        ("-1,234,567 XOF", {",": THOUSANDS}),
        ("1.234.567,89", {".": THOUSANDS, ",": DECIMAL}),
        # nothing
        ("12000", {}),
        ("12 000", {}),
        ("500,", {}),
        # unreadable texts show nothing
        ("12.05.2023", {}),
        ("1.5 CR", {}),
        ("douze, treize", {}),
    ],
)
def test_a_mark_that_can_only_be_one_thing_is_evidence(text, evidence):
    assert mark_evidence(text) == evidence
    assert lone_mark_of(text) is None


def written(cents, *, group, decimal, decimals=True):
    whole, rest = divmod(abs(cents), 100)
    text = f"{whole:,}".replace(",", group)
    return text + f"{decimal}{rest:02d}" if decimals else text


@given(
    amounts,
    st.sampled_from(
        [
            ("", "."),
            ("", ","),
            (" ", "."),
            (" ", ","),
            ("\xa0", ","),
            ("\u202f", ","),
            ("\u2009", "."),
            (",", "."),
            (".", ","),
        ]
    ),
    st.sampled_from(["", " XOF", "XOF", " F CFA", " fcfa", " F", " EUR", "€", " $", " GNF"]),
    st.booleans(),
    st.sampled_from(["-", "\u2212", "- ", "()", "behind", " behind"]),
)
def test_an_amount_reads_back_the_same_in_every_accepted_writing(cents, separators, currency, leads, minus):
    group, decimal = separators
    text = written(cents, group=group, decimal=decimal)
    text = f"{currency.strip()} {text}" if leads else text + currency
    if cents < 0:
        text = (
            f"({text})"
            if minus == "()"
            else minus + text
            if "behind" not in minus
            else text + minus.replace("behind", "-")
        )
    assert parse_amount(text) == cents


@given(
    st.integers(min_value=1, max_value=999),
    st.integers(min_value=0, max_value=999),
    st.sampled_from(",."),
    st.sampled_from(["", " XOF", " F"]),
)
def test_a_lone_mark_reads_as_thousands_or_as_three_decimals(whole, rest, mark, currency):
    text = f"{whole}{mark}{rest:03d}{currency}"
    assert parse_amount(text, lone_mark=THOUSANDS) == (whole * 1000 + rest) * 100
    assert parse_amount(text, lone_mark=DECIMAL) == cents_of(Decimal(f"{whole}.{rest:03d}"))
    assert parse_amount(text) is None


@given(st.integers(min_value=10**6, max_value=10**12 - 1), st.sampled_from([",", "."]))
def test_a_separator_that_repeats_parts_thousands(units, group):
    assert parse_amount(f"{units:,}".replace(",", group)) == units * 100


@given(st.decimals(min_value=-(10**11), max_value=10**11, allow_nan=False, allow_infinity=False, places=7))
def test_rounding_is_half_away_from_zero(amount):
    assert parse_amount(f"{amount:f}", lone_mark=DECIMAL) == cents_of(amount)


@given(st.floats(min_value=-1e11, max_value=1e11).map(lambda x: round(x, 2)))
def test_a_float_of_two_decimals_is_exact(number):
    assert parse_amount(f"{Decimal(repr(number)):f}") == cents_of(Decimal(repr(number)))


@given(st.text(max_size=20))
def test_no_text_whatever_breaks_the_reading_of_amounts(text):
    cents = parse_amount(text)
    assert cents is None or abs(cents) < 10**14


@given(amounts)
def test_cents_become_decimals_and_strings_and_come_back(cents):
    assert cents_of(to_decimal(cents)) == cents
    assert cents_of(Decimal(decimal_string(cents))) == cents
    assert to_decimal(cents).as_tuple().exponent == -2


def test_a_decimal_string_always_shows_two_decimals():
    assert [decimal_string(c) for c in (0, 5, -5, 30400, -123456)] == ["0.00", "0.05", "-0.05", "304.00", "-1234.56"]


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity"])
def test_what_is_not_finite_is_no_amount(amount):
    with pytest.raises(ValueError, match="finite"):
        cents_of(Decimal(amount))
