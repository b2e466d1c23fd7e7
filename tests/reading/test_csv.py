import csv

import pytest

from tests.support.files import (
    RECAP_HEADERS,
    STAT_HEADERS,
    problems_of,
    read,
    recap_row,
    stat_line,
    write_csv,
)


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_any_encoding_and_separator_reads_the_same(tmp_path, separator, encoding):
    rows = [STAT_HEADERS, stat_line("a1", partner="Hôpital Émile"), stat_line("a2")]
    frame = read(write_csv(tmp_path / "s.csv", rows, separator=separator, encoding=encoding), kind="stat")
    assert frame.select("sheet", "row", "claim_number", "partner", "anomaly").rows() == [
        ("", 2, "a1", "Hôpital Émile", None),
        ("", 3, "a2", "CLINIQUE BIASA", None),
    ]


def test_the_separator_is_told_by_the_header_and_not_by_what_is_frequent(tmp_path):
    rows = [STAT_HEADERS, stat_line("a1", note="a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,1,2,3")]
    assert read(write_csv(tmp_path / "s.csv", rows), kind="stat")["act"].to_list() == ["RADIOGRAPHIE"]


def test_quoted_fields_hold_separators_quotes_and_line_breaks(tmp_path):
    with (tmp_path / "s.csv").open("w", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(STAT_HEADERS)
        writer.writerow(stat_line("a1", note='Dit "bonjour"; puis\r\nrevient; encore'))
        writer.writerow(stat_line("a2"))
    frame = read(tmp_path / "s.csv", kind="stat")
    assert frame.select("row", "claim_number", "note", "anomaly").rows() == [
        (2, "a1", 'Dit "bonjour"; puis\nrevient; encore', None),
        (3, "a2", None, None),
    ]


def test_a_line_break_may_stand_in_the_first_field_and_in_the_last(tmp_path):
    rows = [stat_line("a1", employer='"PORT\nDU GOLFE"'), stat_line("a2", operator='"KOFI\n; AMA"'), stat_line("a3")]
    frame = read(write_csv(tmp_path / "s.csv", [STAT_HEADERS, *rows]), kind="stat")
    assert frame.select("row", "employer", "operator", "anomaly").rows() == [
        (2, "PORT\nDU GOLFE", None, None),
        (3, "PORT DU GOLFE", "KOFI\n; AMA", None),
        (4, "PORT DU GOLFE", None, None),
    ]


def test_every_field_may_be_quoted(tmp_path):
    with (tmp_path / "s.csv").open("w", newline="") as file:
        writer = csv.writer(file, delimiter=",", quoting=csv.QUOTE_ALL)
        writer.writerows([STAT_HEADERS, stat_line("a1"), stat_line("a2", note='x","y'), stat_line("a3", note="")])
    frame = read(tmp_path / "s.csv", kind="stat")
    assert frame["claim_number"].to_list() == ["a1", "a2", "a3"]
    assert frame["note"].to_list() == [None, 'x","y', None]
    assert frame["anomaly"].null_count() == 3


@pytest.mark.parametrize("note", ['5" de large', '"Clinique" Saint-Jean', 'l\'"ancien"'])
def test_a_quote_within_a_field_is_a_character_like_others(tmp_path, note):
    frame = read(
        write_csv(tmp_path / "s.csv", [STAT_HEADERS, stat_line("a1", note=note), stat_line("a2")]), kind="stat"
    )
    assert frame.select("claim_number", "note", "anomaly").rows() == [("a1", note, None), ("a2", None, None)]


@pytest.mark.parametrize(
    "below",
    [
        stat_line("a2"),
        stat_line("a2", note='"fermé"', act='"RADIO"'),
        stat_line("a2", note='""'),
        stat_line("a2", partner='"CLINIQUE; NORD"'),
        stat_line("a2", note='5"'),
    ],
)
def test_an_unclosed_quote_is_an_anomaly_on_its_own_row_and_the_rows_below_are_whole(tmp_path, below):
    rows = [STAT_HEADERS, stat_line("a1", partner='"CLINIQUE'), below, stat_line("a3"), stat_line("a4")]
    frame = read(write_csv(tmp_path / "s.csv", rows), kind="stat")
    assert frame.select("row", "claim_number", "anomaly").rows() == [
        (2, "a1", "unclosed_quote"),
        (3, "a2", None),
        (4, "a3", None),
        (5, "a4", None),
    ]


def test_a_pushed_row_has_no_claim_number_whatever_stands_under_that_header(tmp_path):
    usual = [stat_line(f"rgltsn{at:04d}") for at in range(5)]
    pushed = stat_line("rgltsn0009", partner_country="TOGO")
    pushed.insert(3, "LAWSON")
    frame = read(write_csv(tmp_path / "s.csv", [STAT_HEADERS, *usual, pushed]), kind="stat")
    assert frame.filter(frame["anomaly"] == "extra_field").select("row", "claim_number").rows() == [(7, None)]


def test_a_row_pushed_behind_its_claim_number_belongs_to_the_claim_of_other_rows(tmp_path):
    pushed = stat_line(" RGLTSN0001 ")
    pushed.insert(-2, "suite de la note")
    frame = read(write_csv(tmp_path / "s.csv", [STAT_HEADERS, stat_line("rgltsn0001"), pushed]), kind="stat")
    assert frame.select("claim_number", "anomaly").rows() == [("rgltsn0001", None), (" RGLTSN0001 ", "extra_field")]


def test_an_empty_field_too_many_is_an_anomaly_where_other_rows_have_as_many_fields_as_the_header(tmp_path):
    pushed = stat_line("a2", operator="")
    pushed.insert(-2, "suite de la note")
    rows = [STAT_HEADERS, stat_line("a1"), pushed]
    assert read(write_csv(tmp_path / "s.csv", rows), kind="stat")["anomaly"].to_list() == [None, "extra_field"]


def test_a_block_of_rows_with_the_same_empty_fields_too_many_is_sound(tmp_path):
    rows = [STAT_HEADERS, stat_line("a1"), [*stat_line("a2"), "", ""], [*stat_line("a3"), "", ""], stat_line("a4")]
    assert read(write_csv(tmp_path / "s.csv", rows), kind="stat")["anomaly"].null_count() == 4


def test_a_field_too_many_is_seen_in_rows_with_quotes_too(tmp_path):
    pushed = stat_line("a2", note='"x;y"')
    pushed.insert(1, "C1")
    frame = read(write_csv(tmp_path / "s.csv", [STAT_HEADERS, stat_line("a1"), pushed]), kind="stat")
    assert frame["anomaly"].to_list() == [None, "extra_field"]


def test_empty_fields_at_the_end_may_be_too_many_or_missing(tmp_path):
    short = stat_line("a2")[:20]
    frame = read(write_csv(tmp_path / "s.csv", [STAT_HEADERS, [*stat_line("a1"), "", " "], short]), kind="stat")
    assert frame.select("claim_number", "operator", "anomaly").rows() == [("a1", None, None), ("a2", None, None)]


def test_a_pushed_row_is_seen_though_every_line_ends_with_a_separator(tmp_path):
    pushed = stat_line("a2", operator="KOFI")
    pushed.insert(1, "C1")
    frame = read(write_csv(tmp_path / "s.csv", [[*STAT_HEADERS, ""], [*stat_line("a1"), ""], pushed]), kind="stat")
    assert frame["anomaly"].to_list() == [None, "extra_field"]


def test_blank_lines_count_as_rows_as_a_spreadsheet_shows_them(tmp_path):
    rows = [["Export"], [], RECAP_HEADERS, [], recap_row("A"), [], recap_row("B")]
    assert read(write_csv(tmp_path / "r.csv", rows), kind="recap").select("row", "claim_number").rows() == [
        (5, "A"),
        (7, "B"),
    ]


def test_the_hint_of_the_separator_is_obeyed_and_not_counted(tmp_path):
    path = write_csv(tmp_path / "r.csv", [RECAP_HEADERS, recap_row("A")], separator="|")
    path.write_bytes(b"sep=|\r\n" + path.read_bytes())
    assert read(path, kind="recap")["row"].to_list() == [2]


def test_control_characters_are_dropped(tmp_path):
    path = write_csv(tmp_path / "r.csv", [RECAP_HEADERS, recap_row("A\x01\x02B", note="x\x7f")])
    frame = read(path, kind="recap")
    assert frame.select("claim_number", "note").row(0) == ("AB", "x")


def test_rows_far_down_keep_their_numbers_among_quotes_and_line_breaks(tmp_path):
    lines = [stat_line(f"a{at}", note='"deux\nlignes"' if at % 700 == 0 else "") for at in range(45_000)]
    rows = [STAT_HEADERS, *lines]
    frame = read(write_csv(tmp_path / "s.csv", rows), kind="stat")
    assert frame["row"].to_list() == list(range(2, 45_002))
    assert frame["claim_number"].to_list() == [f"a{at}" for at in range(45_000)]
    assert frame["note"].drop_nulls().unique().to_list() == ["deux\nlignes"]


def test_a_csv_without_its_columns_names_them_all(tmp_path):
    path = write_csv(tmp_path / "s.csv", [[one for one in STAT_HEADERS if "Montant" not in one], stat_line("a")])
    (problem,) = problems_of(path, kind="stat")
    assert (problem.code, problem.params["columns"]) == ("missing_columns", ["Montant facturé", "Montant remboursé"])


def test_swapped_csv_files_are_recognised(tmp_path):
    path = write_csv(tmp_path / "r.csv", [RECAP_HEADERS, recap_row("A")], separator="|")
    assert [problem.code for problem in problems_of(path, kind="stat")] == ["swapped"]


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, None])
def test_a_formula_that_holds_a_text_is_that_text(tmp_path, quoting):
    line = stat_line('="00123"', policy_number='="45/RD ""A"" "', note='=""', invoice_number=' ="7" ', act='="')
    headers = [f'="{title}"' if title == "Numero de police" else title for title in STAT_HEADERS]
    if quoting is None:
        write_csv(tmp_path / "s.csv", [headers, line, stat_line("a2")])
    else:
        with (tmp_path / "s.csv").open("w", newline="") as file:
            csv.writer(file, delimiter=";", quoting=quoting).writerows([headers, line, stat_line("a2")])
    frame = read(tmp_path / "s.csv", kind="stat")
    fields = ("claim_number", "policy_number", "note", "invoice_number", "act", "anomaly")
    assert frame.select(fields).row(0) == ("00123", '45/RD "A" ', None, "7", '="', None)


