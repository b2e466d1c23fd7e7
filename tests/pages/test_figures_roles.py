"""Who may open the pages of figures: those that the API answers, and nobody else."""

from __future__ import annotations

import pytest
from django.test import Client

from dashboard.page_parts import PARTS
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db


def test_each_role_opens_what_the_api_answers_it_and_nothing_else(cast: Cast) -> None:
    for name, user in cast.users.items():
        client = Client()
        client.force_login(user)
        for part in PARTS:
            api = cast.client(name).get(f"/api/v1/dashboard/{_api_name(part)}")
            page = client.get(f"/figures/{part}/")
            if page.status_code == 302:
                # An account of a closed country is signed out.
                assert api.status_code in (401, 403), (name, part)
            else:
                assert page.status_code == api.status_code, (name, part)
    assert Client().get("/figures/").status_code == 302
    operator = Client()
    operator.force_login(cast.users["togo_operator"])
    text = operator.get("/figures/", headers={"accept-language": "en"}).content.decode()
    assert "/figures/imports/" not in text
    assert "/figures/watch-list/" in text
    assert operator.get("/figures/colour/").status_code == 404


def _api_name(part: str) -> str:
    view = PARTS[part].view
    query = {"series": "?indicator=claims", "rankings": "?by=client", "quality": "?by=operator"}.get(view.name, "")
    path = "left-out/claims" if view.name == "left-out-claims" else view.name
    return f"{path}/{query}"
