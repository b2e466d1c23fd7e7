"""DOMAIN §4 "Dates"."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.dates import parse_date

days = st.dates(min_value=date(1900, 3, 1))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        # date cells
        ("2023-05-06", date(2023, 5, 6)),
        ("2023-05-06 00:00:00", date(2023, 5, 6)),
        ("2023-05-06 13:45:10.250", date(2023, 5, 6)),
        # serial numbers
        ("1", date(1900, 1, 1)),
        ("59", date(1900, 2, 28)),
        ("60", date(1900, 2, 28)),
        ("61", date(1900, 3, 1)),
        ("45000", date(2023, 3, 15)),
        ("45000.0", date(2023, 3, 15)),
        ("45000.99998842592", date(2023, 3, 15)),
        ("2958465", date(9999, 12, 31)),
        # day first
        ("06/05/2023", date(2023, 5, 6)),
        ("06-05-2023", date(2023, 5, 6)),
        ("06.05.2023", date(2023, 5, 6)),
        ("6/5/2023", date(2023, 5, 6)),
        (" 06/05/2023 ", date(2023, 5, 6)),
        ("29/02/2024", date(2024, 2, 29)),
        # two-digit years
        ("06/05/23", date(2023, 5, 6)),
        ("06-05-00", date(2000, 5, 6)),
        ("06.05.68", date(2068, 5, 6)),
        ("06/05/69", date(1969, 5, 6)),
        ("06/05/99", date(1999, 5, 6)),
        # a time of day may follow
        ("06/05/2023 13:45", date(2023, 5, 6)),
        ("06/05/2023 9:05:10", date(2023, 5, 6)),
        ("06/05/23 13h45", date(2023, 5, 6)),
        ("06/05/2023 01:45 PM", date(2023, 5, 6)),
        ("2023-05-06T13:45:10Z", date(2023, 5, 6)),
        ("2023-05-06T13:45:10+01:00", date(2023, 5, 6)),
        ("2023-05-06T13:45:10.250+01", date(2023, 5, 6)),
        ("06/05/2023 01:45:10,5 pm", date(2023, 5, 6)),
        ("06/05/2023 1:45\u202fp.m.", date(2023, 5, 6)),
        ("06/05/2023 13:45 UTC", date(2023, 5, 6)),
        # month in words
        ("10 mars 2023", date(2023, 3, 10)),
        ("13-Mar-23", date(2023, 3, 13)),
        ("13 - MARCH - 1969", date(1969, 3, 13)),
        ("vendredi 17 févr. 2023", date(2023, 2, 17)),
        ("ven. 17 fevr 2023", date(2023, 2, 17)),
        ("Fri-17-Feb-2023 10:15 AM", date(2023, 2, 17)),
        ("5 ao\u00fbt 2023", date(2023, 8, 5)),
        ("5 aou\u0302t 2023", date(2023, 8, 5)),
        ("mar 14 mar 2023", date(2023, 3, 14)),
        ("5\u00a0juil.\u202f23", date(2023, 7, 5)),
        ("05 dec. 2023T13:45:10Z", date(2023, 12, 5)),
    ],
)
def test_a_date_reads_day_first_without_its_time(text, day):
    assert parse_date(text) == day


@pytest.mark.parametrize(
    "text",
    [
        "", "32/13/2023", "31/02/2023", "29/02/2023", "05/13/2023", "00/05/2023", "2023-13-01", "2023-02-30",
        "0000-01-01", "0", "-5",
        "2958466", "20230105", "06052023", "010123", "12.5", "12.0", "9999.5", "1e4", "45 000", "06/05-2023",
        "06/05/202",
        "2023/05/06", "06/05/2023 25:00", "06/05/2023 13:60", "06/05/2023 soir", "06/05/2023 13:45 PM", "13:45",
        "5 jui 2023", "5 ma 2023", "5 marx 2023", "5 marsmars 2023", "31 fév 2023", "29 février 2023", "0 mars 2023",
        "1er mars 2023", "mars 2023", "March 10 2023", "10/mars/2023", "10.mars.2023", "10mars2023", "10 mars 023",
        "lun 17 lun 2023", "mars 17 mars 2023", "le 17 mars 2023", "2023 mars 17", "06/05/2023 0:45 PM",
        "TRUE", "#VALUE!", "nan",
        "٠٦/٠٥/٢٠٢٣", "hier",
    ],
)  # fmt: skip
def test_what_is_no_date_is_unreadable_and_never_guessed(text):
    assert parse_date(text) is None


@given(
    days,
    st.sampled_from(["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%d"]),
    st.times(),
    st.sampled_from(["", " %H:%M", " %H:%M:%S", "T%H:%M:%SZ"]),
)
def test_a_date_reads_back_the_same_in_every_accepted_writing(day, writing, time, time_writing):
    moment = datetime.combine(day, time)
    assert parse_date(moment.strftime(writing.replace("%Y", f"{day.year:04d}")) + moment.strftime(time_writing)) == day


MONTHS_IN_WORDS = [
    ["janvier", "janv.", "jan", "January"],
    ["février", "févr.", "fev", "FEBRUARY", "Feb"],
    ["mars", "mar", "March", "MAR."],
    ["avril", "avr.", "April", "Apr"],
    ["mai", "May"],
    ["juin", "June", "jun"],
    ["juillet", "juil.", "JUILL", "July", "Jul"],
    ["août", "aout", "aoû", "August", "Aug."],
    ["septembre", "sept.", "September", "Sep"],
    ["octobre", "oct.", "October"],
    ["novembre", "nov.", "November"],
    ["décembre", "déc.", "dec", "December"],
]
WEEKDAYS = [
    ["lundi", "lun.", "Monday", "Mon"],
    ["mardi", "mar.", "Tuesday", "Tue"],
    ["mercredi", "mer", "Wednesday", "wed."],
    ["jeudi", "jeu.", "Thursday", "Thu"],
    ["vendredi", "vend.", "Friday", "FRI"],
    ["samedi", "sam.", "Saturday", "Sat"],
    ["dimanche", "dim.", "Sunday", "Sun"],
]


@given(days, st.data(), st.sampled_from([" ", "-", " - ", "\xa0"]), st.sampled_from(["", " 13:45", " 1:45 PM"]))
def test_a_date_with_its_month_in_words_reads_back_the_same(day, data, between, time):
    month = data.draw(st.sampled_from(MONTHS_IN_WORDS[day.month - 1]))
    weekday = data.draw(st.sampled_from(["", *WEEKDAYS[day.weekday()]]))
    number = data.draw(st.sampled_from([f"{day.day}", f"{day.day:02d}"]))
    parts = [*([weekday] if weekday else []), number, month, f"{day.year:04d}"]
    assert parse_date(between.join(parts) + time) == day


@given(st.dates(min_value=date(1969, 1, 1), max_value=date(2068, 12, 31)), st.sampled_from("/-."))
def test_a_two_digit_year_lies_between_1969_and_2068(day, separator):
    assert parse_date(day.strftime(f"%d{separator}%m{separator}%y")) == day


@given(days, st.floats(min_value=0, max_value=0.99))
def test_a_serial_number_counts_days_as_a_spreadsheet_does(day, time):
    serial = (day - date(1899, 12, 30)).days
    assert parse_date(str(serial)) == day
    if serial >= 10000:
        assert parse_date(f"{serial + time:.6f}") == day


def test_serial_numbers_of_early_1900_differ_by_the_day_that_never_was():
    assert [parse_date(str(n)) for n in range(1, 60)] == [date(1899, 12, 31) + timedelta(days=n) for n in range(1, 60)]


@given(st.text(max_size=25))
def test_no_text_whatever_breaks_the_reading_of_dates(text):
    day = parse_date(text)
    assert day is None or isinstance(day, date)
