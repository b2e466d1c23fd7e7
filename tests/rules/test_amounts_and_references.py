"""Amounts such as `12.000` and shortened references, from the upload to the report and the session (DOMAIN §4)."""

from __future__ import annotations

import pytest

from file_handling.models import SessionEvent
from tests.support.api_user import ApiUser, Outcome
from tests.support.pairs import line, recap_csv, row, stat_csv

pytestmark = pytest.mark.django_db(transaction=True)


def imported(lines, rows, *, country: str = "XOF", **form: str) -> Outcome:
    user = ApiUser()
    user.country.currency_code = country
    user.country.save()
    return user.import_pair(stat_csv(lines), rows, **form)


def warnings(outcome: Outcome, code: str) -> list[str]:
    return [finding["observation"] for finding in outcome.findings_in("warning") if finding["code"] == code]


def facts_of_reading(outcome: Outcome) -> dict[str, list[dict[str, object]]]:
    events = SessionEvent.objects.filter(session_id=outcome.id, step="read").order_by("sequence")
    (facts,) = [event.data["lone_marks"] for event in events if "lone_marks" in event.data]
    return dict(facts)


def test_thousands_read_from_three_digits_are_a_warning_with_the_column_and_three_examples():
    texts = ["12.000", "13.000", "14.000", "15.000"]
    lines = [line(f"A{at}", text, "9600") for at, text in enumerate(texts)]
    outcome = imported(lines, [row(f"A{at}", text[:2] + "000", "9600") for at, text in enumerate(texts)])
    assert (outcome.status, outcome.summary["claims"]["by_category"]) == ("DONE", {"conform": 4})
    (warning,) = warnings(outcome, "thousands_from_three_digits")
    assert "Montant facturé" in warning
    assert all(text in warning for text in ("12.000", "13.000", "14.000", "XOF"))
    assert "15.000" not in warning
    (fact,) = facts_of_reading(outcome)["stat"]
    assert (fact["field"], fact["mark"], fact["meaning"], fact["count"]) == ("claimed_amount", ".", "thousands", 4)
    assert facts_of_reading(outcome)["recap"] == []


def test_the_texts_of_all_recap_pages_decide_together():
    user = ApiUser()
    user.country.currency_code = "EUR"
    user.country.save()
    lines = [line("A1", "12000", "9600"), line("A2", "1234567", "9600")]
    pages = [[row("A1", "12,000", "9600")], [row("A2", "1,234,567", "9600")]]
    outcome = user.import_pair(stat_csv(lines), [recap_csv(page, f"p{at}.csv") for at, page in enumerate(pages)])
    assert outcome.summary["claims"]["by_category"] == {"conform": 2}
    (fact,) = facts_of_reading(outcome)["recap"]
    assert (fact["reason"], fact["evidence"]) == ("column", {"decimal": [], "thousands": ["1,234,567"]})
    assert len(warnings(outcome, "thousands_from_three_digits")) == 1


@pytest.mark.parametrize(("country", "session", "conform"), [("EUR", "XOF", 1), ("XOF", "EUR", 0), ("XAF", "", 1)])
def test_the_currency_of_the_session_goes_before_that_of_the_country(country, session, conform):
    form = {"currency": session} if session else {}
    lines, rows = [line("A1", "12.000", "9600"), line("A2")], [row("A1", "12000", "9600"), row("A2")]
    outcome = imported(lines, rows, country=country, **form)
    assert outcome.summary["claims"]["by_category"]["conform"] == 1 + conform


def test_an_amount_that_could_be_either_is_unreadable_and_says_so():
    outcome = imported([line("A1", "12.000", "9600"), line("A2")], [row("A1", "12", "9600"), row("A2")], country="EUR")
    assert outcome.numbers("unreadable") == ["A1"]
    (finding,) = outcome.findings_in("unreadable")
    assert "“12.000” is ambiguous, it can be 12,000.00 or 12.00:" in finding["observation"]
    assert warnings(outcome, "thousands_from_three_digits") == []


def test_decimals_decided_by_the_column_are_no_warning():
    lines = [line("A1", "12.500", "9600"), line("A2", "12.50", "9600")]
    outcome = imported(lines, [row("A1", "12.5", "9600"), row("A2", "12.50", "9600")])
    assert outcome.summary["claims"]["by_category"] == {"conform": 2}
    assert outcome.findings_in("warning") == []
    (fact,) = facts_of_reading(outcome)["stat"]
    assert (fact["meaning"], fact["examples"]) == ("decimal", ["12.500"])


def test_a_claim_number_that_lost_its_digits_is_listed_under_its_text_with_the_advice_to_format_the_column():
    lines = [line("2,0230E+16"), line("A2"), line("A3", policy_number="1,2E+15")]
    outcome = imported(lines, [row("2,0230E+16"), row("A2"), row("A3")])
    assert sorted(outcome.numbers("unreadable")) == ["2,0230E+16", "A3"]
    assert all("format the column as text" in finding["observation"] for finding in outcome.findings_in("unreadable"))
    assert outcome.summary["stat"]["unreadable_lines"] == 2


def test_another_reference_that_lost_its_digits_is_empty_with_a_warning_that_names_file_and_row():
    outcome = imported(
        [line("A1", invoice_number="2,0230E+16"), line("A2", invoice_number="12E5")], [row("A1"), row("A2")]
    )
    assert outcome.summary["claims"]["by_category"] == {"conform": 2}
    (finding,) = [f for f in outcome.findings_in("warning") if f["code"] == "references_lost_digits"]
    assert "2,0230E+16" in finding["observation"]
    assert (finding["claim_number"], finding["locations"][0]["file"], finding["locations"][0]["row"]) == (
        "A1",
        "stat.csv",
        2,
    )
