"""The settings of mail, by MAIL_URL."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection

from config.celery import app
from config.services import MAIL_SERVICES, mail
from users.sign_in.mails import SEND_TASK


def test_without_a_server_mail_is_shown_on_the_console() -> None:
    assert mail(url="")["BACKEND"].endswith("console.EmailBackend")


def test_a_mail_server_is_used_with_tls_unless_the_url_says_otherwise() -> None:
    given = mail(url="smtp://me:p%40ss@mail.example")
    assert (given["HOST"], given["PORT"], given["HOST_USER"], given["HOST_PASSWORD"]) == (
        "mail.example",
        587,
        "me",
        "p@ss",
    )
    assert (given["USE_TLS"], given["USE_SSL"]) == (True, False)
    assert mail(url="smtp://localhost:25?tls=0")["USE_TLS"] is False
    assert (mail(url="smtps://mail.example")["USE_SSL"], mail(url="smtps://mail.example")["PORT"]) == (True, 465)


@pytest.mark.parametrize("service", sorted(MAIL_SERVICES - {"amazon_ses"}))
def test_every_service_that_a_url_may_name_is_installed(service: str, settings: object) -> None:
    given = mail(url=f"{service}://KEY:SECRET@?SENDER_DOMAIN=example.org")
    settings.ANYMAIL = given["ANYMAIL"] | {
        f"{service.upper()}_{name}": "x" for name in ("API_TOKEN", "SERVER_TOKEN", "API_URL", "PROJECT_ID")
    }  # type: ignore[attr-defined]
    assert given["ANYMAIL"][f"{service.upper()}_API_KEY"] == "KEY"
    assert get_connection(given["BACKEND"])


@pytest.mark.parametrize(
    "url", ["mail.example", "pigeon://KEY@", "smtp://", "smtp://u:SECRET@h?tls=maybe", "smtp://h?x=1"]
)
def test_a_url_that_names_no_mail_server_is_refused_without_its_secret(url: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        mail(url=url)
    assert "SECRET" not in str(refused.value)
    assert "MAIL_URL" in str(refused.value)


def test_the_workers_know_how_to_send_mails() -> None:
    app.loader.import_default_modules()
    assert SEND_TASK in app.tasks
