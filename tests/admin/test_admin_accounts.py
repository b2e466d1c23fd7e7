"""Signing in to the admin, and managing accounts, countries and the catalogue there, by hierarchy (DOMAIN §1)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from core.models import ActAlias
from tests.support.browser import Browser
from tests.support.cast import ACCOUNTS, PASSWORD, Cast
from tests.support.pages import text_of
from tests.support.records import Records
from users.models import AuditAction, AuditEntry, Country, Role, User

USERS = "/admin/users/user/"
MAY_ENTER = {"superuser", "global_admin", "togo_admin", "benin_admin"}


def sign_in(name: str, password: str = PASSWORD) -> Any:
    return Client(headers={"accept-language": "en"}).post(
        "/admin/login/", {"username": name, "password": password, "next": "/admin/"}
    )


def new_account(**more: Any) -> dict[str, Any]:
    return {"email": "ama@example.org", "first_name": "Ama", "last_name": "Sossou", "language": "fr"} | more


@pytest.mark.parametrize("name", [name for name, _role, _country in ACCOUNTS] + ["inactive"])
def test_accounts_without_access_cannot_sign_in_and_see_no_reason(name: str, cast: Cast) -> None:
    response = sign_in(name)
    assert response.status_code == (302 if name in MAY_ENTER else 200)
    if name not in MAY_ENTER:
        refused = sign_in("nobody-at-all")
        assert refused.context["form"].non_field_errors() == response.context["form"].non_field_errors()


def test_an_account_signs_in_by_name_or_address_in_any_case_and_is_audited(cast: Cast) -> None:
    for name in ["TOGO_admin", "Togo_Admin@Example.org"]:
        assert sign_in(name).status_code == 302
    assert sign_in("togo_admin", "wrong").status_code == 200
    entries = AuditEntry.objects.filter(action=AuditAction.LOGIN)
    assert list(entries.order_by("pk").values_list("actor__username", "success")) == [
        ("togo_admin", True),
        ("togo_admin", True),
        (None, False),
    ]


def test_attempts_to_sign_in_are_throttled_for_api_and_admin_together(cast: Cast) -> None:
    for _ in range(12):
        wrong = {"username": "togo_admin", "password": "wrong"}
        Client().post("/api/v1/auth/login/", wrong, content_type="application/json")
    response = sign_in("togo_admin")
    assert response.status_code == 200
    assert "Too many attempts" in text_of(response)


def test_a_territorial_admin_creates_accounts_below_their_role_in_their_country(cast: Cast, browser: Browser) -> None:
    client = browser("togo_admin")
    form = text_of(client.get(f"{USERS}add/"))
    assert "Head of the technical department" in form
    assert "Global administrator" not in form
    response = client.post(f"{USERS}add/", new_account(role=Role.CHEF_DEPT_TECH, country=cast.benin.pk))
    assert response.status_code == 302
    account = User.objects.get(email="ama@example.org")
    assert (account.role, account.country, account.has_usable_password()) == (Role.CHEF_DEPT_TECH, cast.togo, False)
    created = AuditEntry.objects.get(action=AuditAction.CREATE, object_id=account.pk)
    assert created.actor == cast.togo_admin


@pytest.mark.parametrize("role", [Role.SUPERUSER, Role.ADMIN_GLOBAL, Role.ADMIN_TERRITORIAL])
def test_an_admin_cannot_give_a_role_that_is_not_below_their_own(role: Role, cast: Cast, browser: Browser) -> None:
    client = browser("togo_admin")
    assert client.post(f"{USERS}add/", new_account(role=role)).status_code == 200
    assert not User.objects.filter(email="ama@example.org").exists()
    client.post(
        f"{USERS}{cast.togo_operator.pk}/change/",
        new_account(role=role, email=cast.togo_operator.email, username="togo_operator"),
    )
    cast.togo_operator.refresh_from_db()
    assert cast.togo_operator.role == Role.RESP_OPERATEUR


def test_the_problems_of_an_account_are_shown_at_their_fields_and_nothing_is_stored(
    cast: Cast, browser: Browser
) -> None:
    response = browser("togo_admin").post(
        f"{USERS}add/", new_account(role=Role.RESP_OPERATEUR, email=cast.benin_head.email.upper(), first_name="<b>")
    )
    errors = response.context["form"].errors
    assert {"email", "first_name"} <= set(errors)
    # The page says that the address is in use, but not by which account or in which country.
    assert "benin" not in str(errors).lower()
    assert "Bénin" not in str(errors)


def test_an_admin_cannot_change_their_own_account(cast: Cast, browser: Browser) -> None:
    for name in ["superuser", "global_admin", "togo_admin"]:
        own = cast.users[name]
        response = browser(name).post(f"{USERS}{own.pk}/change/", new_account(role=Role.SUPERUSER))
        assert response.status_code == 403, name
        own.refresh_from_db()
        assert own.email == f"{name}@example.org"


def test_moving_a_territorial_admin_is_audited_in_both_countries(cast: Cast, browser: Browser) -> None:
    account = cast.togo_admin
    client = browser("global_admin")
    assert "Bénin" in text_of(client.get(f"{USERS}{account.pk}/change/"))
    response = client.post(
        f"{USERS}{account.pk}/change/",
        new_account(email=account.email, username=account.username, role=account.role, country=cast.benin.pk),
    )
    assert response.status_code == 302, response.context["form"].errors
    account.refresh_from_db()
    assert account.country == cast.benin
    moved = AuditEntry.objects.filter(action=AuditAction.MOVE, object_id=account.pk)
    assert {entry.country for entry in moved} == {cast.togo, cast.benin}


def test_a_deactivated_account_loses_access_at_its_next_request_until_it_is_activated(
    cast: Cast, browser: Browser
) -> None:
    client_of_admin = browser("togo_admin")
    assert client_of_admin.get("/admin/").status_code == 200
    client = browser("global_admin")
    client.post(f"{USERS}{cast.togo_admin.pk}/act/deactivate/")
    assert client_of_admin.get("/admin/").status_code == 302
    client.post(f"{USERS}{cast.togo_admin.pk}/act/activate/")
    cast.togo_admin.refresh_from_db()
    assert cast.togo_admin.is_active


def test_only_an_admin_who_manages_the_account_can_send_it_a_password_link(cast: Cast, browser: Browser) -> None:
    response = browser("togo_admin").post(f"{USERS}{cast.togo_head.pk}/act/send_link/", follow=True)
    assert "is on its way" in text_of(response)
    assert browser("togo_admin").post(f"{USERS}{cast.benin_head.pk}/act/send_link/").status_code == 403
    assert AuditEntry.objects.filter(action=AuditAction.LINK).count() == 1


def test_the_admin_of_a_deactivated_country_loses_access_at_once(cast: Cast, browser: Browser) -> None:
    client_of_admin = browser("togo_admin")
    assert client_of_admin.get("/admin/core/claim/").status_code == 200
    browser("superuser").post(f"/admin/users/country/{cast.togo.pk}/act/close/")
    assert client_of_admin.get("/admin/core/claim/").status_code == 302
    assert sign_in("togo_admin").status_code == 200


def test_a_country_is_created_and_changed_and_all_its_problems_are_shown(cast: Cast, browser: Browser) -> None:
    client = browser("global_admin")
    form = {"name": "Sénégal", "code": "SN", "currency_code": "XOF", "currency_name": "Franc CFA", "tolerance": "10"}
    wrong = client.post("/admin/users/country/add/", form | {"code": "9", "tolerance": "-1"})
    assert {"code", "tolerance"} <= set(wrong.context["form"].errors)
    assert client.post("/admin/users/country/add/", form).status_code == 302
    country = Country.objects.get(code="SN")
    client.post(f"/admin/users/country/{country.pk}/change/", form | {"tolerance": "7.50"})
    country.refresh_from_db()
    assert str(country.tolerance) == "7.50"


def test_only_admins_of_all_countries_add_aliases_and_the_name_of_an_act_is_refused(
    cast: Cast, togo: Records, browser: Browser
) -> None:
    client = browser("global_admin")
    act = togo.rows["acts"]
    refused = client.post("/admin/core/actalias/add/", {"name": " Paracétamol", "act": act.pk})
    assert "has this name or alias already" in text_of(refused)
    assert client.post("/admin/core/actalias/add/", {"name": "Doliprane", "act": act.pk}).status_code == 302
    alias = ActAlias.objects.get(name="Doliprane")
    assert (alias.key, alias.act) == ("DOLIPRANE", act)
    again = client.post("/admin/core/actalias/add/", {"name": "DOLIPRANE ", "act": act.pk})
    assert "has this name or alias already" in text_of(again)
    assert client.post(f"/admin/core/actalias/{alias.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not ActAlias.objects.filter(pk=alias.pk).exists()
    done = AuditEntry.objects.filter(object_type="core.actalias").order_by("pk")
    assert list(done.values_list("action", flat=True)) == ["create", "delete"]


def test_changing_the_own_password_ends_all_other_sessions(cast: Cast) -> None:
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        client.post("/admin/login/", {"username": "togo_admin", "password": PASSWORD})
    form = {"old_password": PASSWORD, "new_password1": "Karité-1961-Baobab", "new_password2": "Karité-1961-Baobab"}
    assert here.post("/admin/password_change/", form).status_code == 302
    assert here.get("/admin/").status_code == 200
    assert elsewhere.get("/admin/").status_code == 302
    assert sign_in("togo_admin", "Karité-1961-Baobab").status_code == 302
    assert AuditEntry.objects.filter(action=AuditAction.PASSWORD, actor=cast.togo_admin).exists()


def test_the_audit_trail_of_a_country_can_be_read_but_not_changed(
    cast: Cast, togo: Records, benin: Records, browser: Browser
) -> None:
    browser("togo_admin").get(f"/admin/core/claim/{togo.rows['claims'].pk}/change/")
    page = browser("togo_admin").get("/admin/users/auditentry/")
    assert page.context["cl"].result_count >= 1
    assert browser("benin_admin").get("/admin/users/auditentry/").context["cl"].result_count == 0
    history = browser("togo_admin").get(f"/admin/core/claim/{togo.rows['claims'].pk}/history/")
    assert "togo_admin@example.org" in text_of(history)
