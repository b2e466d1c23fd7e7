"""Finding records as people type them (DOMAIN §4, keys)."""

from __future__ import annotations

import pytest

from core import filters
from core import models as core
from tests.support.cast import Cast
from tests.support.records import Records, make_claim, make_line


def found(cast: Cast, path: str, name: str = "togo_operator") -> list[int]:
    response = cast.client(name).get(f"/api/v1/{path}")
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["results"]]


@pytest.mark.parametrize(
    "typed", ["Adjoa Éléonore MENSAH", "mensah adjoa", "MENS éléo", "  Adjoa,  mensah ", "eleonore"]
)
def test_a_person_is_found_whatever_the_accents_case_and_order_of_the_words(typed: str, cast: Cast) -> None:
    person = core.Insured.objects.create(
        country=cast.togo, name="MENSAH Adjoa Éléonore", name_key="ADJOA ELEONORE MENSAH"
    )
    core.Insured.objects.create(country=cast.togo, name="MENSAN Adjo", name_key="ADJO MENSAN")
    assert found(cast, f"insured/?search={typed}") == [person.pk]
    assert found(cast, f"insured/?name={typed}") == [person.pk]


def test_the_middle_of_a_word_finds_no_person(cast: Cast) -> None:
    core.Insured.objects.create(country=cast.togo, name="DANIEL", name_key="DANIEL")
    assert found(cast, "insured/?search=ani") == []


def test_a_person_is_found_by_another_known_spelling_and_by_card_number(cast: Cast, togo: Records) -> None:
    pk = togo.rows["insured"].pk
    assert found(cast, "insured/?search=affi TOGOCANARY") == [pk]
    assert found(cast, "insured/?search=c togocanary") == [pk]
    assert found(cast, "memberships/?search=affi") == [togo.rows["memberships"].pk]
    # Words of two different spellings do not match together.
    assert found(cast, "insured/?search=affi afi") == []


def test_a_label_is_found_by_its_words_in_any_order(cast: Cast) -> None:
    port = core.Client.objects.create(country=cast.togo, name="Port Autonome de Lomé", key="PORT AUTONOME DE LOME")
    assert found(cast, "clients/?search=lomé port") == [port.pk]
    assert found(cast, "clients/?search=lomé cotonou") == []


def test_a_reference_is_found_whatever_its_punctuation(cast: Cast) -> None:
    policy = core.Policy.objects.create(country=cast.togo, number="45/RD/GB", key="45RDGB")
    assert found(cast, "policies/?search=45-rd") == [policy.pk]
    assert found(cast, "policies/?search=rd gb") == [policy.pk]
    assert found(cast, "policies/?search=%25") == []


@pytest.mark.parametrize("most_ids", [0, 1, filters.MOST_IDS])
def test_a_claim_is_found_by_its_number_person_policy_or_provider(
    most_ids: int, cast: Cast, togo: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However many persons, policies and providers match.
    monkeypatch.setattr(filters, "MOST_IDS", most_ids)
    claim = togo.rows["claims"]
    other = make_claim(
        {
            **togo.rows,
            "insured": core.Insured.objects.create(country=cast.togo, name="X", name_key="X"),
            "policies": core.Policy.objects.create(country=cast.togo, number="9", key="9"),
            "partners": core.Partner.objects.create(country=cast.togo, name="Y", key="Y"),
        },
        cast.togo,
        "ZZZ",
    )
    for typed in ("canary-1", "afi togocanary", "affi", "c-togocanary", "45 togo", "clinic"):
        for name in ("togo_operator", "superuser"):
            assert found(cast, f"claims/?search={typed}", name) == [claim.pk], typed
    for typed in ("zz", "...", "nobody", "99999"):
        assert found(cast, f"claims/?search={typed}") == [], typed
    assert found(cast, "claims/?search=zzz") == [other.pk]


def test_letters_alone_find_a_claim_by_its_whole_number_only(cast: Cast, togo: Records) -> None:
    claim = make_claim(togo.rows, cast.togo, "ABCDE")
    assert found(cast, "claims/?search=abc de") == [claim.pk]
    assert found(cast, "claims/?search=abc") == []


def test_an_act_is_found_by_its_alias(cast: Cast, togo: Records) -> None:
    assert found(cast, "acts/?search=500 para") == [togo.rows["acts"].pk]


def test_claims_are_filtered_by_values_of_their_lines_and_listed_once(cast: Cast, togo: Records) -> None:
    claim = togo.rows["claims"]
    make_line(togo.rows, claim, 2)
    other = core.Act.objects.create(name="SCAN", key="SCAN", category=togo.rows["act-categories"])
    for field, key in {
        "act": "acts",
        "category": "act-categories",
        "operator": "operators",
        "invoice": "invoices",
        "payment": "payments",
    }.items():
        assert found(cast, f"claims/?{field}={togo.rows[key].pk}") == [claim.pk]
    assert found(cast, f"claims/?act={other.pk}") == []
    assert len(found(cast, f"claim-lines/?claim={claim.pk}")) == 2


def test_claims_are_filtered_by_amount(cast: Cast, togo: Records) -> None:
    claim = togo.rows["claims"]
    assert found(cast, "claims/?claimed_amount_min=5000&claimed_amount_max=5000") == [claim.pk]
    assert found(cast, "claims/?reimbursed_amount_min=4000.01") == []


@pytest.mark.parametrize(
    "query",
    [
        "clientt=3",
        "page=0",
        "page=first",
        "page_size=-1",
        "page_size=many",
        "claimed_amount_min=1e999999",
        "claimed_amount_min=NaN",
        "search=" + "x" * 300,
        "role=boss",
    ],
)
def test_a_list_refuses_parameters_that_it_does_not_know(query: str, cast: Cast, togo: Records) -> None:
    response = cast.client("togo_operator").get(f"/api/v1/claims/?{query}")
    assert response.status_code == 400
    name = query.split("=")[0]
    assert any(name.startswith(key) for key in response.json()), response.json()


def test_a_filter_by_yes_or_no_takes_true_or_false_only(cast: Cast, togo: Records) -> None:
    assert found(cast, "insured/?is_deduced=false") == [togo.rows["insured"].pk]
    assert found(cast, "insured/?is_deduced=true") == []
    assert cast.client("togo_operator").get("/api/v1/insured/?is_deduced=maybe").status_code == 400


def test_searching_and_filtering_never_reach_another_country(cast: Cast, togo: Records, benin: Records) -> None:
    client = cast.client("benin_admin")
    for path in ("clients", "policies", "plans", "insured", "insured-spellings", "memberships", "partners"):
        assert client.get(f"/api/v1/{path}/?search=TOGOCANARY").json()["count"] == 0, path
    for path in ("operators", "invoices", "payments", "claims"):
        assert client.get(f"/api/v1/{path}/?search=TOGOCANARY").json()["count"] == 0, path
