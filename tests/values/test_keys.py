"""DOMAIN §4 "Empty", "Text" and "Keys": which spellings are one thing."""

import string
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common.keys import (
    claim_number,
    clean_text,
    has_lost_digits,
    header_key,
    is_empty,
    label_key,
    name_key,
    reference_key,
    reference_text,
)

words = st.text(alphabet=st.characters(codec="utf-8"), max_size=40)
names = st.lists(
    st.text(alphabet=string.ascii_letters + "éèêëàâçôûïÉÈÀÇŒœß", min_size=1, max_size=8), min_size=1, max_size=5
)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "  ",
        "-",
        " - ",
        "--",
        "nan",
        "NaN",
        "NONE",
        "None",
        "null",
        "NaT",
        "n/a",
        "N/A",
        "\xa0",
        "\u202f-",
        "\u200b",
        "\ufeffn/a\u00ad",
        "\x00",
    ],
)
def test_a_cell_that_says_nothing_is_empty(text):
    assert is_empty(text)


@pytest.mark.parametrize("text", ["0", "---", "na", "nan.", "- -", "N / A", "nothing", "none of it", "0.0"])
def test_a_cell_that_says_something_is_not_empty(text):
    assert not is_empty(text)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("  LAWSON   AFI ", "LAWSON AFI"),
        ("LAWSON\xa0\u202f\u2009AFI", "LAWSON AFI"),
        ("two\r\nlines\tof it", "two lines of it"),
        ("D’ALMEIDA", "D'ALMEIDA"),
        ("\ufeffNom\x00 Employeur\x07", "Nom Employeur"),
        ("Élise", "Élise"),
        ("LAW\u200bSON\u00ad A\u2066FI\ufeff", "LAWSON AFI"),
        ("\u200e45/RD\u200f", "45/RD"),
        ("\U000e0041A\u0600", "A"),
    ],
)
def test_text_is_trimmed_with_single_spaces_and_plain_apostrophes(text, clean):
    assert clean_text(text) == clean


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Numero de sinistre", "Numéro de Sinistre"),
        ("Numero de sinistre", "numero_de_sinistre"),
        ("N°_police", "Nº police"),
        ("N°_police", "№_police"),
        ("Catégorie d’acte", "Categorie d'acte"),
        ("N°cheque/Autre_Moyent_de_payement", "n° Chèque / autre moyent de payement"),
    ],
)
def test_spellings_of_one_header_have_one_key(one, other):
    assert header_key(one) == header_key(other)


def test_a_header_key_holds_letters_and_digits_only():
    assert header_key(" N°_Chèque (2) ") == "ncheque2"
    assert header_key("???") == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Énergie des  Lagunes", "ENERGIE DES LAGUNES"),
        ("CENTRE L’ESPOIR", "centre l'espoir"),
        ("E\u0301NERGIE", "Énergie"),
        ("Clinique\xa0Sarr", "CLINIQUE SARR"),
        ("CLINIQUE DU SACRÉ-CŒUR", "clinique du sacre-coeur"),
        ("LÆTITIA", "laetitia"),
        ("Straße ẞ", "STRASSE SS"),
        ("Of\ufb01ce \u0133", "OFFICE IJ"),
    ],
)
def test_spellings_of_one_label_have_one_key(one, other):
    assert label_key(one) == label_key(other)


def test_labels_that_differ_by_a_sign_stay_apart():
    assert label_key("PHARMACIE A-B") != label_key("PHARMACIE A B")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("LAWSON AFI", "Afi  Lawson"),
        ("D'ALMEIDA Gérard", "gerard d’almeida"),
        ("KOFFI-YAO, Essi", "Essi Koffi Yao"),
    ],
)
def test_spellings_of_one_person_have_one_key(one, other):
    assert name_key(one) == name_key(other)


