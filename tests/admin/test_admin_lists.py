"""Long lists of the admin: counted up to ten thousand rows, with pages as far as that."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core import models as core
from tests.support.cast import Cast

LIST = "/admin/core/operator/"


@pytest.fixture
def browser(cast: Cast) -> Client:
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(cast.togo_admin)
    return browser


def create(cast: Cast, start: int, end: int) -> None:
    core.Operator.objects.bulk_create(
        [core.Operator(country=cast.togo, name=f"N{n:05}", key=f"N{n:05}") for n in range(start, end)]
    )


def test_ten_thousand_rows_are_counted_and_one_more_is_more_than_ten_thousand(cast: Cast, browser: Client) -> None:
    create(cast, 0, 10_000)
    page = browser.get(LIST).content.decode()
    assert "10000 operators" in page
    assert "More than" not in page
    create(cast, 10_000, 10_001)
    page = browser.get(LIST).content.decode()
    assert "More than 10,000 operators. Narrow the list with the search or a filter to see the others." in page
    assert "N00049" in page
    assert "N00050" not in page
    last = browser.get(f"{LIST}?p=200").content.decode()
    assert last.index("N09950") < last.index("N09999")
    assert "N10000" not in last
    # Django's answer to a page that does not exist.
    assert browser.get(f"{LIST}?p=201")["Location"] == "/admin/core/operator/?e=1"


def test_the_results_of_a_search_are_counted_in_the_same_way(cast: Cast, browser: Client) -> None:
    create(cast, 0, 10_001)
    assert "more than 10,000 results" in browser.get(f"{LIST}?q=n").content.decode()
    assert "10 results" in browser.get(f"{LIST}?q=n0000").content.decode()
    assert "N10000" in browser.get(f"{LIST}?q=n10000").content.decode()


def test_no_query_of_a_list_counts_more_rows_than_the_limit(cast: Cast, browser: Client) -> None:
    create(cast, 0, 60)
    with CaptureQueriesContext(connection) as captured:
        browser.get(f"{LIST}?p=2")
    counts = [query["sql"] for query in captured.captured_queries if "COUNT(" in query["sql"]]
    assert counts
    assert all("LIMIT 10001" in sql for sql in counts)
