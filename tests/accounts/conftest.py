"""What tests of accounts share: letters that are sent at once, and the link in them."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from django.core import mail
from django.core.mail import EmailMessage

from users.sign_in.letters import send_due


def letters() -> list[EmailMessage]:
    """What lies in the mailboxes once the worker has sent what waited."""
    send_due()
    return list(mail.outbox)


def link_in(letter: EmailMessage) -> dict[str, str]:
    """The two parts of the link, as the API takes them."""
    found = re.search(r"http\S+", str(letter.body))
    assert found, letter.body
    query = parse_qs(urlsplit(found[0]).query)
    return {"uid": query["uid"][0], "token": query["token"][0]}


def address_in(letter: EmailMessage) -> str:
    """The link's address, without the server's name."""
    found = re.search(r"http\S+", str(letter.body))
    assert found, letter.body
    parts = urlsplit(found[0])
    return f"{parts.path}?{parts.query}"
