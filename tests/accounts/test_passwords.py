"""Choosing and changing passwords: by one-time links in mails, and over the API."""

from __future__ import annotations

import re
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tests.support.cast import PASSWORD, Cast
from tests.support.mails import address_in, link_in, sent_mails
from users.models import AuditEntry, MailPurpose, QueuedMail, User
from users.sign_in.links import LinkTokens
from users.sign_in.mails import compose
from users.sign_in.throttling import LoginAccountThrottle, LoginPairThrottle

LOGIN = "/api/v1/auth/login/"
RESET = "/api/v1/auth/password/reset/"
SET = "/api/v1/auth/password/set/"
CHANGE = "/api/v1/auth/password/change/"
NEW = "Kapok-tree-1961"


def signs_in(username: str, password: str) -> bool:
    return APIClient().post(LOGIN, {"username": username, "password": password}).status_code == 200


def ask_reset(email: str, **extra: Any) -> Any:
    return APIClient().post(RESET, {"email": email}, **extra)


def test_a_new_account_gets_one_mail_with_a_link_and_chooses_its_password_by_it(cast: Cast) -> None:
    response = cast.client("togo_admin").post(
        "/api/v1/users/", {"email": "afi@example.org", "role": "CHEF_DEPT_TECH", "first_name": "Afi"}
    )
    assert response.status_code == 201
    assert b"token" not in response.content
    [message] = sent_mails()
    assert message.to == ["afi@example.org"]
    assert not signs_in("afi@example.org", "")
    assert APIClient().post(SET, {**link_in(message), "new_password": NEW}).status_code == 204
    assert signs_in("AFI@example.org", NEW)
    assert sent_mails() == [message]


def test_no_link_and_no_address_stays_in_the_database(cast: Cast) -> None:
    ask_reset("togo_head@example.org")
    assert sent_mails()
    assert not QueuedMail.objects.exists()


def test_a_link_works_once(cast: Cast) -> None:
    ask_reset("togo_head@example.org")
    link = link_in(sent_mails()[0])
    assert APIClient().post(SET, {**link, "new_password": NEW}).status_code == 204
    again = APIClient().post(SET, {**link, "new_password": "Another-tree-1962"})
    assert again.status_code == 400
    assert "new one" in again.json()["detail"]
    assert signs_in("togo_head", NEW)


def test_a_link_is_valid_for_twenty_four_hours(cast: Cast) -> None:
    ask_reset("togo_head@example.org")
    link = link_in(sent_mails()[0])
    asked = LinkTokens()._num_seconds(LinkTokens()._now())
    for hours, status in ((24.1, 400), (23.9, 204)):
        with patch.object(LinkTokens, "_num_seconds", return_value=int(asked + hours * 3600)):
            assert APIClient().post(SET, {**link, "new_password": NEW}).status_code == status


@pytest.mark.parametrize("broken", ["uid", "token", "other"])
def test_a_changed_link_is_refused_like_a_link_of_an_unknown_account(broken: str, cast: Cast) -> None:
    ask_reset("togo_head@example.org")
    ask_reset("benin_head@example.org", REMOTE_ADDR="10.0.0.2")
    one, two = (link_in(message) for message in sent_mails())
    wrong = {
        "uid": one | {"uid": "!!"},
        "token": one | {"token": "x" + one["token"]},
        "other": one | {"uid": two["uid"]},
    }
    answer = APIClient().post(SET, {**wrong[broken], "new_password": NEW})
    nobody = APIClient().post(SET, {"uid": "OTk5OTk5", "token": one["token"], "new_password": NEW})
    assert (answer.status_code, answer.content) == (nobody.status_code, nobody.content)
    assert answer.status_code == 400
    assert signs_in("togo_head", PASSWORD)
    assert signs_in("benin_head", PASSWORD)


def test_a_password_chosen_by_a_link_ends_the_earlier_tokens(cast: Cast) -> None:
    client = cast.client("togo_head")
    ask_reset("togo_head@example.org")
    APIClient().post(SET, {**link_in(sent_mails()[0]), "new_password": NEW})
    assert client.get("/api/v1/users/me/").status_code == 401


@pytest.mark.parametrize("weak", ["short", "1234567890123", "password1234", "togo_head1"])
def test_a_weak_password_is_refused_with_reasons_and_the_link_stays_valid(weak: str, cast: Cast) -> None:
    ask_reset("togo_head@example.org")
    link = link_in(sent_mails()[0])
    refused = APIClient().post(SET, {**link, "new_password": weak})
    assert refused.status_code == 400
    assert refused.json()["new_password"]
    assert APIClient().post(SET, {**link, "new_password": NEW}).status_code == 204


