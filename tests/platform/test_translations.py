"""French and English: the catalogue is whole and compiled, and a session speaks its user's language throughout."""

from __future__ import annotations

import re
from io import BytesIO
from typing import IO, Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo

from scripts.demo.terminal import language
from scripts.messages import MO, compiled, merged, read_french, untranslated, used_messages
from tests.support.api_user import ApiUser
from tests.support.pairs import line, recap_csv, row, stat_csv

NO_BREAK = "\N{NO-BREAK SPACE}"


def forms(text: Any) -> list[str]:
    """A message has one form, or one for each plural."""
    return list(text) if isinstance(text, tuple | list) else [text]


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)[a-z]|\{\w*\}|</?\w+>", text))


def misplaced(message: Message) -> bool:
    """Whether a French form names other things than the English does, which would fail or mislead when it is said."""
    said = [placeholders(english) for english in forms(message.id)]
    return any(placeholders(french) not in said for french in forms(message.string))


def entries(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


@pytest.fixture(scope="module")
def french() -> Catalog:
    return read_french()


def test_every_message_of_the_code_has_confirmed_french(french: Catalog) -> None:
    used = used_messages()
    assert len(entries(used)) > 300
    assert untranslated(used, french) == [], "run `make messages`, write the French, run it again"


def test_the_french_names_the_same_figures_and_files_as_the_english(french: Catalog) -> None:
    assert [message.id for message in entries(french) if misplaced(message)] == []


def test_the_compiled_catalogue_is_up_to_date(french: Catalog) -> None:
    def translations(file: IO[bytes]) -> dict[tuple[Any, str | None], Any]:
        return {(str(message.id), message.context): str(message.string) for message in entries(read_mo(file))}

    with MO.open("rb") as file:
        committed = translations(file)
    assert committed == translations(BytesIO(compiled(french))), "run `make messages`"


def test_the_french_follows_french_typography(french: Catalog) -> None:
    # An ordinary space lets the line break before a mark; `?type=` is an address.
    wrong = re.compile(rf" [:;!»]| \?(?!type)|«(?!{NO_BREAK})|[^{NO_BREAK}][»:;!?](?: |$)|[“”]|\w'\w")
    texts = [text for message in entries(french) for text in forms(message.string)]
    assert [text for text in texts if wrong.search(text)] == []


@pytest.mark.parametrize("flaw", ["absent", "empty", "not confirmed", "one plural empty"])
def test_a_message_without_confirmed_french_is_found(flaw: str) -> None:
    used, some = Catalog(), Catalog(locale="fr")
    used.add(("%(n)d claim", "%(n)d claims"))
    one = "" if flaw == "empty" else "%(n)d sinistre"
    more = "" if flaw in ("empty", "one plural empty") else "%(n)d sinistres"
    if flaw != "absent":
        some.add(("%(n)d claim", "%(n)d claims"), (one, more), flags=["fuzzy"] if flaw == "not confirmed" else [])
    assert untranslated(used, some) == ["%(n)d claim"]


def test_a_message_with_a_context_needs_french_of_its_own() -> None:
    used, some = Catalog(), Catalog(locale="fr")
    used.add("cancelled", context="session")
    some.add("cancelled", "annulé")
    assert untranslated(used, some) == ["cancelled"]


@pytest.mark.parametrize("text", ["%(rows)s lignes", "lignes", "%(row)d ligne"])
def test_a_placeholder_that_french_lost_or_changed_is_found(text: str) -> None:
    assert misplaced(Message("row %(row)s", text))
    assert not misplaced(Message("row %(row)s", "ligne %(row)s"))


def test_french_of_a_removed_message_is_used_again_when_the_message_comes_back() -> None:
    used, empty, some = Catalog(), Catalog(), Catalog(locale="fr")
    used.add("claim")
    some.add("claim", "sinistre")
    assert "claim" not in merged(some, empty)
    assert untranslated(used, merged(some, used)) == []


@pytest.mark.parametrize(
    ("variables", "spoken"),
    [
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "fr_TG.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_demo_uses_the_language_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], spoken: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language() == spoken


# ------------------------------------------------------------------------------------------------ through the door

STAT = [
    line("A1"),
    line("A2", "1234567,50", "1000", beneficiary="MENSAH KOKOU", main_insured="MENSAH KOKOU"),
    line("A3", "12 ???", "n/c"),
]
RECAP = [row("A1"), row("A2", "4000", "1000"), row("A3"), row("R1")]


class Texts:
    """The texts of one session: its outcome, its events, and its report by sheet as rows of texts."""

    def __init__(self, *, country: str, language: str) -> None:
        api = ApiUser(country)
        api.client.defaults["HTTP_ACCEPT_LANGUAGE"] = language
        self.outcome = api.import_pair(STAT, RECAP)
        self.events = [event["message"] for event in api.all(f"import-sessions/{self.outcome.id}/events/")]
        self.report = {
            sheet.title: [[str(cell) for cell in cells if cell is not None] for cells in sheet.values]
            for sheet in api.report(self.outcome.id)
        }

    def observation(self, category: str) -> str:
        (finding,) = self.outcome.findings_in(category)
        return str(finding["observation"])


@pytest.fixture(scope="module")
def in_french(database: None) -> Texts:
    return Texts(country="TG", language="fr-FR,fr;q=0.9,en;q=0.5")


@pytest.fixture(scope="module")
def in_english(database: None) -> Texts:
    return Texts(country="GH", language="en")


@pytest.mark.django_db
def test_a_session_started_in_french_has_french_texts(in_french: Texts) -> None:
    assert in_french.outcome.message == (
        f"1 sinistre importé. Non importés{NO_BREAK}: 2{NO_BREAK}; le rapport dit pourquoi."
    )
    assert in_french.observation("amount_gap") == (
        f"Facturé{NO_BREAK}: stat 1{NO_BREAK}234{NO_BREAK}567,50, récap 4{NO_BREAK}000,"
        f" écart 1{NO_BREAK}230{NO_BREAK}567,50. La tolérance est de 5."
    )
    assert in_french.observation("unreadable") == (
        f"Illisible. stat.csv, ligne 4{NO_BREAK}: montant facturé illisible («{NO_BREAK}12 ???{NO_BREAK}»)"
        f"{NO_BREAK}; montant remboursé illisible («{NO_BREAK}n/c{NO_BREAK}»)."
        " Corrigez ces cellules et importez de nouveau."
    )
    assert in_french.events[:2] == [
        f"Fichiers reçus{NO_BREAK}; en attente de traitement.",
        "Lecture du fichier statistique et de 1 page de récap.",
    ]
    assert in_french.events[-1] == in_french.outcome.message


@pytest.mark.django_db
def test_the_same_pair_started_in_english_has_english_texts(in_english: Texts) -> None:
    assert in_english.outcome.message == "1 claim imported. 2 were not imported: the report says why."
    assert in_english.observation("amount_gap") == (
        "Claimed: stat 1,234,567.50, recap 4,000, difference 1,230,567.50. The tolerance is 5."
    )
    assert in_english.observation("unreadable") == (
        "Cannot be read. stat.csv, row 4: the claimed amount “12 ???” cannot be read;"
        " the reimbursed amount “n/c” cannot be read."
        " Correct these cells and import again."
    )
    assert in_english.events[:2] == [
        "Files received; waiting for a worker.",
        "Reading the stat file and 1 recap page.",
    ]


@pytest.mark.django_db
def test_the_sheets_of_the_report_have_names_in_its_language(in_french: Texts, in_english: Texts) -> None:
    assert list(in_english.report) == [
        "Summary",
        "Unreadable",
        "Divergent in the recap",
        "Inconsistent",
        "Incomplete",
        "Amount gap",
        "Missing in the recap",
        "Differs from what is there",
        "Unreadable line",
        "In the recap only",
    ]
    assert list(in_french.report) == [
        "Synthèse",
        "Illisible",
        "Divergent dans le récap",
        "Incohérent",
        "Incomplet",
        "Écart de montant",
        "Absent du récap",
        "Diffère de l'existant",
        "Ligne illisible",
        "Dans le récap seulement",
    ]


@pytest.mark.django_db
def test_only_what_files_and_people_wrote_is_the_same_in_both_reports(in_french: Texts, in_english: Texts) -> None:
    def headings(texts: Texts) -> set[str]:
        summary, *lists = texts.report.values()
        return {cells[0] for cells in summary} | {header for sheet in lists for header in sheet[0]}

    assert headings(in_french) & headings(in_english) == {"Observation", "Plan", "Note"}


@pytest.mark.django_db
def test_a_refusal_is_in_the_language_of_the_request() -> None:
    api = ApiUser("BJ")
    api.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "fr"
    refused = api.post(recap_csv(RECAP, "mars.csv"), [stat_csv(STAT, "avril.csv")])
    assert refused.status_code == 400
    assert (
        f"«{NO_BREAK}mars.csv{NO_BREAK}» a été envoyé comme fichier statistique, mais ses colonnes sont celles"
        " d’un fichier récap. Envoyez chaque fichier à sa place."
    ) in str(refused.json()["detail"])
