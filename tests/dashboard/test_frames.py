"""Records and figures as pandas frames: their rows, their types and what they are, for the account that asks."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

from common.errors import Invalid
from dashboard import frames
from tests.support.small_country import Act, SmallCountry

pytestmark = pytest.mark.django_db


@pytest.fixture
def togo() -> SmallCountry:
    country = SmallCountry("TG")
    country.claim(Act(9000, 7000), Act(1000, 800), number="A1", settled=date(2024, 3, 5), incident=date(2024, 3, 1))
    country.claim(Act(500, 500), number="A2", settled=date(2024, 4, 5), client=None)
    return country.save()


def test_claims_have_decimals_dates_and_ids_that_may_be_missing(togo: SmallCountry) -> None:
    frame = frames.claims(togo.user)
    assert frame["number"].to_list() == ["A1", "A2"]
    assert frame["reimbursed"].to_list() == [Decimal("7800.00"), Decimal("500.00")]
    assert frame["settled"].to_list() == [date(2024, 3, 5), date(2024, 4, 5)]
    assert str(frame["client"].dtype) == "Int64"
    assert frame["client"].isna().to_list() == [False, True]
    types = frame.attrs["types"]
    assert (types["reimbursed"], types["settled"], types["client"], types["lines"], types["number"]) == (
        "money",
        "date",
        "id",
        "integer",
        "text",
    )
    assert frame.attrs["currency"] == ["XOF"]
    assert frame.attrs["period"] == {"start": "2024-03-05", "end": "2024-04-05"}


def test_lines_and_claims_of_a_period_have_the_same_sum(togo: SmallCountry) -> None:
    days = {"start": "2024-03-01", "end": "2024-03-31"}
    lines, claims = frames.lines(togo.user, **days), frames.claims(togo.user, **days)
    assert lines["claimed"].to_list() == [Decimal("9000.00"), Decimal("1000.00")]
    assert sum(lines["reimbursed"]) == sum(claims["reimbursed"]) == Decimal("7800.00")


def test_an_indicator_has_the_table_of_its_address(togo: SmallCountry) -> None:
    frame = frames.indicator(togo.user, "rankings", by="client")
    rows = togo.get("dashboard/rankings/?by=client")["rows"]
    assert frame["reimbursed"].to_list() == [Decimal(row["reimbursed"]) for row in rows]
    assert frame.attrs["types"]["reimbursed"] == "money"
    assert frame.attrs["indicator"] == "rankings"
    assert "reimbursed" in frame.attrs["definition"].lower()


def test_findings_have_the_amounts_of_the_claims_left_out(togo: SmallCountry) -> None:
    frame = frames.findings(togo.user)
    assert isinstance(frame, pd.DataFrame)
    assert frame.empty
    assert frame.attrs["types"]["amount"] == "money"


def test_frames_have_only_the_rows_of_the_own_country(togo: SmallCountry) -> None:
    benin = SmallCountry("BJ")
    assert frames.claims(benin.user).empty
    assert frames.claims(benin.user, country="TG").empty
    assert frames.indicator(benin.user, "rankings", by="client", country="TG").empty


def test_parameters_that_are_not_understood_are_refused(togo: SmallCountry) -> None:
    with pytest.raises(Invalid) as refused:
        frames.claims(togo.user, start="yesterday", clientt="3")
    assert set(refused.value.errors) == {"start", "clientt"}
