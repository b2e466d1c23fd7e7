"""The addresses of the figures: parameters, files, languages and audit entries, and answers that are never stale."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import override_settings

from core.models import Claim, Insured
from dashboard import answers
from dashboard.models import WatchMark
from tests.support import canary
from tests.support.api_user import ApiUser
from tests.support.cast import Cast
from tests.support.pairs import line, matching_pair, row
from tests.support.responses import content_of
from tests.support.routes import FIGURES, GETS, UPLOAD_FIGURES
from users.models import AuditEntry, Country, Role, User

pytestmark = pytest.mark.django_db(transaction=True)

API = "/api/v1/"
DASHBOARD = f"{API}dashboard/"
OF_CLAIMS_LEFT_OUT = ("left-out/", "quality/")
PERSONS = ("insured", "family")
ADDRESSES = [path for path in GETS if path.startswith("dashboard/")]
IN_A_SCOPE = [name for name in FIGURES if name not in ("definitions/", "period/")]
AFTER_SETTLEMENT = "20/06/2024"


@pytest.fixture(autouse=True)
def _no_kept_answers(own_storage: object) -> None:
    cache.clear()


def import_claims(api: ApiUser) -> None:
    """Two claims that agree, one of them with an incident after its settlement, and one that is left out."""
    lines, rows = matching_pair(
        line("S-1", operator="KOFFI"), line("S-2", "9000", "8000", incident_date=AFTER_SETTLEMENT, operator="AMA")
    )
    session = api.import_pair([*lines, line("S-3", operator="KOFFI")], [*rows, row("S-3", "7000")])
    assert session.status == "DONE_WITH_ERRORS", session.message


@pytest.fixture
def api() -> ApiUser:
    api = ApiUser()
    import_claims(api)
    return api


def colleague(api: ApiUser, role: Role, name: str = "colleague") -> ApiUser:
    country = None if role in (Role.SUPERUSER, Role.ADMIN_GLOBAL) else api.country
    return ApiUser.for_user(
        User.objects.create_user(username=name, email=f"{name}@example.org", role=role, country=country)
    )


def problems(api: ApiUser, path: str) -> dict[str, Any]:
    response = api.client.get(f"{DASHBOARD}{path}")
    assert response.status_code == 400, response.content
    return dict(response.json())


# ------------------------------------------------------------------------------------------------ parameters


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


def test_a_country_is_named_by_its_id_or_its_code_and_an_unknown_one_is_refused(api: ApiUser) -> None:
    other = ApiUser("BJ")
    lines, rows = matching_pair(line("B-1"))
    other.import_pair(lines, rows)
    boss = colleague(api, Role.ADMIN_GLOBAL)
    counted = {
        name: boss.get(f"dashboard/portfolio/?country={name}")["indicators"][0]["value"]
        for name in ("", api.country.pk, "TG", "tg", other.country.pk, "BJ")
    }
    assert counted == {"": 3, api.country.pk: 2, "TG": 2, "tg": 2, other.country.pk: 1, "BJ": 1}
    for unknown in ("999999", "XX", "T%00G", "-1", "T G"):
        sentence = ["There is no country with this id or code."]
        assert problems(boss, f"portfolio/?country={unknown}") == {"country": sentence}


def test_an_account_with_a_country_gets_its_own_whatever_it_names(api: ApiUser) -> None:
    other = ApiUser("BJ")
    for name in (other.country.pk, "BJ", "XX", "TG", ""):
        answer = api.get(f"dashboard/portfolio/?country={name}")
        assert (answer["countries"], answer["n"]) == ([api.country.pk], 2)


@pytest.mark.parametrize("path", ["left-out/", "left-out/claims/", "quality/?by=partner"])
def test_claims_left_out_are_not_narrowed_to_a_person(path: str, api: ApiUser) -> None:
    sentence = ["Claims left out are not matched to persons. Leave this parameter out."]
    for kind in PERSONS:
        assert problems(api, f"{path}{'&' if '?' in path else '?'}{kind}=1") == {kind: sentence}


@pytest.mark.parametrize("path", IN_A_SCOPE)
def test_an_id_of_another_country_answers_as_an_unknown_one(path: str, api: ApiUser) -> None:
    other = ApiUser("BJ")
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


# ------------------------------------------------------------------------------------------------ methods, files, words


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


def test_a_superuser_of_an_installation_without_countries_gets_empty_answers() -> None:
    boss = ApiUser.for_user(User.objects.create_user(username="root", email="root@example.org", role=Role.SUPERUSER))
    Country.objects.all().delete()
    for path in [*FIGURES, *UPLOAD_FIGURES]:
        assert boss.client.get(f"{DASHBOARD}{path}").status_code == 200, path


# ------------------------------------------------------------------------------------------------ audit


def test_the_audit_entry_of_person_rows_has_counts_and_names_of_filters_alone(api: ApiUser) -> None:
    boss = colleague(api, Role.ADMIN_GLOBAL)
    insured = Insured.objects.get()
    for path, rows, filters in [
        ("rankings/?by=insured&country=TG", 1, ["by", "country"]),
        (f"portfolio/?insured={insured.pk}&country=TG", 0, ["country", "insured"]),
        ("watch-list/?rule=incident_after_settlement", 1, ["rule"]),
        ("left-out/claims/?age=0-30", 1, ["age"]),
    ]:
        # From the database, and then as it was kept.
        for _time in range(2):
            boss.get(f"dashboard/{path}")
            entry = AuditEntry.objects.latest("pk")
            assert (entry.actor, entry.action, entry.country) == (boss.user, "read", api.country)
            assert (entry.data["rows"], entry.data["filters"]) == (rows, filters)
            assert entry.data["part"] == f"dashboard/{path.partition('?')[0].strip('/').replace('/', '-')}"
    assert "LAWSON" not in str(list(AuditEntry.objects.values_list("data", flat=True)))


def test_an_explanation_of_a_row_takes_it_off_the_list_and_is_audited(api: ApiUser) -> None:
    path = "dashboard/watch-list/?rule=incident_after_settlement"
    (row,) = api.get(path)["rows"]
    form = {"rule": "incident_after_settlement", "key": row["key"], "note": "The date was corrected on paper."}
    for role, status in [(Role.RESP_OPERATEUR, 403), (Role.ADMIN_GLOBAL, 403), (Role.CHEF_DEPT_TECH, 200)]:
        person = colleague(api, role, f"person_{status}_{role}")
        assert person.client.post(f"{DASHBOARD}watch-list/seen/", form).status_code == status
    assert WatchMark.objects.get().country == api.country
    assert (api.get(path)["rows"], api.get(path)["explained"]) == ([], 1)
    assert AuditEntry.objects.filter(object_type="dashboard.watchmark", country=api.country).count() == 1
    gone = api.client.post(f"{DASHBOARD}watch-list/seen/", form | {"key": "claim=0|XOF"})
    assert gone.status_code == 404
    assert problems_of(api, form | {"note": "  "}) == ["note"]
    assert problems_of(api, form | {"rule": "colour"}) == ["rule"]


def problems_of(api: ApiUser, form: dict[str, str]) -> list[str]:
    response = api.client.post(f"{DASHBOARD}watch-list/seen/", form)
    assert response.status_code == 400
    return list(response.json())


def test_a_row_of_another_country_cannot_be_explained(api: ApiUser) -> None:
    (row,) = api.get("dashboard/watch-list/?rule=incident_after_settlement")["rows"]
    form = {"rule": "incident_after_settlement", "key": row["key"], "note": "Not ours."}
    other = ApiUser("BJ")
    for query in ("", f"?country={api.country.pk}"):
        assert other.client.post(f"{DASHBOARD}watch-list/seen/{query}", form).status_code == 404
    assert not WatchMark.objects.exists()


# ------------------------------------------------------------------------------------------------ never stale


def test_an_answer_is_kept_and_made_anew_once_an_import_has_changed_the_data(
    api: ApiUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    original = answers.portfolio

    def counted(board: Any) -> Any:
        made.append(board)
        return original(board)

    monkeypatch.setattr(answers, "portfolio", counted)

    def claims() -> int:
        return int(api.get("dashboard/portfolio/")["indicators"][0]["value"])

    assert (claims(), claims(), len(made)) == (2, 2, 1)
    lines, rows = matching_pair(line("S-9"))
    later = api.import_pair(lines, rows)
    assert (claims(), claims(), len(made)) == (3, 3, 2)
    assert api.steer(later.id, "revert").status_code == 200
    assert claims() == 2


def test_figures_of_files_and_sessions_follow_every_upload_at_once(api: ApiUser) -> None:
    before = api.get("dashboard/files/"), api.get("dashboard/import-sessions/")
    lines, rows = matching_pair(line("S-9"))
    waiting = api.send(lines, rows)
    files, sessions = api.get("dashboard/files/"), api.get("dashboard/import-sessions/")
    assert files["total_files"] == before[0]["total_files"] + 2
    assert files["recent_uploads"] == files["total_files"]
    assert sessions["total_sessions"] == before[1]["total_sessions"] + 1
    assert sessions["successful_imports"] == before[1]["successful_imports"]
    api.run(waiting)
    assert api.get("dashboard/import-sessions/")["successful_imports"] == before[1]["successful_imports"] + 1


def test_files_and_sessions_of_a_period_are_those_of_the_list_behind_them(api: ApiUser) -> None:
    for name, total in (("files", "total_files"), ("import-sessions", "total_sessions")):
        for start, is_empty in (("2020-01-01", False), ("2999-01-01", True)):
            answer = api.get(f"dashboard/{name}/?start={start}&end=2999-12-31")
            listed = api.get(answer["url"].removeprefix(API))
            assert answer[total] == listed["count"]
            assert (listed["count"] == 0) == is_empty


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


def test_another_currency_of_the_country_shows_at_once(api: ApiUser) -> None:
    path = "dashboard/rankings/?by=client&start=2030-01-01&end=2030-01-02"
    assert api.get(path)["currency"] == "XOF"
    Country.objects.filter(pk=api.country.pk).update(currency_code="XAF")
    assert api.get(path)["currency"] == "XAF"


def test_an_account_that_moves_to_another_country_gets_that_country_s_figures_at_once(api: ApiUser) -> None:
    other = ApiUser("BJ")
    assert api.get("dashboard/portfolio/")["n"] == 2
    User.objects.filter(pk=api.user.pk).update(country=other.country)
    assert api.get("dashboard/portfolio/")["n"] == 0
    Country.objects.filter(pk=other.country.pk).update(is_active=False)
    assert api.client.get(f"{DASHBOARD}portfolio/").status_code == 403


def test_a_person_who_is_completed_by_an_import_has_the_new_name_in_kept_rankings(api: ApiUser) -> None:
    spouse = {"beneficiary": "LAWSON EYA", "insured_status": "C", "main_insured": "KPONTON YAO", "policy_number": "9/X"}
    lines, rows = matching_pair(line("S-7", **spouse))
    api.import_pair(lines, rows)
    path = "dashboard/rankings/?by=family"
    assert "KPONTON YAO" in str(api.get(path))
    own = {"beneficiary": "Yao Kponton", "main_insured": "Yao Kponton", "policy_number": "9/X", "card_number": "C-77"}
    lines, rows = matching_pair(line("S-8", **own))
    api.import_pair(lines, rows)
    name = Insured.objects.get(card_number="C-77").name
    assert name in str(api.get(path))


def test_an_answer_kept_for_one_role_shows_another_nothing_that_it_may_not_read(api: ApiUser) -> None:
    path = "dashboard/left-out/claims/"
    (shown,) = api.get(path)["rows"]
    assert shown["observation"]
    operator = colleague(api, Role.RESP_OPERATEUR)
    (hidden,) = operator.get(path)["rows"]
    assert hidden == shown | {"observation": ""}


def test_a_closed_or_missing_country_refuses_every_figure(cast: Cast) -> None:
    for name in ("closed_operator", "homeless_head"):
        client = cast.client(name)
        for path in ADDRESSES:
            assert client.get(f"{API}{path}?country={cast.togo.pk}").status_code == 403
