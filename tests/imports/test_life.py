"""DOMAIN §7: how a session continues and ends, and which acts it allows meanwhile."""

from __future__ import annotations

import pytest
import structlog

from core.models import Claim, Insured
from file_handling.models import ImportSession, SessionStatus
from importer.transitions import TRANSITIONS
from tests.support.api_user import ApiUser, Outcome
from tests.support.pairs import line, matching_pair, recap_csv, recap_xlsx, row, stat_xlsx

pytestmark = pytest.mark.django_db(transaction=True)

PAIR = matching_pair(line("A1"), line("A2", beneficiary="LAWSON KOFI", insured_status="E"))
# DOMAIN §7, and the report, which can be made again whenever there is one.
EXPECTED = {
    "PENDING": {"cancel"},
    "PROCESSING": {"cancel"},
    "AWAITING_SHEET": {"sheet", "cancel"},
    "REVIEW": {"commit", "cancel", "report"},
    "DONE": {"revert", "report"},
    "DONE_WITH_ERRORS": {"revert", "report"},
    "ERROR": {"retry"},
    "CANCELLED": {"retry"},
    "REVERTED": set(),
}


def test_each_status_allows_the_acts_of_the_domain() -> None:
    allowed = {
        status: {act.name for act in TRANSITIONS if status in act.from_statuses} for status in SessionStatus.values
    }
    assert allowed == EXPECTED


def assert_other_acts_refused(api: ApiUser, outcome: Outcome) -> None:
    """Every act that the status does not allow is refused with a sentence, and changes nothing."""
    others = [act.name for act in TRANSITIONS if outcome.status not in act.from_statuses]
    assert others
    for act in others:
        answer = api.steer(outcome.id, act, stat_sheet="Feuil1")
        assert (answer.status_code, bool(answer.json()["detail"])) == (409, True), act
    assert api.outcome(outcome.id).session == outcome.session


def test_a_session_is_done_when_every_claim_of_the_period_is_imported() -> None:
    api = ApiUser()
    outcome = api.import_pair(*PAIR)
    assert (outcome.status, outcome.session["progress"]) == ("DONE", 100)
    assert outcome.message == "2 claims imported."
    assert outcome.session["started_at"] <= outcome.session["completed_at"]
    assert (outcome.session["error_file"] or "").endswith("?type=error")
    events = api.all(f"import-sessions/{outcome.id}/events/")
    progress = [event["progress"] for event in events]
    assert progress == sorted(progress)
    assert [event["step"] for event in events if event["step"] != "read"] == [
        "received",
        "reconcile",
        "plan",
        "write",
        "write",
        "done",
    ]
    assert_other_acts_refused(api, outcome)


def test_each_step_of_a_run_logs_its_seconds_and_no_data() -> None:
    with structlog.testing.capture_logs() as lines:
        outcome = ApiUser().import_pair(*PAIR)
    timed = {line["step"]: line for line in lines if line["event"] == "step_timed"}
    assert set(timed) == {"read", "reconcile", "plan", "write", "findings", "report", "end", "keep_lines"}
    assert all((step["session"], step["outcome"]) == (outcome.id, "ended") for step in timed.values())
    assert (timed["read"]["stat_lines"], timed["write"]["claims"]) == (2, 2)
    assert "LAWSON" not in str(lines)


@pytest.mark.parametrize(
    ("left_out", "stat", "recap"),
    [
        ("a claim that differs", [line("A3", "6000")], [row("A3")]),
        ("a line that names no claim and cannot be read", [line("", claimed="x")], []),
    ],
)
def test_a_session_is_done_with_errors_when_something_was_left_out(left_out: str, stat: list, recap: list) -> None:  # type: ignore[type-arg]
    api = ApiUser()
    outcome = api.import_pair(PAIR[0] + stat, PAIR[1] + recap)
    assert outcome.status == "DONE_WITH_ERRORS", left_out
    assert set(api.claims()) == {"A1", "A2"}


def test_a_settlement_date_that_is_not_a_date_is_unreadable_and_not_unpaid() -> None:
    api = ApiUser()
    numbers = {"FAR": 1e10, "LATE": 3_000_000, "BEFORE": -40_000}
    stat, recap = matching_pair(*PAIR[0], *(line(number) for number in numbers))
    outcome = api.import_pair(stat, [recap_xlsx([*recap, row("DUE", settlement_date="")], settled_on=numbers)])
    assert (outcome.status, set(api.claims())) == ("DONE_WITH_ERRORS", {"A1", "A2"})
    assert outcome.numbers("unpaid") == ["DUE"]
    assert sorted(outcome.numbers("unreadable")) == sorted(numbers)
    observations = {finding["claim_number"]: finding["observation"] for finding in outcome.findings_in("unreadable")}
    for number, raw in {"FAR": "10000000000", "LATE": "3000000", "BEFORE": "-40000"}.items():
        assert raw in observations[number]


def test_lists_alone_are_no_errors() -> None:
    api = ApiUser()
    outcome = api.import_pair(
        [*PAIR[0], line("OUT", settlement_date="01/01/2020")],
        [*PAIR[1], row("UNPAID", settlement_date=""), row("ONLY")],
    )
    assert outcome.status == "DONE"
    assert {finding["category"] for finding in outcome.findings} == {"out_of_period", "unpaid", "recap_only"}


