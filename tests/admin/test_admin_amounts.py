"""Amounts on the pages of the admin: grouped, and with the decimals that the currency has."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.models import Claim, ClaimLine
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.records import Records


@pytest.fixture
def claim(togo: Records) -> Claim:
    found: Claim = togo.rows["claims"]
    Claim.objects.filter(pk=found.pk).update(claimed_amount=Decimal(1234567), reimbursed_amount=Decimal("1000000.50"))
    ClaimLine.objects.filter(claim=found).update(claimed_amount=Decimal(7654321), reimbursed_amount=Decimal(6000000))
    return found


@pytest.mark.parametrize("path", ["/admin/core/claim/", "/admin/core/claim/{pk}/change/"])
def test_the_amounts_of_a_claim_have_cents_only_where_it_has_some(path: str, claim: Claim, browser: Browser) -> None:
    client = browser("togo_admin")
    english = client.get(path.format(pk=claim.pk)).content.decode()
    assert "1,234,567\xa0F\xa0CFA" in english
    assert "1,000,000.50\xa0F\xa0CFA" in english
    assert "1234567" not in english
    french = client.get(path.format(pk=claim.pk), headers={"Accept-Language": "fr"}).content.decode()
    assert "1\xa0234\xa0567\xa0F\xa0CFA" in french


def test_the_lines_of_a_claim_have_its_currency(claim: Claim, browser: Browser) -> None:
    Claim.objects.filter(pk=claim.pk).update(currency="EUR")
    page = browser("togo_admin").get(f"/admin/core/claim/{claim.pk}/change/").content.decode()
    assert "7,654,321.00\xa0EUR" in page
    assert "6,000,000.00\xa0EUR" in page


def test_the_amounts_of_findings_are_grouped(cast: Cast, togo: Records, browser: Browser) -> None:
    finding = togo.finding
    type(finding).objects.filter(pk=finding.pk).update(stat_claimed=Decimal(1234567), recap_claimed=None)
    type(togo.session).objects.filter(pk=togo.session.pk).update(currency="XOF")
    page = browser("togo_admin").get(f"/admin/file_handling/importsession/{togo.session.pk}/findings/").content.decode()
    assert '<td class="number">1,234,567<br>–</td>' in page
