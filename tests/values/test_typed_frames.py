"""Raw frames become typed frames, and say what of them could not be read (DOMAIN §4, §5.1, §5.2)."""

from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from reading.columns import RECAP_COLUMNS, STAT_COLUMNS
from reading.typed import RawFile, dedupe_recap, type_amounts, type_texts, typed_recap, typed_stat

STAT_LINE = {
    "employer": "Énergie  des Lagunes",
    "card_number": "C-103417",
    "beneficiary": "Afi  Lawson",
    "plan": "Plan Cadres",
    "insured_status": "a",
    "policy_number": " 45/RD / GB",
    "main_insured": "LAWSON Afi",
    "partner": "Clinique de l’Espoir",
    "claim_number": "rgltsntg 0001",
    "claim_status": "Réglée",
    "incident_date": "2023-05-01 00:00:00",
    "settlement_date": "06/05/2023",
    "act_category": "Maternité",
    "act": "Accouchement",
    "claimed_amount": "12 345,5",
    "reimbursed_amount": "-300",
    "payment_reference": "1000308.0",
    "invoice_number": "6626059/TÉTÉ/2023",
    "operator": "Opérateur 07",
}
RECAP_ROW = {
    "claim_number": " RGLTSNTG0001 ",
    "settlement_date": "06-05-2023",
    "claimed_amount": "12345.5",
    "reimbursed_amount": "300",
    "beneficiary": "LAWSON AFI",
    "note": "-",
}


def raw(columns, rows):
    fields = [column.field for column in columns]
    schema = {"file": pl.UInt32, "sheet": pl.String, "row": pl.UInt32, "anomaly": pl.String} | dict.fromkeys(
        fields, pl.String
    )
    return pl.DataFrame(
        [{"file": 0, "sheet": "Feuil1", "row": n + 2, **row} for n, row in enumerate(rows)], schema=schema
    )


def stat(*changes):
    return typed_stat(raw(STAT_COLUMNS, [STAT_LINE | change for change in changes]))


def recap(*changes):
    return typed_recap(raw(RECAP_COLUMNS, [RECAP_ROW | change for change in changes]))


def one(frame):
    assert frame.height == 1
    return frame.row(0, named=True)


def test_a_stat_line_bears_its_text_clean_and_its_keys():
    line = one(stat({}))
    expected = {
        "file": 0, "sheet": "Feuil1", "row": 2, "anomaly": None,
        "employer": "Énergie des Lagunes", "employer_key": "ENERGIE DES LAGUNES",
        "employer_name_key": "DES ENERGIE LAGUNES",
        "card_number": "C-103417", "card_key": "C103417",
        "beneficiary": "Afi Lawson", "beneficiary_key": "AFI LAWSON",
        "plan_key": "PLAN CADRES", "policy_number": "45/RD / GB", "policy_key": "45RDGB",
        "main_insured_key": "AFI LAWSON", "partner": "Clinique de l'Espoir", "partner_key": "CLINIQUE DE L'ESPOIR",
        "claim_number": "RGLTSNTG0001", "category_key": "MATERNITE", "act_key": "ACCOUCHEMENT",
        "operator_key": "OPERATEUR 07",
        "payment_reference": "1000308", "payment_key": "1000308", "invoice_key": "6626059TETE2023",
        "insured_status": "A", "insured_status_raw": None, "is_cancelled": False,
        "incident_date": date(2023, 5, 1), "settlement_date": date(2023, 5, 6),
        "claimed_cents": 1234550, "reimbursed_cents": -30000,
        "incident_date_raw": None, "settlement_date_raw": None,
        "claimed_amount_raw": None, "reimbursed_amount_raw": None,
        "trouble": None, "unreadable": False,
    }  # fmt: skip
    assert {name: line[name] for name in expected} == expected


def test_the_types_of_a_typed_frame_do_not_depend_on_its_values():
    empty = typed_stat(raw(STAT_COLUMNS, []))
    assert empty.schema == stat({}).schema == typed_stat(raw(STAT_COLUMNS, [{}])).schema
    assert empty.schema["claimed_cents"] == pl.Int64
    assert empty.schema["settlement_date"] == pl.Date
    assert typed_recap(raw(RECAP_COLUMNS, [])).schema == recap({}).schema


@pytest.mark.parametrize("empty", [None, " ", "-", "N/A", "NaT"])
def test_empty_cells_and_their_keys_are_null(empty):
    line = one(stat(dict.fromkeys(("employer", "card_number", "policy_number", "incident_date", "note"), empty)))
    names = ("employer", "employer_key", "employer_name_key", "card_key", "policy_number", "policy_key", "note")
    assert all(line[name] is None for name in (*names, "incident_date", "incident_date_raw"))


