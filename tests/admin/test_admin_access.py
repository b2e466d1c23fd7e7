"""The status of every admin route for every account (DOMAIN §1). A route that the table does not name fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver

from core.models import ActAlias, ExchangeRate, ReportingCurrency
from file_handling.models import Converter, SessionStatus
from importer.steering import BY_NAME
from tests.support import canary
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.pages import CATALOGUE, CLOSED, FILE, GETS, OPEN, OUTSIDE, SESSION, TABLE, UNMARKED, ask
from tests.support.records import Records, make_file, make_rate, make_reporting_currency, make_session
from tests.support.responses import content_of
from users.access.admin import ScopedModelAdmin
from users.models import AuditEntry, CountryDeactivation, User


@pytest.mark.parametrize(("method", "path"), sorted(TABLE), ids=lambda value: value)
def test_every_account_gets_at_every_page_what_its_role_and_country_allow(
    method: str, path: str, cast: Cast, togo: Records, browser: Browser
) -> None:
    alias = ActAlias.objects.create(act=togo.rows["acts"], name="DOLIPRANE")
    entry = AuditEntry.objects.create(
        actor=cast.togo_admin, country=cast.togo, action="read", object_type="x", object_id=1
    )
    got = {}
    for name in TABLE[method, path]:
        # The account before may have removed it.
        reporting, rate = make_reporting_currency(), make_rate()
        # A session that was never reconciled has no report: the page redirects with a message.
        status = SessionStatus.PENDING if path.endswith("/report/") else SessionStatus.DONE
        session = make_session(user=cast.togo_head, country=cast.togo, status=status)
        file = togo.file
        if method == "POST" and path.endswith("/delete/"):
            file = make_file(user=cast.togo_head, country=cast.togo, name="gone.csv")
        named = {key: row.pk for key, row in togo.rows.items()} | {
            "file": file.pk,
            "session": session.pk,
            "account": cast.togo_operator.pk,
            "country": cast.togo.pk,
            "entry": entry.pk,
            "alias": alias.pk,
            "reporting": reporting.pk,
            "exchange-rates": rate.pk,
        }
        got[name] = ask(browser(name), method, path.format(**named)).status_code
    expected = TABLE[method, path]
    if path == "users/user/{account}/act/deactivate/":
        expected = expected | {"global_admin": 403}
    assert got == expected


def admin_routes(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern).lstrip("^").rstrip("$")
        if isinstance(entry, URLResolver):
            yield from admin_routes(entry, path)
        elif isinstance(entry, URLPattern) and path.startswith("admin/"):
            yield path.removeprefix("admin/")


def test_the_table_names_every_page_of_the_admin() -> None:
    def plain(path: str) -> str:
        return path.replace("{", "<").replace("}", ">").split("?")[0]

    known = set()
    for _method, path in TABLE:
        parts = ["*" if part.startswith("<") else part for part in plain(path).split("/")]
        known.add("/".join(parts))
    found = set()
    for path in admin_routes(get_resolver()):
        if path.startswith("(?P<app_label>"):
            found |= {"users/", "core/", "file_handling/"}
            continue
        # The address of a row redirects to its page, even for a row that does not exist.
        if path.endswith("/<path:object_id>/") or path.rstrip("$") in {one.rstrip("$") for one in OPEN}:
            continue
        for old, news in {
            "<path:object_id>": ["*"],
            "<slug:kind>": ["log"],
        }.items():
            path = path.replace(old, news[0])
        if "<slug:act>" in path and "importsession" in path:
            found |= {path.replace("<slug:act>", act) for act in BY_NAME}
        elif "<slug:act>" in path:
            act = {
                "country": "open", "converter": "rotate", "countrydeactivation": "withdraw",
                "exchangerate": "remove", "reportingcurrency": "remove",
            }.get(path.split("/")[1], "deactivate")  # fmt: skip
            found.add(path.replace("<slug:act>", act))
        else:
            found.add(path)
    assert found == known


def test_every_admin_page_uses_the_scoped_queryset() -> None:
    assert admin.site._registry
    for model, page in admin.site._registry.items():
        assert isinstance(page, ScopedModelAdmin), model
    assert "AuthToken" not in {model.__name__ for model in admin.site._registry}


# Filters by values that all countries share.
OF_THE_CATALOGUE = {"act", "category"}


@pytest.fixture
def marked(cast: Cast, togo: Records, benin: Records, browser: Browser) -> dict[str, int]:
    """Name in the table → id of the row of the marked country. The admin of that country has audit entries too."""
    canary.mark_people(cast)
    # The summary of the test session is incomplete: no page could show it.
    togo.session.summary = None
    togo.session.save()
    content_of(browser("togo_admin").get(f"/admin/{FILE}/{togo.file.pk}/download/"))
    alias = ActAlias.objects.create(act=togo.rows["acts"], name="DOLIPRANE")
    entry = AuditEntry.objects.get(action="download")
    for row in [*togo.rows.values(), togo.file, togo.session, entry, cast.togo_operator, cast.togo]:
        AuditEntry.objects.create(
            actor=cast.togo_head,
            actor_label=canary.MARK,
            country=cast.togo,
            action="read",
            object_type=row._meta.label_lower,
            object_id=row.pk,
        )
    named = {"alias": alias.pk, "entry": entry.pk, "reporting": make_reporting_currency().pk}
    return canary.ids(cast, togo) | named


@pytest.mark.parametrize("path", GETS)
def test_no_page_of_the_admin_shows_data_of_another_country(
    path: str, cast: Cast, marked: dict[str, int], browser: Browser
) -> None:
    address = f"/admin/{path.format(**marked)}"
    first = browser("togo_admin").get(address)
    assert canary.contains_mark(first) == (path not in UNMARKED | CLOSED)
    # Now another account in the same browser.
    assert "no-store" in first["Cache-Control"]
    assert "Cookie" in first["Vary"]
    for name in ["benin_admin", *OUTSIDE]:
        answer = browser(name).get(address, headers=canary.conditional_headers(first))
        assert answer.status_code in (200, 302, 403), name
        assert not canary.contains_mark(answer), name
        assert "Togo" not in canary.page(answer), name


def orders(model: type[Model]) -> list[str]:
    """The query strings that order a list by each of its columns, ascending and descending."""
    columns = len(admin.site._registry[model].list_display)
    return [f"o={sign}{column}" for column in range(1, columns + 1) for sign in ("", "-")]


# Lists that the admin of a country may not read.
FOR_GLOBAL_ROLES = (Converter, CountryDeactivation, ExchangeRate, ReportingCurrency)


@pytest.mark.parametrize("model", [model for model in admin.site._registry if model not in FOR_GLOBAL_ROLES])
def test_no_ordering_filter_or_search_of_the_admin_shows_data_of_another_country(
    model: type[Model], cast: Cast, marked: dict[str, int], browser: Browser
) -> None:
    page = admin.site._registry[model]
    assert isinstance(page, ScopedModelAdmin)
    client, own = browser("benin_admin"), browser("togo_admin")
    address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"

    def fetch(query: str) -> Any:
        answer = client.get(f"{address}?{query}")
        assert not canary.contains_mark(answer), query
        assert "Togo" not in canary.page(answer), query
        return answer

    all_rows = fetch("").context["cl"].result_count
    for query in [*orders(model), "all=", "_facets=True", "p=2"]:
        assert fetch(query).context["cl"].result_count == all_rows, query
    lookups = [lookup for lookup in page.lookups if lookup.split("__")[-1] not in OF_THE_CATALOGUE]
    for lookup in lookups:
        answer = fetch(f"{lookup}={marked[lookup.split('__')[-1]]}")
        assert (answer.status_code, answer.context["cl"].result_count) == (200, 0), lookup
    if page.search_fields:
        # The catalogue is shared and has no mark.
        assert (own.get(f"{address}?q={canary.SEARCH_TERM}").context["cl"].result_count > 0) == (
            model._meta.model_name not in (*CATALOGUE, "actalias")
        )
        assert fetch(f"q={canary.SEARCH_TERM}").context["cl"].result_count == 0


@pytest.mark.parametrize(
    "source", ["core&model_name=actalias&field_name=act", "core&model_name=claim&field_name=insured"]
)
def test_no_autocompletion_shows_data_of_another_country(source: str, marked: dict[str, int], browser: Browser) -> None:
    for name in ["benin_admin", "superuser"]:
        answer = browser(name).get(f"/admin/autocomplete/?app_label={source}&term={canary.SEARCH_TERM}")
        assert not canary.contains_mark(answer), name


@pytest.mark.parametrize("path", sorted(path for method, path in TABLE if method == "POST"))
def test_no_refusal_of_the_admin_contains_data_of_another_country(
    path: str, marked: dict[str, int], browser: Browser
) -> None:
    for name in ["benin_admin", *OUTSIDE]:
        answer = browser(name).post(f"/admin/{path.format(**marked)}", {"post": "yes", "force": "yes"}, follow=True)
        assert not canary.contains_mark(answer), name


@pytest.mark.parametrize(
    "path",
    ["core/claim/?country=1", "core/claim/?insured__name_key__startswith=A", "users/user/?password__startswith=a",
     f"{FILE}/?user__password__startswith=a", "core/claim/?country__name=Togo"],
)  # fmt: skip
def test_a_list_accepts_only_the_filters_that_its_page_offers(
    path: str, cast: Cast, togo: Records, browser: Browser
) -> None:
    assert browser("togo_admin").get(f"/admin/{path}").status_code == 400


def test_a_filter_by_a_row_of_another_country_answers_like_an_unknown_row(
    cast: Cast, togo: Records, benin: Records, browser: Browser
) -> None:
    client = browser("benin_admin")
    for lookup, row in {"client": togo.rows["clients"], "file": togo.file, "import_session": togo.session}.items():
        hidden = client.get(f"/admin/core/claim/?{lookup}={row.pk}")
        unknown = client.get(f"/admin/core/claim/?{lookup}=987654321")
        assert hidden.status_code == unknown.status_code == 200
        assert hidden.context["cl"].result_count == unknown.context["cl"].result_count == 0


def test_an_action_that_includes_a_row_of_another_country_is_refused_as_a_whole(cast: Cast, browser: Browser) -> None:
    named = [cast.togo_operator.pk, cast.benin_operator.pk]
    response = browser("togo_admin").post("/admin/users/user/", {"action": "deactivate", "_selected_action": named})
    assert response.status_code == 403
    assert User.objects.filter(pk__in=named, is_active=True).count() == 2

    browser("togo_admin").post("/admin/users/user/", {"action": "deactivate", "_selected_action": named[:1]})
    assert User.objects.filter(pk__in=named, is_active=True).count() == 1


def test_a_row_that_does_not_exist_is_not_found_rather_than_refused(cast: Cast, browser: Browser) -> None:
    for path in [
        "core/claim/999999/change/",
        "core/claim/none/history/",
        f"{FILE}/0/download/",
        f"{SESSION}/{10**30}/change/",
    ]:
        assert browser("togo_admin").get(f"/admin/{path}").status_code == 404, path


def test_autocompletion_answers_only_for_the_fields_of_forms_that_use_it(
    cast: Cast, togo: Records, browser: Browser
) -> None:
    address = "autocomplete/?app_label=core&model_name=claim&field_name=insured&term=afi"
    for name in ["superuser", "togo_admin", "benin_admin"]:
        assert browser(name).get(f"/admin/{address}").status_code == 403


def test_the_index_of_a_moved_admin_shows_no_actions_of_the_former_country(
    cast: Cast, togo: Records, browser: Browser
) -> None:
    content_of(browser("togo_admin").get(f"/admin/{FILE}/{togo.file.pk}/download/"))
    assert b"TOGOCANARY" in browser("togo_admin").get("/admin/").content
    cast.togo_admin.country = cast.benin
    cast.togo_admin.save()
    page = browser("togo_admin").get("/admin/").content
    assert b"Your latest actions" in page
    assert b"TOGOCANARY" not in page


def test_the_loss_of_a_role_country_or_activity_applies_to_the_next_request(
    cast: Cast, togo: Records, browser: Browser
) -> None:
    client = browser("togo_admin")
    address = f"/admin/core/claim/{togo.rows['claims'].pk}/change/"
    assert client.get(address).status_code == 200
    cast.togo_admin.country = cast.benin
    cast.togo_admin.save()
    assert client.get(address).status_code == 403
    cast.togo_admin.role = "CHEF_DEPT_TECH"
    cast.togo_admin.country = cast.togo
    cast.togo_admin.save()
    assert client.get(address).status_code == 302
    cast.togo_admin.role = "ADMIN_TERRITORIAL"
    cast.togo_admin.is_active = False
    cast.togo_admin.save()
    assert client.get(address).status_code == 302
