"""Mails that the application sent, and the link in a mail."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from django.core import mail
from django.core.mail import EmailMessage

from users.sign_in.mails import send_due


def sent_mails() -> list[EmailMessage]:
    """All mails, after the worker has sent those that were queued."""
    send_due()
    return list(mail.outbox)


def link_in(message: EmailMessage) -> dict[str, str]:
    """The two parts of the link, as the API takes them."""
    found = re.search(r"http\S+", str(message.body))
    assert found, message.body
    query = parse_qs(urlsplit(found[0]).query)
    return {"uid": query["uid"][0], "token": query["token"][0]}


def address_in(message: EmailMessage) -> str:
    """The address of the link without the name of the server."""
    found = re.search(r"http\S+", str(message.body))
    assert found, message.body
    parts = urlsplit(found[0])
    return f"{parts.path}?{parts.query}"
