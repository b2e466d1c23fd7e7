from reading.columns import RECAP_COLUMNS, STAT_COLUMNS, choose_sheets, recognise
from tests.support.files import RECAP_HEADERS, STAT_HEADERS


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
