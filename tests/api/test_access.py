"""The status of every route and method for every account (DOMAIN §1). A route that the table does not name fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from core.models import Premium
from file_handling.models import Correction, SessionStatus
from tests.support import canary
from tests.support.cast import SHUT_OUT, Cast
from tests.support.pairs import recap_upload, stat_upload
from tests.support.records import (
    Records,
    add_corrected_session,
    make_file,
    make_message,
    make_premium,
    make_rate,
    make_session,
    make_webhook,
)
from tests.support.routes import CATALOGUE_ROUTES, FOREIGN, GETS, OF_GLOBAL_ROLES, OPEN, TABLE, UNMARKED, ask
from users.models import Country, User

UNKNOWN = "987654321"
# Filters by values that all countries share.
OF_THE_CATALOGUE = {"act", "category", "claims_act", "claims_category"}


@pytest.mark.parametrize(("method", "path"), sorted(TABLE), ids=lambda value: value)
def test_every_account_gets_at_every_route_what_its_role_and_country_allow(
    method: str, path: str, cast: Cast, togo: Records
) -> None:
    waiting = make_session(
        user=cast.togo_head,
        country=cast.togo,
        status=SessionStatus.PENDING if method == "POST" or method == "DELETE" else SessionStatus.DONE,
    )
    add_corrected_session(togo)
    expected = TABLE[method, path]
    got = {}
    for name in expected:
        if "{account}" in path:
            account = User.objects.create(
                username=f"new-{name}", email=f"new-{name}@example.org", role="CHEF_DEPT_TECH", country=cast.togo
            )
        Country.objects.filter(pk=cast.togo.pk).update(is_active=True)
        file = togo.file
        if method == "DELETE" and path.startswith("files/"):
            file = make_file(user=cast.togo_head, country=cast.togo, name="gone.csv")
        if path.endswith("/cancel/"):
            waiting = make_session(user=cast.togo_head, country=cast.togo, status=SessionStatus.PENDING)
        Correction.objects.update(withdrawn_at=None)
        named = {key: row.pk for key, row in togo.rows.items()} | {"file": file.pk, "session": waiting.pk}
        if path.startswith("webhooks/{webhooks}/"):
            endpoint = make_webhook(cast.togo)
            named |= {"webhooks": endpoint.pk, "webhook-messages": make_message(endpoint, f"msg_{name}").pk}
        if method == "DELETE" and path.startswith("premiums/"):
            Premium.objects.all().delete()
            named["premiums"] = make_premium(togo.rows["clients"], owner=cast.togo_head).pk
        if "{exchange-rates}" in path:
            named["exchange-rates"] = make_rate().pk
        named["country"] = cast.togo.pk
        named["account"] = account.pk if "{account}" in path else 0
        got[name] = ask(cast.client(name), method, path.format(**named))
    assert got == expected


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, str]]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern).lstrip("^").rstrip("$")
        if isinstance(entry, URLResolver):
            yield from routes(entry, path)
            continue
        assert isinstance(entry, URLPattern)
        view = entry.callback
        if not path.startswith("api/v1/"):
            continue
        methods = getattr(view, "actions", None) or [
            method
            for method in ("get", "post", "put", "patch", "delete")
            if hasattr(view.cls, method)  # type: ignore[attr-defined]
        ]
        for method in methods:
            if method != "head":
                yield method.upper(), path


def test_the_table_names_every_route_and_method_of_the_api() -> None:
    known = {(method, re.sub(r"{[^}]*}", "*", path.split("?")[0])) for method, path in TABLE}
    found = set()
    for method, path in routes(get_resolver()):
        plain = re.sub(r"\(\?P<\w+>[^)]*\)|<[^>]+>", "*", path.removeprefix("api/v1/")).replace("\\Z", "").rstrip("$")
        if plain not in OPEN:
            found.add((method, plain))
    assert found == known


@pytest.mark.parametrize("path", GETS)
def test_no_answer_contains_data_of_another_country(path: str, cast: Cast, togo: Records, benin: Records) -> None:
    add_corrected_session(togo)
    canary.mark_people(cast)
    canary.mark_country(cast)
    own = cast.client("togo_admin")
    # So that the audit trail and the history of the file are not empty.
    own.get(f"/api/v1/files/{togo.file.pk}/")
    others = {name: cast.client(name) for name in [*FOREIGN, *SHUT_OUT, "anonymous"]}
    for at, query in enumerate(canary.formats(path)):
        with_format = canary.with_query(path, query)
        address = f"/api/v1/{with_format.format(**canary.ids(cast, togo))}"
        first = own.get(address)
        assert canary.contains_mark(first) == (not {path, with_format} & UNMARKED)
        # Now another account behind the same cache or in the same browser.
        assert "no-store" in first["Cache-Control"]
        assert {"Authorization", "Cookie"} <= set(first["Vary"].split(", "))
        for name, client in others.items():
            # An account that may sign in nowhere is refused before its format is looked at.
            if at and name not in FOREIGN:
                continue
            answer = client.get(address, headers=canary.conditional_headers(first))
            assert answer.status_code in (200, 401, 403), name
            assert not canary.contains_mark(answer), (name, address)


def test_the_schema_contains_no_data_of_a_country(cast: Cast, togo: Records) -> None:
    canary.mark_people(cast)
    canary.mark_country(cast)
    for path in ("schema/", "docs/"):
        answer = cast.client("benin_admin").get(f"/api/v1/{path}")
        assert answer.status_code == 200
        assert not canary.contains_mark(answer)


@pytest.mark.parametrize("path", [path for path in GETS if canary.is_list(path)])
def test_no_ordering_filter_or_search_shows_data_of_another_country(
    path: str, cast: Cast, togo: Records, benin: Records
) -> None:
    canary.mark_people(cast)
    canary.mark_country(cast)
    named = canary.ids(cast, togo)
    own = cast.client("superuser" if path.startswith(OF_GLOBAL_ROLES) else "togo_admin")
    # An export has the filters of its list, of which each of these accounts is asked.
    others = [cast.client(name) for name in (FOREIGN[:1] if path.endswith("export/") else FOREIGN)]
    own.get(f"/api/v1/files/{togo.file.pk}/")
    path = path.format(**named)

    def fetch(client: APIClient, *queries: str) -> Any:
        return client.get(f"/api/v1/{canary.with_query(path, *queries)}")

    for query in canary.orderings(path):
        assert fetch(own, query).status_code == 200
        for client in others:
            assert not canary.contains_mark(fetch(client, query)), query
    for kind, name, value in canary.filters(path, named):
        own_answer = fetch(own, f"{name}={value}")
        assert own_answer.status_code == 200, name
        for client in others:
            answer = fetch(client, f"{name}={value}")
            assert not canary.contains_mark(answer), name
            # Ids and words of another country give the same answer as ids and words that do not exist.
            if kind != "other" and name not in OF_THE_CATALOGUE:
                assert canary.body(answer) == canary.body(fetch(client, f"{name}={UNKNOWN}")), name
                if answer.status_code == 200 and not path.endswith("export/"):
                    assert answer.json()["count"] == 0, name
        # Rows that all countries share have no mark.
        shared = path.startswith((*CATALOGUE_ROUTES, "exchange-rates/"))
        if kind == "text" and not path.endswith("export/") and not shared:
            assert own_answer.json()["count"] > 0, name


@pytest.mark.parametrize(("method", "path"), sorted(case for case in TABLE if case[0] != "GET"))
def test_no_refusal_contains_data_of_another_country(method: str, path: str, cast: Cast, togo: Records) -> None:
    canary.mark_people(cast)
    canary.mark_country(cast)
    address = path.format(**canary.ids(cast, togo))
    for name in [*FOREIGN, *SHUT_OUT, "anonymous"]:
        answer = cast.client(name).generic(method, f"/api/v1/{address}")
        assert not canary.contains_mark(answer), name


def test_no_refusal_of_an_id_in_a_form_contains_data_of_another_country(cast: Cast, togo: Records) -> None:
    canary.mark_people(cast)
    canary.mark_country(cast)
    client = cast.client("benin_admin")

    pair = {"stat_file_id": togo.file.pk, "recap_file_id": togo.recap.pk}
    answer = client.post("/api/v1/import-sessions/", pair, format="multipart")
    assert answer.status_code == 403
    assert not canary.contains_mark(answer)
    taken = {"email": cast.togo_head.email, "role": "CHEF_DEPT_TECH", "first_name": "A", "last_name": "B"}
    answer = client.post("/api/v1/users/", taken)
    assert answer.status_code == 400
    assert not canary.contains_mark(answer)
    moved = client.post(f"/api/v1/users/{cast.benin_head.pk}/country/", {"country": cast.togo.pk})
    assert moved.status_code == 403
    assert not canary.contains_mark(moved)


def test_a_filter_by_an_id_of_another_country_answers_like_an_unknown_id(
    cast: Cast, togo: Records, benin: Records
) -> None:
    client = cast.client("benin_admin")
    foreign = {name: row.pk for name, row in togo.rows.items()}
    for field, pk in {
        "client": foreign["clients"],
        "policy": foreign["policies"],
        "insured": foreign["insured"],
        "partner": foreign["partners"],
        "file": togo.file.pk,
        "import_session": togo.session.pk,
        "country": cast.togo.pk,
    }.items():
        hidden = client.get(f"/api/v1/claims/?{field}={pk}")
        unknown = client.get(f"/api/v1/claims/?{field}=987654321")
        assert hidden.status_code == unknown.status_code == 200
        assert hidden.json() == unknown.json()


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("files/999999/", "File not found"),
        ("files/999999/download/", "File not found"),
        ("files/999999/preview/", "File not found"),
        ("import-sessions/999999/", "Session not found"),
        ("import-sessions/999999/findings/", "Session not found"),
        ("import-sessions/999999/events/", "Session not found"),
        ("import-sessions/999999/download/?type=log", "Session not found"),
        ("import-sessions/none/", "Session not found"),
        (f"import-sessions/{10**30}/", "Session not found"),
        ("files/-1/", "File not found"),
    ],
)
def test_an_object_that_does_not_exist_is_a_404_with_a_sentence(path: str, detail: str, cast: Cast) -> None:
    response = cast.client("togo_admin").get(f"/api/v1/{path}")
    assert (response.status_code, response.json()) == (404, {"detail": detail})


@pytest.mark.parametrize(
    "path",
    [
        "files/{file}/",
        "files/{file}/download/",
        "files/{file}/preview/",
        "import-sessions/{session}/",
        "import-sessions/{session}/findings/",
        "import-sessions/{session}/events/",
        "import-sessions/{session}/download/?type=error",
        "claims/{claim}/",
    ],
)
def test_an_object_of_another_country_is_access_denied(path: str, cast: Cast, togo: Records) -> None:
    path = path.format(file=togo.file.pk, session=togo.session.pk, claim=togo.rows["claims"].pk)
    response = cast.client("benin_admin").get(f"/api/v1/{path}")
    assert (response.status_code, response.json()) == (403, {"detail": "Access denied"})


def test_a_change_of_role_country_or_activity_applies_to_the_next_request(cast: Cast, togo: Records) -> None:
    client = cast.client("togo_admin")
    address = f"/api/v1/files/{togo.file.pk}/"
    assert client.get(address).status_code == 200

    cast.togo_admin.role = "RESP_OPERATEUR"
    cast.togo_admin.save()
    assert client.get(address).status_code == 403

    cast.togo_admin.role = "ADMIN_TERRITORIAL"
    cast.togo_admin.country = cast.benin
    cast.togo_admin.save()
    assert client.get(address).status_code == 403

    cast.togo_admin.country = cast.togo
    cast.togo_admin.save()
    assert client.get(address).status_code == 200

    cast.togo.is_active = False
    cast.togo.save()
    assert client.get(address).status_code == 403

    cast.togo_admin.is_active = False
    cast.togo_admin.save()
    assert client.get(address).status_code == 401


def test_a_client_cannot_set_what_the_server_decides(cast: Cast) -> None:
    response = cast.client("togo_head").post(
        "/api/v1/import-sessions/",
        {
            "stat_file": stat_upload(),
            "recap_file": recap_upload(),
            "user": cast.benin_head.pk,
            "status": "DONE",
            "claims_created_count": 12,
            "role": "SUPERUSER",
        },
        format="multipart",
    )
    assert response.status_code == 202
    body = response.json()
    assert body["user"] == cast.togo_head.pk
    assert body["status"] == "PENDING"
    assert body["claims_created_count"] == 0
    assert body["country"]["code"] == "TG"
    cast.togo_head.refresh_from_db()
    assert cast.togo_head.role == "CHEF_DEPT_TECH"


def test_only_a_superuser_chooses_another_country(cast: Cast) -> None:
    for name, status in {"togo_admin": 400, "superuser": 202}.items():
        response = cast.client(name).post(
            "/api/v1/import-sessions/",
            {"stat_file": stat_upload(), "recap_file": recap_upload(), "country": "bj"},
            format="multipart",
        )
        assert response.status_code == status, name
