"""What a reader finds on a page: a number beside a name, and how many statements the page took."""

from __future__ import annotations

import re
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.support.pages import text_of

MOST_STATEMENTS = 12
ENGLISH, FRENCH = {"accept-language": "en"}, {"accept-language": "fr"}


def opened(client: Client, address: str, *, status: int = 200, headers: dict[str, str] | None = None) -> str:
    """The page at the address, which must take no more statements than a page may."""
    with CaptureQueriesContext(connection) as captured:
        response = client.get(address, headers=headers or ENGLISH)
    assert response.status_code == status, (address, response.status_code)
    assert len(captured) <= MOST_STATEMENTS, [query["sql"][:120] for query in captured.captured_queries]
    return response.content.decode()


def marked(page: str, attribute: str) -> dict[str, str]:
    """Value of the data attribute → the text of its element, of every element that has it."""
    found = re.findall(rf'<(\w+)[^>]*\sdata-{attribute}="([^"]*)"[^>]*>(.*?)</\1>', page, flags=re.DOTALL)
    return {value: words(inner) for _tag, value, inner in found}


def words(html: str) -> str:
    """The text of a piece of HTML."""

    class Answer:
        content = html.encode()

    return text_of(Answer()).strip()


def number(text: str) -> int:
    """A count as an English page writes it."""
    return int(text.replace(",", ""))


def statements(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        response: Any = client.get(address)
    assert response.status_code == 200
    return len(captured)