@pytest.mark.parametrize(("characters", "is_accepted"), [(256, True), (257, False)])
def test_page_and_api_accept_passwords_of_the_same_length(characters: int, is_accepted: bool, cast: Cast) -> None:
    password = ("Kapok-tree-1961 " * 20)[: characters - 1] + "!"
    ask_reset("togo_head@example.org")
    page = Client().post(
        "/account/password/choose/", {**link_in(sent_mails()[-1]), "new_password": password, "again": password}
    )
    ask_reset("benin_head@example.org", REMOTE_ADDR="10.0.0.2")
    api = APIClient().post(SET, {**link_in(sent_mails()[-1]), "new_password": password})
    change = cast.client("togo_operator").post(CHANGE, {"current_password": PASSWORD, "new_password": password})
    assert [page.status_code, api.status_code, change.status_code] == ([200, 204, 204] if is_accepted else [400] * 3)
    if not is_accepted:
        assert "256" in page.content.decode()
        assert "256" in api.json()["new_password"][0]
    for name in ("togo_head", "benin_head", "togo_operator"):
        assert signs_in(name, password) == is_accepted


def test_requesting_a_link_has_one_answer_for_all_and_a_mail_for_accounts_that_may_sign_in(
    cast: Cast,
) -> None:
    answers = [
        ask_reset(f"{name}@example.org", REMOTE_ADDR=f"10.1.0.{number}")
        for number, name in enumerate(["togo_head", "nobody", "inactive", "closed_head", "TOGO_ADMIN"])
    ]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert {message.to[0] for message in sent_mails()} == {"togo_head@example.org", "togo_admin@example.org"}


def test_requesting_a_link_runs_the_same_queries_for_all_addresses(cast: Cast) -> None:
    kinds = []
    for number, name in enumerate(["togo_head", "nobody", "inactive"]):
        with CaptureQueriesContext(connection) as queries:
            ask_reset(f"{name}@example.org", REMOTE_ADDR=f"10.1.1.{number}")
        statements = [query["sql"].split() for query in queries if "cache_throttle" not in query["sql"]]
        # The names of savepoints differ.
        kinds.append([words[0] if words[0] in ("SAVEPOINT", "RELEASE") else words[:3] for words in statements])
    assert kinds[0] == kinds[1] == kinds[2]
    # The request does not wait for a mail server.
    assert mail.outbox == []


def test_requests_of_links_are_limited_by_account_and_by_client_address(cast: Cast) -> None:
    for email in ("togo_head@example.org", "nobody@example.org"):
        answers = [ask_reset(email, REMOTE_ADDR=f"10.2.0.{number}").status_code for number in range(7)]
        assert answers == [202] * 5 + [429] * 2
    answers = [ask_reset(f"a{number}@example.org", REMOTE_ADDR="10.3.0.1").status_code for number in range(32)]
    assert answers == [202] * 30 + [429] * 2


def test_a_password_is_changed_only_with_the_current_one(cast: Cast) -> None:
    client = cast.client("togo_head")
    wrong = client.post(CHANGE, {"current_password": "wrong", "new_password": NEW})
    assert (wrong.status_code, set(wrong.json())) == (400, {"current_password"})
    weak = client.post(CHANGE, {"current_password": PASSWORD, "new_password": "short"})
    assert (weak.status_code, set(weak.json())) == (400, {"new_password"})
    assert client.post(CHANGE, {"current_password": PASSWORD, "new_password": NEW}).status_code == 204
    assert client.get("/api/v1/users/me/").status_code == 401
    assert signs_in("togo_head", NEW)
    [message] = sent_mails()
    assert "changé" in message.subject
    assert "http" in str(message.body)
    assert NEW not in str(message.body)


def test_a_stolen_token_cannot_be_used_to_guess_the_password(cast: Cast) -> None:
    client = cast.client("togo_head")
    answers = [client.post(CHANGE, {"current_password": f"g{n}", "new_password": NEW}).status_code for n in range(22)]
    assert answers == [400] * 20 + [429] * 2


