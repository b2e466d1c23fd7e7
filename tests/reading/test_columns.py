import pytest

from reading.columns import RECAP_COLUMNS, STAT_COLUMNS, choose_sheets, recognise, repeated_header_rows
from tests.support.files import RECAP_HEADERS, STAT_HEADERS, recap_row, stat_line


def test_every_accepted_header_of_the_stat_file_is_recognised():
    for column in STAT_COLUMNS:
        for header in column.headers:
            headers = [header if one == column.header else one for one in STAT_HEADERS]
            layout = recognise([headers], "stat")
            assert layout.problems == ()
            assert layout.positions[column.field] == (headers.index(header),)


def test_every_accepted_header_of_the_recap_file_is_recognised():
    for column in RECAP_COLUMNS:
        for header in column.headers:
            headers = [header if one == column.header else one for one in RECAP_HEADERS]
            assert recognise([headers], "recap").positions[column.field] == (headers.index(header),)


def test_headers_are_one_whatever_their_case_accents_and_punctuation():
    headers = [header.upper().replace(" ", "_").replace("É", "E") for header in STAT_HEADERS]
    assert len(recognise([headers], "stat").positions) == len(STAT_COLUMNS)


def test_the_two_signs_for_number_are_one():
    headers = [header.replace("°", "º") for header in RECAP_HEADERS]
    layout = recognise([headers], "recap")
    assert {"policy_number", "cheque_number"} <= layout.positions.keys()


def test_an_empty_header_right_after_the_employer_is_the_card_number():
    headers = ["" if one == "Broker_SunuId" else one for one in STAT_HEADERS]
    assert recognise([headers], "stat").positions["card_number"] == (1,)


def test_an_empty_header_is_nothing_where_the_card_number_has_its_own():
    headers = ["Nom Employeur", "", *STAT_HEADERS[2:], "Broker_SunuId"]
    assert recognise([headers], "stat").positions["card_number"] == (len(headers) - 1,)


def test_the_header_may_stand_in_the_twentieth_row_but_not_below():
    title = [["Export du mois"]]
    assert recognise(title * 19 + [RECAP_HEADERS], "recap").header_row == 19
    assert recognise(title * 20 + [RECAP_HEADERS], "recap").problems[0].code == "no_header"


def test_all_missing_columns_are_named_in_their_canonical_spelling():
    missing = {"Nom Employeur", "Nom du partenaire", "Montant remboursé"}
    (problem,) = recognise([[one for one in STAT_HEADERS if one not in missing]], "stat").problems
    assert problem.code == "missing_columns"
    assert set(problem.params["columns"]) == missing


def test_columns_that_are_not_required_may_be_missing():
    assert recognise([[column.header for column in STAT_COLUMNS if column.column_required]], "stat").problems == ()


def test_a_row_that_falls_short_of_the_kind_still_tells_what_is_missing():
    headers = [one for one in RECAP_HEADERS if one not in ("totalmttreclame", "reglementId")]
    (problem,) = recognise([["x"], headers], "recap").problems
    assert problem.params == {"kind": "recap", "columns": ["reglementId", "totalmttreclame"], "header_row": 2}


def test_files_in_each_others_place_are_recognised():
    assert recognise([RECAP_HEADERS], "stat").problems[0].code == "swapped"
    assert recognise([STAT_HEADERS], "recap").problems[0].code == "swapped"


def test_a_sheet_without_any_known_header_says_which_are_expected():
    (problem,) = recognise([["a", "b"], ["1", "2"]], "recap").problems
    assert problem.code == "no_header"
    assert problem.params["expected"] == ["reglementId", "date_reglement", "totalmttreclame", "totalmttrembourse"]


def test_the_one_sheet_that_shows_the_kind_is_chosen_among_others():
    heads = {"Lisez-moi": [["Bonjour"]], "Données": [STAT_HEADERS], "Récap": [RECAP_HEADERS]}
    assert choose_sheets(heads, kind="stat", named=None).sheets == ("Données",)
    assert choose_sheets(heads, kind="recap", named=None).sheets == ("Récap",)


def test_several_stat_sheets_wait_for_a_name_and_a_wrong_name_is_told_the_right_ones():
    heads = {"2022": [STAT_HEADERS], "2023": [STAT_HEADERS], "Notes": [["x"]]}
    assert choose_sheets(heads, kind="stat", named=None).problems[0].params == {"sheets": ["2022", "2023"]}
    assert choose_sheets(heads, kind="stat", named=" 2023 ").sheets == ("2023",)
    (problem,) = choose_sheets(heads, kind="stat", named="2024").problems
    assert (problem.code, problem.params["sheets"]) == ("no_such_sheet", ["2022", "2023", "Notes"])


def two_rows(merged_down, *, groups=None):
    """The stat header over two rows: the titles `merged_down` stand in the upper one, `groups` above the others."""
    upper = [title if title in merged_down else (groups or {}).get(title, "") for title in STAT_HEADERS]
    lower = ["" if title in merged_down else title for title in STAT_HEADERS]
    return upper, lower