def test_a_key_of_which_nothing_is_left_is_null_but_the_text_stays():
    line = one(stat({"policy_number": "///", "beneficiary": "???"}))
    assert (line["policy_number"], line["policy_key"]) == ("///", None)
    assert (line["beneficiary"], line["beneficiary_key"]) == ("???", None)


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        ({"claim_number": "-"}, "claim_number"),
        ({"settlement_date": "32/13/2023"}, "settlement_date"),
        ({"settlement_date": ""}, "settlement_date"),
        ({"claimed_amount": "douze mille"}, "claimed_amount"),
        ({"claimed_amount": None}, "claimed_amount"),
        ({"reimbursed_amount": "#N/A"}, "reimbursed_amount"),
        ({"claimed_amount": "12.000"}, "claimed_amount:ambiguous"),
        ({"claim_number": "2,0230E+16"}, "claim_number:lost_digits"),
        ({"policy_number": "1.2E+15"}, "policy_number:lost_digits"),
        ({"anomaly": "extra_field"}, "extra_field"),
        (
            {
                "claim_number": "",
                "settlement_date": "x",
                "claimed_amount": "x",
                "reimbursed_amount": "x",
                "anomaly": "unclosed_quote",
            },
            "claim_number,settlement_date,claimed_amount,reimbursed_amount,unclosed_quote",
        ),
    ],
)
def test_a_stat_line_that_cannot_be_read_says_why(change, trouble):
    line = one(stat(change))
    assert line["unreadable"]
    assert line["trouble"] == trouble


def test_what_could_not_be_read_is_kept_as_it_stood():
    line = one(stat({"claimed_amount": " douze  mille ", "reimbursed_amount": "", "incident_date": "hier"}))
    assert (line["claimed_cents"], line["claimed_amount_raw"]) == (None, " douze  mille ")
    assert (line["reimbursed_cents"], line["reimbursed_amount_raw"]) == (None, None)
    assert (line["incident_date"], line["incident_date_raw"]) == (None, "hier")


def test_an_unreadable_incident_date_blocks_nothing():
    assert not one(stat({"incident_date": "hier"}))["unreadable"]


def test_each_line_keeps_its_own_values_among_many():
    frame = stat(
        *({"claimed_amount": str(n % 7), "claim_number": f"c{n}", "note": None if n % 2 else "x"} for n in range(100))
    )
    assert frame["claimed_cents"].to_list() == [n % 7 * 100 for n in range(100)]
    assert frame["claim_number"].to_list() == [f"C{n}" for n in range(100)]
    assert frame["row"].to_list() == list(range(2, 102))
    assert frame["note"].null_count() == 50


@pytest.mark.parametrize(
    ("status", "read", "kept"),
    [
        ("A", "A", None),
        (" c ", "C", None),
        ("É", "E", None),
        ("B", None, "B"),
        ("Principal", None, "Principal"),
        ("-", None, None),
    ],
)
def test_only_the_known_insured_statuses_are_read(status, read, kept):
    line = one(stat({"insured_status": status}))
    assert (line["insured_status"], line["insured_status_raw"]) == (read, kept)


@pytest.mark.parametrize(
    ("status", "cancelled"),
    [("Annulée", True), ("ANNULE", True), ("annulation", True), ("Réglée", False), ("R", False), (None, False)],
)
def test_a_cancelled_line_is_known_by_its_status(status, cancelled):
    assert one(stat({"claim_status": status}))["is_cancelled"] is cancelled


@pytest.mark.parametrize("empty", [None, "", "-", "NaT"])
def test_a_recap_row_without_settlement_date_is_unpaid_and_needs_nothing_else(empty):
    row = one(recap({"settlement_date": empty, "claimed_amount": "x", "claim_number": None}))
    assert (row["is_paid"], row["unreadable"], row["trouble"]) == (False, False, None)


def test_a_recap_row_with_an_unreadable_settlement_date_is_paid_and_unreadable():
    row = one(recap({"settlement_date": "bientôt", "reimbursed_amount": "?"}))
    assert (row["is_paid"], row["unreadable"], row["trouble"]) == (True, True, "settlement_date,reimbursed_amount")


def test_a_paid_recap_row_that_reads_well_has_no_trouble():
    row = one(recap({}))
    assert (row["is_paid"], row["unreadable"], row["claim_number"], row["note"]) == (True, False, "RGLTSNTG0001", None)
    assert (row["settlement_date"], row["claimed_cents"], row["reimbursed_cents"]) == (date(2023, 5, 6), 1234550, 30000)


def test_rows_that_overlapping_pages_repeat_are_one_row_however_they_are_typed():
    frame, removed = dedupe_recap(
        recap({}, {"file": 1, "row": 9, "settlement_date": "45052", "claimed_amount": "12 345,50", "note": ""}, {})
    )
    assert removed == 2
    assert one(frame)["row"] == 2


