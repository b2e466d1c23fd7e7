"""Reading a correction workbook that comes back: its changes as entries, or everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.utils.translation import gettext as _

from common.dates import parse_date
from common.errors import InvalidEntries, InvalidWorkbook, WorkbookProblem
from common.form_workbook import FIRST_ROW, unescaped
from common.keys import clean_text, header_key, is_empty, label_key
from common.money import parse_amount
from common.workbook import cell_text
from file_handling.files.checks import InvalidUpload, check_upload
from file_handling.models import ImportSession
from file_handling.problem_texts import sentence
from file_handling.reading_limits import reading_limits
from importer.corrections.entries import CellEntry, RemoveEntry
from importer.corrections.given import GivenRow, GivenRows, Moment, corrected_cells, given_rows
from importer.corrections.lines import LinePlace, SessionFiles
from importer.corrections.service import Prepared, prepare
from importer.corrections.workbook import (
    ACTION,
    CLOSED,
    FILE,
    KEY,
    MARK,
    REMOVE_WORDS,
    ROW,
    SHEET,
    Mark,
    list_title,
    remove_word,
    row_key,
    shown_columns,
)
from reading.columns import KINDS, Column, ColumnKind, FileKind
from reading.problems import Problem, UnreadableFile
from reading.process import ReaderKilled, marked_sheets
from reading.sources import Source


@dataclass
class Returned:
    """The changes of a workbook. `places`: the sheet and row of the workbook from which each entry comes."""

    cells: list[CellEntry] = field(default_factory=list)
    removals: list[RemoveEntry] = field(default_factory=list)
    places: dict[CellEntry | RemoveEntry, tuple[str, int]] = field(default_factory=dict)


def read_returned(session: ImportSession, upload: TemporaryUploadedFile) -> Returned:
    """The changes that a workbook of this session has.

    Raises InvalidWorkbook with every problem, also when nothing was changed, and the errors of `given_rows`.
    """
    sheets = _sheets(upload)
    moment = _moment(session, sheets)
    given = given_rows(session, moment, with_reasons=False)
    files = SessionFiles.of(session)
    corrected = corrected_cells(session, files, Moment.now(session)) if files else {}
    reading = _Reading(given, corrected)
    for kind in KINDS:
        if given[kind]:
            reading.read_side(kind, [sheet for sheet in sheets if sheet.mark.kind == kind])
    if reading.problems:
        raise InvalidWorkbook(reading.problems)
    if not reading.found.places:
        raise InvalidWorkbook([WorkbookProblem(_("The workbook changes nothing: no cell is changed, no row removed."))])
    return reading.found


def prepare_returned(session: ImportSession, upload: TemporaryUploadedFile) -> Prepared:
    """The changes of a returned workbook, checked against the files; nothing is stored yet.

    Raises InvalidWorkbook, and the errors of `prepare`.
    """
    returned = read_returned(session, upload)
    try:
        return prepare(session, cells=returned.cells, removals=returned.removals)
    except InvalidEntries as refused:
        entries: list[CellEntry | RemoveEntry] = [*returned.cells, *returned.removals]
        raise InvalidWorkbook(
            [WorkbookProblem(one.message, *returned.places[entries[one.index]]) for one in refused.problems]
        ) from refused


@dataclass
class _Sheet:
    """A returned list. `rows`: number and texts. `formulas`: row and column (0-based) of those without a value."""

    name: str
    mark: Mark
    rows: list[tuple[int, Sequence[str | None]]] = field(default_factory=list)
    formulas: set[tuple[int, int]] = field(default_factory=set)


def _sheets(upload: TemporaryUploadedFile) -> list[_Sheet]:
    """The lists of a workbook. Raises InvalidWorkbook for a file that cannot be read or is no correction workbook."""
    name = upload.name or ""
    try:
        if check_upload(upload, kind="stat") is None:
            raise InvalidWorkbook([WorkbookProblem(_("“%(file)s” is a lock file of Excel.") % {"file": name})])
        path = upload.temporary_file_path()
        read = marked_sheets(Source(path, name), mark=f"{MARK}/", limits=reading_limits())
    except InvalidUpload as invalid:
        raise InvalidWorkbook([WorkbookProblem(reason) for reason in invalid.sentences()]) from invalid
    except UnreadableFile as unreadable:
        raise InvalidWorkbook([WorkbookProblem(sentence(one)) for one in unreadable.problems]) from unreadable
    except ReaderKilled as killed:
        raise InvalidWorkbook([WorkbookProblem(sentence(Problem("reader_interrupted", file=name)))]) from killed
    sheets: dict[int, _Sheet] = {}
    for at, number, *cells in read.frame.iter_rows():
        mark = Mark.of(cells[0]) if number == 1 else None
        if mark is not None:
            sheets[at] = _Sheet(read.sheets[at], mark)
        if at in sheets:
            sheets[at].rows.append((number, cells))
    if not sheets:
        message = _(
            "“%(file)s” is not a correction workbook. Download the workbook of this import, correct it in Excel or"
            " LibreOffice, save it as .xlsx and send that file."
        )
        raise InvalidWorkbook([WorkbookProblem(message % {"file": name})])
    for at, number, column in read.formulas:
        if at in sheets:
            sheets[at].formulas.add((number, column))
    return list(sheets.values())


def _moment(session: ImportSession, sheets: Sequence[_Sheet]) -> Moment:
    """When the workbook was made. Raises InvalidWorkbook for sheets of another session, or of two workbooks."""
    message = _(
        "This is the workbook of import %(other)d, not of import %(number)d. Send it back on the page of its own"
        " import."
    )
    problems = [
        WorkbookProblem(message % {"other": sheet.mark.session_id, "number": session.pk}, sheet.name)
        for sheet in sheets
        if sheet.mark.session_id != session.pk
    ]
    moments = {sheet.mark.moment for sheet in sheets}
    if not problems and len(moments) > 1:
        problems = [WorkbookProblem(_("The sheets come from two workbooks. Send each workbook back on its own."))]
    if problems:
        raise InvalidWorkbook(problems)
    return moments.pop()


class _Reading:
    """Compares the returned rows with those given; collects `found` and `problems`."""

    def __init__(self, given: GivenRows, corrected: Mapping[LinePlace, Mapping[str, str]]) -> None:
        """`corrected`: the corrected cells now, which may be others than when the workbook was made."""
        self.given, self.corrected = given, corrected
        self.found = Returned()
        self.problems: list[WorkbookProblem] = []
        self.headers = {KEY: _("Key"), FILE: _("File"), SHEET: _("Sheet"), ROW: _("Row"), ACTION: _("Action")}

    def read_side(self, kind: FileKind, sheets: Sequence[_Sheet]) -> None:
        if not sheets:
            missing = _("The sheet “%(sheet)s” is missing. Download the workbook again.")
            self.problems.append(WorkbookProblem(missing % {"sheet": list_title(kind)}))
            return
        returned, *others = sheets
        for other in others:
            self._refuse(
                other.name,
                None,
                _("This sheet is a copy of the sheet “%(sheet)s”. Delete one of them."),
                sheet=returned.name,
            )
        sheet, fields = returned.name, shown_columns(kind, self.given[kind])
        columns = self._columns(sheet, [name or "" for name in returned.rows[0][1]], fields)
        if columns is None:
            return
        known = {row_key(row): row for row in self.given[kind]}
        seen: dict[str, int] = {}
        for number, cells in returned.rows:
            if number < FIRST_ROW or not any(cells):
                continue
            key = cells[columns[KEY]] or ""
            row = known.get(key)
            if row is None:
                self._refuse(
                    sheet,
                    number,
                    _("This row was not in the workbook. Rows cannot be added: delete it, or download it again."),
                )
            elif key in seen:
                self._refuse(
                    sheet, number, _("This row is the same as row %(first)d. Delete one of them."), first=seen[key]
                )
            else:
                seen[key] = number
                texts = {name: unescaped(cells[at] or "") for name, at in columns.items()}
                without_value = {name for name, at in columns.items() if (number, at) in returned.formulas}
                self._read_row(sheet, number, row, texts, fields, without_value)

    def _columns(self, sheet: str, names: Sequence[str], fields: Sequence[Column]) -> dict[str, int] | None:
        """The position of each column; None when one is missing or there twice."""
        headers = self.headers | {column.field: column.header for column in fields}
        positions: dict[str, list[int]] = {name: [] for name in headers}
        for at, name in enumerate([KEY, *names[1:]]):
            if name in positions:
                positions[name].append(at)
        before = len(self.problems)
        for name, found in positions.items():
            if not found:
                self._refuse(
                    sheet,
                    None,
                    _("The column “%(column)s” is missing. Download the workbook again."),
                    column=headers[name],
                )
            elif len(found) > 1:
                self._refuse(sheet, None, _("The column “%(column)s” is there twice."), column=headers[name])
        return {name: found[0] for name, found in positions.items()} if len(self.problems) == before else None

    def _read_row(
        self,
        sheet: str,
        number: int,
        row: GivenRow,
        texts: Mapping[str, str],
        fields: Sequence[Column],
        without_value: set[str],
    ) -> None:
        before = len(self.problems)
        for name, text in ((FILE, row.file), (SHEET, row.sheet), (ROW, str(row.row))):
            if clean_text(texts[name]) != clean_text(cell_text(text)):
                self._refuse(
                    sheet,
                    number,
                    _(
                        "The column “%(column)s” is locked and was changed: it was “%(was)s”. Put that back, or"
                        " download the workbook again."
                    ),
                    column=self.headers[name],
                    was=text,
                )
        action = texts[ACTION]
        is_removed = header_key(action) in REMOVE_WORDS
        if not is_empty(action) and not is_removed:
            self._refuse(
                sheet,
                number,
                _("The action “%(action)s” is not known. Write “%(word)s” or leave the cell empty."),
                action=action,
                word=remove_word(),
            )
        changed = list(_changed(row, texts, fields))
        self._refuse_outdated(sheet, number, row, changed, is_removed=is_removed)
        for column, value in changed:
            if column.field in without_value:
                self._refuse(
                    sheet,
                    number,
                    _("The column “%(column)s” has a formula without a value. Write the value itself."),
                    column=column.header,
                )
            elif not _is_allowed(column.field, value):
                self._refuse(
                    sheet,
                    number,
                    _("The column “%(column)s” cannot be “%(value)s”. Choose from: %(choices)s."),
                    column=column.header,
                    value=value,
                    choices=", ".join(CLOSED[column.field]),
                )
        if len(self.problems) > before:
            return
        if is_removed:
            removal = RemoveEntry(*row.place)
            self.found.removals.append(removal)
            self.found.places[removal] = (sheet, number)
            return
        for column, value in changed:
            entry = CellEntry(*row.place, field=column.field, value=value, was=row.read.get(column.field) or "")
            self.found.cells.append(entry)
            self.found.places[entry] = (sheet, number)

    def _refuse_outdated(
        self, sheet: str, number: int, row: GivenRow, changed: Sequence[tuple[Column, str]], *, is_removed: bool
    ) -> None:
        """Refuse a change of what was corrected otherwise since the workbook was made."""
        now = self.corrected.get(row.place, {})
        if now == row.corrected or not (changed or is_removed):
            return
        if "" in now:
            self._refuse(sheet, number, _("This row was left out since the workbook was made. Download it again."))
            return
        # A row is removed for what all of its cells have.
        names = {column.field: column.header for column, _value in changed}
        for name in sorted({*now, *row.corrected}):
            if now.get(name) != row.corrected.get(name) and (is_removed or name in names):
                self._refuse(
                    sheet,
                    number,
                    _("The column “%(column)s” was corrected since the workbook was made. Download it again."),
                    column=names.get(name, name),
                )

    def _refuse(self, sheet: str, row: int | None, message: str, /, **values: object) -> None:
        self.problems.append(WorkbookProblem(message % values, sheet, row))


def _changed(row: GivenRow, texts: Mapping[str, str], fields: Sequence[Column]) -> Iterator[tuple[Column, str]]:
    """The columns whose cell has another value than it was given, with the new text."""
    for column in fields:
        was, now = row.text(column.field), texts[column.field]
        if was != now and not _is_same(column.kind, was, now):
            yield column, now.strip()


def _is_same(kind: ColumnKind, was: str, now: str) -> bool:
    """Whether a spreadsheet may have made one text of the other without a person: `100.50` and the number 100.5."""
    if is_empty(was) or is_empty(now):
        return is_empty(was) and is_empty(now)
    if clean_text(unescaped(cell_text(was))) == clean_text(now):
        return True
    if kind == "amount":
        amount = parse_amount(now)
        return amount is not None and amount == parse_amount(was)
    if kind == "date":
        day = parse_date(now)
        return day is not None and day == parse_date(was)
    return False


def _is_allowed(name: str, value: str) -> bool:
    return name not in CLOSED or is_empty(value) or label_key(value) in {label_key(one) for one in CLOSED[name]}