GROUPS = {"Nom Employeur": "Assuré", "Nom du partenaire": "Prestataire", "Nom Acte": "Acte"}


@pytest.mark.parametrize(
    "merged_down",
    [
        ["Numero de sinistre", "Statut", "Montant facturé"],  # neither row shows the kind alone
        ["Note Générale"],  # the lower row does
        [],
        [title for title in STAT_HEADERS if title != "Date de règlement"],  # the upper row does
        ["Nom Employeur", "Modifié par"],
    ],
)
@pytest.mark.parametrize("groups", [{}, GROUPS])
def test_a_header_may_be_two_rows_high(merged_down, groups):
    upper, lower = two_rows(merged_down, groups=groups)
    layout = recognise([["Export"], upper, lower, stat_line("a1")], "stat")
    assert (layout.header_row, layout.problems) == (2, ())
    assert layout.positions == recognise([STAT_HEADERS], "stat").positions


@pytest.mark.parametrize("merged_down", [["Numero de sinistre"], ["Nom Employeur", "Modifié par"]])
@pytest.mark.parametrize(("above", "is_found"), [(19, True), (20, False)])
def test_a_header_two_rows_high_begins_in_the_first_twenty_rows(merged_down, above, is_found):
    rows = [*[["Export"]] * above, *two_rows(merged_down), stat_line("a1")]
    assert (recognise(rows, "stat").problems == ()) == is_found


def test_where_both_rows_of_a_header_have_a_text_the_lower_one_counts():
    upper, lower = two_rows(["Numero de sinistre"], groups={"Note Générale": "Montant facturé"})
    assert recognise([upper, lower], "stat").positions == recognise([STAT_HEADERS], "stat").positions


def test_all_titles_merged_down_leave_an_empty_second_row():
    layout = recognise([STAT_HEADERS, [""] * len(STAT_HEADERS), stat_line("a1")], "stat")
    assert (layout.header_row, layout.shows_kind) == (0, True)


@pytest.mark.parametrize(
    "line",
    [
        stat_line("a1", note="Note Générale", employer="Nom Employeur"),
        stat_line("a1", act="Statut", partner="Montant facturé"),
        stat_line("", claimed_amount="", reimbursed_amount="", act="Nom Acte"),
    ],
)
def test_the_first_line_of_data_is_never_a_second_row_of_the_header(line):
    layout = recognise([STAT_HEADERS, line], "stat")
    assert (layout.header_row, len(layout.rows)) == (0, 1)


def test_a_title_above_an_empty_header_leaves_the_card_number_there():
    headers = ["" if one == "Broker_SunuId" else one for one in STAT_HEADERS]
    assert recognise([["", "ETAT DES SINISTRES"], headers], "stat").positions["card_number"] == (1,)


def test_missing_columns_of_a_header_two_rows_high_are_named():
    upper, lower = two_rows(["Numero de sinistre", "Nom Acte"])
    (problem,) = recognise(
        [[t if t != "Statut" else "" for t in upper], [t if t != "Statut" else "" for t in lower]], "stat"
    ).problems
    assert problem.params == {"kind": "stat", "columns": ["Statut"], "header_row": 2}


def test_a_pair_in_each_others_place_is_recognised_over_two_rows_too():
    assert recognise(list(two_rows(["Numero de sinistre"])), "recap").problems[0].code == "swapped"


def repeated(rows, header):
    layout = recognise(header, "stat")
    return repeated_header_rows(dict(enumerate(rows, start=10)), layout)


@pytest.mark.parametrize(
    "row",
    [
        STAT_HEADERS,
        [title.upper().replace("É", "E") for title in STAT_HEADERS],
        [title if at % 4 else "" for at, title in enumerate(STAT_HEADERS)],
        [title if title != "Numero de sinistre" else "" for title in STAT_HEADERS],
        [*STAT_HEADERS, "Page 2"],
    ],
)
def test_a_row_that_repeats_the_header_is_found(row):
    assert repeated([stat_line("a1"), row, stat_line("a2")], [STAT_HEADERS]) == {11}


@pytest.mark.parametrize(
    "row",
    [
        stat_line("a1", note="Note Générale"),
        ["" if title != "Note Générale" else title for title in STAT_HEADERS],
        [title if title != "Numero de sinistre" else "a1" for title in STAT_HEADERS],
        [""] * len(STAT_HEADERS),
        recap_row("A"),
    ],
)
def test_a_row_with_another_text_or_few_titles_does_not_repeat_the_header(row):
    assert repeated([row], [STAT_HEADERS]) == set()


@pytest.mark.parametrize("groups", [{}, GROUPS])
def test_both_rows_of_a_header_are_found_where_it_is_repeated(groups):
    upper, lower = two_rows(["Numero de sinistre", "Montant facturé"], groups=groups)
    lines = [stat_line("a1"), upper, lower, stat_line("a2"), stat_line("a3")]
    assert repeated(lines, [upper, lower]) == {11, 12}