def test_an_administrator_sends_a_new_link_to_an_account_of_a_lower_role(cast: Cast) -> None:
    assert cast.client("togo_admin").post(f"/api/v1/users/{cast.togo_head.pk}/password-link/").status_code == 204
    assert cast.client("global_admin").post(f"/api/v1/users/{cast.togo_head.pk}/password-link/").status_code == 403
    assert [message.to for message in sent_mails()] == [["togo_head@example.org"]]
    assert AuditEntry.objects.filter(action="link", actor=cast.togo_admin, object_id=cast.togo_head.pk).exists()


def test_mails_use_the_language_of_the_account_in_text_and_in_html(cast: Cast) -> None:
    account = cast.togo_head
    for language, words in (("fr", "Choisissez"), ("en", "Choose")):
        account.language = language
        for purpose in (MailPurpose.INVITATION, MailPurpose.RESET, MailPurpose.CHANGED, MailPurpose.ADDRESS):
            message = compose(purpose=purpose, account=account)
            html = message.alternatives[0].content  # type: ignore[union-attr]
            assert "\n" not in message.subject
            assert f'lang="{language}"' in html
            if purpose in (MailPurpose.INVITATION, MailPurpose.RESET):
                assert words in message.body
                assert "24" in message.body
                assert address_in(message).replace("&", "&amp;") in html


@pytest.mark.parametrize(("language", "subject"), [("en", "was changed"), ("fr", "a changé")])
def test_the_replaced_address_gets_a_notice_without_any_other_data(language: str, subject: str, cast: Cast) -> None:
    User.objects.filter(pk=cast.togo_head.pk).update(language=language, first_name="Ablavi", last_name="Zinsou")
    changed = cast.client("togo_admin").patch(f"/api/v1/users/{cast.togo_head.pk}/", {"email": "new@example.org"})
    assert changed.status_code == 200
    [message] = sent_mails()
    assert message.to == ["togo_head@example.org"]
    assert subject in message.subject
    for words in (message.subject, message.body, message.alternatives[0].content):  # type: ignore[attr-defined]
        assert not re.search("new@|Ablavi|Zinsou|togo_head|Togo", str(words))
    assert not QueuedMail.objects.exists()


def test_the_replaced_address_gets_a_notice_even_if_the_account_is_inactive(cast: Cast) -> None:
    url = f"/api/v1/users/{cast.togo_head.pk}/"
    User.objects.filter(pk=cast.togo_head.pk).update(is_active=False)
    assert cast.client("togo_admin").patch(url, {"email": "new@example.org"}).status_code == 200
    assert [message.to for message in sent_mails()] == [["togo_head@example.org"]]


@pytest.mark.parametrize("fields", [{"first_name": "Afi"}, {"email": "Togo_Head@example.org"}])
def test_an_unchanged_address_gets_no_notice(fields: dict[str, str], cast: Cast) -> None:
    url = f"/api/v1/users/{cast.togo_head.pk}/"
    assert cast.client("togo_admin").patch(url, fields).status_code == 200
    assert sent_mails() == []


def test_a_refused_change_of_address_sends_no_notice(cast: Cast) -> None:
    url = f"/api/v1/users/{cast.togo_head.pk}/"
    assert cast.client("togo_admin").patch(url, {"email": "benin_head@example.org"}).status_code == 400
    assert sent_mails() == []


def test_a_name_in_a_mail_is_text(cast: Cast) -> None:
    cast.togo_head.first_name, cast.togo_head.last_name = "<b>Afi", "O'Neil"
    message = compose(purpose=MailPurpose.RESET, account=cast.togo_head)
    assert "O'Neil" in message.body
    assert "<b>" not in message.alternatives[0].content  # type: ignore[union-attr]


def test_links_begin_with_the_public_url_whatever_host_a_request_names(cast: Cast, settings: Any) -> None:
    settings.PUBLIC_URL = "https://concord.example"
    ask_reset("togo_head@example.org", HTTP_HOST="localhost", HTTP_X_FORWARDED_HOST="evil.example")
    assert "https://concord.example/account/password/choose/?" in sent_mails()[0].body


