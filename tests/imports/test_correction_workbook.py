"""The correction workbook: downloaded, corrected as a person does, sent back (DOMAIN §13)."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import openpyxl
import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.styles.protection import Protection

from file_handling.models import File, SessionClaims
from tests.support.api_user import ApiUser, Outcome
from tests.support.correction_workbooks import FIRST_ROW, CorrectionWorkbook, ask_for_workbook, send_back
from tests.support.pairs import line, recap_csv, row, stat_xlsx
from tests.support.responses import content_of
from users.models import AuditEntry

pytestmark = pytest.mark.django_db(transaction=True)

# One claim of most categories, and a good one.
LINES = [
    line("GOOD"),
    line("GAP", claimed="5040"),
    line("UNREADABLE", settlement_date="soon"),
    line("TWO", beneficiary="LAWSON AFI"),
    line("TWO", beneficiary="MENSAH KOFI"),
    line("EMPTY", act_category=""),
    line("DOUBLE"),
    line("ABSENT", note="=1+1", operator="@SUM(A1)"),
    line("OUT", settlement_date="01/01/2030"),
]
ROWS = [
    row("GOOD"),
    row("GAP"),
    row("UNREADABLE"),
    row("TWO", claimed="10000", reimbursed="8000"),
    row("EMPTY"),
    row("DOUBLE"),
    row("DOUBLE", claimed="9000"),
    row("ONLY"),
    row("UNPAID", settlement_date=""),
]


def imported(code: str = "TG") -> tuple[ApiUser, Outcome]:
    user = ApiUser(code)
    return user, user.import_pair(LINES, ROWS)


def problems_of(response: Any) -> list[tuple[str, int | None, str]]:
    assert response.status_code == 400, content_of(response)
    return [(one["sheet"], one["row"], one["message"]) for one in response.json()["errors"]]


def corrected(user: ApiUser, session_id: int, book: CorrectionWorkbook) -> Outcome:
    """Send the workbook back and run the session that it starts."""
    response = send_back(user, session_id, book.upload())
    assert response.status_code == 202, content_of(response)
    return user.run(response.json()["id"])


@pytest.mark.parametrize("are_kept", [True, False])
def test_every_row_of_the_findings_is_there_as_the_file_has_it(are_kept: bool) -> None:
    user, outcome = imported()
    if not are_kept:
        # As after a run that was killed when it had ended its session.
        SessionClaims.objects.update(lines=None)
    book = CorrectionWorkbook.of(user, outcome.id)
    stat = {(one["row"], one["claim"]) for one in book.rows(book.stat)}
    assert stat == {
        (3, "GAP"), (4, "UNREADABLE"), (5, "TWO"), (6, "TWO"), (7, "EMPTY"), (8, "DOUBLE"), (9, "ABSENT"), (10, "OUT"),
    }  # fmt: skip
    recap = [(one["row"], one["claim"]) for one in book.rows(book.recap)]
    assert sorted(recap) == [
        (3, "GAP"), (4, "UNREADABLE"), (5, "TWO"), (6, "EMPTY"), (7, "DOUBLE"), (8, "DOUBLE"), (9, "ONLY"),
        (10, "UNPAID"),
    ]  # fmt: skip
    [unreadable] = [one for one in book.rows(book.stat) if one["claim"] == "UNREADABLE"]
    assert unreadable["settlement_date"] == "soon"
    assert unreadable["incident_date"] == "10/06/2024"
    assert unreadable["file"] == "stat.csv"
    [finding] = outcome.findings_in("unreadable")
    assert finding["observation"] in unreadable["reason"]


def test_the_workbook_reads_no_file_again() -> None:
    user, outcome = imported()
    for file in File.objects.all():
        file.file.storage.delete(file.file.name)
    book = CorrectionWorkbook.of(user, outcome.id)
    [unreadable] = [one for one in book.rows(book.stat) if one["claim"] == "UNREADABLE"]
    assert unreadable["settlement_date"] == "soon"
    SessionClaims.objects.update(lines=None)
    refused = ask_for_workbook(user, outcome.id)
    assert refused.status_code == 409
    assert "stat.csv" in refused.json()["detail"]


@pytest.mark.parametrize(("language", "word"), [("en", "remove"), ("fr", "retirer")])
def test_only_the_cells_to_correct_are_open_and_the_reasons_are_coloured(language: str, word: str) -> None:
    user, outcome = imported()
    book = CorrectionWorkbook.of(user, outcome.id, language)
    for sheet in book.book:
        assert sheet.protection.sheet
    for sheet in (book.stat, book.recap):
        assert sheet.freeze_panes == "F3"
        assert sheet.row_dimensions[1].hidden
        assert sheet.auto_filter.ref.startswith("A2:")
    number = book.row_of(book.stat, "UNREADABLE")
    for name in ("file", "sheet", "row", "claim", "reason"):
        assert book.cell(book.stat, number, name).protection == Protection(locked=True)
    cells = {name: book.cell(book.stat, number, name) for name in ("settlement_date", "beneficiary")}
    assert not any(cell.protection.locked for cell in cells.values())
    colours = {name: cell.fill.fgColor.rgb for name, cell in cells.items()}
    assert colours["settlement_date"] != colours["beneficiary"]
    marked = book.cell(book.recap, book.row_of(book.recap, "DOUBLE"), "claimed_amount").fill.fgColor.rgb
    assert marked == colours["settlement_date"]
    # A cell that is empty in the file is marked, too.
    assert book.cell(book.stat, book.row_of(book.stat, "EMPTY"), "act_category").fill.fgColor.rgb == marked
    lists = {rule.formula1 for rule in book.stat.data_validations.dataValidation}
    assert lists == {f'"{word}"', '"A,C,E"', '"Réglée,Annulée"'}
    assert str(outcome.id) in " ".join(str(cell.value) for cell in book.book.worksheets[0]["A"])


def test_reasons_and_titles_are_in_the_language_of_the_reader() -> None:
    user, outcome = imported()
    book = CorrectionWorkbook.of(user, outcome.id, "fr")
    assert book.book.sheetnames == ["Mode d'emploi", "Lignes statistiques", "Lignes du récap"]
    [unreadable] = [one for one in book.rows(book.stat) if one["claim"] == "UNREADABLE"]
    assert "illisible" in unreadable["reason"].lower()


def test_no_text_of_a_file_becomes_a_formula() -> None:
    user, outcome = imported()
    book = CorrectionWorkbook.of(user, outcome.id)
    number = book.row_of(book.stat, "ABSENT")
    for name, text in (("note", "=1+1"), ("operator", "@SUM(A1)")):
        cell = book.cell(book.stat, number, name)
        assert (cell.value, cell.data_type) == (text, "s")


def test_a_download_is_in_the_audit_trail() -> None:
    user, outcome = imported()
    CorrectionWorkbook.of(user, outcome.id)
    entry = AuditEntry.objects.filter(data__type="corrections").get()
    assert (entry.action, entry.object_id, entry.data["rows"]) == ("download", outcome.id, 16)


def test_an_import_without_findings_has_nothing_to_correct() -> None:
    user = ApiUser()
    outcome = user.import_pair([line("GOOD")], [row("GOOD")])
    response = ask_for_workbook(user, outcome.id)
    assert response.status_code == 409
    assert response.json()["detail"].startswith("There is nothing to correct")


def test_more_rows_than_an_export_may_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    user, outcome = imported()
    monkeypatch.setitem(django_settings.CONCORD, "EXPORT_MAX_ROWS", 15)
    response = ask_for_workbook(user, outcome.id)
    assert response.status_code == 409
    assert "at most 15" in response.json()["detail"]


def test_corrected_cells_and_removed_rows_bring_the_claims() -> None:
    user, outcome = imported()
    book = CorrectionWorkbook.of(user, outcome.id)
    book.cell(book.stat, book.row_of(book.stat, "GAP"), "claimed_amount").value = 5000
    book.cell(book.stat, book.row_of(book.stat, "UNREADABLE"), "settlement_date").value = date(2024, 6, 15)
    book.cell(book.stat, book.row_of(book.stat, "TWO", 1), "beneficiary").value = "Lawson Afi"
    book.cell(book.stat, book.row_of(book.stat, "EMPTY"), "act_category").value = "PHARMACIE"
    book.cell(book.recap, book.row_of(book.recap, "DOUBLE", 1), "action").value = "Remove"
    review = corrected(user, outcome.id, book)
    assert review.status == "REVIEW"
    left_out = {one["claim_number"] for one in review.findings}
    assert left_out == {"ABSENT", "OUT", "ONLY", "UNPAID"}
    assert user.steer(review.id, "commit").status_code == 200
    assert user.run(review.id).session["claims_created_count"] == 5


# Side, claim, which of its rows, column, text.
CHANGES = [
    ("stat", "GAP", 0, "claimed_amount", "5000"),
    ("stat", "UNREADABLE", 0, "settlement_date", "15/06/2024"),
    ("stat", "TWO", 1, "beneficiary", "LAWSON AFI"),
    ("stat", "EMPTY", 0, "act_category", "PHARMACIE"),
    ("recap", "DOUBLE", 1, "action", "retirer"),
]


def outcome_of(user: ApiUser, session_id: int, parts: list[list[int]]) -> list[tuple[str, str]]:
    """(category, claim) of the findings after each part of CHANGES came back in a workbook of its own."""
    books = [CorrectionWorkbook.of(user, session_id) for _part in parts]
    review = None
    for book, part in zip(books, parts, strict=True):
        for side, claim, at, name, text in (CHANGES[number] for number in part):
            sheet = getattr(book, side)
            book.cell(sheet, book.row_of(sheet, claim, at), name).value = text
        review = corrected(user, session_id, book)
    assert review is not None
    return sorted((one["category"], one["claim_number"]) for one in review.findings)


CODES = iter(["BJ", "BF", "CI", "ML", "NE", "SN", "GN", "GM"])


@settings(max_examples=2, deadline=None, database=None)
@given(
    books=st.lists(st.integers(0, 2), min_size=len(CHANGES), max_size=len(CHANGES)), order=st.permutations([0, 1, 2])
)
def test_several_workbooks_in_any_order_or_one_give_the_same(books: list[int], order: list[int]) -> None:
    user, outcome = imported(next(CODES))
    parts = [[at for at, book in enumerate(books) if book == number] for number in order]
    found = outcome_of(user, outcome.id, [part for part in parts if part])
    assert {claim for _category, claim in found} == {"ABSENT", "OUT", "ONLY", "UNPAID"}
    other = user.import_pair(LINES, ROWS, dry_run="true")
    assert sorted((one["category"], one["claim_number"]) for one in other.findings) == found


@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_a_spreadsheet_makes_of_unchanged_cells_is_no_change(language: str) -> None:
    user, outcome = imported()
    book = CorrectionWorkbook.of(user, outcome.id, language)
    for number in range(FIRST_ROW, book.stat.max_row + 1):
        for name, make in (("claimed_amount", int), ("reimbursed_amount", float)):
            cell = book.cell(book.stat, number, name)
            cell.value = make(cell.value)
        cell = book.cell(book.stat, number, "incident_date")
        day, month, year = cell.value.split("/")
        cell.value = date(int(year), int(month), int(day))
        book.cell(book.stat, number, "act").value += " "
    [(sheet, number, message)] = problems_of(send_back(user, outcome.id, book.upload(), language))
    assert (sheet, number) == ("", None)
    assert message.startswith({"en": "The workbook changes nothing", "fr": "Le classeur ne change rien"}[language])


def test_every_problem_is_named_at_once_with_its_sheet_and_row() -> None:
    user, outcome = imported()
    book = CorrectionWorkbook.of(user, outcome.id)
    stat = book.stat
    last = stat.max_row
    book.cell(stat, 3, "file").value = "other.csv"
    book.cell(stat, 4, "row").value = 99
    book.cell(stat, 5, "action").value = "delete"
    book.cell(stat, 6, "insured_status").value = "X"
    book.cell(stat, 7, "claimed_amount").value = "=1+1"
    book.cell(stat, 8, "claimed_amount").value = "a lot"
    for name in ("key", "file", "sheet", "row", "claim"):
        at = 1 if name == "key" else book.cell(stat, 9, name).column
        stat.cell(last + 1, at).value = stat.cell(9, at).value
    book.cell(stat, last + 2, "act").value = "NEW"
    found = problems_of(send_back(user, outcome.id, book.upload()))
    assert {sheet for sheet, _number, _message in found} == {stat.title}
    by_row = {number: message for _sheet, number, message in found}
    assert len(by_row) == len(found)
    assert {
        3: "“File” is locked",
        4: "“Row” is locked",
        5: "The action “delete” is not known",
        6: "cannot be “X”",
        7: "formula without a value",
        last + 1: "the same as row 9",
        last + 2: "not in the workbook",
    }.items() <= dict(_parts(by_row)).items()
    # What the files' rules refuse comes when the workbook itself is in order.
    assert 8 not in by_row
    book = CorrectionWorkbook.of(user, outcome.id)
    book.cell(book.stat, 8, "claimed_amount").value = "a lot"
    [(sheet, number, message)] = problems_of(send_back(user, outcome.id, book.upload()))
    assert (sheet, number) == (stat.title, 8)
    assert "a lot" in message


def _parts(by_row: dict[int | None, str]) -> Any:
    parts = (
        "“File” is locked", "“Row” is locked", "The action “delete” is not known", "cannot be “X”",
        "formula without a value", "the same as row 9", "not in the workbook",
    )  # fmt: skip
    return ((number, part) for number, text in by_row.items() for part in parts if part in text)


def test_missing_sheets_and_columns_are_named() -> None:
    user, outcome = imported()
    book = CorrectionWorkbook.of(user, outcome.id)
    del book.book["Recap rows"]
    book.stat.delete_cols(book.cell(book.stat, 2, "beneficiary").column)
    book.stat.delete_cols(book.cell(book.stat, 2, "action").column)
    messages = [message for _sheet, _row, message in problems_of(send_back(user, outcome.id, book.upload()))]
    assert [message.partition(".")[0] for message in messages] == [
        "The column “Action” is missing",
        "The column “Nom bénéficiaire” is missing",
        "The sheet “Recap rows” is missing",
    ]


def test_a_copy_of_a_sheet_and_a_column_that_is_there_twice_are_refused() -> None:
    user, outcome = imported()
    book = CorrectionWorkbook.of(user, outcome.id)
    recap = book.recap
    book.book.copy_worksheet(book.stat).title = "Copy"
    recap.cell(1, recap.max_column + 1).value = "claimed_amount"
    found = problems_of(send_back(user, outcome.id, book.upload()))
    assert [(sheet, row, message.partition(".")[0]) for sheet, row, message in found] == [
        ("Copy", None, "This sheet is a copy of the sheet “Stat lines”"),
        ("Recap rows", None, "The column “totalmttreclame” is there twice"),
    ]


def test_columns_and_rows_may_be_moved() -> None:
    user, outcome = imported()
    book = CorrectionWorkbook.of(user, outcome.id)
    number = book.row_of(book.stat, "GAP")
    book.cell(book.stat, number, "claimed_amount").value = 5000
    names = [cell.value for cell in book.stat[1]]
    swapped = (names.index("claimed_amount") + 1, names.index("act") + 1)
    for cells in book.stat.iter_rows():
        one, other = (cells[at - 1] for at in swapped)
        one.value, other.value = other.value, one.value
    book.stat.move_range(f"A{number}:AZ{number}", rows=book.stat.max_row + 3)
    review = corrected(user, outcome.id, book)
    assert "GAP" not in {one["claim_number"] for one in review.findings}


def test_the_workbook_of_another_import_and_other_files_are_refused() -> None:
    user, outcome = imported()
    other = user.import_pair([line("Z", claimed="9000")], [row("Z")])
    theirs = CorrectionWorkbook.of(user, other.id).upload()
    messages = {message for _sheet, _row, message in problems_of(send_back(user, outcome.id, theirs))}
    assert messages == {
        f"This is the workbook of import {other.id}, not of import {outcome.id}. Send it back on the page of its own"
        " import."
    }
    plain = openpyxl.Workbook()
    content = io.BytesIO()
    plain.save(content)
    for upload in (
        SimpleUploadedFile("plain.xlsx", content.getvalue()),
        stat_xlsx({"Feuil1": LINES}),
        recap_csv(ROWS, "workbook.csv"),
    ):
        [(_sheet, _row, message)] = problems_of(send_back(user, outcome.id, upload))
        assert "is not a correction workbook" in message
    for upload in (SimpleUploadedFile("text.xlsx", b"PK\x03\x04 no"), SimpleUploadedFile("mail.pdf", b"%PDF")):
        assert problems_of(send_back(user, outcome.id, upload))


def test_a_cell_that_was_corrected_since_is_refused_and_others_are_not() -> None:
    user, outcome = imported()
    books = [CorrectionWorkbook.of(user, outcome.id) for _ in range(3)]
    for book, amount in zip(books, (5001, 5002, 5003), strict=True):
        book.cell(book.stat, book.row_of(book.stat, "GAP"), "claimed_amount").value = amount
    corrected(user, outcome.id, books[0])
    [(sheet, number, message)] = problems_of(send_back(user, outcome.id, books[1].upload()))
    assert (sheet, number) == (books[1].stat.title, books[1].row_of(books[1].stat, "GAP"))
    assert "“Montant facturé” was corrected since" in message
    # A new workbook has the corrected text.
    book = CorrectionWorkbook.of(user, outcome.id)
    assert book.cell(book.stat, book.row_of(book.stat, "GAP"), "claimed_amount").value == "5001"
    # The rest of an old workbook is welcome.
    books[2].cell(books[2].stat, books[2].row_of(books[2].stat, "GAP"), "claimed_amount").value = "5040"
    books[2].cell(books[2].stat, books[2].row_of(books[2].stat, "EMPTY"), "act_category").value = "PHARMACIE"
    review = corrected(user, outcome.id, books[2])
    assert not {"EMPTY", "GAP"} & {one["claim_number"] for one in review.findings}
