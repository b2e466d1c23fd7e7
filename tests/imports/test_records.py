"""DOMAIN §6: when two records are the same: within an import, in a later import, in another country."""

from __future__ import annotations

from typing import Any

import pytest

from core.models import Act, ActAlias, ActCategory
from tests.support.api_user import ApiUser, Outcome
from tests.support.pairs import Cells, line, matching_pair

pytestmark = pytest.mark.django_db

MARCH, SEPTEMBER, FEBRUARY, DECEMBER = "10/03/2024", "10/09/2024", "05/02/2024", "20/12/2024"


def one(number: str, policy: str, name: str, **fields: str) -> Cells:
    """A line of a principal under a policy, unless the caller gives other values."""
    return line(number, **({"policy_number": policy, "beneficiary": name, "main_insured": name} | fields))


FIRST = [
    one("IND1", "I1", "LAWSON AFI", employer=""),
    one("IND2", "I2", "LAWSON AFI", employer="Lawson, Afi"),
    one("IND3", "I3", "LAWSON KOFI", main_insured="LAWSON AFI", employer="AFI  LAWSON", insured_status="E"),
    one("IND4", "I4", "LAWSON AFI", main_insured="", employer="AFI LAWSON"),
    one("IND5", "I5", "LAWSON KOFI", main_insured="LAWSON AFI", employer="KOFI LAWSON", insured_status="E"),
    one("TWO1", "45/TW O", "LAWSON AFI", employer="Société Générale"),
    one("TWO2", "45-two", "Afi Lawson", employer="TOGOCOM"),
    one("TWO3", "45TWO", "MENSAH KOFI", employer="SOCIETE  GENERALE"),
    one("SOME", "SOME", "LAWSON AFI", employer=""),
    one("SOME", "SOME", "LAWSON AFI", employer="LONATO"),
    # Of one card, and of none; those without stand first in the file.
    one("CARD1", "C1", "Jane  Doe"),
    one("CARD2", "C1", "DOE JEANNE"),
    one("CARD3", "C1", "DOE JANE", card_number="SN-001"),
    one("CARD9", "C3", "DOE JANE", card_number="SN001"),
    one("CARD10", "C3", "DOE JEANNE"),
    one("CARD4", "C1", "JEANNE DOE", card_number="sn 001"),
    one("CARD5", "C2", "DOE JANE", card_number="sn.001"),
    one("CARD6", "C2", "DOE JANE", card_number="SN001"),
    one("CARD7", "C9", "DOE JANE"),
    one("TWIN1", "H", "TWIN ADA", card_number="1"),
    one("TWIN2", "H", "ADA TWIN", card_number="2"),
    one("MIS1", "M", "KOUASSI AMENAN"),
    one("MIS2", "M", "KOUASI AMENAN"),
    one("MIS3", "M", "KOUASSI AMENAN", partner="CLINIQUE BIASSA", employer="PORT DE LOMEE"),
    one("DED1", "D", "PETIT YAO", main_insured="GRAND YAO", insured_status="E"),
    one("DED2", "D", "FEMME YAO", main_insured="GRAND YAO", insured_status="C"),
    one("DED3", "D", "NEVEU YAO", main_insured="VIEUX YAO", insured_status=""),
    one("DED4", "D", "ONCLE YAO", insured_status=""),
    one("PW1", "PW", "FILS BODJONA", main_insured="PERE BODJONA", insured_status="E", employer="TOGOCOM"),
    one("PW2", "PW", "FILS BODJONA", main_insured="PERE BODJONA", insured_status="E", employer="LONATO"),
    one("PW3", "PW", "PERE BODJONA", employer="TOGOCOM"),
    one("WID1", "W", "LAWSON AFI", settlement_date=MARCH),
    one("WID2", "W", "LAWSON AFI", settlement_date=SEPTEMBER, plan="PLAN B"),
    one("ACT1", "A", "LAWSON AFI", act="cs  gén"),
    one("ACT2", "A", "LAWSON AFI", act="RADIO", act_category="PHARMACIE"),
    one("ACT2", "A", "LAWSON AFI", act="radio", act_category="IMAGERIE"),
    one("ACT2", "A", "LAWSON AFI", act="RADIO", act_category="imagérie"),
    one(
        "REF1",
        "R",
        "LAWSON AFI",
        partner="PHARMACIE UN",
        invoice_number="F/1",
        payment_reference="CHQ 7",
        operator="Ama",
    ),
    one(
        "REF2",
        "R",
        "LAWSON AFI",
        partner="Pharmacie  Un",
        invoice_number="f 1",
        payment_reference="chq-7",
        operator="AMA",
    ),
    one(
        "REF3",
        "R",
        "LAWSON AFI",
        partner="PHARMACIE DEUX",
        invoice_number="F/1",
        payment_reference="CHQ 7",
        plan="plan à",
    ),
]
SECOND = [
    one("CARD8", "C2", "DOE JEANNE", settlement_date=FEBRUARY),
    one("DED5", "D", "Yao Grand", card_number="G-1", settlement_date=FEBRUARY),
    one("DED6", "D", "VIEUX YAO", settlement_date=DECEMBER),
    one("DED7", "D", "NEVEU YAO", main_insured="VIEUX YAO", insured_status="E"),
    one("WID3", "W", "LAWSON AFI", settlement_date=FEBRUARY, plan="PLAN C"),
    one("WID4", "W", "LAWSON AFI", settlement_date=DECEMBER, plan="PLAN D"),
]


