"""Webhooks from registration to receipt: real imports, a real receiver, and the worker's own delivery."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
import structlog
from django.db import connection
from django.utils import timezone
from standardwebhooks.webhooks import WebhookVerificationError

from common.sealed import CannotUnseal, unseal
from notifications import delivery
from notifications.models import EVENT_TYPES, Ending, WebhookAttempt, WebhookEndpoint, WebhookMessage
from notifications.outbox import session_ended
from tests.support.api_user import API, ApiUser
from tests.support.cast import Cast
from tests.support.installation import until
from tests.support.mails import sent_mails
from tests.support.pairs import line, row
from tests.support.receiver import Receiver
from tests.support.records import make_session
from users.models import AuditEntry

pytestmark = pytest.mark.django_db(transaction=True)

ALL = [event.value for event in EVENT_TYPES]
# The second claim is in the stat file alone.
STAT, RECAP = [line("A1"), line("A2")], [row("A1")]
LATER = [row("A1", settlement_date="2031-01-01")]


def register(client: Any, url: str, **fields: Any) -> dict[str, Any]:
    answer = client.post(f"{API}webhooks/", {"name": "Data warehouse", "url": url, "events": ALL} | fields)
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def deliver_all(hook: dict[str, Any], *, state: str = "delivered") -> None:
    """Work as the workers do until every message of the webhook is delivered."""

    def is_done() -> bool:
        delivery.deliver(hook["id"])
        return not WebhookMessage.objects.filter(endpoint=hook["id"]).exclude(state=state).exists()

    until(is_done, every=0.02, name="the delivery of all messages")


def end(session: Any, ending: Ending = Ending.COMPLETED) -> None:
    session_ended(session.pk, ending)


def results(hook: dict[str, Any]) -> list[str]:
    return list(WebhookAttempt.objects.filter(message__endpoint=hook["id"]).values_list("result", flat=True))


# ------------------------------------------------------------------------------------------------ real imports


def test_every_end_of_an_import_reaches_the_receiver_once_in_order_signed_and_with_counts_only(
    receiver: Receiver,
) -> None:
    api = ApiUser("TG")
    hook = register(api.client, receiver.url)
    reviewed = api.import_pair(STAT, RECAP, dry_run="true")
    assert reviewed.status == "REVIEW"
    assert api.steer(reviewed.id, "commit").status_code == 200
    assert api.run(reviewed.id).status == "DONE_WITH_ERRORS"
    assert api.steer(reviewed.id, "revert").status_code == 200
    failed = api.import_pair(STAT, LATER)
    assert failed.status == "ERROR", failed.message
    deliver_all(hook)
    in_files, nothing = {"claims": 2, "claims_left_out": 1}, {"claims_created": 0, "insured_created": 0}
    told = [(request.message["type"].split(".")[1], request.message["data"]) for request in receiver.requests]
    expected = [
        ("review", reviewed.id, "REVIEW", in_files | nothing),
        ("completed", reviewed.id, "DONE_WITH_ERRORS", in_files | {"claims_created": 1, "insured_created": 1}),
        ("reverted", reviewed.id, "REVERTED", {"claims_removed": 1, "claim_lines_removed": 1}),
        ("failed", failed.id, "ERROR", nothing),
    ]
    assert told == [
        (event, {"import_session": session, "country": "TG", "status": status, "counts": counts})
        for event, session, status, counts in expected
    ]
    for request in receiver.requests:
        request.verify(hook["secret"])
        assert request.headers["content-type"] == "application/json"
    assert len({request.uid for request in receiver.requests}) == 4


def test_a_message_is_stored_with_the_end_of_the_session_or_not_at_all(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = ApiUser("TG")
    register(api.client, receiver.url)
    session = api.send(STAT, RECAP)
    create = WebhookMessage.objects.create

    def failing(**fields: Any) -> Any:
        create(**fields)
        raise RuntimeError("after the message, before the commit")

    with monkeypatch.context() as patch:
        patch.setattr(WebhookMessage.objects, "create", failing)
        with pytest.raises(RuntimeError):
            api.run(session)
    assert not WebhookMessage.objects.exists()
    assert api.get(f"import-sessions/{session}/")["status"] == "PROCESSING"


def test_a_webhook_gets_the_chosen_events_of_its_country_and_one_of_all_countries_those_of_all(
    cast: Cast, receiver: Receiver
) -> None:
    hooks = {
        "failures": register(cast.client("togo_admin"), receiver.url, events=["import_session.failed"]),
        "togo": register(cast.client("global_admin"), receiver.url, country=cast.togo.pk),
        "all": register(cast.client("superuser"), receiver.url),
    }
    for user, country in [(cast.togo_head, cast.togo), (cast.benin_head, cast.benin)]:
        end(make_session(user=user, country=country))
    deliver_all(hooks["all"])
    assert [request.message["data"]["country"] for request in receiver.requests] == ["TG", "BJ"]
    deliver_all(hooks["togo"])
    deliver_all(hooks["failures"])
    assert [request.message["data"]["country"] for request in receiver.requests] == ["TG", "BJ", "TG"]
    seen = cast.client("togo_admin").get(f"{API}webhooks/").json()["results"]
    assert {one["id"] for one in seen} == {hooks["failures"]["id"], hooks["togo"]["id"]}
    assert cast.client("togo_admin").get(f"{API}webhooks/{hooks['all']['id']}/").status_code == 403


# ------------------------------------------------------------------------------------------------ bad receivers


def test_a_receiver_that_fails_hangs_redirects_and_comes_back_gets_every_message_in_the_order_of_its_session(
    cast: Cast, receiver: Receiver
) -> None:
    hook = register(cast.client("togo_admin"), receiver.url)
    first, second = (make_session(user=cast.togo_head, country=cast.togo) for _ in range(2))
    for session, ending in [(first, Ending.REVIEW), (second, Ending.REVIEW), (first, Ending.COMPLETED)]:
        end(session, ending)
    messages = list(WebhookMessage.objects.order_by("pk"))

    for manner in ["fail", "hang", "redirect", "close", "drip"]:
        receiver.manner = manner
        tried = len(receiver.requests)
        until(lambda tried=tried: delivery.deliver(hook["id"]) == 0 and len(receiver.requests) > tried, every=0.02)
        # The message that waits for the first one of its session is not tried before it.
        assert messages[2].uid not in {request.uid for request in receiver.requests}
    receiver.manner = "accept"
    deliver_all(hook)

    accepted = [request.uid for request in receiver.accepted()]
    assert sorted(accepted) == sorted(message.uid for message in messages)
    assert accepted.index(messages[0].uid) < accepted.index(messages[2].uid)
    bodies = {request.uid: set() for request in receiver.requests}  # type: ignore[var-annotated]
    for request in receiver.requests:
        bodies[request.uid].add(request.body)
        request.verify(hook["secret"])
    assert {len(found) for found in bodies.values()} == {1}
    assert {"refused", "timeout", "redirect", "broken", "accepted"} == set(results(hook))
    log = cast.client("togo_admin").get(f"{API}webhooks/{hook['id']}/messages/").json()["results"][-1]["log"]
    assert (log[0]["result"], log[0]["status"]) == ("refused", 500)
    assert (log[-1]["result"], log[-1]["status"]) == ("accepted", 204)


def test_an_error_holds_up_its_session_alone_and_a_host_that_is_silent_all_of_its_messages(
    cast: Cast, receiver: Receiver
) -> None:
    hook = register(cast.client("togo_admin"), receiver.url)
    for _ in range(3):
        end(make_session(user=cast.togo_head, country=cast.togo))
    receiver.manner = "fail"
    delivery.deliver(hook["id"])
    assert len({request.uid for request in receiver.requests}) == 3
    receiver.manner, tried = "close", len(receiver.requests)
    until(lambda: delivery.deliver(hook["id"]) == 0 and len(receiver.requests) > tried, every=0.02)
    assert len(receiver.requests) == tried + 1


def test_the_wait_grows_up_to_its_limit(settings: Any) -> None:
    settings.WEBHOOKS = settings.WEBHOOKS | {"FIRST_WAIT_SECONDS": 5, "LONGEST_WAIT_SECONDS": 14400}
    waits = [delivery._wait(attempts).total_seconds() for attempts in range(1, 20)]
    assert waits[:8] == [5, 20, 80, 320, 1280, 5120, 14400, 14400]
    assert waits[-1] == 14400


def test_two_workers_never_deliver_to_one_receiver_at_the_same_time(cast: Cast, receiver: Receiver) -> None:
    hook = register(cast.client("togo_admin"), receiver.url)
    end(make_session(user=cast.togo_head, country=cast.togo))
    end(make_session(user=cast.togo_head, country=cast.togo))
    receiver.manner = "hang"

    def work() -> None:
        delivery.deliver(hook["id"])
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    until(lambda: receiver.requests)
    assert delivery.deliver(hook["id"]) == 0
    assert len(receiver.requests) == 1
    worker.join()


def test_a_claim_whose_worker_died_expires_and_the_sweeper_calls_another(cast: Cast, receiver: Receiver) -> None:
    hook = register(cast.client("togo_admin"), receiver.url)
    end(make_session(user=cast.togo_head, country=cast.togo))
    row = WebhookEndpoint.objects.filter(pk=hook["id"])
    row.update(claimed_until=timezone.now() + timedelta(seconds=50), rung_at=None)
    assert delivery.request_due() == []
    assert delivery.deliver(hook["id"]) == 0
    row.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert delivery.request_due() == [hook["id"]]
    # Not again at once: the message to the worker is on its way.
    assert delivery.request_due() == []
    assert delivery.deliver(hook["id"]) == 1
    assert delivery.request_due() == []


def test_a_receiver_that_fails_for_a_day_is_disabled_with_a_mail_and_gets_everything_once_it_is_enabled(
    cast: Cast, receiver: Receiver
) -> None:
    client = cast.client("togo_admin")
    hook = register(client, receiver.url)
    session = make_session(user=cast.togo_head, country=cast.togo)
    end(session, Ending.REVIEW)
    receiver.manner = "fail"
    delivery.deliver(hook["id"])
    message = WebhookMessage.objects.filter(attempts=1)
    day = timedelta(hours=24)
    message.update(first_attempt_at=timezone.now() - day + timedelta(minutes=1), due_at=timezone.now())
    delivery.deliver(hook["id"])
    assert client.get(f"{API}webhooks/{hook['id']}/").json()["state"] == "active"
    WebhookMessage.objects.update(first_attempt_at=timezone.now() - day, due_at=timezone.now())
    delivery.deliver(hook["id"])
    assert client.get(f"{API}webhooks/{hook['id']}/").json()["state"] == "failed"
    (mail,) = sent_mails()
    assert mail.to == ["togo_admin@example.org"]
    assert f"/webhooks/{hook['id']}/" in str(mail.body)
    assert str(receiver.port) not in str(mail.body)

    # What happens meanwhile waits, too.
    end(session, Ending.COMPLETED)
    tried = len(receiver.requests)
    assert delivery.deliver(hook["id"]) == 0
    assert delivery.request_due() == []
    assert len(receiver.requests) == tried
    assert client.post(f"{API}webhooks/{hook['id']}/test/").status_code == 409
    receiver.manner = "accept"
    assert client.post(f"{API}webhooks/{hook['id']}/enable/").json()["state"] == "active"
    deliver_all(hook)
    told = [request.message["type"] for request in receiver.accepted()]
    assert told == ["import_session.review", "import_session.completed"]


def test_a_receiver_that_wants_no_messages_any_more_is_disabled_at_once(cast: Cast, receiver: Receiver) -> None:
    hook = register(cast.client("togo_admin"), receiver.url)
    end(make_session(user=cast.togo_head, country=cast.togo))
    receiver.manner = "gone"
    delivery.deliver(hook["id"])
    assert WebhookEndpoint.objects.get().state == "failed"


def test_a_webhook_that_is_switched_off_gets_what_was_before_and_nothing_of_what_was_meanwhile(
    cast: Cast, receiver: Receiver
) -> None:
    client = cast.client("togo_admin")
    hook = register(client, receiver.url)
    session = make_session(user=cast.togo_head, country=cast.togo)
    end(session, Ending.REVIEW)
    assert client.post(f"{API}webhooks/{hook['id']}/disable/").json()["state"] == "off"
    end(session, Ending.COMPLETED)
    assert delivery.deliver(hook["id"]) == 0
    client.post(f"{API}webhooks/{hook['id']}/enable/")
    deliver_all(hook)
    assert [request.message["type"] for request in receiver.requests] == ["import_session.review"]


# ------------------------------------------------------------------------------------------------ addresses


@pytest.mark.parametrize("url", ["https://localhost/hook", "https://10.0.0.1/", "http://8.8.8.8/", "gopher://x/"])
def test_an_address_that_is_private_or_without_tls_is_refused_in_words(url: str, cast: Cast) -> None:
    answer = cast.client("togo_admin").post(f"{API}webhooks/", {"name": "A", "url": url, "events": ["all"]})
    assert set(answer.json()) == {"url", "events"}
    assert not WebhookEndpoint.objects.exists()


def test_an_address_that_is_no_longer_allowed_is_not_called(cast: Cast, receiver: Receiver, settings: Any) -> None:
    hook = register(cast.client("togo_admin"), receiver.url)
    end(make_session(user=cast.togo_head, country=cast.togo))
    settings.OUTGOING_ALLOWED_HOSTS = []
    delivery.deliver(hook["id"])
    assert results(hook) == ["plain"]
    assert receiver.requests == []


# ------------------------------------------------------------------------------------------------ secrets


def test_the_secret_is_shown_once_and_is_neither_stored_nor_logged_as_text(cast: Cast, receiver: Receiver) -> None:
    client = cast.client("togo_admin")
    with structlog.testing.capture_logs() as logs:
        hook = register(client, receiver.url)
        end(make_session(user=cast.togo_head, country=cast.togo))
        receiver.manner = "fail"
        delivery.deliver(hook["id"])
    secret = hook["secret"]
    assert secret.startswith("whsec_")
    for path in ("webhooks/", f"webhooks/{hook['id']}/", f"webhooks/{hook['id']}/messages/", "audit/"):
        assert secret.removeprefix("whsec_") not in client.get(f"{API}{path}").content.decode()
    stored = WebhookEndpoint.objects.values().get()
    assert secret.removeprefix("whsec_") not in str(stored)
    assert unseal(stored["secret"]) == secret
    assert secret.removeprefix("whsec_") not in str(logs)
    assert "key=1" not in str(logs)


def test_a_rotated_secret_and_the_former_one_sign_for_a_time(cast: Cast, receiver: Receiver) -> None:
    client = cast.client("togo_admin")
    hook = register(client, receiver.url)
    rotated = client.post(f"{API}webhooks/{hook['id']}/rotate/").json()
    assert rotated["secret"] != hook["secret"]

    def sent() -> Any:
        assert client.post(f"{API}webhooks/{hook['id']}/test/").status_code == 202
        deliver_all(hook)
        return receiver.requests[-1]

    during = sent()
    during.verify(hook["secret"])
    during.verify(rotated["secret"])
    assert during.message["type"] == "webhook.test"
    assert during.message["data"] == {"webhook": hook["id"]}
    WebhookEndpoint.objects.update(former_secret_until=timezone.now())
    after = sent()
    after.verify(rotated["secret"])
    with pytest.raises(WebhookVerificationError):
        after.verify(hook["secret"])


def test_after_a_change_of_secret_key_the_former_key_still_unseals_and_no_other_does(
    cast: Cast, receiver: Receiver, settings: Any
) -> None:
    hook = register(cast.client("togo_admin"), receiver.url)
    end(make_session(user=cast.togo_head, country=cast.togo))
    settings.SECRET_KEY, former = "another key of this server, of enough length", settings.SECRET_KEY
    with pytest.raises(CannotUnseal):
        unseal(WebhookEndpoint.objects.get().secret)
    delivery.deliver(hook["id"])
    assert results(hook) == ["sealed"]
    settings.SECRET_KEY_FALLBACKS = [former]
    deliver_all(hook)
    receiver.requests[-1].verify(hook["secret"])


# ------------------------------------------------------------------------------------------------ steering


def test_a_message_is_sent_again_on_request_with_the_same_id(cast: Cast, receiver: Receiver) -> None:
    client = cast.client("togo_admin")
    hook = register(client, receiver.url)
    end(make_session(user=cast.togo_head, country=cast.togo))
    messages = f"{API}webhooks/{hook['id']}/messages/"
    (message,) = client.get(messages).json()["results"]
    assert client.post(f"{messages}{message['id']}/replay/").status_code == 409
    deliver_all(hook)
    assert client.post(f"{messages}{message['id']}/replay/").status_code == 202
    assert client.get(f"{messages}?state=pending").json()["count"] == 1
    deliver_all(hook)
    assert [request.uid for request in receiver.requests] == [message["uid"]] * 2
    assert AuditEntry.objects.filter(object_type="notifications.webhookendpoint", data__act="replay").count() == 1


def test_a_message_is_replayed_only_under_its_own_webhook(cast: Cast, receiver: Receiver) -> None:
    client = cast.client("togo_admin")
    one, other = (register(client, receiver.url) for _ in range(2))
    client.post(f"{API}webhooks/{one['id']}/test/")
    message = WebhookMessage.objects.get()
    assert client.post(f"{API}webhooks/{other['id']}/messages/{message.pk}/replay/").status_code == 403


def test_a_webhook_is_changed_and_deleted_with_its_messages(cast: Cast, receiver: Receiver) -> None:
    client = cast.client("togo_admin")
    hook = register(client, receiver.url)
    changed = client.patch(f"{API}webhooks/{hook['id']}/", {"name": "B", "events": ["import_session.failed"]})
    assert (changed.json()["name"], changed.json()["events"]) == ("B", ["import_session.failed"])
    assert client.patch(f"{API}webhooks/{hook['id']}/", {"url": "https://localhost/"}).status_code == 400
    client.post(f"{API}webhooks/{hook['id']}/test/")
    assert client.delete(f"{API}webhooks/{hook['id']}/").status_code == 204
    assert not WebhookMessage.objects.exists()
    assert client.get(f"{API}webhooks/{hook['id']}/").status_code == 404
    actions = AuditEntry.objects.filter(object_type="notifications.webhookendpoint").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == ["create", "update", "update", "delete"]


def test_a_territorial_admin_registers_for_the_own_country_only(cast: Cast, receiver: Receiver) -> None:
    client = cast.client("togo_admin")
    assert register(client, receiver.url)["country"]["code"] == "TG"
    form = {"name": "A", "url": receiver.url, "events": ALL}
    # As for a country that does not exist.
    assert client.post(f"{API}webhooks/", form | {"country": cast.benin.pk}).status_code == 400
    assert register(cast.client("global_admin"), receiver.url)["country"] is None


def test_a_country_has_at_most_twenty_webhooks(cast: Cast, receiver: Receiver) -> None:
    client = cast.client("togo_admin")
    for _ in range(20):
        register(client, receiver.url)
    answer = client.post(f"{API}webhooks/", {"name": "A", "url": receiver.url, "events": ALL})
    assert answer.status_code == 400
    register(cast.client("benin_admin"), receiver.url)
