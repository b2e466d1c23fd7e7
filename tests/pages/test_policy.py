"""The content security policy: on every page, and no page needs a script or a style in its text."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib import admin
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from file_handling.models import ImportSession, SessionStatus
from tests.support.browser import Browser
from tests.support.cast import PASSWORD, Cast
from tests.support.records import Records, make_rate, make_reporting_currency, make_session
from tests.support.responses import content_of
from users import audit
from users.models import AuditAction, AuditEntry

POLICY = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
# Kinds of scripts that browsers do not run.
_DATA = ("application/json", "application/ld+json")
_ADDRESSES = ("href", "src", "action", "formaction")


class _Inline(HTMLParser):
    """Everything in a page that the policy forbids."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in values and values.get("type") not in _DATA):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            text = (value or "").strip().casefold()
            if name == "style" or name.startswith("on") or (name in _ADDRESSES and text.startswith("javascript:")):
                self.found.append(f'{name}="{value}"')
            if name in ("src", "srcset") and text.startswith(("http:", "https:", "//")):
                self.found.append(f"{name}={value}")
        if tag == "link" and (values.get("href") or "").startswith(("http:", "https:", "//")):
            self.found.append(str(values["href"]))


def problems(response: HttpResponse) -> list[str]:
    """What the policy forbids in a response, and what its header lacks."""
    header = response.headers.get("Content-Security-Policy", "")
    sent = dict(part.strip().split(" ", 1) for part in header.split(";") if part.strip())
    found = [] if sent == POLICY else [f"policy: {header}"]
    if not response.streaming and response.headers.get("Content-Type", "").startswith("text/html"):
        parser = _Inline()
        parser.feed(response.content.decode())
        found += parser.found
    return found