class World:
    """A country after two imports, and another after the first of them."""

    def __init__(self) -> None:
        heading = ActCategory.objects.create(name="CONSULTATIONS", key="CONSULTATIONS")
        self.act = Act.objects.create(name="CONSULTATION", key="CONSULTATION", category=heading)
        ActAlias.objects.create(name="CS GEN", act=self.act)
        self.api = ApiUser()
        self.first: Outcome = self.api.import_pair(*matching_pair(*FIRST))
        self.after_first = {m["id"]: m for m in self.api.all("memberships/")}
        self.insured_then = {i["id"]: i for i in self.api.all("insured/")}
        self.second: Outcome = self.api.import_pair(*matching_pair(*SECOND))
        self.claims = {number: self.api.get(f"claims/{c['id']}/") for number, c in self.api.claims().items()}
        self.insured = {i["id"]: i for i in self.api.all("insured/")}
        self.memberships = self.api.all("memberships/")
        self.abroad = ApiUser("BJ")
        self.third: Outcome = self.abroad.import_pair(*matching_pair(*FIRST))

    def person(self, number: str) -> int:
        return int(self.claims[number]["insured"]["id"])

    def members(self, policy: str) -> dict[str, dict[str, Any]]:
        """The memberships of a policy by the insured's name."""
        return {m["insured"]["name"]: m for m in self.memberships if m["policy"]["number"] == policy}

    def warnings(self, outcome: Outcome, code: str) -> list[str]:
        return [f["observation"] for f in outcome.findings_in("warning") if f["code"] == code]


@pytest.fixture(scope="module")
def world(database: None) -> World:
    return World()


def test_both_imports_are_done(world: World) -> None:
    assert (world.first.status, world.second.status) == ("DONE", "DONE")


# ------------------------------------------------------------------------------------------------ clients and policies


@pytest.mark.parametrize("number", ["IND1", "IND2", "IND3", "IND4"])
def test_an_individual_policy_has_no_client(number: str, world: World) -> None:
    assert world.claims[number]["client"] is None
    assert world.claims[number]["membership"]["client"] is None


def test_the_name_of_a_dependant_is_no_individual_policy(world: World) -> None:
    assert world.claims["IND5"]["client"]["name"] == "KOFI LAWSON"


def test_the_employer_counts_when_only_some_lines_of_the_claim_give_it(world: World) -> None:
    assert world.claims["SOME"]["client"]["name"] == "LONATO"


def test_a_policy_is_one_by_its_letters_and_figures_and_may_cover_several_clients(world: World) -> None:
    assert len({world.claims[n]["policy"]["id"] for n in ("TWO1", "TWO2", "TWO3")}) == 1
    assert world.claims["TWO1"]["policy"]["number"] == "45/TW O"
    assert [world.claims[n]["client"]["name"] for n in ("TWO1", "TWO2", "TWO3")] == [
        "Société Générale",
        "TOGOCOM",
        "Société Générale",
    ]


