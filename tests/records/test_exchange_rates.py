"""The reporting currency and its dated rates: API, import, pages (DOMAIN §14)."""

from __future__ import annotations

import datetime
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from core.models import ExchangeRate, ReportingCurrency
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.responses import content_of
from users.models import AuditEntry

RATES = "/api/v1/exchange-rates/"
SETTING = "/api/v1/reporting-currency/"


@pytest.fixture
def boss(cast: Cast) -> APIClient:
    client = cast.client("global_admin")
    assert client.put(SETTING, {"currency": "eur"}, format="json").json()["currency"] == "EUR"
    return client


def rate(client: APIClient, currency: str, start: str, value: str) -> Any:
    return client.post(RATES, {"currency": currency, "from": start, "rate": value})


def csv(*lines: str, name: str = "rates.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, "\n".join(lines).encode("cp1252"))


def outcomes(answer: Any) -> list[tuple[int, str]]:
    assert answer.status_code == 200, answer.json()
    return [(row["row"], row["outcome"]) for row in answer.json()["rows"]]


def test_a_rate_is_typed_changed_and_deleted(boss: APIClient) -> None:
    made = rate(boss, "gnf", "2024-01-01", "9300.50")
    assert made.status_code == 201
    assert {name: made.json()[name] for name in ("base", "currency", "from", "rate", "author")} == {
        "base": "EUR", "currency": "GNF", "from": "2024-01-01", "rate": "9300.5", "author": "global_admin@example.org",
    }  # fmt: skip
    address = f"{RATES}{made.json()['id']}/"
    assert boss.patch(address, {"from": "2024-02-01"}).json()["from"] == "2024-02-01"
    assert boss.get(f"{RATES}?currency=gnf").json()["count"] == 1
    assert boss.get(f"{RATES}?currency=USD").json()["count"] == 0
    assert boss.get(f"{RATES}?day=2024").status_code == 400
    assert boss.delete(address).status_code == 204
    assert boss.get(address).status_code == 404
    actions = AuditEntry.objects.filter(object_type="core.exchangerate").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["create", "update", "delete"]


@pytest.mark.parametrize(
    ("currency", "start", "value", "field"),
    [
        ("XFO", "2024-01-01", "1", "currency"),
        ("EUR", "2024-01-01", "1", "rate"),
        ("GNF", "1889-01-01", "1", "from"),
        ("GNF", "2024-31-01", "1", "from"),
        ("GNF", "2024-01-01", "0", "rate"),
        ("GNF", "2024-01-01", "-5", "rate"),
        ("GNF", "2024-01-01", "1000000000", "rate"),
        ("GNF", "2024-01-01", "12345.123456789012", "rate"),
        ("XOF", "2024-01-01", "656", "rate"),
        ("XAF", "2024-01-01", "655.96", "rate"),
    ],
)
def test_a_wrong_rate_is_refused_by_its_field(
    currency: str, start: str, value: str, field: str, boss: APIClient
) -> None:
    answer = rate(boss, currency, start, value)
    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert not ExchangeRate.objects.exists()


def test_the_fixed_rates_are_named_and_their_own_value_is_accepted(boss: APIClient) -> None:
    assert boss.get(SETTING).json()["fixed"] == ["1 EUR = 655.957 XAF", "1 EUR = 655.957 XOF"]
    assert rate(boss, "XOF", "2024-01-01", "655.957").status_code == 201
    refused = rate(boss, "XOF", "2024-01-02", "655.958").json()["rate"]
    assert "1 EUR = 655.957 XOF" in refused[0]
    boss.put(SETTING, {"currency": "XOF"}, format="json")
    assert rate(boss, "EUR", "2024-01-01", "0.0015244902").status_code == 201
    assert rate(boss, "EUR", "2024-01-02", "655.957").status_code == 400
    assert rate(boss, "XAF", "2024-01-01", "1").status_code == 201


def test_one_rate_for_each_currency_and_day(boss: APIClient) -> None:
    rate(boss, "GNF", "2024-01-01", "9300")
    assert list(rate(boss, "GNF", "2024-01-01", "9400").json()) == ["from"]
    other = rate(boss, "GNF", "2024-01-02", "9400").json()["id"]
    assert boss.patch(f"{RATES}{other}/", {"from": "2024-01-01"}).status_code == 400


def test_without_a_reporting_currency_no_rate_is_accepted(cast: Cast) -> None:
    client = cast.client("superuser")
    assert client.get(SETTING).json() == {"currency": None, "fixed": []}
    assert rate(client, "GNF", "2024-01-01", "9300").status_code == 409
    sheet = {"file": csv("currency;from;rate", "GNF;01/01/2024;1")}
    assert client.post(f"{RATES}import/", sheet, format="multipart").status_code == 409
    assert client.put(SETTING, {"currency": "FRANC"}, format="json").status_code == 400


def test_rates_survive_a_change_of_the_reporting_currency_and_every_change_has_a_new_token(boss: APIClient) -> None:
    tokens = [ReportingCurrency.objects.get().token]
    rate(boss, "GNF", "2024-01-01", "9300")
    tokens.append(ReportingCurrency.objects.get().token)
    boss.put(SETTING, {"currency": "USD"}, format="json")
    tokens.append(ReportingCurrency.objects.get().token)
    assert len(set(tokens)) == 3
    assert boss.put(SETTING, {"currency": None}, format="json").json()["currency"] is None
    assert not ReportingCurrency.objects.exists()
    assert boss.get(f"{RATES}?base=EUR").json()["count"] == 1


def test_a_sheet_shows_what_it_would_do_and_stores_the_good_rows(boss: APIClient) -> None:
    rate(boss, "GNF", "2024-01-01", "9300")
    rate(boss, "GNF", "2024-02-01", "9350")
    lines = (
        "Devise;À partir du;Taux", "gnf;01/01/2024;9300", "GNF;01/02/2024;9 360,25", "USD;2024-01-01;1,0837",
        "USD;1 janvier 2024;1,09", "XOF;01/01/2024;655,957", "XOF;02/01/2024;700", "ABC;31/02/2024;beaucoup",
    )  # fmt: skip
    expected = [
        (2, "same"), (3, "update"), (4, "new"), (5, "rejected"), (6, "new"), (7, "rejected"), (8, "rejected"),
    ]  # fmt: skip
    shown = boss.post(f"{RATES}import/preview/", {"file": csv(*lines)}, format="multipart")
    assert outcomes(shown) == expected
    rows = {row["row"]: row for row in shown.json()["rows"]}
    assert (rows[3]["rate"], rows[3]["before"]) == ("9360.25", "9350")
    assert "Row 4" in rows[5]["reasons"][0]
    assert len(rows[8]["reasons"]) == 3
    assert ExchangeRate.objects.count() == 2
    stored = boss.post(f"{RATES}import/", {"file": csv(*lines)}, format="multipart")
    assert outcomes(stored) == expected
    assert {name: stored.json()[name] for name in ("count", "new", "update", "same", "rejected")} == {
        "count": 7, "new": 2, "update": 1, "same": 1, "rejected": 3,
    }  # fmt: skip
    assert ExchangeRate.objects.count() == 4
    changed = ExchangeRate.objects.get(currency="GNF", start="2024-02-01")
    assert (changed.rate, changed.file_name, changed.row) == (changed.rate.__class__("9360.25"), "rates.csv", 3)
    assert outcomes(boss.post(f"{RATES}import/", {"file": csv(*lines)}, format="multipart"))[:3] == [
        (2, "same"),
        (3, "same"),
        (4, "same"),
    ]


def test_the_template_can_be_filled_in_and_sent_back(boss: APIClient) -> None:
    book = openpyxl.load_workbook(BytesIO(content_of(boss.get(f"{RATES}template/"))))
    sheet = book.active
    assert sheet is not None
    sheet.append(["GNF", datetime.date(2024, 1, 1), 9300.5])
    sheet.append(["USD", datetime.date(2024, 1, 1), 0.0000152])
    content = BytesIO()
    book.save(content)
    file = SimpleUploadedFile("rates.xlsx", content.getvalue())
    assert outcomes(boss.post(f"{RATES}import/", {"file": file}, format="multipart")) == [(2, "new"), (3, "new")]
    assert {f"{one.rate.normalize():f}" for one in ExchangeRate.objects.all()} == {"9300.5", "0.0000152"}


@pytest.mark.parametrize(
    "file", [csv("currency;from"), csv("currency;from;rate"), csv("a", name="rates.pdf"), csv("x", name="rates.xlsx")]
)
def test_a_file_that_is_no_sheet_of_rates_is_refused(file: SimpleUploadedFile, boss: APIClient) -> None:
    file.seek(0)
    assert list(boss.post(f"{RATES}import/", {"file": file}, format="multipart").json()) == ["file"]


def test_the_pages_set_the_currency_type_rates_and_import_them(cast: Cast, browser: Browser) -> None:
    client = browser("global_admin")
    assert "no amounts are consolidated" in client.get("/currencies/").content.decode()
    told = client.post("/currencies/reporting/", {"currency": "EUR"}, follow=True).content.decode()
    assert "The reporting currency is EUR." in told
    assert "1 EUR = 655.957 XOF" in told
    wrong = client.post("/currencies/new/", {"currency": "XOF", "start": "2024-01-01", "rate": "700"})
    assert wrong.status_code == 400
    assert "This rate is fixed" in wrong.content.decode()
    form = {"currency": "GNF", "start": "2024-01-01", "rate": "9300,5"}
    told = client.post("/currencies/new/", form, follow=True).content.decode()
    assert "1 EUR = 9300.5 GNF" in told
    french = client.get("/currencies/", headers={"Accept-Language": "fr"}).content.decode()
    assert "1 EUR = 655,957 XOF" in french
    assert "1 EUR = 9300,5 GNF" in french
    row = ExchangeRate.objects.get()
    assert client.post(f"/currencies/{row.pk}/", {**form, "rate": "9400"}).status_code == 302
    row.refresh_from_db()
    assert row.rate == 9400
    preview = client.post("/currencies/import/", {"file": csv("currency;from;rate", "GNF;01/02/2024;9500", "X;1;0")})
    text = preview.content.decode()
    assert "1 rate can be stored." in text
    assert ExchangeRate.objects.count() == 1
    stored = client.post("/currencies/import/", {"signed_rows": preview.context["signed_rows"]}).content.decode()
    assert "1 rate was stored." in stored
    assert ExchangeRate.objects.count() == 2
    assert client.post("/currencies/import/", {"signed_rows": "x"}).status_code == 400
    assert client.post(f"/currencies/{row.pk}/delete/").status_code == 302
    assert ExchangeRate.objects.count() == 1
    assert "Currencies" in client.get("/").content.decode()
    assert "/currencies/" not in browser("togo_admin").get("/").content.decode()