def test_the_header_is_skipped_wherever_it_comes_again_and_row_numbers_stay_true(tmp_path):
    again = [title.upper() for title in STAT_HEADERS]
    partly = [title if at % 3 else "" for at, title in enumerate(STAT_HEADERS)]
    rows = [STAT_HEADERS, stat_line("a1"), [], again, stat_line("a2"), STAT_HEADERS, partly, stat_line("a3")]
    frame = read(write_csv(tmp_path / "s.csv", rows), kind="stat")
    assert frame.select("row", "claim_number").rows() == [(2, "a1"), (5, "a2"), (8, "a3")]


def test_a_header_two_rows_high_is_read_and_skipped_where_it_comes_again(tmp_path):
    down = ("Numero de sinistre", "Montant facturé", "Modifié par")
    upper = [title if title in down else "Assuré" if at == 0 else "" for at, title in enumerate(STAT_HEADERS)]
    lower = [title if title not in down else "" for title in STAT_HEADERS]
    rows = [["Export"], upper, lower, stat_line("a1", operator="KOFI"), upper, lower, stat_line("a2")]
    frame = read(write_csv(tmp_path / "s.csv", rows), kind="stat")
    assert frame.select("row", "claim_number", "operator", "anomaly").rows() == [
        (4, "a1", "KOFI", None),
        (7, "a2", None, None),
    ]


def test_a_row_of_invisible_characters_is_blank(tmp_path):
    nothing = ["\u200b", "\ufeff ", "\u00ad-", *[""] * (len(RECAP_HEADERS) - 3)]
    rows = [RECAP_HEADERS, nothing, recap_row("A")]
    assert read(write_csv(tmp_path / "r.csv", rows), kind="recap")["row"].to_list() == [3]
