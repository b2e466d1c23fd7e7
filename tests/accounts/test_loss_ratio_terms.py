"""The target S/P and the pooling threshold of a country: who changes them, and where (DOMAIN §9)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.support.browser import Browser
from tests.support.cast import Cast
from users.models import AuditEntry

pytestmark = pytest.mark.django_db

FORM = {"name": "Togo", "code": "TG", "currency_code": "XOF", "currency_name": "Franc CFA", "tolerance": "5"}


def test_a_country_has_a_target_of_80_percent_and_no_threshold_until_somebody_changes_them(cast: Cast) -> None:
    client = cast.client("global_admin")
    address = f"/api/v1/countries/{cast.togo.pk}/"
    found = client.get(address).json()
    assert (found["target_loss_ratio"], found["pooling_threshold"]) == ("0.8000", None)
    changed = client.patch(address, {"target_loss_ratio": "0.755", "pooling_threshold": "2500000"})
    assert (changed.json()["target_loss_ratio"], changed.json()["pooling_threshold"]) == ("0.7550", "2500000.00")
    entry = AuditEntry.objects.filter(object_type="users.country", object_id=str(cast.togo.pk)).latest("pk")
    assert entry.data["fields"] == ["pooling_threshold", "target_loss_ratio"]
    cleared = client.patch(address, {"pooling_threshold": None}, format="json")
    assert cleared.json()["pooling_threshold"] is None


def test_terms_that_make_no_sense_are_refused_all_at_once(cast: Cast) -> None:
    client = cast.client("global_admin")
    address = f"/api/v1/countries/{cast.togo.pk}/"
    for target, threshold in (("0", "0"), ("-0.5", "-1"), ("10.1", "1000000000000")):
        answer = client.patch(address, {"target_loss_ratio": target, "pooling_threshold": threshold})
        assert answer.status_code == 400
        assert set(answer.json()) == {"target_loss_ratio", "pooling_threshold"}, answer.json()


@pytest.mark.parametrize("name", ["togo_admin", "togo_head", "togo_operator"])
def test_accounts_of_the_country_read_the_terms_and_do_not_change_them(cast: Cast, name: str) -> None:
    client = cast.client(name)
    address = f"/api/v1/countries/{cast.togo.pk}/"
    assert client.get(address).json()["target_loss_ratio"] == "0.8000"
    assert client.patch(address, {"target_loss_ratio": "0.9"}).status_code == 403


def test_a_global_admin_changes_the_terms_on_the_page(cast: Cast, browser: Browser) -> None:
    page = browser("global_admin")
    address = f"/countries/{cast.togo.pk}/"
    form = FORM | {"target_loss_ratio": "0.75", "pooling_threshold": "3000000"}
    assert page.post(f"{address}change/", form).status_code == 302
    content = page.get(address).content.decode()
    assert "75\N{NO-BREAK SPACE}%" in content
    assert "3,000,000" in content
    # An empty target leaves it; an empty threshold takes it away.
    page.post(f"{address}change/", FORM | {"target_loss_ratio": "", "pooling_threshold": ""})
    cast.togo.refresh_from_db()
    assert (cast.togo.target_loss_ratio, cast.togo.pooling_threshold) == (Decimal("0.75"), None)
    wrong = page.post(f"{address}change/", FORM | {"target_loss_ratio": "11"})
    assert wrong.status_code == 400


def test_the_administration_changes_the_terms_too(cast: Cast, browser: Browser) -> None:
    page = browser("superuser")
    form = FORM | {"target_loss_ratio": "0.7", "pooling_threshold": "100"}
    assert page.post(f"/admin/users/country/{cast.togo.pk}/change/", form).status_code == 302
    cast.togo.refresh_from_db()
    assert (cast.togo.target_loss_ratio, cast.togo.pooling_threshold) == (Decimal("0.7"), Decimal(100))
