"""Corrections applied to files as read: pure, from files on disk to the claims of a reconciliation (DOMAIN §13)."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.keys import header_key
from importer.pipeline.reconcile import Reconciliation, reconcile
from reading.columns import FileKind, columns_of
from reading.corrections import CellCorrection, Corrections
from reading.limits import Limits
from reading.overlay import Overlaid, with_corrections
from reading.sources import ReadFile, Source, read_file
from reading.typed import RawFile, dedupe_recap, type_amounts, type_texts
from samples.pairs import make_rows
from samples.spelling import Cell
from samples.spoiling import SpoiledPair, spoil
from samples.writing import SHEET, write_pair
from tests.support.pairs import STAT_HEADERS, Cells, line, recap_csv, row, stat_csv

TOLERANCE = 500


def write(folder: Path, stat: list[list[Cell]], pages: list[list[list[Cell]]], fmt: str) -> dict[FileKind, list[Path]]:
    name, names = write_pair(folder, stat, pages, fmt=fmt, rng=Random(0))
    return {"stat": [folder / name], "recap": [folder / one for one in names]}


def read(paths: Sequence[Path], kind: FileKind) -> list[ReadFile]:
    return [
        read_file(Source(str(path), path.name), index=index, kind=kind, limits=Limits())
        for index, path in enumerate(paths)
    ]


def overlaid(reads: Sequence[ReadFile], corrections: Corrections, kind: FileKind) -> Overlaid:
    names = [f"{kind} {index}" for index in range(len(reads))]
    return with_corrections(reads, corrections, kind=kind, names=names, currency="XOF")


def typed(reads: Sequence[ReadFile], kind: FileKind) -> pl.DataFrame:
    files = [RawFile(type_texts(one.frame, kind=kind), one.fractions) for one in reads]
    return type_amounts(files, kind=kind, currency="XOF").frame


def reconciled(stat: Sequence[ReadFile], recap: Sequence[ReadFile]) -> Reconciliation:
    rows, duplicates = dedupe_recap(typed(recap, "recap"))
    return reconcile(stat=typed(stat, "stat"), recap=rows, duplicates_removed=duplicates, tolerance_cents=TOLERANCE)


def corrections_of(spoiled: SpoiledPair, reads: Sequence[ReadFile], kind: FileKind, sheet: str) -> Corrections:
    """What puts the side right; the text as read is that of the file."""
    fields = {header_key(header): one.field for one in columns_of(kind) for header in one.headers}
    cells = [
        CellCorrection(one.page, sheet, one.row, field, text_at(reads[one.page], one.row, field), one.text)
        for one in spoiled.cells
        if one.side == kind
        for field in [fields[header_key(one.header)]]
    ]
    return Corrections(cells, [(one.page, sheet, one.row) for one in spoiled.added if one.side == kind])


def text_at(read: ReadFile, at: int, field: str) -> str:
    return read.frame.filter(pl.col("row") == at)[field].item() or ""


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    cells=st.integers(1, 60),
    rows=st.integers(0, 6),
    fmt=st.sampled_from(["csv", "xlsx"]),
    order=st.randoms(use_true_random=False),
)
def test_what_was_spoiled_and_corrected_is_read_like_what_was_never_spoiled(
    seed: int, cells: int, rows: int, fmt: str, order: Random
) -> None:
    pair = make_rows(claims=40, seed=seed, pages=2)
    spoiled = spoil(pair, cells=cells, rows=rows, seed=seed)
    sheet = SHEET if fmt == "xlsx" else ""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("clean", "spoiled"):
            (Path(folder) / name).mkdir()
        clean = write(Path(folder) / "clean", pair.stat, pair.recap_pages, fmt)
        files = write(Path(folder) / "spoiled", spoiled.stat, spoiled.recap_pages, fmt)
        sides = {}
        for kind, paths in files.items():
            reads = read(paths, kind)
            found = corrections_of(spoiled, reads, kind, sheet)
            shuffled = Corrections(order.sample(list(found.cells), len(found.cells)), found.removals)
            once, other_order = overlaid(reads, found, kind), overlaid(reads, shuffled, kind)
            assert (once.refused, other_order.refused) == ([], [])
            for one, other in zip(once.reads, other_order.reads, strict=True):
                assert one.frame.equals(other.frame)
            sides[kind] = once.reads
        expected = reconciled(read(clean["stat"], "stat"), read(clean["recap"], "recap"))
        got = reconciled(sides["stat"], sides["recap"])
        assert got.claims.equals(expected.claims)
        assert composed(got.lines).equals(composed(expected.lines))
        assert got.summary() == expected.summary()


def composed(lines: pl.DataFrame) -> pl.DataFrame:
    """With an accent in one character with its letter, as a file in Windows-1252 has it."""
    return lines.with_columns(pl.col(pl.String).str.normalize("NFC"))


# ------------------------------------------------------------------------------------------------ small files


def files_of(kind: FileKind, *pages: Sequence[Cells]) -> list[ReadFile]:
    make = stat_csv if kind == "stat" else recap_csv
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, rows in enumerate(pages):
            paths.append(Path(folder) / f"{number}.csv")
            paths[-1].write_bytes(make(rows).read())
        return read(paths, kind)


def one_cell(field: str, was: str, value: str, *, row: int = 2, file: int = 0) -> Corrections:
    return Corrections([CellCorrection(file, "", row, field, was, value)])


def test_no_corrections_change_nothing() -> None:
    reads = files_of("recap", [row("S-1"), row("S-2")])
    result = overlaid(reads, Corrections(), "recap")
    assert result.refused == []
    assert result.reads[0].frame.equals(reads[0].frame)


def test_a_cell_that_has_changed_and_a_row_that_is_gone_are_refused_by_name() -> None:
    reads = files_of("stat", [line("S-1", "5000")])
    changed = overlaid(reads, one_cell("claimed_amount", "6000", "7000"), "stat")
    gone = overlaid(reads, one_cell("claimed_amount", "5000", "7000", row=3), "stat")
    removed = overlaid(reads, Corrections(removals=[(0, "", 9)]), "stat")
    assert [(one.code, one.file, one.params) for one in changed.refused + gone.refused + removed.refused] == [
        ("correction_changed", "stat 0", {"row": 2, "field": "claimed_amount"}),
        ("correction_row_gone", "stat 0", {"row": 3}),
        ("correction_row_gone", "stat 0", {"row": 9}),
    ]
    for refused in (changed, gone, removed):
        assert refused.reads[0].frame.equals(reads[0].frame)


@pytest.mark.parametrize(
    ("field", "value", "column", "expected"),
    [
        ("claimed_amount", " 12 500,50 F CFA", "claimed_cents", 1_250_050),
        ("claimed_amount", "12.500", "claimed_cents", 1_250_000),
        ("settlement_date", "3 févr. 2024", "settlement_date", "2024-02-03"),
        ("claim_number", " s - 9 ", "claim_number", "S-9"),
        ("partner", "n/a", "partner_key", None),
        ("beneficiary", "Afi\x07  Lawson", "beneficiary_key", "AFI LAWSON"),
        ("note", "a field that the file does not show", "note", "a field that the file does not show"),
    ],
)
def test_a_corrected_text_is_read_like_a_typed_one(field: str, value: str, column: str, expected: object) -> None:
    reads = files_of("stat", [line("S-1", "5000")])
    was = reads[0].frame[field].item() or ""
    result = overlaid(reads, one_cell(field, was, value), "stat")
    found = typed(result.reads, "stat")[column].item()
    assert (found.isoformat() if column == "settlement_date" else found) == expected


def test_a_correction_counts_for_every_recap_row_that_repeats_it() -> None:
    repeated = row("S-1", "5000", beneficiary="LAWSON AFI")
    # Another spelling of the same values.
    again = row("s-1", "5 000", beneficiary="LAWSON  AFI")
    reads = files_of("recap", [repeated, row("S-2")], [row("S-3"), again])
    amount = overlaid(reads, one_cell("claimed_amount", "5000", "6000"), "recap")
    rows, duplicates = dedupe_recap(typed(amount.reads, "recap"))
    assert rows.filter(pl.col("claim_number") == "S-1")["claimed_cents"].to_list() == [600_000]
    assert duplicates == 1
    removed = overlaid(reads, Corrections(removals=[(1, "", 3)]), "recap")
    assert typed(removed.reads, "recap")["claim_number"].to_list() == ["S-2", "S-3"]


def test_a_corrected_row_has_no_anomaly() -> None:
    header, values = list(STAT_HEADERS.values()), line("S-1", partner="CLINIQUE")
    cells = [values.get(field, "") for field in STAT_HEADERS]
    text = ";".join(header) + "\n" + ";".join(cells) + "\n" + ";".join([*cells, "more"]) + "\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stat.csv"
        path.write_text(text)
        reads = read([path], "stat")
    assert reads[0].frame["anomaly"].to_list() == [None, "extra_field"]
    result = overlaid(reads, one_cell("partner", "CLINIQUE", "CLINIQUE DU PORT", row=3), "stat")
    assert typed(result.reads, "stat")["unreadable"].to_list() == [False, False]


def test_four_thousand_corrections_take_no_time_on_a_hundred_thousand_lines() -> None:
    fields = {column.field: ["text"] * 100_000 for column in columns_of("stat")}
    frame = pl.DataFrame(
        {"file": [0] * 100_000, "sheet": ["Feuil1"] * 100_000, "row": list(range(2, 100_002)), "anomaly": None}
        | {"file": [0] * 100_000}
        | fields,
        schema_overrides={"file": pl.UInt32, "row": pl.UInt32, "anomaly": pl.String},
    )
    cells = [
        CellCorrection(0, "Feuil1", 2 + at * 25, field, "text", "better")
        for at in range(4_000)
        for field in ["claimed_amount", "settlement_date", "partner", "act"][at % 4 : at % 4 + 1]
    ]
    began = time.perf_counter()
    result = overlaid([ReadFile(frame, ("Feuil1",), ("Feuil1",))], Corrections(cells), "stat")
    assert result.refused == []
    assert sum((result.reads[0].frame[name] == "better").sum() for name in fields) == 4_000
    # Seconds for a loop over rows, on any machine.
    assert time.perf_counter() - began < 2
