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
