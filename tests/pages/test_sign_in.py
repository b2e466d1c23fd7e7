"""Signing in and out, the own account, and the language of pages."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client
from knox.models import AuthToken

from tests.support.browser import Browser
from tests.support.cast import ACCOUNTS, PASSWORD, SHUT_OUT, Cast
from users.models import AuditAction, AuditEntry

SIGN_IN = "/sign-in/"
CLOSED = [name for name, _role, _country in ACCOUNTS if name.startswith("closed_")]
MAY_SIGN_IN = [name for name, _role, _country in ACCOUNTS if name not in CLOSED]


def sign_in(
    name: str, password: str = PASSWORD, *, client: Client | None = None, address: str = "10.1.0.1", **more: str
) -> HttpResponse:
    client = client or Client(headers={"accept-language": "en"})
    form = {"username": name, "password": password, **more}
    return client.post(SIGN_IN, form, REMOTE_ADDR=address)  # type: ignore[return-value]


def attempt(path: str) -> int:
    """The status of a wrong attempt on one account from one address."""
    data = {"username": "togo_admin", "password": "wrong"}
    kind = {"content_type": "application/json"} if path.startswith("/api/") else {}
    return Client().post(path, data, REMOTE_ADDR="10.4.0.1", **kind).status_code  # type: ignore[arg-type]


def language_of(response: HttpResponse) -> str:
    return response.content.decode().split('<html lang="')[1][:2]


# ------------------------------------------------------------------------------------------------ signing in


@pytest.mark.parametrize("name", MAY_SIGN_IN)
def test_every_role_signs_in_by_name_or_address_and_arrives_at_the_home_page(name: str, cast: Cast) -> None:
    for number, typed in enumerate([name, name.upper(), f"{name}@example.org"]):
        client = Client(headers={"accept-language": "en"})
        assert client.get("/").headers["Location"] == f"{SIGN_IN}?next=%2F"
        answer = sign_in(typed, client=client, address=f"10.2.0.{number}")
        assert (answer.status_code, answer.headers["Location"]) == (302, "/")
        assert client.get("/").status_code == 200
    entries = AuditEntry.objects.filter(action=AuditAction.LOGIN, success=True)
    assert {entry.actor for entry in entries} == {cast.users[name]}
    assert len(entries) == 3


@pytest.mark.parametrize("name", [*CLOSED, "inactive", "nobody"])
def test_an_account_that_may_not_sign_in_gets_the_answer_of_a_wrong_password(name: str, cast: Cast) -> None:
    refused, wrong = sign_in(name), sign_in("togo_head", "wrong", address="10.3.0.1")
    assert refused.status_code == wrong.status_code == 400
    sentence = "No active account matches this name and password."
    assert sentence in refused.content.decode()
    assert sentence in wrong.content.decode()
    assert "sessionid" not in refused.cookies
    entries = AuditEntry.objects.filter(action=AuditAction.LOGIN)
    assert [(entry.actor, entry.success, entry.object_label) for entry in entries] == [(None, False, "")] * 2


def test_pages_admin_and_api_count_the_attempts_on_an_account_together(cast: Cast) -> None:
    paths = [SIGN_IN, "/api/v1/auth/login/", "/admin/login/"] * 4
    statuses = [attempt(path) for path in paths]
    assert 429 in statuses
    refused = sign_in("togo_admin", address="10.4.0.1")
    assert refused.status_code == 429
    assert "Too many attempts" in refused.content.decode()


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("/accounts/?role=CHEF_DEPT_TECH", "/accounts/?role=CHEF_DEPT_TECH"),
        ("https://example.org/", "/"),
        ("//example.org/", "/"),
        ("javascript:alert(1)", "/"),
        (SIGN_IN, "/"),
    ],
)
def test_after_signing_in_the_wanted_page_opens_if_it_is_of_this_server(wanted: str, given: str, cast: Cast) -> None:
    assert sign_in("togo_admin", next=wanted).headers["Location"] == given


def test_a_page_for_accounts_leads_an_anonymous_visitor_to_the_sign_in_page_and_back(cast: Cast) -> None:
    client = Client()
    asked = client.get("/account/").headers["Location"]
    assert asked == f"{SIGN_IN}?next=%2Faccount%2F"
    assert 'name="next" value="/account/"' in client.get(asked).content.decode()


def test_a_signed_in_account_does_not_see_the_sign_in_page(browser: Browser) -> None:
    assert browser("togo_head").get(SIGN_IN).headers["Location"] == "/"
    assert browser("togo_head").get(f"{SIGN_IN}?next={SIGN_IN}").headers["Location"] == "/"


def test_the_sign_in_page_has_a_language_switch_a_way_to_a_forgotten_password_and_a_protected_form(db: None) -> None:
    client = Client(headers={"accept-language": "en"}, enforce_csrf_checks=True)
    text = client.get(SIGN_IN).content.decode()
    assert 'action="/language/"' in text
    assert 'href="/account/password/forgotten/"' in text
    refused = client.post(SIGN_IN, {"username": "a", "password": "b"})
    assert refused.status_code == 403
    assert "This form has expired" in refused.content.decode()


def test_signing_out_ends_the_session(browser: Browser) -> None:
    client = browser("togo_operator")
    assert client.get("/account/sign-out/").status_code == 405
    assert client.post("/account/sign-out/").headers["Location"] == SIGN_IN
    assert client.get("/").status_code == 302


# ------------------------------------------------------------------------------------------------ the own account


@pytest.mark.parametrize("name", MAY_SIGN_IN)
def test_everybody_sees_and_changes_the_own_account_and_nothing_of_the_rights(
    name: str, cast: Cast, browser: Browser
) -> None:
    client, account = browser(name), cast.users[name]
    text = client.get("/account/").content.decode()
    assert account.email in text
    form = {"first_name": "Esi", "last_name": "Koffi", "language": "en", "mail_imports": "own"}
    form |= {"role": "SUPERUSER", "username": "x"}
    assert client.post("/account/", form).status_code == 302
    before = (account.role, account.username, account.country_id)
    account.refresh_from_db()
    assert (account.first_name, account.last_name, account.language) == ("Esi", "Koffi", "en")
    assert (account.role, account.username, account.country_id) == before
    refused = client.post("/account/", {**form, "first_name": "http://x"})
    assert refused.status_code == 400
    assert "not a person" in refused.content.decode()


def test_a_new_password_ends_tokens_and_other_sessions_and_keeps_this_one(cast: Cast, browser: Browser) -> None:
    here, elsewhere, account = browser("togo_head"), browser("togo_head"), cast.togo_head
    AuthToken.objects.create(user=account)
    form = {"old_password": PASSWORD, "new_password1": "Other-tree-1961", "new_password2": "Other-tree-1961"}
    refused = here.post("/account/password/", {**form, "old_password": "wrong"})
    assert refused.status_code == 400
    assert AuthToken.objects.count() == 1
    done = here.post("/account/password/", form, follow=True)
    assert "All your other sessions and tokens have ended." in done.content.decode()
    assert AuthToken.objects.count() == 0
    assert here.get("/account/").status_code == 200
    assert elsewhere.get("/account/").status_code == 302
    account.refresh_from_db()
    assert account.check_password("Other-tree-1961")


def test_guessing_the_own_password_is_throttled_together_with_the_api(cast: Cast, browser: Browser) -> None:
    client = browser("togo_head")
    form = {"old_password": "wrong", "new_password1": "Other-tree-1961", "new_password2": "Other-tree-1961"}
    statuses = [client.post("/account/password/", form).status_code for _ in range(30)]
    assert statuses[0] == 400
    assert statuses[-1] == 429
    api = cast.client("togo_head")
    data = {"current_password": "wrong", "new_password": "Other-tree-1961"}
    assert api.post("/api/v1/auth/password/change/", data, format="json").status_code == 429


def test_all_sessions_and_tokens_can_be_ended(cast: Cast, browser: Browser) -> None:
    here, elsewhere = browser("togo_head"), browser("togo_head")
    AuthToken.objects.create(user=cast.togo_head)
    assert here.get("/account/sign-out-everywhere/").status_code == 405
    assert "1 program is signed in" in here.get("/account/").content.decode()
    page = here.post("/account/sign-out-everywhere/", follow=True)
    assert "All your sessions and tokens have ended." in page.content.decode()
    assert here.get("/account/").status_code == elsewhere.get("/account/").status_code == 302
    assert AuthToken.objects.count() == 0


# ------------------------------------------------------------------------------------------------ language


def test_a_page_is_french_where_the_browser_names_no_language_and_the_api_is_not(db: None) -> None:
    assert language_of(Client().get(SIGN_IN)) == "fr"
    assert "Se connecter" in Client().get(SIGN_IN).content.decode()
    assert language_of(Client().get("/admin/login/")) == "fr"
    assert Client().get("/api/v1/users/me/").headers["Content-Language"] == "en"


def test_the_languages_of_the_browser_come_before_french(db: None) -> None:
    assert language_of(Client(headers={"accept-language": "en-GB,en"}).get(SIGN_IN)) == "en"


@pytest.mark.parametrize("path", [SIGN_IN, "/admin/login/?next=/account/"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_after_signing_in_the_pages_are_in_the_language_of_the_account(path: str, language: str, cast: Cast) -> None:
    cast.superuser.language = language
    cast.superuser.save()
    client = Client(headers={"accept-language": "de"})
    client.post(path, {"username": "superuser", "password": PASSWORD, "next": "/account/"})
    assert language_of(client.get("/account/")) == language
    assert client.get("/api/v1/users/me/").headers["Content-Language"] == language


def test_a_choice_by_the_switch_before_signing_in_counts_for_the_session_that_begins(cast: Cast) -> None:
    client = Client()
    client.post("/language/", {"language": "en", "next": SIGN_IN})
    assert language_of(client.get(SIGN_IN)) == "en"
    sign_in("togo_head", client=client)
    assert language_of(client.get("/account/")) == "en"
    cast.togo_head.refresh_from_db()
    assert cast.togo_head.language == "fr"
    # The next person at this browser does not inherit it.
    client.post("/account/sign-out/")
    assert language_of(client.get(SIGN_IN)) == "fr"


def test_the_switch_of_a_signed_in_account_changes_the_account_too(cast: Cast) -> None:
    client = Client()
    sign_in("togo_head", client=client)
    back = client.post("/language/", {"language": "en", "next": "/account/"})
    assert back.headers["Location"] == "/account/"
    assert language_of(client.get("/account/")) == "en"
    cast.togo_head.refresh_from_db()
    assert cast.togo_head.language == "en"
    again = Client()
    sign_in("togo_head", client=again)
    assert language_of(again.get("/account/")) == "en"


def test_the_switch_knows_two_languages_and_leads_to_this_server_only(cast: Cast, browser: Browser) -> None:
    client = browser("togo_head")
    answer = client.post("/language/", {"language": "de", "next": "https://example.org/"})
    assert answer.headers["Location"] == "/"
    cast.togo_head.refresh_from_db()
    assert cast.togo_head.language == "fr"
    assert client.get("/language/").status_code == 405


def test_the_language_of_the_own_account_counts_from_the_next_page_on(cast: Cast) -> None:
    client = Client()
    sign_in("togo_head", client=client)
    client.post("/account/", {"first_name": "", "last_name": "", "language": "en", "mail_imports": "own"})
    assert language_of(client.get("/account/")) == "en"


def test_accounts_without_a_country_may_sign_in_and_see_only_their_account_and_the_guide(browser: Browser) -> None:
    for name in SHUT_OUT:
        if name in CLOSED:
            continue
        client = browser(name)
        assert [client.get(path).status_code for path in ("/", "/account/", "/help/")] == [200, 200, 200]
        assert client.get("/claims/").status_code == 403