def test_persons_with_different_names_stay_apart():
    assert name_key("LAWSON AFI") != name_key("LAWSON AFIA")
    assert name_key("LAWSON AFI") != name_key("LAWSON AFI AFI")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("45/RD / GB", "45/RD/GB"),
        (" sn-2022-1027 ", "SN 2022 1027"),
        ("6626059/TÉTÉ/2023", "6626059/Tete/2023"),
        ("1000308.0", "1000308"),
    ],
)
def test_spellings_of_one_reference_have_one_key(one, other):
    assert reference_key(one) == reference_key(other)


def test_a_reference_keeps_points_that_are_its_own():
    assert reference_text("12.05") == "12.05"
    assert reference_text("A.0") == "A.0"
    assert reference_key("///") == ""


def test_a_claim_number_is_in_capitals_without_white_space():
    assert claim_number(" rgltsntg 0000\xa00924\n") == "RGLTSNTG00000924"
    assert claim_number("20230001.0") == "20230001"


@pytest.mark.parametrize("text", ["2,0230E+16", "2.0230e16", "2E+16", "-1,5E-3", "12E-5", "\u200b2,E16 "])
def test_a_number_in_scientific_notation_has_lost_its_digits(text):
    assert has_lost_digits(text)


@pytest.mark.parametrize("text", ["12E5", "2E16", "45E", "E+5", "A2,0E+16", "2,0230E+16B", "2,0230", "20230", "", "-"])
def test_an_ordinary_reference_has_its_digits(text):
    assert not has_lost_digits(text)


@given(st.integers(min_value=10**11, max_value=10**20), st.sampled_from([",", "."]), st.integers(0, 9))
def test_every_number_that_a_spreadsheet_shortens_has_lost_its_digits(number, mark, decimals):
    assert has_lost_digits(f"{number:.{decimals}E}".replace(".", mark))


@given(names, st.sampled_from(["Œ", "œ", "Æ", "æ", "ß", "ẞ"]))
def test_a_ligature_and_its_letters_have_one_key(parts, ligature):
    letters = {"Œ": "OE", "Æ": "AE", "ß": "SS", "ẞ": "SS"}[ligature.upper() if ligature in "œæ" else ligature]
    for key in (header_key, label_key, name_key, reference_key):
        assert key(" ".join(parts) + ligature) == key(" ".join(parts) + letters)


@given(words, st.lists(st.characters(categories=["Cf"]), max_size=5), st.randoms(use_true_random=False))
def test_invisible_characters_never_tell_two_texts_apart(text, invisible, random):
    characters = list(text)
    for character in invisible:
        characters.insert(random.randint(0, len(characters)), character)
    for read in (clean_text, header_key, label_key, name_key, reference_key, claim_number):
        assert read("".join(characters)) == read(text)


@example("¨a")  # comes apart into a space and an accent
@given(words)
def test_reading_what_was_read_changes_nothing(text):
    for read in (clean_text, header_key, label_key, name_key, claim_number):
        assert read(read(text)) == read(text)


@given(words)
def test_a_reference_key_is_its_own_key(text):
    key = reference_key(text)
    assert reference_key(key) == key
    assert set(key) <= set(string.ascii_uppercase + string.digits)


@given(names, st.randoms(use_true_random=False), st.sampled_from([" ", "  ", "\xa0", " - ", "\t", ", "]))
def test_the_order_of_a_persons_names_does_not_matter(parts, random, between):
    shuffled = list(parts)
    random.shuffle(shuffled)
    assert name_key(between.join(shuffled)) == name_key(" ".join(parts))


@given(names)
def test_composed_and_decomposed_accents_have_one_key(parts):
    text = " ".join(parts)
    for key in (header_key, label_key, name_key, reference_key):
        assert key(unicodedata.normalize("NFD", text)) == key(unicodedata.normalize("NFC", text)) == key(text)


@given(st.text(alphabet=string.ascii_letters + string.digits + " éàçÉ-/'", max_size=30))
def test_case_never_tells_two_labels_apart(text):
    assert label_key(text.lower()) == label_key(text.upper()) == label_key(text)
