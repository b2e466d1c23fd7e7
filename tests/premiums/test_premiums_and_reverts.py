"""A client with a premium stays when the session that created it is reverted, and the preview says so (DOMAIN §6)."""

from __future__ import annotations

import pytest

from core.models import Client, Premium
from tests.support.api_user import SESSIONS, ApiUser
from tests.support.pairs import line, matching_pair
from tests.support.premium_sheets import PREMIUMS

pytestmark = pytest.mark.django_db(transaction=True)

YEAR = {"amount": "1000", "start": "2024-01-01", "end": "2024-12-31"}


def test_a_client_with_a_premium_stays_until_the_premium_is_gone() -> None:
    api = ApiUser()
    first = api.import_pair(*matching_pair(line("A1", employer="PORT"), line("A2", employer="DOUANES")))
    port = Client.objects.get(name="PORT")
    premium = api.client.post(PREMIUMS, {"client": port.pk, **YEAR}, format="json").json()

    said = api.client.post(f"{SESSIONS}{first.id}/revert/?dry_run=true").json()
    assert (said["removed"]["clients"], said["stays"]["clients"]) == (1, 1)
    assert api.steer(first.id, "revert", preview_token=said["preview_token"]).status_code == 200
    assert list(Client.objects.values_list("name", flat=True)) == ["PORT"]
    assert Premium.objects.get().client == port
    shown = api.client.get(f"{PREMIUMS}{premium['id']}/").json()
    assert shown["client"] == {"id": port.pk, "name": "PORT"}

    # The next session finds the client. When the premium is gone, nothing keeps the client any more.
    second = api.import_pair(*matching_pair(line("A1", employer="Port")))
    assert Client.objects.get().pk == port.pk
    assert api.client.delete(f"{PREMIUMS}{premium['id']}/").status_code == 204
    assert api.steer(second.id, "revert").status_code == 200
    assert not Client.objects.exists()
    history = api.client.get(f"{PREMIUMS}{premium['id']}/history/").json()["results"]
    assert [row["client_id"] for row in history] == [port.pk, port.pk]
