"""DOMAIN §5, rules 4 and 6, where a rule needs its own pair: periods without a common day, the tolerance."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.support.api_user import ApiUser
from tests.support.pairs import line, row

pytestmark = pytest.mark.django_db(transaction=True)


def test_files_of_different_periods_are_refused_with_both_ranges() -> None:
    api = ApiUser()
    stat = [line("A1", settlement_date="01/01/2024"), line("A2", settlement_date="31/03/2024")]
    # Rows that are unpaid or cannot be read do not widen the period.
    recap = [
        row("A1", settlement_date="01/04/2024"),
        row("A3", settlement_date="30/06/2024"),
        row("A2", settlement_date=""),
        row("A2", claimed="x", settlement_date="31/03/2024"),
    ]
    outcome = api.import_pair([*stat, line("A4", claimed="x", settlement_date="01/05/2024")], recap)
    assert outcome.status == "ERROR"
    assert "Stat file: 01/01/2024 to 31/03/2024" in outcome.message
    assert "recap: 01/04/2024 to 30/06/2024" in outcome.message
    assert "Upload the stat and recap files of the same period" in outcome.message
    assert api.claims() == {}
    assert [file["name"] for file in api.all("files/")] == ["recap.csv", "stat.csv"]


def test_one_common_day_is_a_period() -> None:
    api = ApiUser()
    stat = [line("A1", settlement_date="01/01/2024"), line("A2", settlement_date="31/03/2024")]
    recap = [row("A2", settlement_date="31/03/2024"), row("A3", settlement_date="30/06/2024")]
    outcome = api.import_pair(stat, recap)
    assert outcome.summary["period"] == ["2024-03-31", "2024-03-31"]
    assert set(api.claims()) == {"A2"}
    assert outcome.status == "DONE"


def test_a_file_without_a_readable_date_is_refused_for_that() -> None:
    api = ApiUser()
    outcome = api.import_pair([line("A1", settlement_date="mars")], [row("A1", settlement_date="")])
    assert outcome.status == "ERROR"
    assert outcome.message.count("no readable settlement date") == 2


def test_the_tolerance_is_that_of_the_country() -> None:
    api = ApiUser(tolerance=Decimal("100.50"))
    stat = [
        line("NEAR", "5100.49", "3899.51"),
        line("FAR", "5100.50", "4000"),
        line("OFF", "100.49", "-100.49", claim_status="Annulée"),
    ]
    outcome = api.import_pair(stat, [row("NEAR"), row("FAR")])
    assert {number: claim["status"] for number, claim in api.claims().items()} == {
        "NEAR": "settled",
        "OFF": "cancelled",
    }
    (gap,) = outcome.findings_in("amount_gap")
    assert gap["claim_number"] == "FAR"
    assert "The tolerance is 100.50" in gap["observation"]
    assert outcome.summary["tolerance"] == "100.50"
