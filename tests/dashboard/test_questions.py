"""Questions to the addresses of the figures, which change nothing: parameters, methods, files and languages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import override_settings

from core.models import Claim
from tests.dashboard.test_addresses import API, DASHBOARD, IN_A_SCOPE, import_claims, problems
from tests.support import canary
from tests.support.api_user import ApiUser
from tests.support.responses import content_of
from tests.support.routes import GETS, UPLOAD_FIGURES
from users.models import AuditEntry

pytestmark = pytest.mark.django_db

OF_CLAIMS_LEFT_OUT = ("left-out/", "quality/")
PERSONS = ("insured", "family")
# The renewal sheet needs a client: tests/dashboard/test_renewal.py.
ADDRESSES = [path for path in GETS if path.startswith("dashboard/") and "{" not in path]


@pytest.fixture(scope="module")
def api(database: None) -> ApiUser:
    """An account of a country with two claims and one that was left out, for all tests of the module."""
    api = ApiUser()
    import_claims(api)
    return api


@pytest.fixture(scope="module")
def other(database: None) -> ApiUser:
    """An account of a country without claims."""
    return ApiUser("BJ")


@pytest.fixture(autouse=True)
def _no_kept_answers() -> None:
    cache.clear()


def test_everything_that_is_wrong_with_a_question_is_said_at_once(api: ApiUser) -> None:
    path = "rankings/?start=2024-13-01&end=soon&client=0&limit=5000&by=colour&format=pdf&colour=red"
    assert problems(api, path) == {
        "start": ["Give a day as YYYY-MM-DD."],
        "end": ["Give a day as YYYY-MM-DD."],
        "client": ["Give a whole number from 1 on."],
        "limit": ["Give a whole number from 1 to 1000."],
        "by": ["Choose from: client, policy, partner, insured, family, operator, act, act_category."],
        "format": ["Choose from: json, csv, xlsx, parquet."],
        "colour": [problems(api, path)["colour"][0]],
    }
    assert "Choose from: act, act_category, by, client" in problems(api, path)["colour"][0]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("portfolio/?client=1&client=2", "client"),
        ("rankings/?by=act&by=client", "by"),
        ("delay/?start=2024-06-01&end=2024-05-01", "end"),
        ("delay/?start=2024-W01-1", "start"),
        ("delay/?start=2024-6-1", "start"),
        ("series/", "indicator"),
        ("series/?indicator=claims,colour", "indicator"),
        ("quality/", "by"),
        ("quality/?by=client", "by"),
        ("watch-list/?rule=colour", "rule"),
        ("left-out/claims/?category=conform", "category"),
        ("left-out/claims/?age=1-2", "age"),
        ("left-out/claims/?currency=francs", "currency"),
        ("left-out/claims/?page=0", "page"),
        ("files/?client=1", "client"),
        ("import-sessions/?act=1", "act"),
        ("definitions/?start=2024-01-01", "start"),
        ("portfolio/?limit=5", "limit"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_under_the_name_of_its_parameter(
    path: str, field: str, api: ApiUser
) -> None:
    assert list(problems(api, path)) == [field]


def test_two_scopes_at_once_are_refused_by_the_names_of_both(api: ApiUser) -> None:
    sentence = ["Name one of these at a time: client, act."]
    assert problems(api, "portfolio/?client=1&act=2") == {"client": sentence, "act": sentence}


def test_a_page_beyond_the_last_does_not_exist(api: ApiUser) -> None:
    assert api.client.get(f"{DASHBOARD}left-out/claims/?page=2").status_code == 404
    assert api.get("dashboard/left-out/claims/?page=1")["pages"] == 1


def test_empty_parameters_of_a_form_are_as_good_as_none(api: ApiUser) -> None:
    path = "dashboard/left-out/claims/"
    empty = api.get(f"{path}?start=&end=&country=&client=&category=&age=&currency=&page=&format=")
    assert empty == api.get(path)


@pytest.mark.parametrize("path", ["left-out/", "left-out/claims/", "quality/?by=partner"])
def test_claims_left_out_are_not_narrowed_to_a_person(path: str, api: ApiUser) -> None:
    sentence = ["Claims left out are not matched to persons. Leave this parameter out."]
    for kind in PERSONS:
        assert problems(api, f"{path}{'&' if '?' in path else '?'}{kind}=1") == {kind: sentence}


@pytest.mark.parametrize("path", IN_A_SCOPE)
def test_an_id_of_another_country_answers_as_an_unknown_one(path: str, api: ApiUser, other: ApiUser) -> None:
    claim = Claim.objects.filter(country=api.country)[0]
    foreign = {
        "client": claim.client_id,
        "policy": claim.policy_id,
        "insured": claim.insured_id,
        "family": claim.membership_id,
        "partner": claim.partner_id,
        "operator": claim.lines.all()[0].operator_id,
    }
    sign = "&" if "?" in path else "?"
    if path.startswith(OF_CLAIMS_LEFT_OUT):
        foreign = {kind: pk for kind, pk in foreign.items() if kind not in PERSONS}
    if path.startswith("loss-ratio/"):
        foreign = {"client": claim.client_id}
    for kind, pk in foreign.items():
        own, unknown = (
            without_id(content_of(other.client.get(f"{DASHBOARD}{path}{sign}{kind}={id_}")), kind, id_)
            for id_ in (pk, 987654321)
        )
        assert own == unknown, kind
        assert "ID" in own


def without_id(content: bytes, kind: str, id_: int | None) -> str:
    """An answer repeats the scope that it is about."""
    return re.sub(rf'({kind}(?:=|":))"?{id_}\b', r"\1ID", content.decode())


def test_days_at_the_ends_of_the_calendar_are_answered(api: ApiUser) -> None:
    for path in IN_A_SCOPE:
        sign = "&" if "?" in path else "?"
        for start, end in [("0001-01-01", "9999-12-31"), ("9999-12-31", "9999-12-31"), ("0001-01-01", "0001-01-01")]:
            response = api.client.get(f"{DASHBOARD}{path}{sign}start={start}&end={end}")
            assert response.status_code == 200, (path, start, end)


@pytest.mark.parametrize("path", ADDRESSES)
def test_an_address_answers_head_and_options_and_refuses_what_would_change_it(path: str, api: ApiUser) -> None:
    address = f"{API}{path}"
    assert api.client.head(address).status_code == 200
    assert api.client.options(address).json()["description"]
    for method in ("post", "put", "patch", "delete"):
        assert getattr(api.client, method)(address).status_code == 405


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("path", ADDRESSES)
def test_every_answer_comes_as_a_file_of_each_kind(path: str, language: str, api: ApiUser) -> None:
    for kind, start in {"csv": b"\xef\xbb\xbf", "xlsx": b"PK", "parquet": b"PAR1"}.items():
        response = api.client.get(
            f"{API}{canary.with_query(path, f'format={kind}')}", headers={"Accept-Language": language}
        )
        assert response.status_code == 200
        assert content_of(response).startswith(start)
        assert response["Content-Disposition"].endswith(f'.{kind}"')
        assert "no-store" in response["Cache-Control"]
        entry = AuditEntry.objects.latest("pk")
        assert (entry.action, entry.country, entry.data["format"]) == ("export", api.country, kind)


def test_a_file_with_more_rows_than_an_export_may_have_is_refused(api: ApiUser, settings: Any) -> None:
    with override_settings(CONCORD=settings.CONCORD | {"EXPORT_MAX_ROWS": 3}):
        refused = problems(api, "portfolio/?format=csv")
    assert "at most 3 go into one export" in refused["detail"]


def test_titles_and_messages_are_in_the_language_of_the_request_and_definitions_in_both(api: ApiUser) -> None:
    french = api.client.get(f"{DASHBOARD}definitions/", headers={"Accept-Language": "fr"}).json()
    english = api.client.get(f"{DASHBOARD}definitions/", headers={"Accept-Language": "en"}).json()
    assert french["count"] == len(french["indicators"]) > 40
    for one, same in zip(french["indicators"], english["indicators"], strict=True):
        assert (one["fr"], one["en"]) == (same["fr"], same["en"])
        assert {name: one[name] for name in one["fr"]} == one["fr"]
        assert {name: same[name] for name in same["en"]} == same["en"]
    refusal = api.client.get(f"{DASHBOARD}delay/?start=x", headers={"Accept-Language": "fr"}).json()
    assert refusal == {"start": ["Indiquez un jour sous la forme AAAA-MM-JJ."]}
    rule = f"{DASHBOARD}watch-list/?rule=incident_after_settlement"
    titles = {
        language: api.client.get(rule, headers={"Accept-Language": language}).json()["title"]
        for language in ("fr", "en", "fr")
    }
    assert titles == {"en": "Incident after settlement", "fr": "Sinistre postérieur au règlement"}


def test_every_answer_names_a_definition_that_exists(api: ApiUser) -> None:
    known = {one["key"] for one in api.get("dashboard/definitions/")["indicators"]}
    named = {path: api.get(f"dashboard/{path}")["definition"] for path in [*IN_A_SCOPE, *UPLOAD_FIGURES]}
    assert {path: key for path, key in named.items() if key not in known} == {}


def test_each_step_of_a_session_is_timed_once(api: ApiUser) -> None:
    steps = api.get("dashboard/import-sessions/")["steps"]
    assert {"read", "write"} <= {one["step"] for one in steps}
    assert {one["n"] for one in steps} == {1}


def test_every_definition_has_a_french_text_of_its_own(api: ApiUser) -> None:
    for one in api.get("dashboard/definitions/")["indicators"]:
        for name in ("question", "why", "definition"):
            assert one["fr"][name] != one["en"][name], (one["key"], name)


def test_rates_of_a_session_count_what_it_imported_and_left_out(api: ApiUser) -> None:
    (session,) = api.get("dashboard/import-sessions/")["reconciliation"]
    assert {name: session[name] for name in session if name not in ("id", "url")} == {
        "imported": 2,
        "left_out": 1,
        "imported_amount": "12000.00",
        "left_out_amount": "4000.00",
        "rate_claims": "0.6667",
        "rate_amount": "0.7500",
    }
