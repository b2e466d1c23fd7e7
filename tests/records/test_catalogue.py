"""Changes of the act catalogue: renaming, aliases, categories, merging, and undoing each of them (DOMAIN §11)."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from core import models as core
from dashboard.models import WatchMark
from tests.support.cast import Cast
from tests.support.records import Records, make_claim, make_line
from users.models import AuditEntry, Country

Ask = Callable[..., Any]


@pytest.fixture
def ask(cast: Cast) -> Ask:
    """Send a request as the global admin; → the JSON of an answer with this status."""
    client = cast.client("global_admin")

    def send(method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        response = getattr(client, method)(f"/api/v1/{path}", body, format="json")
        assert response.status_code == status, response.content
        return response.json()

    return send


@pytest.fixture
def acts(togo: Records, benin: Records) -> dict[str, core.Act]:
    """PARACETAMOL with an alias and a line in each country; PARACETAMOLS with two lines in Togo, in another category
    and month; IRM without lines.
    """
    other = core.ActCategory.objects.create(name="PHARMACIES", key="PHARMACIES")
    plural = core.Act.objects.create(name="PARACETAMOLS", key="PARACETAMOLS", category=other)
    irm = core.Act.objects.create(name="IRM", key="IRM", category=other)
    core.ActAlias.objects.create(act=plural, name="PARACETAMOLS 500")
    rows = {**togo.rows, "acts": plural, "act-categories": other}
    april = {"settlement_date": datetime.date(2024, 4, 10)}
    claim = make_claim(rows, togo.session.country, "TOGO-PLURAL", **april)
    make_line(rows, claim, 1)
    make_line(rows, claim, 2)
    return {"one": togo.rows["acts"], "plural": plural, "irm": irm}


def category_of(act: core.Act) -> core.ActCategory:
    return core.ActCategory.objects.get(acts=act)


def everything() -> dict[str, list[Any]]:
    """All of the catalogue and what refers to it."""
    return {
        "acts": list(core.Act.objects.order_by("pk").values_list("pk", "name", "key", "category_id")),
        "aliases": list(core.ActAlias.objects.order_by("key").values_list("name", "key", "act_id")),
        "categories": list(core.ActCategory.objects.order_by("pk").values_list("pk", "name", "key")),
        "category_aliases": list(core.ActCategoryAlias.objects.order_by("key").values_list("key", "category_id")),
        "lines": list(core.ClaimLine.objects.order_by("pk").values_list("pk", "act_id", "category_id")),
        "marks": list(WatchMark.objects.order_by("pk").values_list("pk", "key", "note")),
    }


# ------------------------------------------------------------------------------------------------ rename


def test_a_renamed_act_keeps_its_old_name_as_an_alias(ask: Ask, acts: dict[str, core.Act]) -> None:
    act = acts["plural"]
    answer = ask("post", f"acts/{act.pk}/rename/", {"name": "  Paracétamol   sirop "})
    assert answer["id"]
    assert (answer["kind"], answer["subject"]) == ("act_rename", act.pk)
    assert answer["moved"] == {"lines": 2, "countries": 1, "aliases": 1, "acts": 0, "categories": 0}
    shown = ask("get", f"acts/{act.pk}/")
    assert shown["name"] == "Paracétamol sirop"
    assert sorted(shown["aliases"]) == ["PARACETAMOLS", "PARACETAMOLS 500"]


def test_a_new_spelling_of_the_same_name_makes_no_alias(ask: Ask, acts: dict[str, core.Act]) -> None:
    ask("post", f"acts/{acts['irm'].pk}/rename/", {"name": "Irm"})
    assert ask("get", f"acts/{acts['irm'].pk}/")["aliases"] == []


def test_the_own_alias_becomes_the_name_again(ask: Ask, acts: dict[str, core.Act]) -> None:
    path = f"acts/{acts['plural'].pk}"
    ask("post", f"{path}/rename/", {"name": "Paracetamols 500"})
    assert ask("get", f"{path}/")["aliases"] == ["PARACETAMOLS"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("paracétamol", "Merge the two acts instead"),
        ("Paracetamol 500", "This name is an alias of act"),
        ("PARACETAMOLS", "It has this name already"),
        ("-.-", "letters or digits"),
        ("A" * 256, "At most 255"),
    ],
)
def test_a_name_that_is_taken_or_none_is_refused(ask: Ask, acts: dict[str, core.Act], name: str, reason: str) -> None:
    before = everything()
    refused = ask("post", f"acts/{acts['plural'].pk}/rename/", {"name": name}, status=400)
    assert reason in refused["name"][0]
    assert everything() == before


# ------------------------------------------------------------------------------------------------ aliases, category


def test_an_alias_is_added_listed_and_removed_by_name_or_id(ask: Ask, acts: dict[str, core.Act]) -> None:
    path = f"acts/{acts['irm'].pk}/aliases/"
    assert ask("post", path, {"name": "Imagerie"})["moved"]["aliases"] == 1
    assert [one["name"] for one in ask("get", path)] == ["Imagerie"]
    ask("delete", f"{path}?name=imagérie")
    second = ask("post", path, {"name": "Résonance"})
    (alias,) = ask("get", path)
    ask("delete", f"{path}?id={alias['id']}")
    assert ask("get", path) == []
    ask("delete", f"{path}?id={alias['id']}", status=404)
    ask("delete", path, status=400)
    # An alias of another act is not removed here.
    other = core.ActAlias.objects.get(act=acts["plural"])
    ask("delete", f"{path}?id={other.pk}", status=404)
    assert "depends on" in ask("post", f"catalogue-changes/{second['id']}/undo/", status=409)["detail"]


def test_an_alias_that_names_another_act_is_refused(ask: Ask, acts: dict[str, core.Act]) -> None:
    for name in ("Paracetamol", "paracetamol 500"):
        ask("post", f"acts/{acts['irm'].pk}/aliases/", {"name": name}, status=400)


def test_the_category_of_an_act_changes_and_not_that_of_its_lines(ask: Ask, acts: dict[str, core.Act]) -> None:
    act, before = acts["plural"], everything()
    wanted = category_of(acts["one"])
    answer = ask("post", f"acts/{act.pk}/category/", {"category": wanted.pk})
    assert answer["moved"] == {"lines": 0, "countries": 0, "aliases": 0, "acts": 1, "categories": 0}
    assert ask("get", f"acts/{act.pk}/")["category"]["id"] == wanted.pk
    assert everything()["lines"] == before["lines"]
    assert ask("get", f"acts/{act.pk}/usage/")["categories"] == [
        {"id": before["lines"][-1][2], "name": "PHARMACIES", "lines": 2}
    ]
    ask("post", f"acts/{act.pk}/category/", {"category": wanted.pk}, status=400)
    ask("post", f"acts/{act.pk}/category/", {"category": 999999}, status=400)
    ask("post", f"catalogue-changes/{answer['id']}/undo/")
    assert everything() == before


# ------------------------------------------------------------------------------------------------ merge


def test_merged_acts_give_lines_aliases_and_names_to_the_kept_one(ask: Ask, acts: dict[str, core.Act]) -> None:
    one, plural, irm = acts["one"], acts["plural"], acts["irm"]
    ids = [plural.pk, irm.pk]
    before = everything()
    preview = ask("post", f"acts/{one.pk}/merge/?dry_run=true", {"acts": ids})
    assert everything() == before
    assert preview["id"] is None
    assert preview["moved"] == {"lines": 2, "countries": 1, "aliases": 3, "acts": 2, "categories": 0}
    answer = ask("post", f"acts/{one.pk}/merge/", {"acts": ids})
    assert answer["moved"] == preview["moved"]
    assert not core.Act.objects.filter(pk__in=ids).exists()
    assert sorted(ask("get", f"acts/{one.pk}/")["aliases"]) == [
        "IRM", "PARACETAMOL 500", "PARACETAMOLS", "PARACETAMOLS 500"
    ]  # fmt: skip
    assert core.ClaimLine.objects.filter(act=one).count() == core.ClaimLine.objects.count()
    assert ask("get", f"acts/{one.pk}/usage/")["lines"] == 4


def test_undoing_a_merge_brings_everything_back_and_only_once(ask: Ask, acts: dict[str, core.Act]) -> None:
    before = everything()
    ids = [acts["plural"].pk, acts["irm"].pk]
    done = ask("post", f"acts/{acts['one'].pk}/merge/", {"acts": ids})
    undo = f"catalogue-changes/{done['id']}/undo/"
    ask("post", f"{undo}?dry_run=true")
    assert everything() != before
    answer = ask("post", undo)
    assert everything() == before
    assert answer["undone_at"]
    assert answer["undone_by"]
    ask("post", undo, status=409)
    ask("post", f"acts/{acts['one'].pk}/merge/", {"acts": ids})


def test_changes_are_undone_in_reverse_order_back_to_the_first_state(ask: Ask, acts: dict[str, core.Act]) -> None:
    before = everything()
    one, plural, irm = (acts[name].pk for name in ("one", "plural", "irm"))
    category, other = category_of(acts["one"]).pk, category_of(acts["plural"]).pk
    done = [
        ask("post", f"acts/{plural}/rename/", {"name": "Sirop"}),
        ask("post", f"acts/{irm}/aliases/", {"name": "Imagerie"}),
        ask("post", f"acts/{irm}/category/", {"category": category}),
        ask("post", f"acts/{plural}/merge/", {"acts": [irm]}),
        ask("post", f"act-categories/{category}/merge/", {"categories": [other]}),
        ask("post", f"acts/{one}/merge/", {"acts": [plural]}),
        ask("delete", f"acts/{one}/aliases/?name=Imagerie"),
        ask("post", f"act-categories/{category}/rename/", {"name": "Médicaments"}),
    ]
    # What others depend on is refused, whatever the order in which it is tried.
    for change in (done[0], done[1], done[2], done[3], done[5]):
        assert "Undo that one first" in ask("post", f"catalogue-changes/{change['id']}/undo/", status=409)["detail"]
    for change in reversed(done):
        ask("post", f"catalogue-changes/{change['id']}/undo/")
    assert everything() == before


@pytest.mark.parametrize("ids", [[], ["self"], [999999], ["x"]])
def test_a_merge_of_nothing_itself_or_what_is_no_act_is_refused(
    ask: Ask, acts: dict[str, core.Act], ids: list[Any]
) -> None:
    before = everything()
    named = [acts["one"].pk if one == "self" else one for one in ids]
    assert "acts" in ask("post", f"acts/{acts['one'].pk}/merge/", {"acts": named}, status=400)
    assert everything() == before


def test_the_history_of_an_absorbed_act_is_shown_with_the_kept_one(
    ask: Ask, acts: dict[str, core.Act], cast: Cast
) -> None:
    from core.catalogue.history import history_of

    renamed = ask("post", f"acts/{acts['irm'].pk}/rename/", {"name": "Imagerie"})
    first = ask("post", f"acts/{acts['plural'].pk}/merge/", {"acts": [acts["irm"].pk]})
    second = ask("post", f"acts/{acts['one'].pk}/merge/", {"acts": [acts["plural"].pk]})
    found = history_of(acts["one"], user=cast.superuser)
    assert [change.pk for change in found] == [second["id"], first["id"], renamed["id"]]
    assert not history_of(acts["one"], user=cast.togo_admin).exists()
    listed = ask("get", "catalogue-changes/?kind=act_merge")
    assert [one["id"] for one in listed["results"]] == [second["id"], first["id"]]
    assert [one["id"] for one in ask("get", f"catalogue-changes/?act={acts['irm'].pk}")["results"]] == [
        first["id"], renamed["id"]
    ]  # fmt: skip


def test_an_undo_that_would_bring_back_a_name_taken_meanwhile_is_refused(ask: Ask, acts: dict[str, core.Act]) -> None:
    removed = ask("delete", f"acts/{acts['plural'].pk}/aliases/?name=paracetamols 500")
    other = core.Act.objects.create(name="PARACETAMOLS 500", key="PARACETAMOLS 500", category=category_of(acts["irm"]))
    before = everything()
    undo = f"catalogue-changes/{removed['id']}/undo/"
    assert "belongs to another act" in ask("post", undo, status=409)["detail"]
    other.delete()
    core.ActAlias.objects.create(name="PARACETAMOLS 500", act=acts["irm"])
    assert "belongs to another act" in ask("post", undo, status=409)["detail"]
    core.ActAlias.objects.filter(act=acts["irm"]).delete()
    ask("post", undo)
    assert before != everything()


def test_lines_that_came_after_a_merge_stay_with_the_kept_act(
    ask: Ask, acts: dict[str, core.Act], togo: Records
) -> None:
    done = ask("post", f"acts/{acts['one'].pk}/merge/", {"acts": [acts["plural"].pk]})
    claim = make_claim(togo.rows, togo.session.country, "LATER")
    later = make_line(togo.rows, claim, 1)
    ask("post", f"catalogue-changes/{done['id']}/undo/")
    assert core.ClaimLine.objects.get(pk=later.pk).act_id == acts["one"].pk
    assert core.ClaimLine.objects.filter(act=acts["plural"]).count() == 2


# ------------------------------------------------------------------------------------------------ categories


def test_merged_categories_give_acts_and_lines_to_the_kept_one(ask: Ask, acts: dict[str, core.Act]) -> None:
    before = everything()
    kept, other = category_of(acts["one"]).pk, category_of(acts["plural"]).pk
    ask("post", f"act-categories/{other}/aliases/", {"name": "Officine"})
    path = f"act-categories/{kept}/merge/"
    preview = ask("post", f"{path}?dry_run=true", {"categories": [other]})
    done = ask("post", path, {"categories": [other]})
    assert preview["moved"] == done["moved"]
    assert done["moved"] == {"lines": 2, "countries": 1, "aliases": 2, "acts": 2, "categories": 1}
    assert set(core.ClaimLine.objects.values_list("category_id", flat=True)) == {kept}
    assert set(core.Act.objects.values_list("category_id", flat=True)) == {kept}
    assert sorted(ask("get", f"act-categories/{kept}/")["aliases"]) == ["Officine", "PHARMACIES"]
    ask("post", f"catalogue-changes/{done['id']}/undo/")
    ask("delete", f"act-categories/{other}/aliases/?name=officine")
    assert everything() == before


def test_a_category_is_renamed_and_a_name_that_is_taken_is_refused(ask: Ask, acts: dict[str, core.Act]) -> None:
    other = category_of(acts["plural"]).pk
    refused = ask("post", f"act-categories/{other}/rename/", {"name": "Pharmacie"}, status=400)
    assert "Merge the two categories instead" in refused["name"][0]
    ask("post", f"act-categories/{other}/rename/", {"name": "Officine"})
    shown = ask("get", f"act-categories/{other}/")
    assert (shown["name"], shown["aliases"]) == ("Officine", ["PHARMACIES"])


# ------------------------------------------------------------------------------------------------ figures follow


def figures(cast: Cast, name: str) -> dict[str, Any]:
    """Act → reimbursed amount, by the ranking of an account."""
    answer = cast.client(name).get("/api/v1/dashboard/rankings/?by=act").json()
    return {row["name"]: Decimal(row["reimbursed"]) for row in answer["rows"]}


def test_the_figures_of_every_country_follow_a_merge_a_new_name_and_their_undo(
    ask: Ask, acts: dict[str, core.Act], cast: Cast
) -> None:
    before = {name: figures(cast, name) for name in ("togo_head", "benin_head", "superuser")}
    assert before["togo_head"] == {"PARACETAMOL": Decimal(4000), "PARACETAMOLS": Decimal(8000)}
    merged = ask("post", f"acts/{acts['one'].pk}/merge/", {"acts": [acts["plural"].pk]})
    assert figures(cast, "togo_head") == {"PARACETAMOL": Decimal(12000)}
    renamed = ask("post", f"acts/{acts['one'].pk}/rename/", {"name": "Sirop"})
    assert figures(cast, "togo_head") == {"Sirop": Decimal(12000)}
    assert figures(cast, "benin_head") == {"Sirop": Decimal(4000)}
    for change in (renamed, merged):
        ask("post", f"catalogue-changes/{change['id']}/undo/")
    assert {name: figures(cast, name) for name in before} == before


def test_every_country_gets_a_new_version_so_that_waiting_imports_plan_again(
    ask: Ask, acts: dict[str, core.Act]
) -> None:
    before = dict(Country.objects.values_list("pk", "data_version"))
    done = ask("post", f"acts/{acts['irm'].pk}/aliases/", {"name": "Imagerie"})
    ask("post", f"catalogue-changes/{done['id']}/undo/")
    assert dict(Country.objects.values_list("pk", "data_version")) == {pk: n + 2 for pk, n in before.items()}


def test_explained_rows_of_the_watch_list_follow_the_merged_act(
    ask: Ask, acts: dict[str, core.Act], togo: Records, cast: Cast
) -> None:
    rows = {**togo.rows, "acts": acts["plural"]}
    for number in ("TWICE-1", "TWICE-2"):
        claim = make_claim(rows, togo.session.country, number)
        make_line(rows, claim, 1, incident_date=datetime.date(2024, 3, 9))
    head = cast.client("togo_head")
    address = "/api/v1/dashboard/watch-list/"

    def shown() -> list[Any]:
        return list(head.get(f"{address}?rule=same_act_twice").json()["rows"])

    (row,) = shown()
    body = {"rule": "same_act_twice", "key": row["key"], "note": "Two bottles"}
    assert head.post(f"{address}seen/", body, format="json").status_code == 200
    assert shown() == []
    before = everything()
    done = ask("post", f"acts/{acts['one'].pk}/merge/", {"acts": [acts["plural"].pk]})
    assert shown() == []
    assert WatchMark.objects.get().key == row["key"].replace(f"act={acts['plural'].pk}|", f"act={acts['one'].pk}|")
    ask("post", f"catalogue-changes/{done['id']}/undo/")
    assert everything() == before
    assert shown() == []


def test_an_earlier_version_of_a_claim_keeps_the_name_that_the_act_had(
    ask: Ask, acts: dict[str, core.Act], togo: Records, cast: Cast
) -> None:
    line = {"act_id": acts["plural"].pk, "act": "PARACETAMOLS", "position": 1}
    core.ClaimRevision.objects.create(
        country=togo.session.country, claim=togo.rows["claims"], number="T", before={"number": "T", "lines": [line]}
    )
    ask("post", f"acts/{acts['one'].pk}/merge/", {"acts": [acts["plural"].pk]})
    path = f"/api/v1/claims/{togo.rows['claims'].pk}/revisions/"
    assert cast.client("togo_head").get(path).json()["results"][0]["before"]["lines"] == [line]


# ------------------------------------------------------------------------------------------------ candidates


def pairs(ask: Ask, of: str = "acts") -> list[tuple[str, str]]:
    return [(one["kept"]["name"], one["other"]["name"]) for one in ask("get", f"{of}/candidates/")["results"]]


def test_nearly_identical_names_are_offered_the_one_with_more_lines_first(ask: Ask, acts: dict[str, core.Act]) -> None:
    category = category_of(acts["irm"])
    names = ["CONSULTATIONS GENERALES", "CONSULTATION GENERALE", "CONSULTATION GENERALA", "VACCIN 1", "VACCIN 2", "IRN"]
    for name in names:
        core.Act.objects.create(name=name, key=name, category=category)
    found = pairs(ask)
    assert ("PARACETAMOL", "PARACETAMOLS") in found
    assert {frozenset(pair) for pair in found} == {
        frozenset(("PARACETAMOL", "PARACETAMOLS")),
        frozenset(("CONSULTATIONS GENERALES", "CONSULTATION GENERALE")),
        frozenset(("CONSULTATIONS GENERALES", "CONSULTATION GENERALA")),
        frozenset(("CONSULTATION GENERALE", "CONSULTATION GENERALA")),
    }
    assert pairs(ask, "act-categories") == [("PHARMACIE", "PHARMACIES")]


def test_different_is_remembered_across_a_new_name_and_a_merge_until_taken_back(
    ask: Ask, acts: dict[str, core.Act]
) -> None:
    one, plural, irm = (acts[name].pk for name in ("one", "plural", "irm"))
    decide = "acts/candidates/decide/"
    ask("post", decide, {"acts": [one, plural], "decision": "different"})
    ask("post", decide, {"acts": [one, plural], "decision": "different"})
    assert pairs(ask) == []
    ask("post", f"acts/{plural}/rename/", {"name": "Paracetamols x"})
    ask("post", f"acts/{plural}/rename/", {"name": "PARACETAMOLE"})
    assert pairs(ask) == []
    ask("post", f"acts/{irm}/rename/", {"name": "PARACETAMOLL"})
    assert len(pairs(ask)) == 2
    ask("post", f"acts/{irm}/merge/", {"acts": [plural]})
    assert pairs(ask) == []
    ask("post", decide, {"acts": [one, irm], "decision": "open"})
    assert len(pairs(ask)) == 1


def test_same_merges_the_pair_into_the_one_with_more_lines_or_the_one_named(
    ask: Ask, acts: dict[str, core.Act]
) -> None:
    one, plural = acts["one"].pk, acts["plural"].pk
    decide = "acts/candidates/decide/"
    answer = ask("post", decide, {"acts": [one, plural], "decision": "same", "keep": plural})
    assert answer["change"]["subject"] == plural
    ask("post", f"catalogue-changes/{answer['change']['id']}/undo/")
    core.ClaimLine.objects.filter(act=plural).first().delete()  # type: ignore[union-attr]
    assert ask("post", decide, {"acts": [one, plural], "decision": "same"})["change"]["subject"] == one
    ask("post", decide, {"acts": [one, plural], "decision": "same"}, status=404)
    ask("post", decide, {"acts": [one], "decision": "different"}, status=400)


# ------------------------------------------------------------------------------------------------ who, and the trail


def test_a_change_is_audited_with_ids_and_counts_alone(ask: Ask, acts: dict[str, core.Act]) -> None:
    done = ask("post", f"acts/{acts['one'].pk}/merge/", {"acts": [acts["plural"].pk]})
    entry = AuditEntry.objects.filter(object_type="core.act").latest("pk")
    assert (entry.action, entry.object_id, entry.country_id) == ("update", acts["one"].pk, None)
    assert entry.data == {"change": done["id"], "kind": "act_merge", **done["moved"]}


def test_only_global_roles_change_the_catalogue_and_read_its_history(
    acts: dict[str, core.Act], cast: Cast, ask: Ask
) -> None:
    done = ask("post", f"acts/{acts['irm'].pk}/aliases/", {"name": "Imagerie"})
    before = everything()

    def status(client: APIClient, method: str, path: str, body: Any = None) -> int:
        return int(getattr(client, method)(f"/api/v1/{path}", body, format="json").status_code)

    for name in ("togo_admin", "togo_head", "togo_operator"):
        client = cast.client(name)
        for method, path, body in (
            ("post", f"acts/{acts['irm'].pk}/rename/", {"name": "X"}),
            ("post", f"acts/{acts['irm'].pk}/aliases/", {"name": "X"}),
            ("delete", f"acts/{acts['irm'].pk}/aliases/?name=Imagerie", None),
            ("post", f"acts/{acts['one'].pk}/merge/?dry_run=true", {"acts": [acts["irm"].pk]}),
            ("get", "acts/candidates/", None),
            ("get", "catalogue-changes/", None),
            ("post", f"catalogue-changes/{done['id']}/undo/", None),
        ):
            assert status(client, method, path, body) == 403, (name, path)
        assert status(client, "get", f"acts/{acts['irm'].pk}/aliases/") == 200
    assert everything() == before