def test_a_person_under_two_clients_of_a_policy_has_two_memberships(world: World) -> None:
    assert world.person("TWO1") == world.person("TWO2")
    assert world.claims["TWO1"]["membership"]["id"] != world.claims["TWO2"]["membership"]["id"]


def test_a_plan_belongs_to_its_policy(world: World) -> None:
    plans = world.api.all("plans/")
    assert len([p for p in plans if p["policy"]["number"] == "R"]) == 1
    assert len([p for p in plans if p["name"] == "PLAN A"]) == len({p["policy"]["id"] for p in plans})


# ------------------------------------------------------------------------------------------------ people


def test_a_card_makes_one_person_in_all_policies_of_the_country(world: World) -> None:
    assert len({world.person(n) for n in ("CARD3", "CARD4", "CARD5", "CARD6", "CARD9")}) == 1
    assert world.insured[world.person("CARD3")]["card_number"] == "SN-001"


def test_a_line_without_card_joins_the_person_of_that_name_in_the_policy_wherever_it_stands(world: World) -> None:
    assert world.person("CARD1") == world.person("CARD3")


def test_another_spelling_known_by_the_card_leads_to_the_person(world: World) -> None:
    # In the policy where the card taught it, and in one where the person was known before.
    assert world.person("CARD2") == world.person("CARD10") == world.person("CARD3")
    assert world.api.get(f"insured/{world.person('CARD3')}/")["spellings"] == ["JEANNE DOE"]


def test_a_later_import_knows_the_spelling_in_every_policy_of_the_person(world: World) -> None:
    assert world.person("CARD8") == world.person("CARD5")


def test_one_name_in_two_policies_without_a_card_is_two_persons(world: World) -> None:
    assert world.person("CARD7") not in {world.person("CARD3"), world.person("CARD5")}


def test_two_cards_under_one_name_are_two_persons_and_a_warning(world: World) -> None:
    assert world.person("TWIN1") != world.person("TWIN2")
    (warning,) = world.warnings(world.first, "homonyms")
    assert "ADA TWIN" in warning


def test_misspellings_are_never_merged_only_listed(world: World) -> None:
    assert world.person("MIS1") != world.person("MIS2")
    assert world.claims["MIS1"]["partner"]["id"] != world.claims["MIS3"]["partner"]["id"]
    assert world.claims["MIS1"]["client"]["id"] != world.claims["MIS3"]["client"]["id"]
    assert any("AMENAN KOUASI" in text for text in world.warnings(world.first, "alike_insured"))
    assert any("CLINIQUE BIASSA" in text for text in world.warnings(world.first, "alike_partner"))
    assert any("PORT DE LOMEE" in text for text in world.warnings(world.first, "alike_client"))


def test_a_principal_without_a_line_is_deduced_once_and_is_a_warning(world: World) -> None:
    deduced = [i["name"] for i in world.insured_then.values() if i["is_deduced"]]
    assert sorted(deduced) == ["GRAND YAO", "LAWSON AFI", "LAWSON AFI", "VIEUX YAO"]
    assert sum("GRAND YAO" in text for text in world.warnings(world.first, "principal_deduced")) == 1
    (then,) = [m for m in world.after_first.values() if m["insured"]["name"] == "GRAND YAO"]
    assert (then["role"], then["principal"]) == ("primary", None)
    assert (then["first_settlement_date"], then["last_settlement_date"]) == (None, None)


def test_a_later_import_completes_a_deduced_principal(world: World) -> None:
    person = world.insured[world.person("DED5")]
    (then,) = [i for i in world.insured_then.values() if i["name"] == "GRAND YAO"]
    assert then["id"] == person["id"]
    assert (person["is_deduced"], person["card_number"]) == (False, "G-1")
    member = world.claims["DED5"]["membership"]
    assert (member["first_settlement_date"], member["last_settlement_date"]) == ("2024-02-05", "2024-02-05")
    assert world.claims["DED1"]["membership"]["principal"]["id"] == person["id"]


