"""The pages of webhooks, as an administrator uses them."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from notifications import delivery
from notifications.models import EVENT_TYPES, WebhookEndpoint, WebhookMessage
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.receiver import Receiver

pytestmark = pytest.mark.django_db


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def test_an_administrator_registers_tests_rotates_replays_and_deletes_a_webhook(
    cast: Cast, browser: Browser, receiver: Receiver
) -> None:
    page = browser("togo_admin")
    assert "There is no webhook yet." in text_of(page.get("/webhooks/"))
    form = {"name": "Data warehouse", "url": receiver.url, "events": [event.value for event in EVENT_TYPES]}
    created = page.post("/webhooks/new/", form)
    hook = WebhookEndpoint.objects.get()
    (secret,) = re.findall(r"whsec_[\w+/=]+", html.unescape(created.content.decode()))
    assert "no-store" in created["Cache-Control"]
    address = f"/webhooks/{hook.pk}/"
    assert "whsec_" not in text_of(page.get(address))

    assert page.post(f"{address}test/", follow=True).status_code == 200
    receiver.manner = "fail"
    delivery.deliver(hook.pk)
    shown = text_of(page.get(address))
    assert "The receiver answered with an error. · 500" in shown
    receiver.manner = "accept"
    WebhookMessage.objects.update(due_at="2020-01-01T00:00:00Z")
    delivery.deliver(hook.pk)
    receiver.requests[-1].verify(secret)
    assert "accepted · 204" in text_of(page.get(address))

    message = WebhookMessage.objects.get()
    again = page.post(f"{address}messages/{message.pk}/replay/", follow=True)
    assert "on its way again" in text_of(again)
    assert "waits already" in text_of(page.post(f"{address}messages/{message.pk}/replay/", follow=True))

    rotated = page.post(f"{address}rotate/")
    (other,) = re.findall(r"whsec_[\w+/=]+", html.unescape(rotated.content.decode()))
    assert other != secret
    assert "signed with the former secret, too" in text_of(rotated)

    assert "switched off" in text_of(page.post(f"{address}disable/", follow=True))
    assert "Enable it first" in text_of(page.post(f"{address}test/", follow=True))
    assert "is active" in text_of(page.post(f"{address}enable/", follow=True))
    changed = page.post(f"{address}change/", form | {"name": "Ledger"}, follow=True)
    assert "Ledger" in text_of(changed)
    assert "was deleted" in text_of(page.post(f"{address}delete/", follow=True))
    assert not WebhookEndpoint.objects.exists()


def test_a_form_with_errors_says_all_of_them_and_keeps_what_was_typed(cast: Cast, browser: Browser) -> None:
    answer = browser("superuser").post("/webhooks/new/", {"name": "A", "url": "https://localhost/x", "events": []})
    assert answer.status_code == 400
    answer = browser("superuser").post(
        "/webhooks/new/", {"name": "A", "url": "https://localhost/x", "events": ["import_session.failed"]}
    )
    assert answer.status_code == 400
    assert "inside a private network" in text_of(answer)
    assert 'value="https://localhost/x"' in answer.content.decode()


def test_a_global_account_chooses_a_country_or_all(cast: Cast, browser: Browser, receiver: Receiver) -> None:
    form = {"name": "A", "url": receiver.url, "events": ["import_session.failed"]}
    browser("global_admin").post("/webhooks/new/", form)
    browser("global_admin").post("/webhooks/new/", form | {"country": cast.benin.pk})
    assert set(WebhookEndpoint.objects.values_list("country__code", flat=True)) == {None, "BJ"}
    assert "All countries" in text_of(browser("superuser").get("/webhooks/"))


@pytest.mark.parametrize("address", ["/webhooks/", "/webhooks/new/", "/webhooks/{pk}/", "/webhooks/{pk}/change/"])
def test_the_pages_are_in_french_too(address: str, cast: Cast, browser: Browser, receiver: Receiver) -> None:
    page = browser("superuser")
    page.post("/webhooks/new/", {"name": "A", "url": receiver.url, "events": ["import_session.failed"]})
    pk = WebhookEndpoint.objects.get().pk
    page.cookies.load({"django_language": "fr"})
    shown = text_of(page.get(address.format(pk=pk), headers={"accept-language": "fr"}))
    assert "webhook" in shown
    for english in ("New webhook", "Send a test message", "Rotate", "Messages wait", "Register", "Address"):
        assert english not in shown
