"""Pages of accounts and countries: who sees and changes which, and what the services refuse."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from knox.models import AuthToken

from tests.support.account_sheets import GOOD, HEADER, sheet_text
from tests.support.browser import Browser
from tests.support.cast import ACCOUNTS, Cast
from tests.support.mails import sent_mails
from users.models import AuditAction, AuditEntry, Country, Role, User

MANAGERS = ["superuser", "global_admin", "togo_admin", "benin_admin"]
OTHERS = [name for name, _role, _country in ACCOUNTS if name not in MANAGERS]
NEW = {
    "email": "esi@example.org",
    "username": "",
    "first_name": "Esi",
    "last_name": "Koffi",
    "role": "CHEF_DEPT_TECH",
    "language": "fr",
}


def shown(page: Any, cast: Cast) -> set[str]:
    """The accounts of the cast whose addresses are on the page."""
    text = page.content.decode()
    return {name for name, user in cast.users.items() if f">{user.email}<" in text}


# ------------------------------------------------------------------------------------------------ who sees what


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize(
    "path", ["/accounts/", "/accounts/new/", "/accounts/import/", "/countries/", "/countries/new/", "/audit/"]
)
def test_accounts_that_manage_nobody_are_refused(name: str, path: str, browser: Browser) -> None:
    # The session of an account ends with its country.
    assert browser(name).get(path).status_code == (302 if name.startswith("closed_") else 403)


@pytest.mark.parametrize("path", ["/accounts/", "/accounts/1/", "/countries/", "/countries/new/", "/audit/"])
def test_a_visitor_is_led_to_the_sign_in_page(path: str, browser: Browser) -> None:
    assert browser("anonymous").get(path).headers["Location"].startswith("/sign-in/?next=")


@pytest.mark.parametrize(
    ("name", "sees"),
    [
        ("superuser", {*(name for name, _role, _country in ACCOUNTS), "inactive"}),
        ("global_admin", {*(name for name, _role, _country in ACCOUNTS), "inactive"}),
        ("togo_admin", {"togo_admin", "togo_head", "rival_head", "togo_operator"}),
        ("benin_admin", {"benin_admin", "benin_head", "benin_operator"}),
    ],
)
def test_the_list_has_the_accounts_that_its_reader_may_see(
    name: str, sees: set[str], cast: Cast, browser: Browser
) -> None:
    client = browser(name)
    assert shown(client.get("/accounts/"), cast) == sees
    for other, user in cast.users.items():
        status = client.get(f"/accounts/{user.pk}/").status_code
        assert status == (200 if other in sees else 403), other
    assert client.get("/accounts/999999/").status_code == 404


def test_reading_accounts_is_audited(cast: Cast, browser: Browser) -> None:
    client = browser("togo_admin")
    client.get("/accounts/?search=togo")
    client.get(f"/accounts/{cast.togo_head.pk}/")
    of_list, of_one = AuditEntry.objects.filter(action=AuditAction.READ, object_type="users.user").order_by("pk")
    assert (of_list.object_id, of_list.data["filters"], of_list.data["rows"]) == (None, ["search"], 3)
    assert (of_one.object_id, of_one.country) == (cast.togo_head.pk, cast.togo)


def test_filters_of_the_list(cast: Cast, browser: Browser) -> None:
    client = browser("superuser")
    assert shown(client.get("/accounts/?role=RESP_OPERATEUR&search=togo"), cast) == {"togo_operator"}
    assert shown(client.get("/accounts/?is_active=false"), cast) == {"inactive"}
    assert "benin_head" not in shown(client.get(f"/accounts/?country={cast.togo.pk}"), cast)
    assert client.get("/accounts/?role=KING").status_code == 400
    assert client.get("/accounts/?rolle=SUPERUSER").status_code == 400


@pytest.mark.parametrize("name", MANAGERS)
def test_the_form_of_a_country_is_for_global_roles(name: str, cast: Cast, browser: Browser) -> None:
    client, is_global = browser(name), name in ("superuser", "global_admin")
    for path in ("/countries/new/", f"/countries/{cast.togo.pk}/change/"):
        assert client.get(path).status_code == (200 if is_global else 403)
        assert client.post(path, {"name": "Bad"}).status_code == (400 if is_global else 403)
    act = client.post(f"/countries/{cast.benin.pk}/deactivate/")
    assert act.status_code == (302 if is_global else 403)
    cast.benin.refresh_from_db()
    # A global administrator reads how to ask for it.
    assert cast.benin.is_active is not (name == "superuser")


def test_an_administrator_of_a_country_sees_that_country_alone(cast: Cast, browser: Browser) -> None:
    client = browser("togo_admin")
    text = client.get("/countries/").content.decode()
    assert "Togo" in text
    assert "Bénin" not in text
    assert client.get(f"/countries/{cast.togo.pk}/").status_code == 200
    assert client.get(f"/countries/{cast.benin.pk}/").status_code == 403
    assert client.get("/countries/999999/").status_code == 404


# ------------------------------------------------------------------------------------------------ create and change


def test_a_new_account_gets_a_link_to_choose_a_password(cast: Cast, browser: Browser) -> None:
    client = browser("togo_admin")
    done = client.post("/accounts/new/", NEW, follow=True)
    assert "A link to choose a password is on its way to esi@example.org." in done.content.decode()
    account = User.objects.get(email="esi@example.org")
    assert (account.role, account.country, account.has_usable_password()) == (Role.CHEF_DEPT_TECH, cast.togo, False)
    assert [message.to for message in sent_mails()] == [["esi@example.org"]]
    assert "has no password yet" in done.content.decode()


def test_all_errors_of_a_new_account_are_shown_at_once_and_nothing_is_created(cast: Cast, browser: Browser) -> None:
    before = User.objects.count()
    wrong = {**NEW, "email": "togo_head@example.org", "first_name": "http://x", "language": "fr"}
    page = browser("togo_admin").post("/accounts/new/", wrong)
    text = page.content.decode()
    assert page.status_code == 400
    assert "already used by another account" in text
    assert "not a person" in text
    assert 'value="Koffi"' in text
    assert User.objects.count() == before


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("superuser", {"ADMIN_GLOBAL", "ADMIN_TERRITORIAL", "CHEF_DEPT_TECH", "RESP_OPERATEUR"}),
        ("global_admin", {"ADMIN_TERRITORIAL"}),
        ("togo_admin", {"CHEF_DEPT_TECH", "RESP_OPERATEUR"}),
    ],
)
def test_only_lower_roles_can_be_given(name: str, roles: set[str], cast: Cast, browser: Browser) -> None:
    client = browser(name)
    text = client.get("/accounts/new/").content.decode()
    assert {role for role in Role.values if f'<option value="{role}"' in text} == roles
    for number, role in enumerate(Role.values):
        form = {**NEW, "email": f"esi{number}@example.org", "role": role, "country": ""}
        if role in ("CHEF_DEPT_TECH", "RESP_OPERATEUR", "ADMIN_TERRITORIAL"):
            form["country"] = str(cast.togo.pk)
        status = client.post("/accounts/new/", form).status_code
        assert status == (302 if role in roles else 400), role


def test_a_territorial_admin_cannot_choose_a_country(cast: Cast, browser: Browser) -> None:
    client = browser("togo_admin")
    assert 'name="country"' not in client.get("/accounts/new/").content.decode()
    client.post("/accounts/new/", {**NEW, "country": str(cast.benin.pk)})
    assert User.objects.get(email="esi@example.org").country == cast.togo


def change(account: User, **more: Any) -> dict[str, Any]:
    names = ("email", "username", "first_name", "last_name", "role", "language")
    country = {"country": account.country_id or ""}
    return {name: getattr(account, name) for name in names} | country | more


def test_moving_an_account_to_another_country_ends_its_access_at_once(cast: Cast, browser: Browser) -> None:
    AuthToken.objects.create(user=cast.togo_head)
    session = browser("togo_head")
    path = f"/accounts/{cast.togo_head.pk}/change/"
    done = browser("superuser").post(path, change(cast.togo_head, country=cast.benin.pk, last_name="Koffi"))
    assert done.headers["Location"] == f"/accounts/{cast.togo_head.pk}/"
    cast.togo_head.refresh_from_db()
    assert (cast.togo_head.country, cast.togo_head.last_name) == (cast.benin, "Koffi")
    assert AuthToken.objects.count() == 0
    assert session.get("/").status_code == 302


@pytest.mark.parametrize(
    ("name", "other", "status"),
    [
        ("superuser", "global_admin", 200),
        ("superuser", "superuser", 403),
        ("global_admin", "togo_admin", 200),
        ("global_admin", "togo_head", 403),
        ("global_admin", "superuser", 403),
        ("togo_admin", "togo_head", 200),
        ("togo_admin", "togo_admin", 403),
        ("togo_admin", "benin_head", 403),
    ],
)
def test_accounts_of_lower_roles_can_be_changed_and_no_others(
    name: str, other: str, status: int, cast: Cast, browser: Browser
) -> None:
    client, account = browser(name), cast.users[other]
    path = f"/accounts/{account.pk}/change/"
    assert client.get(path).status_code == status
    answer = client.post(path, change(account, first_name="Changed")).status_code
    assert answer == (302 if status == 200 else 403)
    before = account.access_version
    client.post(f"/accounts/{account.pk}/deactivate/")
    account.refresh_from_db()
    assert (account.first_name == "Changed") is (status == 200)
    assert account.is_active is (status != 200)
    assert (account.access_version > before) is (status == 200)
    # The page offers what is possible, and nothing else.
    page = client.get(f"/accounts/{account.pk}/").content.decode()
    assert (f'href="{path}"' in page) is (status == 200)


def test_deactivating_and_activating_and_a_new_link(cast: Cast, browser: Browser) -> None:
    client, path = browser("togo_admin"), f"/accounts/{cast.togo_operator.pk}/"
    session = browser("togo_operator")
    told = client.post(f"{path}deactivate/", follow=True).content.decode()
    assert "can no longer sign in" in told
    assert session.get("/").status_code == 302
    client.post(f"{path}activate/")
    client.post(f"{path}password-link/")
    assert [message.to for message in sent_mails()] == [["togo_operator@example.org"]]
    history = client.get(path).content.decode()
    for action in ("deactivated", "activated", "sent a link to choose a password"):
        assert action in history
    assert client.post(f"{path}promote/").status_code == 404
    assert client.get(f"{path}deactivate/").status_code == 405


def test_forms_are_protected_against_other_sites(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.togo_admin)
    assert client.post("/accounts/new/", NEW).status_code == 403
    assert client.post(f"/accounts/{cast.togo_head.pk}/deactivate/").status_code == 403


# ------------------------------------------------------------------------------------------------ sheets


def test_a_sheet_is_previewed_first_and_the_previewed_rows_are_created(cast: Cast, browser: Browser) -> None:
    client, before = browser("togo_admin"), User.objects.count()
    wrong_row = "Ama,,no address,KING\n"
    preview = client.post("/accounts/import/", {"file": sheet_text(GOOD + wrong_row)})
    text = preview.content.decode()
    assert "2 accounts can be created." in text
    assert "This is not an e-mail address." in text
    assert User.objects.count() == before
    signed = text.split('name="signed_rows" value="')[1].split('"')[0]
    done = client.post("/accounts/import/", {"signed_rows": signed})
    assert "2 accounts were created." in done.content.decode()
    assert User.objects.count() == before + 2
    assert set(
        User.objects.filter(email__in=["afi@example.org", "kossi@example.org"]).values_list("country", flat=True)
    ) == {cast.togo.pk}
    # Signed for one account only.
    assert browser("benin_admin").post("/accounts/import/", {"signed_rows": signed}).status_code == 400


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "The submitted file is empty.|The file is empty."),
        (f"{HEADER}\n", "no data rows"),
        ("a,b\n1,2\n", "no column"),
    ],
)
def test_a_file_that_is_no_such_sheet_is_refused_with_its_reason(content: str, reason: str, browser: Browser) -> None:
    page = browser("togo_admin").post("/accounts/import/", {"file": sheet_text(content)})
    assert page.status_code == 400
    assert any(one in page.content.decode() for one in reason.split("|"))


# ------------------------------------------------------------------------------------------------ countries


def test_a_country_is_created_changed_and_deactivated(cast: Cast, browser: Browser) -> None:
    client = browser("global_admin")
    form = {"name": "Guinée", "code": "gn", "currency_code": "gnf", "currency_name": "Franc guinéen", "tolerance": "50"}
    assert client.post("/countries/new/", form).status_code == 302
    country = Country.objects.get(code="GN")
    assert country.currency_code == "GNF"
    wrong = client.post(f"/countries/{country.pk}/change/", {**form, "code": "TG", "tolerance": "0"})
    text = wrong.content.decode()
    assert wrong.status_code == 400
    assert "Another country has this code." in text
    assert "Give an amount above zero" in text
    session = browser("togo_admin")
    told = client.post(f"/countries/{cast.togo.pk}/deactivate/", follow=True).content.decode()
    assert "Ask for it with a reason" in told
    told = browser("superuser").post(f"/countries/{cast.togo.pk}/deactivate/", follow=True).content.decode()
    assert "its accounts can no longer sign in" in told
    assert session.get("/").status_code == 302
    assert client.post(f"/countries/{cast.togo.pk}/activate/").status_code == 302
    assert session.get("/").status_code == 200
    assert client.post(f"/countries/{cast.togo.pk}/close/").status_code == 404


# ------------------------------------------------------------------------------------------------ size and language


@pytest.mark.parametrize("name", MANAGERS[:3])
def test_the_pages_take_few_statements(name: str, cast: Cast, browser: Browser) -> None:
    for number in range(60):
        User.objects.create(username=f"u{number}", email=f"u{number}@example.org", country=cast.togo)
    client = browser(name)
    for path in (
        "/accounts/",
        f"/accounts/{cast.togo_head.pk}/",
        "/accounts/new/",
        "/countries/",
        f"/countries/{cast.togo.pk}/",
    ):
        with CaptureQueriesContext(connection) as statements:
            assert client.get(path).status_code == 200
        assert len(statements) <= 12, path


def test_the_pages_are_french_for_a_french_reader(cast: Cast, browser: Browser) -> None:
    client = browser("superuser")
    text = client.get(f"/accounts/{cast.togo_head.pk}/", headers={"accept-language": "fr"}).content.decode()
    assert "Chef du département technique" in text
    assert "Head of the technical department" not in text
