"""Writers at the same moment never leave two premiums of a client on one day (DOMAIN §9)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, transaction

from core.models import Premium
from tests.support.cast import Cast
from tests.support.premium_sheets import IMPORT, PREMIUMS, make_client, send, sheet_text

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 6
# Every two of them have a day in common.
OVERLAPPING = [{"amount": "5", "start": f"2024-0{month}-01", "end": "2024-12-31"} for month in range(1, WRITERS + 1)]


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What the acts return, each in a thread with a connection of its own; all begin together."""
    start, answers = threading.Barrier(len(acts)), [None] * len(acts)

    def run(at: int) -> None:
        try:
            start.wait(30)
            answers[at] = acts[at]()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[at]) for at in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def no_overlaps() -> bool:
    rows = list(Premium.objects.order_by("client_id", "start").values_list("client_id", "start", "end"))
    return all(one[0] != other[0] or one[2] < other[1] for one, other in pairwise(rows))


def test_of_overlapping_premiums_entered_at_once_one_is_there_and_the_others_are_told(cast: Cast) -> None:
    port = make_client(cast.togo, "PORT DU GOLFE")
    apis = [cast.client("togo_admin" if at % 2 else "togo_head") for at in range(WRITERS)]
    answers = at_once(
        *[
            lambda api=api, values=values: api.post(PREMIUMS, {"client": port.pk, **values}, format="json")
            for api, values in zip(apis, OVERLAPPING, strict=True)
        ]
    )
    there = Premium.objects.get()
    assert sorted(answer.status_code for answer in answers) == [201, *[400] * (WRITERS - 1)]
    for answer in answers:
        if answer.status_code == 400:
            assert f"premium {there.pk} of this client" in answer.json()["start"][0]


def test_changes_and_imports_at_once_leave_no_overlap(cast: Cast) -> None:
    port = make_client(cast.togo, "PORT DU GOLFE")
    api = cast.client("togo_admin")
    ids = [
        api.post(PREMIUMS, {"client": port.pk, "amount": "5", "start": f"{year}-01-01", "end": f"{year}-12-31"}).json()[
            "id"
        ]
        for year in (2021, 2024)
    ]
    first, second = cast.client("togo_head"), cast.client("togo_admin")
    answers = at_once(
        lambda: first.patch(f"{PREMIUMS}{ids[0]}/", {"end": "2023-06-30"}, format="json"),
        lambda: second.patch(f"{PREMIUMS}{ids[1]}/", {"start": "2023-01-01"}, format="json"),
        lambda: send(cast, "rival_head", IMPORT, sheet_text("PORT DU GOLFE;7;01/03/2022;31/05/2023;")),
    )
    accepted = [answer.json() for answer in answers if answer.status_code in (200, 201)]
    assert no_overlaps()
    # A file answers 200 also when its only row was rejected.
    written = [answer for answer in accepted if not answer.get("rejected")]
    assert written
    assert Premium.objects.count() == 2 + sum("rows" in one for one in written)


@pytest.mark.needs("postgresql")
def test_a_writer_without_the_lock_of_the_country_meets_the_constraint_of_the_database(cast: Cast) -> None:
    """A shell or a script that inserts a row has not committed it when the API looks for overlaps."""
    port = make_client(cast.togo, "PORT DU GOLFE")
    api = cast.client("togo_admin")
    inserted, waited, answered = threading.Event(), threading.Event(), threading.Event()

    def insert_without_lock() -> None:
        with transaction.atomic():
            Premium.objects.create(
                country=cast.togo, client=port, currency="XOF", amount=9,
                start=date(2024, 6, 1), end=date(2024, 6, 30),
            )  # fmt: skip
            inserted.set()
            assert waited.wait(30)

    def enter() -> Any:
        assert inserted.wait(30)
        try:
            return api.post(PREMIUMS, {"client": port.pk, **OVERLAPPING[0]}, format="json")
        finally:
            answered.set()

    def commit_when_the_other_waits() -> None:
        assert inserted.wait(30)
        try:
            with connection.cursor() as cursor:
                found = 0
                while not found and not answered.is_set():
                    cursor.execute(
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                        " AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO \"core_premium\"%'"
                    )
                    (found,) = cursor.fetchone()
        finally:
            waited.set()

    _inserted, answer, _committed = at_once(insert_without_lock, enter, commit_when_the_other_waits)
    there = Premium.objects.get()
    assert answer.status_code == 400
    assert f"premium {there.pk} of this client: 9\xa0F\xa0CFA from 01/06/2024" in answer.json()["start"][0]
