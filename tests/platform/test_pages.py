"""The two layouts, and the static files that pages load."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client

from tests.support.cast import Cast

ADMIN, SIGN_IN = "/admin/", "/sign-in/"


def browser(cast: Cast, name: str) -> Client:
    client = Client(headers={"accept-language": "en"})
    if name != "anonymous":
        client.force_login(cast.users[name])
    return client


def test_a_page_for_a_signed_in_account_shows_who_it_is_and_where_it_can_go(cast: Cast) -> None:
    page = browser(cast, "togo_operator").get("/nowhere/", headers={"accept-language": "en"})
    text = page.content.decode()
    assert page.status_code == 404
    assert "This page does not exist" in text
    assert "togo_operator" in text
    assert "Data-entry manager · Togo" in text
    assert '<a href="/figures/">' in text
    assert '<a href="/imports/">' not in text
    assert f'<a href="{ADMIN}">' not in text
    assert 'action="/language/"' in text
    assert "concord/css/layout.css" in text


def test_an_account_that_may_enter_the_admin_has_a_link_to_it(cast: Cast) -> None:
    text = browser(cast, "global_admin").get("/nowhere/", headers={"accept-language": "en"}).content.decode()
    assert f'<a href="{ADMIN}">' in text
    assert "Global administrator · All countries" in text


def test_a_page_without_an_account_is_the_narrow_card(db: None) -> None:
    text = Client().get("/nowhere/", headers={"accept-language": "en"}).content.decode()
    assert "This page does not exist" in text
    assert "concord/css/layout.css" not in text
    assert "/account/sign-out/" not in text


def test_a_page_of_the_admin_that_is_refused_has_the_layout_too(cast: Cast) -> None:
    page = browser(cast, "togo_admin").get(f"/admin/users/country/{cast.benin.pk}/change/")
    assert page.status_code == 403
    assert "/account/sign-out/" in page.content.decode()


def test_the_layout_shows_the_messages_of_the_action_before(cast: Cast) -> None:
    client = browser(cast, "togo_admin")
    client.post(f"/admin/users/user/{cast.togo_head.pk}/act/deactivate/", headers={"accept-language": "en"})
    shown = re.compile(r'<li class="success">“togo_head” can no longer sign in.</li>')
    assert shown.search(client.get("/nowhere/").content.decode())
    assert not shown.search(client.get("/nowhere/").content.decode())


def test_signing_out_ends_the_session_and_leads_to_the_sign_in_page(cast: Cast) -> None:
    client = browser(cast, "togo_operator")
    assert client.get("/account/sign-out/").status_code == 405
    response = client.post("/account/sign-out/", follow=True)
    assert response.redirect_chain == [(SIGN_IN, 302)]
    assert client.get("/api/v1/users/me/").status_code == 401


def test_every_static_file_that_a_template_names_exists() -> None:
    root = Path(settings.BASE_DIR)
    templates = [*root.glob("templates/**/*.html"), *root.glob("*/templates/**/*.html")]
    named = {
        (str(path.relative_to(root)), name)
        for path in templates
        for name in re.findall(r'{% static "([^"]+)" %}', path.read_text(encoding="utf-8"))
    }
    assert len(named) > 10
    assert sorted(one for one in named if finders.find(one[1]) is None) == []
