"""Reading personal data is audited, at every address of the API and of the admin that shows such data."""

from __future__ import annotations

import pytest
from django.test import Client

from core.models import ActAlias
from tests.support.cast import Cast
from tests.support.pages import CATALOGUE as CATALOGUE_PAGES
from tests.support.pages import TABLE as PAGES
from tests.support.pages import ask as ask_page
from tests.support.records import Records, add_corrected_session, make_reporting_currency, make_session
from tests.support.routes import CATALOGUE_PARTS, CATALOGUE_ROUTES, OF_GLOBAL_ROLES, PERSONAL_FIGURES
from tests.support.routes import TABLE as ROUTES
from tests.support.routes import ask as ask_route
from users.models import AuditEntry, User

READINGS = {"read", "preview", "download", "export"}
# Not audited: the catalogue and the countries, which are not personal; the own account; the progress of a session (only
# counts, and read every few seconds); webhooks and converters; the audit trail itself; lists of records that are not
# personal.
SILENT_ROUTES = {
    *(f"{name}/" for name in [*CATALOGUE_ROUTES, "clients", "plans", "partners", "invoices", "payments", "premiums"]),
    *(f"{name}/{{{name}}}/" for name in CATALOGUE_ROUTES),
    *CATALOGUE_PARTS,
    "users/me/",
    "countries/",
    "countries/{country}/",
    "files/",
    "files/{file}/history/",
    "audit/",
    "import-sessions/",
    "import-sessions/{session}/",
    "import-sessions/{session}/events/",
    "import-sessions/{session}/events/stream/",
    *(path for method, path in ROUTES if method == "GET" and path.startswith("webhooks/")),
    *(
        path
        for method, path in ROUTES
        if method == "GET" and path.startswith("dashboard/") and path not in PERSONAL_FIGURES
    ),
}
FORMS = ("add/", "user/import/", "delete/", "steer/revert/", "password_change/", "password_change/done/")
SILENT_PAGES = {
    "",
    "users/",
    "core/",
    "file_handling/",
    "jsi18n/",
    "autocomplete/?app_label=core&model_name=actalias&field_name=act&term=",
    *(f"core/{name}/" for name in ["client", "policy", "plan", "partner", "invoice", "payment", "premium", "actalias"]),
    *(f"core/{name}/" for name in CATALOGUE_PAGES),
    *(f"core/{name}/{{{key}}}/change/" for name, key in CATALOGUE_PAGES.items()),
    "core/actalias/{alias}/change/",
    "users/country/",
    "users/country/{country}/change/",
    "users/countrydeactivation/",
    "users/countrydeactivation/{country-deactivations}/change/",
    "users/auditentry/",
    "users/auditentry/{entry}/change/",
    "core/exchangerate/",
    "core/exchangerate/{exchange-rates}/change/",
    "core/reportingcurrency/",
    "core/reportingcurrency/{reporting}/change/",
    "file_handling/converter/",
    "file_handling/converter/{converters}/change/",
    "file_handling/file/",
    "file_handling/importsession/",
    "file_handling/importsession/{session}/change/",
    "file_handling/importsession/{session}/events/",
}


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    "path", sorted(path for method, path in ROUTES if method == "GET" and not path.startswith(OF_GLOBAL_ROLES))
)
def test_reading_over_the_api_is_audited(path: str, cast: Cast, togo: Records) -> None:
    add_corrected_session(togo)
    named = {key: row.pk for key, row in togo.rows.items()}
    named |= {"file": togo.file.pk, "session": togo.session.pk}
    named |= {"account": cast.togo_head.pk, "country": cast.togo.pk}
    assert ask_route(cast.client("togo_admin"), "GET", path.format(**named)) == 200
    entries = AuditEntry.objects.filter(actor=cast.togo_admin, country=cast.togo, action__in=READINGS)
    assert entries.count() == (0 if path in SILENT_ROUTES else 1)


@pytest.mark.parametrize(
    "path", sorted(path for method, path in PAGES if method == "GET" and not path.endswith((*FORMS, "history/")))
)
def test_reading_a_page_of_the_admin_is_audited(path: str, cast: Cast, togo: Records) -> None:
    entry = AuditEntry.objects.create(country=cast.togo, action="update", object_type="x", object_id=1)
    alias = ActAlias.objects.create(act=togo.rows["acts"], name="DOLIPRANE")
    named = {key: row.pk for key, row in togo.rows.items()} | {"entry": entry.pk, "alias": alias.pk}
    named |= {"file": togo.file.pk, "session": make_session(user=cast.togo_head, country=cast.togo).pk}
    named |= {"account": cast.togo_head.pk, "country": cast.togo.pk}
    named["reporting"] = make_reporting_currency().pk
    client = browser(cast.superuser)
    assert ask_page(client, "GET", path.format(**named)).status_code == 200
    entries = AuditEntry.objects.filter(actor=cast.superuser, action__in=READINGS)
    assert entries.count() == (0 if path in SILENT_PAGES else 1)


def test_the_addresses_without_audit_exist() -> None:
    assert {path for method, path in ROUTES if method == "GET"} >= SILENT_ROUTES
    assert {path for method, path in PAGES if method == "GET"} >= SILENT_PAGES


def test_reading_an_account_is_audited_in_the_country_of_that_account(cast: Cast) -> None:
    for reader, account in [
        ("superuser", cast.togo_head),
        ("togo_admin", cast.togo_head),
        ("superuser", cast.homeless_head),
    ]:
        assert cast.client(reader).get(f"/api/v1/users/{account.pk}/").status_code == 200
        assert browser(cast.users[reader]).get(f"/admin/users/user/{account.pk}/change/").status_code == 200
        entries = AuditEntry.objects.filter(
            actor=cast.users[reader], action="read", object_type="users.user", object_id=account.pk
        )
        assert [(entry.country, entry.success) for entry in entries] == [(account.country, True)] * 2
    # A refused request reads nothing.
    assert cast.client("benin_admin").get(f"/api/v1/users/{cast.togo_head.pk}/").status_code == 403
    assert not AuditEntry.objects.filter(actor=cast.benin_admin).exists()


def test_the_audit_entry_of_a_list_of_accounts_has_its_size_and_filter_names(cast: Cast) -> None:
    cast.client("togo_admin").get("/api/v1/users/?search=togo_head")
    browser(cast.togo_admin).get("/admin/users/user/?q=togo_head")
    entries = AuditEntry.objects.filter(action="read", object_type="users.user").order_by("id")
    assert [(e.object_id, e.data["rows"], e.data["filters"]) for e in entries] == [
        (None, 1, ["search"]),
        (None, 1, ["q"]),
    ]
    assert "togo_head" not in str([entry.data for entry in entries])
