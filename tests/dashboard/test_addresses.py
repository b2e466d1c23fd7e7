"""The addresses of the figures: countries, audit entries, and answers that are never stale."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache

from core.models import Insured
from dashboard import answers
from dashboard.models import WatchMark
from tests.support.api_user import ApiUser
from tests.support.cast import Cast
from tests.support.pairs import line, matching_pair, row
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


# ------------------------------------------------------------------------------------------------ countries


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