def test_a_workbook_with_two_stat_sheets_waits_for_the_name_of_one() -> None:
    api = ApiUser()
    stat, recap = PAIR
    workbook = stat_xlsx({"2023": [line("OTHER")], "2024": stat})
    waiting = api.import_pair(workbook, recap)
    assert waiting.status == "AWAITING_SHEET"
    assert waiting.session["sheet_choices"] == ["2023", "2024"]
    assert "2023, 2024" in waiting.message
    assert_other_acts_refused(api, waiting)
    wrong = api.steer(waiting.id, "sheet", stat_sheet="2025")
    assert wrong.status_code == 409
    assert "2023, 2024" in wrong.json()["detail"]
    assert api.steer(waiting.id, "sheet", stat_sheet="2024").json()["status"] == "PENDING"
    outcome = api.run(waiting.id)
    assert (outcome.status, set(api.claims())) == ("DONE", {"A1", "A2"})
    assert api.claim("A1")["lines"][0]["sheet"] == "2024"


def test_a_dry_run_writes_nothing_until_it_is_committed() -> None:
    api = ApiUser()
    stat, recap = [*PAIR[0], line("GAP", "6000")], [*PAIR[1], row("GAP")]
    review = api.import_pair(stat, recap, dry_run="true")
    assert review.status == "REVIEW"
    assert (Claim.objects.count(), Insured.objects.count()) == (0, 0)
    assert review.numbers("amount_gap") == ["GAP"]
    assert "GAP" in [cell.value for cell in api.report(review.id)["Amount gap"]["A"]]
    assert_other_acts_refused(api, review)
    assert api.steer(review.id, "commit").json()["status"] == "PENDING"
    outcome = api.run(review.id)
    assert outcome.status == "DONE_WITH_ERRORS"
    assert outcome.summary == review.summary
    assert set(api.claims()) == {"A1", "A2"}
    # The same as without a dry run.
    straight = ApiUser("BJ").import_pair(stat, recap)
    shared = {"acts": 0, "act_categories": 0}
    assert straight.summary == outcome.summary | {"entities": outcome.summary["entities"] | shared}


def test_a_commit_goes_back_to_review_when_the_database_has_changed() -> None:
    api = ApiUser()
    review = api.import_pair(*PAIR, dry_run="true")
    api.import_pair(*matching_pair(line("A1"), line("B1", partner="CHU")))
    api.steer(review.id, "commit")
    again = api.run(review.id)
    assert again.status == "REVIEW"
    assert "Claims created: 2 → 1" in again.message.splitlines()
    assert "Claims already imported: 0 → 1" in again.message.splitlines()
    assert set(api.claims()) == {"A1", "B1"}
    api.steer(review.id, "commit")
    outcome = api.run(review.id)
    assert (outcome.status, set(api.claims())) == ("DONE", {"A1", "A2", "B1"})


def test_a_commit_is_written_when_a_change_leaves_the_outcome_the_same() -> None:
    api = ApiUser()
    review = api.import_pair(*PAIR, dry_run="true")
    api.import_pair(
        *matching_pair(
            line(
                "B1",
                policy_number="OTHER",
                partner="CHU",
                employer="TOGOCOM",
                plan="Z",
                act="SCANNER",
                act_category="IMAGERIE",
                beneficiary="ADJO",
                main_insured="ADJO",
            )
        )
    )
    api.steer(review.id, "commit")
    outcome = api.run(review.id)
    assert outcome.status == "DONE"


def test_a_cancelled_dry_run_writes_nothing_and_can_be_run_again() -> None:
    api = ApiUser()
    review = api.import_pair(*PAIR, dry_run="true")
    assert api.steer(review.id, "cancel").json()["status"] == "CANCELLED"
    cancelled = api.run(review.id)
    assert (cancelled.status, cancelled.message) == ("CANCELLED", "Cancelled; nothing was written.")
    assert api.claims() == {}
    assert_other_acts_refused(api, cancelled)
    assert api.steer(review.id, "retry").json()["status"] == "PENDING"
    assert api.run(review.id).status == "REVIEW"


def test_a_session_cancelled_before_a_worker_takes_it_is_not_run() -> None:
    api = ApiUser()
    session_id = api.send(*PAIR)
    api.steer(session_id, "cancel")
    assert api.run(session_id).status == "CANCELLED"
    assert api.claims() == {}


def test_a_failed_session_can_be_run_again_unless_its_files_were_deleted() -> None:
    api = ApiUser()
    stat, recap = PAIR
    failed = api.import_pair([one | {"settlement_date": "01/01/2020"} for one in stat], recap)
    assert failed.status == "ERROR"
    assert_other_acts_refused(api, failed)
    assert api.steer(failed.id, "retry").json()["status"] == "PENDING"
    assert api.run(failed.id).status == "ERROR"
    assert api.client.delete(f"/api/v1/files/{failed.session['stat_file']['id']}/?force=true").status_code == 204
    refused = api.steer(failed.id, "retry")
    assert refused.status_code == 409
    assert "Upload them again" in refused.json()["detail"]


def test_a_fault_that_only_the_run_finds_ends_the_session_with_a_sentence_and_nothing_written() -> None:
    api = ApiUser()
    session_id = api.send(*PAIR)
    # The check of the upload has passed; the stored file loses a column before a worker reads it.
    recap = ImportSession.objects.get(pk=session_id).recap_file
    assert recap is not None
    with recap.file.open("wb") as stored:
        stored.write(recap_csv(PAIR[1]).read().replace(b"totalmttrembourse", b"Lost"))
    outcome = api.run(session_id)
    assert outcome.status == "ERROR"
    assert "“recap.csv”" in outcome.message
    assert "“totalmttrembourse”" in outcome.message
    assert api.claims() == {}