def routes(patterns: Any = None, prefix: str = "") -> Iterator[str]:
    """Every route of the site, as its pattern."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, prefix + str(one.pattern))
        elif isinstance(one, URLPattern):
            yield prefix + str(one.pattern)


def pages(cast: Cast, togo: Records) -> Iterator[str]:
    """The address of every page: those without parameters, and one row of each kind behind the others."""
    rows = {
        "accounts": cast.togo_head.pk,
        "countries": cast.togo.pk,
        "imports": togo.session.pk,
        "files": togo.file.pk,
        "families": togo.rows["memberships"].pk,
        "insured": togo.rows["insured"].pk,
    } | {name: row.pk for name, row in togo.rows.items()}
    words = {
        "message": str(togo.rows["webhook-messages"].pk),
        "topic": "findings",
        "part": "portfolio",
        "act": "cancel",
        "sequence": "1",
    }
    for route in routes():
        # Not the patterns of routers and of the admin, which are regular expressions or have addresses of their own.
        if route.startswith(("api/", "admin/")) or "^" in route:
            continue
        path = route.replace("<int:pk>", str(rows.get(route.split("/")[0], 1)))
        for name, word in words.items():
            path = path.replace(f"<slug:{name}>", word).replace(f"<int:{name}>", word)
        assert "<" not in path, f"no value for a parameter of {route}"
        yield f"/{path}"


def admin_pages(cast: Cast, togo: Records) -> Iterator[str]:
    entry = AuditEntry.objects.order_by("pk").first()
    rows: dict[str, Any] = {"users.user": cast.togo_head, "users.country": cast.togo, "users.auditentry": entry}
    rows |= {row._meta.label_lower: row for row in togo.rows.values()}
    rows |= {"file_handling.file": togo.file, "file_handling.importsession": togo.session}
    rows |= {row._meta.label_lower: row for row in (make_rate(), make_reporting_currency())}
    yield reverse("admin:index")
    yield reverse("admin:password_change")
    yield reverse("admin:password_change_done")
    for label in ("users", "core", "file_handling"):
        yield reverse("admin:app_list", args=[label])
    for model in admin.site._registry:
        name, row = f"admin:{model._meta.app_label}_{model._meta.model_name}", rows[model._meta.label_lower]
        yield reverse(f"{name}_changelist")
        yield f"{reverse(f'{name}_changelist')}?q=x"
        yield reverse(f"{name}_change", args=[row.pk])
        yield reverse(f"{name}_history", args=[row.pk])
    for name in (
        "users_user_add",
        "users_country_add",
        "core_actalias_add",
        "core_exchangerate_add",
        "file_handling_importsession_add",
    ):
        yield reverse(f"admin:{name}")
    yield reverse("admin:users_user_import")
    yield reverse("admin:file_handling_file_preview", args=[togo.file.pk])
    yield reverse("admin:file_handling_file_delete", args=[togo.file.pk])
    for name in ("findings", "delete"):
        yield reverse(f"admin:file_handling_importsession_{name}", args=[togo.session.pk])
    yield reverse("admin:file_handling_importsession_steer", args=[togo.session.pk, "revert"])
    for status in SessionStatus.values:
        other = make_session(user=cast.togo_head, country=cast.togo, status=status, stat_file=togo.file)
        yield reverse("admin:file_handling_importsession_change", args=[other.pk])


@pytest.mark.parametrize("name", ["superuser", "togo_admin", "togo_operator", "homeless_head", "anonymous"])
def test_every_page_has_the_policy_and_needs_nothing_that_it_forbids(
    name: str, cast: Cast, togo: Records, browser: Browser
) -> None:
    client, seen, wrong = browser(name), 0, {}
    for path in pages(cast, togo):
        response = client.get(path)
        assert response.status_code < 500, path
        seen += response.status_code == 200
        if found := problems(response):
            wrong[path] = found
        if response.streaming:
            content_of(response)
    assert wrong == {}
    assert seen >= {"superuser": 40, "togo_admin": 35, "togo_operator": 20, "homeless_head": 5, "anonymous": 3}[name]


@pytest.mark.parametrize("name", ["superuser", "togo_admin"])
def test_the_administration_too(name: str, cast: Cast, togo: Records, browser: Browser) -> None:
    audit.record(actor=cast.togo_admin, action=AuditAction.READ, target=cast.togo_head)
    # The summary of this session is no summary of a run.
    ImportSession.objects.filter(pk=togo.session.pk).update(summary=None)
    client, seen, wrong = browser(name), 0, {}
    for path in admin_pages(cast, togo):
        response = client.get(path)
        seen += response.status_code == 200
        if found := problems(response):
            wrong[path] = found
    assert wrong == {}
    assert seen > 50


def test_the_documentation_of_the_api_too_and_its_script_is_a_file(db: None) -> None:
    page = Client().get("/api/v1/docs/")
    assert problems(page) == []
    assert 'src="/api/v1/docs/?script="' in page.content.decode()
    script = Client().get("/api/v1/docs/?script=")
    assert script.headers["Content-Type"].startswith("application/javascript")
    assert "SwaggerUIBundle({" in script.content.decode()
    assert problems(script) == []


def test_pages_of_errors_and_answers_of_the_api_too(cast: Cast, togo: Records, browser: Browser) -> None:
    client = browser("benin_admin")
    strict = Client(enforce_csrf_checks=True)
    failing = browser("benin_admin")
    failing.raise_request_exception = False
    link = "/account/password/choose/?uid=x&token=y"
    answers = {
        400: Client().get("/", headers={"host": "elsewhere.example"}),
        403: client.get(f"/accounts/{cast.togo_head.pk}/"),
        404: client.get("/nowhere/"),
        405: client.post("/"),
    }
    assert {status: answer.status_code for status, answer in answers.items()} == {one: one for one in answers}
    answers |= {
        1: strict.post("/sign-in/", {"username": "a", "password": "b"}),
        2: Client().get(link),
        3: Client().post("/sign-in/", {"username": "togo_head", "password": "wrong"}),
        4: Client().get("/api/v1/users/me/"),
        5: Client().post("/sign-in/", {"username": "togo_head", "password": PASSWORD}),
    }
    assert {key: found for key, answer in answers.items() if (found := problems(answer))} == {}


def test_the_page_of_an_internal_error_needs_neither_session_nor_database(
    cast: Cast, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_more: object) -> None:
        raise RuntimeError("KOFFI")

    client = browser("togo_admin")
    client.raise_request_exception = False
    monkeypatch.setattr("dashboard.home.kept_answer", fail)
    page = client.get("/")
    text = page.content.decode()
    assert page.status_code == 500
    assert problems(page) == []
    assert "The server could not make this page." in text
    assert "KOFFI" not in text
    api = client.get("/api/v1/nowhere/")
    assert (api.status_code, api.json()) == (404, {"detail": "Not found."})
