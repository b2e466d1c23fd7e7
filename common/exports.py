"""Rows of a list → CSV, XLSX or Parquet. Text stays text: no cell becomes a formula, a link or a number."""

import csv
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO

from django.utils.translation import override

from common.parquet import ParquetColumn, write_parquet
from common.workbook import (
    CONTROL_CHARACTERS,
    CellKind,
    ColumnSpec,
    add_sheet,
    cell_value,
    new_workbook,
    save_workbook,
    sheet_title,
)

CSV, XLSX, PARQUET = "csv", "xlsx", "parquet"
CONTENT_TYPES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    PARQUET: "application/vnd.apache.parquet",
}
# What a spreadsheet takes for the beginning of a formula, full-width forms too.
_FORMULA = re.compile(r"\s*[=+\-@\t\r＝＋－＠]")
_CONTROL = re.compile(CONTROL_CHARACTERS)
_WIDTHS: dict[str, float] = {"money": 16, "date": 12, "integer": 10, "moment": 20, "yes_no": 8}
_WIDTH = 24.0


@dataclass(frozen=True)
class Column:
    """A column of an export: its header, the path of its value in the ORM (`insured__name`), the kind of its cells.

    `choices` are (value, label) pairs whose labels are written in the language of the caller. `text` makes the value
    from those of `paths`, where no single field has it; `path` is then only its name.
    """

    header: Any
    path: str
    kind: CellKind = "text"
    choices: Sequence[tuple[Any, Any]] = ()
    paths: tuple[str, ...] = ()
    text: Callable[..., Any] | None = None

    @property
    def name(self) -> str:
        """The column in Parquet, the same in every language: `insured_name`."""
        return self.path.replace("__", "_")

    @property
    def sources(self) -> tuple[str, ...]:
        """The paths of the values that the ORM gives for it."""
        return self.paths if self.text else (self.path,)


def _cell_maker(column: Column, *, yes: str, no: str) -> Callable[[Any], Any]:
    """Turns a value of the database into text, Decimal, int, date or None."""
    match column.kind:
        case "choice":
            labels = {value: str(label) for value, label in column.choices}
            return lambda value: labels.get(value, value)
        case "yes_no":
            return lambda value: None if value is None else (yes if value else no)
        case "moment":
            return lambda value: f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" if isinstance(value, datetime) else None
        case "text":
            return lambda value: None if value is None else _CONTROL.sub("", str(value))
    return lambda value: value


def _makers(columns: Sequence[Column], words: tuple[str, str]) -> list[Callable[[Any], Any]]:
    return [_cell_maker(column, yes=words[0], no=words[1]) for column in columns]


def written(columns: Sequence[Column], rows: Iterable[Sequence[Any]], *, language: str) -> Iterator[Sequence[Any]]:
    """Rows of the values of `Column.sources` → rows of one value for each column, texts in the language."""
    ends = list(itertools.accumulate(len(column.sources) for column in columns))
    cuts = [(column.text, end - len(column.sources), end) for column, end in zip(columns, ends, strict=True)]
    for row in rows:
        # For each row: between two of them a streaming server may write another answer in another language.
        with override(language):
            yielded = [text(*row[start:end]) if text else row[start] for text, start, end in cuts]
        yield yielded


def csv_safe(text: str) -> str:
    """Text that no spreadsheet evaluates: an apostrophe is put before what begins like a formula."""
    return "'" + text if _FORMULA.match(text) else text


class _Echo:
    """A file that returns what is written to it, so that the csv module can stream."""

    def write(self, text: str) -> str:
        return text


def csv_lines(*, columns: Sequence[Column], rows: Iterable[Sequence[Any]], words: tuple[str, str]) -> Iterator[bytes]:
    """UTF-8 with a byte order mark, separated by `;`, decimal point, dates as YYYY-MM-DD: Excel opens this at once.

    `rows`: one value per column, as the ORM gives it; `words`: yes and no in the language of the caller.
    """
    writer = csv.writer(_Echo(), delimiter=";", lineterminator="\r\n")
    makers = _makers(columns, words)
    texts = [column.kind not in ("money", "integer", "number", "date") for column in columns]
    yield b"\xef\xbb\xbf"
    yield writer.writerow([csv_safe(str(column.header)) for column in columns]).encode()
    for row in rows:
        cells = []
        for value, make, is_text in zip(row, makers, texts, strict=True):
            cell = make(value)
            cells.append("" if cell is None else csv_safe(cell) if is_text else cell)
        yield writer.writerow(cells).encode()


def write_xlsx(
    *,
    target: BinaryIO,
    title: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Any]],
    words: tuple[str, str],
) -> None:
    """One worksheet with a frozen, filterable header, into the open file `target`.

    `rows` as for `csv_lines`, at most `common.workbook.MOST_ROWS` of them. Raises OSError, with its errno, when the
    disk is full.
    """
    write_sheets(target=target, sheets=[(title, columns, rows)], words=words)


def write_sheets(
    *,
    target: BinaryIO,
    sheets: Iterable[tuple[str, Sequence[Column], Iterable[Sequence[Any]]]],
    words: tuple[str, str],
) -> None:
    """A worksheet for each (title, columns, rows), as `write_xlsx` writes one."""
    book = new_workbook(target)
    taken: set[str] = set()
    for title, columns, rows in sheets:
        specs = [
            ColumnSpec(header=str(column.header), kind=column.kind, width=_WIDTHS.get(column.kind, _WIDTH))
            for column in columns
        ]
        add_sheet(book, title=sheet_title(title, taken=taken), columns=specs, rows=_cells(columns, rows, words))
    save_workbook(book)


def _cells(columns: Sequence[Column], rows: Iterable[Sequence[Any]], words: tuple[str, str]) -> Iterator[Sequence[Any]]:
    makers = _makers(columns, words)
    for row in rows:
        yield [cell_value(make(value)) for make, value in zip(makers, row, strict=True)]


def write_list_parquet(*, target: BinaryIO, columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> None:
    """Amounts as decimals, dates as dates, choices as the values that the API has. `rows` as for `csv_lines`.

    Raises OSError, with its errno, when the disk is full.
    """
    write_parquet(target=target, columns=[ParquetColumn(one.name, one.kind) for one in columns], rows=rows)
