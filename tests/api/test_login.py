"""Signing in and out."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import MD5PasswordHasher
from knox.models import AuthToken
from rest_framework.test import APIClient

from tests.support.cast import PASSWORD, Cast
from users.models import AuditEntry

LOGIN = "/api/v1/auth/login/"


def sign_in(username: object, password: object = PASSWORD, **extra: str):  # type: ignore[no-untyped-def]
    return APIClient().post(LOGIN, {"username": username, "password": password}, **extra)


@pytest.mark.parametrize("name", ["togo_admin", "TOGO_Admin", "togo_admin@example.org", " Togo_Admin@Example.ORG "])
def test_an_account_signs_in_by_name_or_mail_address_in_any_case(name: str, cast: Cast) -> None:
    response = sign_in(name)
    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"token", "expiry", "user"}
    assert body["user"]["username"] == "togo_admin"
    assert body["user"]["role"] == "ADMIN_TERRITORIAL"
    assert body["user"]["country"]["code"] == "TG"
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {body['token']}")
    assert client.get("/api/v1/users/me/").json() == body["user"]


def test_unknown_account_wrong_password_and_inactive_account_get_the_same_answer(cast: Cast) -> None:
    answers = [sign_in("nobody"), sign_in("togo_admin", "wrong"), sign_in("inactive"), sign_in("no\x00body")]
    assert {answer.status_code for answer in answers[:3]} == {401}
    assert len({answer.content for answer in answers[:3]}) == 1
    assert answers[3].status_code == 400
    assert not AuthToken.objects.exists()


def test_an_unknown_name_costs_a_password_hash_too(cast: Cast) -> None:
    with patch.object(MD5PasswordHasher, "encode", autospec=True, side_effect=MD5PasswordHasher.encode) as encode:
        assert authenticate(username="nobody", password="whatever") is None
        assert encode.call_count == 1
        assert authenticate(username="togo_admin", password="whatever") is None
        assert encode.call_count == 2


def test_the_token_is_stored_as_a_hash_only(cast: Cast) -> None:
    secret = sign_in("togo_head").json()["token"]
    token = AuthToken.objects.get(user=cast.togo_head)
    assert secret not in (token.digest, token.token_key)
    assert token.expiry is not None


def test_signing_out_revokes_the_token_at_once(cast: Cast) -> None:
    client = cast.client("togo_head")
    other = cast.client("togo_head")
    assert client.post("/api/v1/auth/logout/").status_code == 204
    assert client.get("/api/v1/users/me/").status_code == 401
    assert other.get("/api/v1/users/me/").status_code == 200


def test_a_new_password_ends_the_tokens_of_the_old_one(cast: Cast) -> None:
    client = cast.client("togo_head")
    assert client.get("/api/v1/users/me/").status_code == 200
    cast.togo_head.set_password("Another-tree-1961")
    cast.togo_head.save()
    assert client.get("/api/v1/users/me/").status_code == 401


def test_an_expired_token_in_the_header_does_not_prevent_signing_in(cast: Cast) -> None:
    assert sign_in("togo_head", HTTP_AUTHORIZATION="Token stale").status_code == 200


def test_a_missing_name_or_password_is_reported_at_its_field(db: None) -> None:
    response = APIClient().post(LOGIN, {"username": ["a", "b"]})
    assert response.status_code == 400
    assert set(response.json()) == {"username", "password"}


def test_guessing_an_account_is_throttled_whether_or_not_it_exists(cast: Cast) -> None:
    for name in ("togo_admin", "nobody"):
        answers = [sign_in(name, "wrong", REMOTE_ADDR=f"10.0.0.{i}").status_code for i in range(12)]
        assert answers[:10] == [401] * 10
        assert answers[10:] == [429] * 2
    assert sign_in("TOGO_ADMIN", REMOTE_ADDR="10.0.0.99").status_code == 429
    assert sign_in("togo_head", REMOTE_ADDR="10.0.0.99").status_code == 200


def test_an_address_that_tries_many_accounts_is_throttled(cast: Cast) -> None:
    answers = [sign_in(f"account{i}", "wrong", HTTP_X_FORWARDED_FOR=f"1.2.3.{i}").status_code for i in range(32)]
    assert answers[:30] == [401] * 30
    assert answers[30:] == [429] * 2


def test_every_attempt_to_sign_in_is_audited_without_unknown_names(cast: Cast) -> None:
    sign_in("togo_head")
    sign_in("nobody")
    entries = AuditEntry.objects.filter(action="login").order_by("id")
    assert [(entry.actor, entry.success) for entry in entries] == [(cast.togo_head, True), (None, False)]
    assert "nobody" not in entries[1].object_label
