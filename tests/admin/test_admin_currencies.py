"""The reporting currency and its rates in the admin: the same rules and the same figures as over the API."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from core.models import ExchangeRate, ReportingCurrency
from tests.support.api_user import ApiUser
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.pages import text_of
from tests.support.small_country import Act, SmallCountry
from users.models import AuditEntry

REPORTING, RATES = "/admin/core/reportingcurrency/", "/admin/core/exchangerate/"
RATE = {"currency": "GNF", "start": "2024-01-01", "rate": "9300,5"}


@pytest.fixture
def client(cast: Cast, browser: Browser) -> Client:
    cache.clear()
    return browser("global_admin")


def set_reporting(client: Client, code: str) -> Any:
    return client.post(f"{REPORTING}add/", {"currency": code})


def entries(model: str) -> list[tuple[str, str, Any]]:
    found = AuditEntry.objects.filter(object_type=f"core.{model}").exclude(action="read").order_by("pk")
    return list(found.values_list("actor__username", "action", "data"))


def test_the_reporting_currency_is_set_changed_and_removed(client: Client) -> None:
    refused = set_reporting(client, "12")
    assert "Give the ISO 4217 code" in text_of(refused)
    assert set_reporting(client, "eur").status_code == 302
    assert "EUR" in text_of(client.get(REPORTING))
    # One at most: the page of a new one is gone.
    assert client.get(f"{REPORTING}add/").status_code == 403
    address = f"{REPORTING}{ReportingCurrency.objects.get().pk}/"
    assert client.post(f"{address}change/", {"currency": "XAF"}).status_code == 302
    assert ReportingCurrency.objects.get().currency == "XAF"
    removed = client.post(f"{address}act/remove/", follow=True)
    assert "There is no reporting currency any more." in text_of(removed)
    assert not ReportingCurrency.objects.exists()
    assert entries("reportingcurrency") == [
        ("global_admin", "update", {"before": "", "after": "EUR"}),
        ("global_admin", "update", {"before": "EUR", "after": "XAF"}),
        ("global_admin", "update", {"before": "XAF", "after": ""}),
    ]


def test_a_rate_is_refused_with_every_problem_at_its_field(client: Client) -> None:
    early = client.post(f"{RATES}add/", RATE)
    assert "Set the reporting currency first" in text_of(early)
    set_reporting(client, "EUR")
    wrong = client.post(f"{RATES}add/", {"currency": "G1", "start": "1980-01-01", "rate": "5"})
    assert set(wrong.context["form"].errors) == {"currency", "start"}
    assert list(client.post(f"{RATES}add/", RATE | {"rate": "-5"}).context["form"].errors) == ["rate"]
    fixed = client.post(f"{RATES}add/", RATE | {"currency": "XOF", "rate": "650"})
    assert "1 EUR = 655.957 XOF" in text_of(fixed)
    assert not ExchangeRate.objects.exists()
    client.post(f"{RATES}add/", RATE)
    again = client.post(f"{RATES}add/", RATE | {"rate": "9000"})
    assert "There is a rate of this currency and day already" in text_of(again)
    assert [(one.base, one.currency, one.start, one.rate) for one in ExchangeRate.objects.all()] == [
        ("EUR", "GNF", date(2024, 1, 1), Decimal("9300.5"))
    ]


def test_the_figures_follow_a_rate_that_is_typed_changed_and_deleted(client: Client, cast: Cast) -> None:
    country = SmallCountry("GN", "GNF")
    country.claim(Act(9300, 9300), settled=date(2024, 3, 1))
    country.save()
    boss = ApiUser.for_user(cast.users["global_admin"])

    def reimbursed() -> tuple[str, int]:
        block = boss.get("dashboard/portfolio/?country=GN")["consolidated"]
        (found,) = [one["value"] for one in block["indicators"] if one["key"] == "reimbursed"]
        return found, sum(one["claims"] for one in block["without_rate"])

    set_reporting(client, "EUR")
    assert reimbursed() == ("0.00", 1)
    client.post(f"{RATES}add/", RATE | {"rate": "9300"})
    assert reimbursed() == ("1.00", 0)
    rate = ExchangeRate.objects.get()
    form = client.get(f"{RATES}{rate.pk}/change/").context["form"]
    assert form.initial["rate"] == "9300"
    client.post(f"{RATES}{rate.pk}/change/", RATE | {"rate": "4650"})
    assert reimbursed() == ("2.00", 0)
    gone = client.post(f"{RATES}{rate.pk}/act/remove/", follow=True)
    assert "was deleted" in text_of(gone)
    assert reimbursed() == ("0.00", 1)
    assert [(name, action) for name, action, _data in entries("exchangerate")] == [
        ("global_admin", "create"), ("global_admin", "update"), ("global_admin", "delete"),
    ]  # fmt: skip


def test_rates_are_filtered_and_searched(client: Client) -> None:
    set_reporting(client, "EUR")
    for currency, start in (("GNF", "2024-01-01"), ("GNF", "2024-06-01"), ("NGN", "2024-01-01")):
        client.post(f"{RATES}add/", RATE | {"currency": currency, "start": start})

    def shown(query: str) -> int:
        return int(client.get(f"{RATES}?{query}").context["cl"].result_count)

    page = text_of(client.get(RATES))
    assert "1 EUR = 9300.5 NGN" in page
    assert "By currency" in page
    assert "By reporting currency" in page
    assert (shown("currency=GNF"), shown("q=ngn"), shown("base=USD"), shown("start__year=2024&start__month=6")) == (
        2, 1, 0, 1,
    )  # fmt: skip
