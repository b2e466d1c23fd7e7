"""The samples of the demo have something of everything, so that no page of it is empty."""

from file_handling.models import FindingCategory, SessionStatus
from scripts.demo import story
from tests.browser.stack import Stack

UNDER_WAY = {"PENDING", "PROCESSING"}


def test_the_demo_has_a_session_of_every_ending_and_a_finding_of_every_category(stack: Stack) -> None:
    client = stack.clients["SUPERUSER"]
    # DONE without anything left out is what real files never give.
    endings = set(SessionStatus.values) - UNDER_WAY - {"DONE"}
    assert {session["status"] for session in stack.sessions.values()} >= endings
    found = {
        category
        for session in stack.sessions.values()
        for category in FindingCategory.values
        if client.findings(session["id"], category=category, rows=1)
    }
    assert found == set(FindingCategory.values)


def test_the_demo_has_two_countries_and_cases_for_the_watch_list(stack: Stack) -> None:
    client = stack.clients["SUPERUSER"]
    assert {country["code"] for country in client.countries()} == {"TG", "CM"}
    watched = client.call("GET", "/api/v1/dashboard/watch-list/", fields={"country": "TG"})
    counts = {rule["rule"]: rule["count"] for rule in watched["rules"]}
    for pair in (stack.pairs["togo-first-year"], stack.pairs["togo-second-year"]):
        for rule, cases in pair.expected["to_look_at"].items():
            assert counts[rule] >= len(cases), rule


def test_the_demo_has_a_correction_that_waits_for_its_review(stack: Stack) -> None:
    client = stack.clients["SUPERUSER"]
    session = stack.sessions[story.CORRECTED]
    made = client.call("GET", "/api/v1/corrections/", fields={"session": str(session["id"])})
    assert made["count"] == 2
    compared = client.call("GET", f"/api/v1/import-sessions/{session['id']}/comparison/")["results"]
    assert ["amount_gap", "conform"] in [[one["before"]["category"], one["after"]["category"]] for one in compared]


def test_the_demo_has_names_to_merge_and_a_merge_to_undo_in_the_act_catalogue(stack: Stack) -> None:
    client = stack.clients["ADMIN_GLOBAL"]
    assert client.call("GET", "/api/v1/acts/candidates/")["count"] >= 3
    assert client.call("GET", "/api/v1/act-categories/candidates/")["count"] >= 1
    changes = {one["kind"]: one for one in client.call("GET", "/api/v1/catalogue-changes/")["results"]}
    assert set(changes) >= {"act_merge", "act_rename", "act_alias_add", "act_category"}
    for kind in ("act_merge", "act_rename"):
        client.call("POST", f"/api/v1/catalogue-changes/{changes[kind]['id']}/undo/?dry_run=true")


def test_the_demo_has_something_to_review_and_to_complete(stack: Stack) -> None:
    client = stack.clients["ADMIN_TERRITORIAL"]

    def count(path: str) -> int:
        found: int = client.call("GET", f"/api/v1/{path}")["count"]
        return found

    for kind in ("insured", "client", "partner", "operator"):
        assert count(f"review-pairs/?state=waiting&kind={kind}") >= 1, kind
    assert count("review-pairs/?state=same") >= 1
    assert count("review-pairs/?state=different") >= 1
    for path in (
        "premiums/", "policies/?without_subscriber=true", "policies/?typed_rate=true", "policies/?rate_differs=true",
        "plans/?to_complete=true", "plans/?typed_rate=true",
    ):  # fmt: skip
        assert count(path) >= 1, path
    changes = client.call("GET", "/api/v1/family-changes/")["results"]
    assert {one["kind"] for one in changes} >= {"insured_merge", "attach", "client_merge"}


def test_the_demo_has_a_reporting_currency_and_a_deactivation_that_waits(stack: Stack) -> None:
    client = stack.clients["ADMIN_GLOBAL"]
    assert client.call("GET", "/api/v1/reporting-currency/")["currency"] == "EUR"
    assert client.call("GET", "/api/v1/exchange-rates/")["count"] >= 1
    requests = client.call("GET", "/api/v1/country-deactivations/")["results"]
    assert [one["status"] for one in requests] == ["PENDING", "REJECTED", "WITHDRAWN"]
