"""A run whose session was taken over comes back while its successor is at work: it writes nothing (F11)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from core.models import Claim
from file_handling.models import ImportSession
from importer import lease
from importer.runs import run_claimed
from tests.support.api_user import ApiUser
from tests.support.pairs import line, matching_pair


@pytest.mark.django_db(transaction=True)
def test_a_run_that_comes_back_while_its_successor_has_the_session_writes_nothing() -> None:
    api = ApiUser()
    session_id = api.send(*matching_pair(line("RGLT1")))
    stalled = lease.claim(session_id)
    ImportSession.objects.filter(pk=session_id).update(lease_expires_at=Now() - timedelta(seconds=1))
    successor = lease.claim(session_id)
    assert stalled is not None
    assert successor is not None

    run_claimed(stalled)
    assert Claim.objects.count() == 0
    run_claimed(successor)
    assert Claim.objects.count() == 1
    assert ImportSession.objects.get(pk=session_id).status == "DONE"
