"""A run whose session was taken over comes back while its successor is at work: it writes nothing (F11)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from core.models import Claim
from file_handling.models import ImportSession
from importer import lease
from importer.runs import _Run
from tests.support.api_user import ApiUser
from tests.support.pairs import line, matching_pair


@pytest.mark.django_db(transaction=True)
def test_a_run_that_comes_back_while_its_successor_holds_the_session_writes_nothing() -> None:
    api = ApiUser()
    lines, rows = matching_pair(line("RGLT1"))
    waiting = api.send(lines, rows)

    def begin() -> tuple[ImportSession, lease.Lease]:
        held = lease.claim(waiting)
        assert held is not None
        return ImportSession.objects.select_related("country", "stat_file", "recap_file", "user").get(pk=waiting), held

    stalled = begin()
    ImportSession.objects.filter(pk=waiting).update(lease_expires_at=Now() - timedelta(seconds=1))
    successor = begin()

    for (session, held), claims in ((stalled, 0), (successor, 1)):
        with lease.Heartbeat(held) as heartbeat:
            _Run(session, held, heartbeat).go()
        assert Claim.objects.count() == claims
    assert ImportSession.objects.get(pk=waiting).status == "DONE"
