"""Two imports of one country at once: the data that the second reads does not change while it reads (F10)."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from django.db import connection, connections

from core.integrity import dangling_references
from core.models import Claim, Membership
from tests.support.api_user import ApiUser
from tests.support.pairs import line, matching_pair

LOOKED_AT = ("core_client", "core_policy", "core_plan", "core_insured", "core_membership", "core_partner", "core_act")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", LOOKED_AT)
def test_an_import_that_ends_while_another_reads_the_country_does_not_disturb_it(table: str) -> None:
    api = ApiUser()
    one = {"policy_number": "P-1", "partner": "CLINIQUE UN", "plan": "PLAN UN", "employer": "EMPLOYEUR UN"}
    early = api.send(*matching_pair(line("A1", **one), line("A2", **one)))
    late = api.send(*matching_pair(line("A2", **one), line("A3", **one)))

    def other() -> None:
        try:
            api.run(early)
        finally:
            connections.close_all()

    begun: list[str] = []

    def once_it_was_looked_at(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        found = execute(sql, *more)
        if not begun and sql.startswith("SELECT") and f'FROM "{table}"' in sql:
            begun.append(sql)
            beside = Thread(target=other)
            beside.start()
            beside.join()
        return found

    with connection.execute_wrapper(once_it_was_looked_at):
        outcome = api.run(late)
    assert begun
    assert (outcome.status, api.outcome(early).status) == ("DONE", "DONE"), outcome.message
    assert sorted(Claim.objects.values_list("number", flat=True)) == ["A1", "A2", "A3"]
    assert (Membership.objects.count(), dangling_references()) == (1, {})
