"""What a session says is in the language of its reader, whatever the language of the upload (decision 0019)."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from file_handling.models import FindingCategory, ImportSession
from importer.report.finding_texts import OBSERVATIONS
from tests.rules.test_categories import recap_pages, stat_lines
from tests.support.api_user import ApiUser
from tests.support.pairs import line, matching_pair, recap_csv, row, stat_xlsx
from tests.support.responses import content_of
from tests.support.storage import stored_names
from users.models import AuditAction, AuditEntry

pytestmark = pytest.mark.django_db(transaction=True)

PAIR = matching_pair(line("A1"), line("A2"))


def reads(api: ApiUser, language: str) -> None:
    api.client.defaults["HTTP_ACCEPT_LANGUAGE"] = language


def warned_pair() -> tuple[list[Any], list[Any]]:
    """Every category of finding but a conflict, and most warnings."""
    more = [
        line("W1", incident_date="unknown", beneficiary="PETIT YAO", main_insured="GRAND YAO", insured_status="E"),
        line(
            "W2",
            beneficiary="AMENAN KOUASSI",
            main_insured="AMENAN KOUASSI",
            partner="CLINIQUE BIASAA",
            operator="MENSAH AKOU",
        ),
        line(
            "W3",
            beneficiary="AMENAN KOUASI",
            main_insured="AMENAN KOUASI",
            employer="PORT DE LOMEE",
            operator="MENSA AKOU",
        ),
        line("W4", beneficiary="TWIN ADA", main_insured="TWIN ADA", card_number="C-71"),
        line("W5", beneficiary="TWIN ADA", main_insured="TWIN ADA", card_number="C-72", invoice_number="2,0230E+16"),
    ]
    rows = [row("W1"), row("W2"), row("W3"), row("W4"), row("W5")]
    # A day whose page is missing, as the names of the pages show too.
    more += [line(f"W{number}", settlement_date="16/06/2024") for number in (6, 7, 8)]
    first, *others = recap_pages()
    pages = [[*first, *rows], *others]
    return [*stat_lines(), *more], [recap_csv(page, f"p{2 * number + 1}.csv") for number, page in enumerate(pages)]


def said(api: ApiUser, session_id: int, language: str) -> dict[str, Any]:
    """All texts of a session as a reader of the language gets them."""
    reads(api, language)
    outcome = api.outcome(session_id)
    exported = content_of(api.client.get(f"/api/v1/import-sessions/{session_id}/findings/export/"))
    log = content_of(api.client.get(f"/api/v1/import-sessions/{session_id}/download/?type=log")).decode()
    sheets = {
        sheet.title: [cells for cells in sheet.values if "Togo" not in str(cells)] for sheet in api.report(session_id)
    }
    return {
        "message": outcome.message,
        "findings": [finding["observation"] for finding in outcome.findings],
        "export": [one["Observation"] for one in csv.DictReader(StringIO(exported.decode("utf-8-sig")), delimiter=";")],
        "events": [event["message"] for event in api.all(f"import-sessions/{session_id}/events/")],
        "log": [entry.split("  ", 4)[-1] for entry in log.splitlines()],
        "report": {title: rows[1:] for title, rows in sheets.items() if title not in ("Summary", "Synthèse")},
    }


def test_an_upload_in_english_is_read_in_french_as_an_upload_in_french_is() -> None:
    english, french = ApiUser("TG"), ApiUser("BJ")
    reads(english, "en")
    reads(french, "fr")
    of_english = english.import_pair(*warned_pair())
    of_french = french.import_pair(*warned_pair())
    categories = {finding["category"] for finding in of_english.findings}
    assert categories == set(FindingCategory.values) - {"conflict"}
    codes = {finding["code"] for finding in of_english.findings_in("warning")}
    assert codes == set(OBSERVATIONS) - {*FindingCategory.values, "thousands_from_three_digits"}

    in_french = said(english, of_english.id, "fr-FR,fr;q=0.9,en;q=0.5")
    assert in_french == said(french, of_french.id, "fr")
    in_english = said(english, of_english.id, "en")
    assert in_english == said(french, of_french.id, "en")
    for part in ("findings", "events", "log", "export"):
        assert len(in_english[part]) == len(in_french[part])
        assert not set(in_english[part]) & set(in_french[part]), part
    assert not in_english["report"].keys() & in_french["report"].keys()
    assert in_french["export"] == in_french["findings"]


def reports_in(folder: Path) -> list[str]:
    return [name for name in stored_names(folder) if name.startswith("reports/")]


def test_a_report_in_another_language_is_made_once_and_deleted_with_the_session(own_storage: Path) -> None:
    api = ApiUser()
    reads(api, "en")
    session_id = api.import_pair([*PAIR[0], line("GAP", "6000")], [*PAIR[1], row("GAP")]).id
    (own,) = reports_in(own_storage)
    reads(api, "fr")
    assert "Écart de montant" in api.report(session_id).sheetnames
    stored = reports_in(own_storage)
    assert len(stored) == 2
    first = content_of(api.client.get(f"/api/v1/import-sessions/{session_id}/download/?type=error"))
    again = content_of(api.client.get(f"/api/v1/import-sessions/{session_id}/download/?type=error"))
    assert first == again
    assert reports_in(own_storage) == stored
    reads(api, "en")
    assert "Amount gap" in api.report(session_id).sheetnames
    downloads = AuditEntry.objects.filter(action=AuditAction.DOWNLOAD, object_id=session_id)
    assert downloads.count() == 4
    # Made again, the report replaces its earlier form in every language.
    assert api.steer(session_id, "report").status_code == 200
    (renewed,) = reports_in(own_storage)
    assert renewed != own
    reads(api, "fr")
    api.report(session_id)
    assert api.client.delete(f"/api/v1/import-sessions/{session_id}/").status_code == 204
    assert reports_in(own_storage) == []


def test_a_missing_report_is_missing_in_every_language() -> None:
    api = ApiUser()
    session_id = api.import_pair(*PAIR).id
    default_storage.delete(str(ImportSession.objects.get(pk=session_id).error_file.name))
    for language in ("en", "fr"):
        reads(api, language)
        assert api.client.get(f"/api/v1/import-sessions/{session_id}/download/?type=error").status_code == 404


def messages(api: ApiUser, session_id: int) -> dict[str, tuple[str, str]]:
    """Language → the message of the session and its last event."""
    found = {}
    for language in ("en", "fr"):
        reads(api, language)
        session = api.get(f"import-sessions/{session_id}/")
        found[language] = (session["message"], api.all(f"import-sessions/{session_id}/events/")[-1]["message"])
    return found


def test_a_failed_import_says_why_in_the_language_of_the_reader() -> None:
    api = ApiUser()
    reads(api, "en")
    apart = api.import_pair([line("A1", settlement_date="01/01/2024")], [row("A1", settlement_date="01/05/2024")])
    found = messages(api, apart.id)
    assert "The two files have no settlement day in common. Stat file: 01/01/2024" in found["en"][0]
    assert "Les deux fichiers n’ont aucun jour de règlement en commun" in found["fr"][0].replace("'", "’")
    assert "01/05/2024" in found["fr"][0]
    assert found["fr"][0] == found["fr"][1]

    waiting = api.send(*PAIR)
    pages = ImportSession.objects.get(pk=waiting).recap_file
    assert pages is not None
    with pages.file.storage.open(pages.file.name, "wb") as content:
        content.write(b"reglementId;date_reglement;totalmttreclame\nA1;10/03/2024;5000\n")
    api.run(waiting)
    found = messages(api, waiting)
    assert found["en"][0].startswith("“recap.csv” lacks the column “totalmttrembourse”")
    assert "recap.csv" in found["fr"][0]
    assert "totalmttrembourse" in found["fr"][0]
    assert "lacks" not in found["fr"][0]
    # The statistics of imports count one failure once, in whatever language each was uploaded.
    reads(api, "fr")
    again = api.import_pair([line("A1", settlement_date="01/01/2024")], [row("A1", settlement_date="01/05/2024")])
    counted = {one["message"]: one["count"] for one in api.get("dashboard/import-sessions/")["errors"]}
    assert counted[again.message] == 2


def test_a_session_that_is_steered_says_so_in_the_language_of_the_reader() -> None:
    api = ApiUser()
    reads(api, "en")
    review = api.import_pair(*PAIR, dry_run="true")
    found = messages(api, review.id)
    assert found["en"][0] == "Nothing is written yet. Read the report, then commit or cancel."
    assert found["fr"][0].startswith("Rien n")
    api.import_pair(*matching_pair(line("A1"), line("B1", partner="CHU")))
    api.steer(review.id, "commit")
    assert messages(api, review.id)["en"][1] == "Commit requested."
    api.run(review.id)
    found = messages(api, review.id)
    assert "Claims created: 2 → 1" in found["en"][0].splitlines()
    assert len(found["fr"][0].splitlines()) == len(found["en"][0].splitlines())
    assert not set(found["fr"][0].splitlines()) & set(found["en"][0].splitlines())
    api.steer(review.id, "commit")
    api.run(review.id)
    api.steer(review.id, "revert")
    found = messages(api, review.id)
    assert found["en"][0] == "Reverted. Claims removed: 1; lines removed: 1."
    assert found["fr"][0] not in found["en"]
    assert found["fr"][0] == found["fr"][1]

    workbook = stat_xlsx({"2023": [line("OTHER")], "2024": PAIR[0]})
    asked = api.import_pair(workbook, PAIR[1])
    found = messages(api, asked.id)
    assert "several sheets with claims: 2023, 2024." in found["en"][0]
    assert "several" not in found["fr"][0]
    api.steer(asked.id, "sheet", stat_sheet="2024")
    found = messages(api, asked.id)
    assert found["en"] == ("", "Sheet “2024” chosen.")
    assert "2024" in found["fr"][1]
    api.steer(asked.id, "cancel")
    found = messages(api, asked.id)
    assert found["en"] == ("Cancelled; nothing was written.", "Cancelled.")
    assert not set(found["en"]) & set(found["fr"])


def test_a_claim_that_differs_says_so_in_the_language_of_the_reader() -> None:
    api = ApiUser()
    reads(api, "en")
    api.import_pair(*matching_pair(line("A1")))
    again = api.import_pair(*matching_pair(line("A1", "7000", "5600")))
    (english,) = again.findings_in("conflict")
    reads(api, "fr")
    (french,) = api.outcome(again.id).findings_in("conflict")
    assert "Here: claimed 7,000, reimbursed 5,600." in english["observation"]
    assert "7\N{NO-BREAK SPACE}000" in french["observation"]


def test_an_amount_read_as_thousands_says_so_in_the_language_of_the_reader() -> None:
    api = ApiUser()
    reads(api, "en")
    session_id = api.import_pair([line("A1", "12.000", "9600")], [row("A1", "12000", "9600")]).id
    (english,) = api.outcome(session_id).findings_in("warning")
    assert "is read as the separator of thousands (12.000 = 12,000), because no other amount" in english["observation"]
    reads(api, "fr")
    (french,) = api.outcome(session_id).findings_in("warning")
    assert "12.000 = 12\N{NO-BREAK SPACE}000" in french["observation"]
    assert "because" not in french["observation"]


def test_findings_are_found_by_person_provider_card_number_and_code() -> None:
    def person(name: str, insured: str) -> dict[str, str]:
        return {"beneficiary": name, "main_insured": insured}

    api = ApiUser()
    stat = [
        *PAIR[0],
        line(
            "GAP/1",
            "6000",
            beneficiary="ÉKOUÉ Koffi",
            main_insured="ADJO Mawuli",
            partner="Clinique St. Jean",
            card_number="C-99",
        ),
        line("GAP/2", "6000", beneficiary="MENSAH AFI", main_insured="MENSAH AFI", partner="CHU SYLVANUS"),
    ]
    session_id = api.import_pair(stat, [*PAIR[1], row("GAP/1"), row("GAP/2"), row("ONLY", beneficiary="DOE JOHN")]).id

    def found(query: str) -> set[str]:
        return {one["claim_number"] for one in api.all(f"import-sessions/{session_id}/findings/?{query}")}

    assert found("") == {"GAP/1", "GAP/2", "ONLY"}
    for typed in ("koffi ekoue", "adjo", "st jean", "clinique koff", "gap/1", "p/1", "99"):
        assert found(f"search={typed}") == {"GAP/1"}, typed
    assert found("search=doe") == {"ONLY"}
    assert found("search=koffi mensah") == set()
    assert found("search=amount gap") == {"GAP/1", "GAP/2"}
    assert found("search=recap_only") == {"ONLY"}
    assert found("code=claimed") == {"GAP/1", "GAP/2"}
    reads(api, "fr")
    assert found("search=écart") == {"GAP/1", "GAP/2"}