@pytest.mark.parametrize(
    "change",
    [
        {"note": "x"},
        {"claimed_amount": "12345.51"},
        {"claimed_amount": "?"},
        {"settlement_date": "-"},
        {"anomaly": "extra_field"},
    ],
)
def test_rows_that_differ_in_one_column_stay_two_rows(change):
    frame, removed = dedupe_recap(recap({}, change))
    assert (frame.height, removed) == (2, 0)


def test_rows_with_different_unreadable_cells_stay_two_rows():
    frame, removed = dedupe_recap(recap({"claimed_amount": "x"}, {"claimed_amount": "y"}, {"claimed_amount": "x"}))
    assert removed == 1
    assert frame["claimed_amount_raw"].to_list() == ["x", "y"]


def test_typing_files_one_by_one_or_together_is_the_same():
    lines = [STAT_LINE | {"claimed_amount": text} for text in ("1", "x", None, "2,5")]
    whole = typed_stat(raw(STAT_COLUMNS, lines))
    parts = [typed_stat(raw(STAT_COLUMNS, lines)[n : n + 1]) for n in range(4)]
    assert_frame_equal(whole, pl.concat(parts))


def test_a_claim_or_policy_number_that_lost_its_digits_stays_as_the_cell_has_it():
    line = one(stat({"claim_number": " 2,0230e+16 ", "policy_number": "1.2E+15"}))
    assert (line["claim_number"], line["policy_number"], line["lost_references"]) == ("2,0230E+16", "1.2E+15", None)


def test_any_other_reference_that_lost_its_digits_is_empty_and_noted():
    line = one(stat({"invoice_number": "2,0230E+16", "card_number": "12E5", "payment_reference": " 1E+9"}))
    assert not line["unreadable"]
    assert (line["invoice_number"], line["invoice_key"], line["payment_reference"]) == (None, None, None)
    assert line["card_number"] == "12E5"
    assert line["lost_references"] == "payment_reference=1E+9 invoice_number=2,0230E+16"
    row = one(recap({"policy_number": "2,0230E+16"}))
    assert (row["policy_number"], row["lost_references"], row["unreadable"]) == (
        None,
        "policy_number=2,0230E+16",
        False,
    )


@pytest.mark.parametrize("settled", ["06/05/2023", ""])
def test_a_recap_row_whose_claim_number_lost_its_digits_is_unreadable_paid_or_not(settled):
    row = one(recap({"claim_number": "2,0230E+16", "settlement_date": settled}))
    assert (row["claim_number"], row["trouble"]) == ("2,0230E+16", "claim_number:lost_digits")


def side(*files, currency="XOF", fractions=None):
    raws = [
        type_texts(raw(STAT_COLUMNS, [STAT_LINE | {"claimed_amount": cell} for cell in file]), kind="stat")
        for file in files
    ]
    return type_amounts([RawFile(frame, fractions) for frame in raws], kind="stat", currency=currency)


def test_all_files_of_a_side_decide_together():
    typed = side(["12.000"], ["12.50"])
    assert typed.frame["claimed_cents"].to_list() == [1200, 1250]
    (mark,) = typed.lone_marks
    assert (mark.meaning, mark.evidence["decimal"], mark.examples) == ("decimal", ["12.50"], ["12.000"])
    assert side(["12.000"], ["1.234.567"], currency="EUR").frame["claimed_cents"].to_list() == [1200000, 123456700]


def test_columns_decide_apart():
    raws = raw(STAT_COLUMNS, [STAT_LINE | {"claimed_amount": "12.000", "reimbursed_amount": "9.5"}])
    frame = type_amounts([RawFile(type_texts(raws, kind="stat"))], kind="stat", currency="XOF").frame
    assert one(frame)["claimed_cents"] == 1200000


def test_number_cells_are_never_ambiguous_and_no_evidence():
    def fractions(field):
        return {"Feuil1": [2, 3]} if field == "claimed_amount" else {}

    typed = side(["1.234", "12.5", "12.000", "7"], currency="XOF", fractions=fractions)
    assert typed.frame["claimed_cents"].to_list() == [123, 1250, 1200000, 700]
    (mark,) = typed.lone_marks
    assert (mark.reason, mark.count) == ("neither", 1)
    typed = side(["1.234"], currency="EUR", fractions=fractions)
    assert (typed.frame["claimed_cents"].to_list(), typed.lone_marks) == ([123], [])


def test_an_ambiguous_amount_keeps_its_cell():
    line = one(side(["12.000"], currency="EUR").frame)
    assert (line["claimed_cents"], line["claimed_amount_raw"]) == (None, "12.000")