def test_a_deduced_principal_is_completed_by_lines_without_a_card_too(world: World) -> None:
    person = world.insured[world.person("DED6")]
    assert (person["is_deduced"], person["card_number"]) == (False, "")
    assert person["id"] in world.insured_then


def test_a_principal_has_a_membership_wherever_a_dependant_has_one(world: World) -> None:
    rows = [m for m in world.memberships if m["policy"]["number"] == "PW"]
    assert sorted((m["insured"]["name"], m["client"]["name"], m["role"]) for m in rows) == [
        ("FILS BODJONA", "LONATO", "child"),
        ("FILS BODJONA", "TOGOCOM", "child"),
        ("PERE BODJONA", "LONATO", "primary"),
        ("PERE BODJONA", "TOGOCOM", "primary"),
    ]
    assert {m["principal"]["name"] for m in rows if m["role"] == "child"} == {"PERE BODJONA"}


def test_the_membership_has_the_role(world: World) -> None:
    then = {m["insured"]["name"]: m["role"] for m in world.after_first.values() if m["policy"]["number"] == "D"}
    assert then == {
        "GRAND YAO": "primary",
        "VIEUX YAO": "primary",
        "ONCLE YAO": "primary",
        "PETIT YAO": "child",
        "FEMME YAO": "spouse",
        "NEVEU YAO": "other",
    }


def test_a_role_once_unknown_is_learnt_later(world: World) -> None:
    assert world.members("D")["NEVEU YAO"]["role"] == "child"


def test_the_dates_of_a_membership_widen_and_its_plan_is_the_latest(world: World) -> None:
    member = world.members("W")["LAWSON AFI"]
    then = world.after_first[member["id"]]
    assert (then["first_settlement_date"], then["last_settlement_date"]) == ("2024-03-10", "2024-09-10")
    assert then["plan"]["name"] == "PLAN B"
    assert (member["first_settlement_date"], member["last_settlement_date"]) == ("2024-02-05", "2024-12-20")
    assert member["plan"]["name"] == "PLAN D"


def test_the_second_import_creates_only_what_is_new(world: World) -> None:
    assert world.second.created() == {"plans": 2}
    assert world.second.session["claims_created_count"] == len(SECOND)


# ------------------------------------------------------------------------------------------------ acts, references


def test_an_alias_leads_to_its_act(world: World) -> None:
    (written,) = world.claims["ACT1"]["lines"]
    assert written["act"] == {"id": world.act.pk, "name": "CONSULTATION"}
    assert written["category"]["name"] == "PHARMACIE"


def test_a_new_act_takes_the_category_that_most_of_its_lines_have(world: World) -> None:
    (radio,) = world.api.all("acts/?name=RADIO")
    assert radio["category"]["name"] == "IMAGERIE"
    assert [one["category"]["name"] for one in world.claims["ACT2"]["lines"]] == ["PHARMACIE", "IMAGERIE", "IMAGERIE"]


def test_invoices_and_payments_belong_to_their_provider(world: World) -> None:
    lines = [world.claims[number]["lines"][0] for number in ("REF1", "REF2", "REF3")]
    for kind in ("invoice", "payment"):
        ids = [one[kind]["id"] for one in lines]
        assert ids[0] == ids[1] != ids[2]
    assert lines[0]["operator"] == lines[1]["operator"]
    assert lines[2]["operator"] is None


# ------------------------------------------------------------------------------------------------ countries


def test_another_country_shares_the_act_catalogue_and_nothing_else(world: World) -> None:
    created, abroad = world.first.created(), world.third.created()
    assert {name: count for name, count in created.items() if name not in ("acts", "act_categories")} == abroad
    lines = [api.claim("ACT2")["lines"] for api in (world.api, world.abroad)]
    assert lines[0][0]["act"] == lines[1][0]["act"]
    assert lines[0][0]["category"] == lines[1][0]["category"]
    for kind in (
        "claims",
        "clients",
        "policies",
        "plans",
        "insured",
        "memberships",
        "partners",
        "operators",
        "invoices",
        "payments",
    ):
        ids = [{row["id"] for row in api.all(f"{kind}/")} for api in (world.api, world.abroad)]
        assert all(ids)
        assert not ids[0] & ids[1]