def test_a_mail_server_that_is_down_delays_the_mail_and_fails_no_request(cast: Cast, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    assert ask_reset("togo_head@example.org").status_code == 202
    assert sent_mails() == []
    waiting = QueuedMail.objects.get()
    assert waiting.attempts == 1
    assert sent_mails() == []
    assert QueuedMail.objects.get().attempts == 1
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    QueuedMail.objects.update(due_at=waiting.asked_at)
    assert len(sent_mails()) == 1
    assert not QueuedMail.objects.exists()


class CountingHasher(MD5PasswordHasher):
    """Counts the hashes, which are what a slow hasher takes its time for."""

    hashes = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.hashes += 1
        return str(super().encode(password, salt))


def test_unknown_names_and_wrong_passwords_cost_the_same_number_of_hashes(cast: Cast, settings: Any) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    cast.togo_head.set_password(PASSWORD)
    cast.togo_head.save()
    cast.benin_head.set_unusable_password()
    cast.benin_head.save()

    def hashes(name: str) -> int:
        before = CountingHasher.hashes
        assert not Client().login(username=name, password="wrong")
        return CountingHasher.hashes - before

    assert [hashes(name) for name in ("togo_head", "nobody", "benin_head")] == [1, 1, 1]


# --- The pages -------------------------------------------------------------------------------------------------------


def test_a_link_opens_a_page_where_the_password_is_chosen_without_javascript(cast: Cast) -> None:
    ask_reset("togo_head@example.org")
    [message] = sent_mails()
    client = Client(headers={"accept-language": "en"}, enforce_csrf_checks=True)
    page = client.get(address_in(message))
    assert page.status_code == 200
    assert page["Referrer-Policy"] == "no-referrer"
    assert "no-store" in page["Cache-Control"]
    text = page.content.decode()
    assert "togo_head" in text
    assert "<script" not in text
    form = {**link_in(message), "csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    different = client.post("/account/password/choose/", {**form, "new_password": NEW, "again": "Other-1961-tree"})
    assert different.status_code == 400
    assert "two passwords are different" in different.content.decode()
    weak = client.post("/account/password/choose/", {**form, "new_password": "short", "again": "short"})
    assert "too short" in weak.content.decode()
    done = client.post("/account/password/choose/", {**form, "new_password": NEW, "again": NEW})
    assert done.status_code == 200
    assert NEW not in done.content.decode()
    assert signs_in("togo_head", NEW)
    assert client.get(address_in(message)).status_code == 400


def test_a_mail_program_that_opens_the_link_does_not_use_it(cast: Cast) -> None:
    ask_reset("togo_head@example.org")
    [message] = sent_mails()
    for _ in range(3):
        assert Client().get(address_in(message)).status_code == 200


def test_the_page_of_a_forgotten_password_is_the_same_for_all_addresses(cast: Cast) -> None:
    pages = [
        Client().post("/account/password/forgotten/", {"email": f"{name}@example.org"}, REMOTE_ADDR=f"10.5.0.{number}")
        for number, name in enumerate(["togo_head", "nobody"])
    ]
    assert {page.status_code for page in pages} == {200}
    assert pages[0].content == pages[1].content
    assert [message.to for message in sent_mails()] == [["togo_head@example.org"]]


def test_pages_and_api_count_attempts_together(cast: Cast) -> None:
    for number in range(5):
        ask_reset("togo_head@example.org", REMOTE_ADDR=f"10.6.0.{number}")
    page = Client().post("/account/password/forgotten/", {"email": "togo_head@example.org"}, REMOTE_ADDR="10.6.0.9")
    assert page.status_code == 429


def test_a_name_and_its_address_are_counted_as_one_account(cast: Cast) -> None:
    def tries(name: str, number: int) -> int:
        data = {"username": name, "password": "wrong"}
        return APIClient().post(LOGIN, data, REMOTE_ADDR=f"10.7.0.{number}").status_code

    answers = [tries(["togo_head", "TOGO_head@example.org"][number % 2], number) for number in range(12)]
    assert answers == [401] * 10 + [429] * 2


def test_slow_guessing_from_one_client_address_is_stopped(cast: Cast, settings: Any) -> None:
    with (
        patch.object(LoginAccountThrottle, "allow_request", return_value=True),
        patch.object(LoginPairThrottle, "rate", "3/hour", create=True),
    ):
        answers = [
            APIClient().post(LOGIN, {"username": "togo_head", "password": "wrong"}).status_code for _ in range(5)
        ]
        elsewhere = APIClient().post(LOGIN, {"username": "togo_head", "password": PASSWORD}, REMOTE_ADDR="10.8.0.1")
    assert answers == [401] * 3 + [429] * 2
    assert elsewhere.status_code == 200


def test_the_settings_hash_passwords_slowly() -> None:
    # The real settings: those of the tests hash fast.
    from config import settings

    assert settings.PASSWORD_HASHERS[0].endswith("ScryptPasswordHasher")
    assert settings.PASSWORD_RESET_TIMEOUT == 24 * 3600
    assert User().password == ""
