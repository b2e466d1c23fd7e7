"""Pages of the act catalogue: changing it, the candidates, the history with undo (DOMAIN §11)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from core import models as core
from core.catalogue import services
from tests.support.cast import Cast
from tests.support.page_text import text_of
from tests.support.records import Records, make_claim, make_line


@pytest.fixture
def plural(togo: Records) -> core.Act:
    """PARACETAMOLS with one line, beside PARACETAMOL."""
    act = core.Act.objects.create(name="PARACETAMOLS", key="PARACETAMOLS", category=togo.rows["act-categories"])
    rows = {**togo.rows, "acts": act}
    make_line(rows, make_claim(rows, togo.session.country, "PLURAL"), 1)
    return act


def browser(cast: Cast, name: str) -> Client:
    client = Client()
    client.force_login(cast.users[name])
    client.cookies["django_language"] = "en"
    return client


def post(client: Client, path: str, **form: Any) -> Any:
    return client.post(path, form, follow=True)


def test_a_merge_is_searched_previewed_confirmed_and_undone(cast: Cast, togo: Records, plural: core.Act) -> None:
    client, kept = browser(cast, "global_admin"), togo.rows["acts"]
    address = f"/acts/{kept.pk}/catalogue/"
    assert "PARACETAMOLS" in text_of(client.get(f"{address}?q=paracetamols"))
    preview = post(client, address, do="merge", other=[plural.pk])
    assert "“PARACETAMOLS” became “PARACETAMOL”." in text_of(preview)
    assert "Claim lines 1 Countries of these lines 1" in text_of(preview)
    assert core.Act.objects.filter(pk=plural.pk).exists()
    done = post(client, address, do="merge", other=[plural.pk], confirmed="yes")
    assert done.redirect_chain == [(f"/acts/{kept.pk}/", 302)]
    assert "2 lines have this name" in text_of(done)
    assert "PARACETAMOL 500, PARACETAMOLS" in text_of(done)
    change = core.Change.objects.get(kind="act_merge")
    assert "Undo" in text_of(client.get("/catalogue-changes/"))
    undone = post(client, f"/catalogue-changes/{change.pk}/undo/")
    assert f"Change {change.pk} was undone" in text_of(undone)
    assert core.ClaimLine.objects.filter(act=plural).count() == 1


def test_name_alias_and_category_are_changed_after_a_preview(cast: Cast, togo: Records, plural: core.Act) -> None:
    client, address = browser(cast, "superuser"), f"/acts/{plural.pk}/catalogue/"
    other = core.ActCategory.objects.create(name="SIROPS", key="SIROPS")
    for form in (
        {"do": "rename", "name": "Sirop"},
        {"do": "alias", "name": "Toux"},
        {"do": "category", "category": other.pk},
    ):
        assert "What would change" in text_of(post(client, address, **form))
        assert post(client, address, **form, confirmed="yes").status_code == 200
    plural.refresh_from_db()
    assert (plural.name, plural.category) == ("Sirop", other)
    alias = plural.aliases.get(name="Toux")
    post(client, address, do="unalias", alias=alias.pk, confirmed="yes")
    page = text_of(client.get(f"/acts/{plural.pk}/"))
    assert "PARACETAMOLS” is called “Sirop” now" in page
    assert "“Toux” is no longer an alias of “Sirop”" in page
    assert "went from the category “PHARMACIE” to “SIROPS”" in page
    # Its lines keep theirs.
    assert "PHARMACIE 1" in page


def test_what_is_refused_is_said_on_the_form(cast: Cast, togo: Records, plural: core.Act) -> None:
    client, address = browser(cast, "global_admin"), f"/acts/{plural.pk}/catalogue/"
    for form, reason in (
        ({"do": "rename", "name": "paracetamol"}, "Merge the two acts instead"),
        ({"do": "merge"}, "Name 1 to 200 to merge"),
        ({"do": "category"}, "Choose a category"),
        ({}, "Choose one of the forms"),
    ):
        refused = client.post(address, form)
        assert (refused.status_code, reason in text_of(refused)) == (400, True), form


def test_candidates_are_merged_or_called_different(cast: Cast, togo: Records, plural: core.Act) -> None:
    client = browser(cast, "global_admin")
    assert "1 pair waits" in text_of(client.get("/acts/candidates/"))
    answer = post(client, "/acts/candidates/", pair=[togo.rows["acts"].pk, plural.pk])
    assert "offered no more" in text_of(answer)
    assert "all pairs have an answer" in text_of(answer)


def test_a_category_has_a_list_a_page_and_forms(cast: Cast, togo: Records) -> None:
    client, category = browser(cast, "global_admin"), togo.rows["act-categories"]
    post(client, f"/act-categories/{category.pk}/catalogue/", do="rename", name="Officine", confirmed="yes")
    assert "Officine PHARMACIE" in text_of(client.get("/act-categories/"))
    page = text_of(client.get(f"/act-categories/{category.pk}/"))
    assert "Also written PHARMACIE" in page
    assert "1 act is in this category" in page


def test_accounts_of_a_country_see_use_and_aliases_but_neither_forms_nor_history(
    cast: Cast, togo: Records, benin: Records, plural: core.Act
) -> None:
    services.rename(actor=cast.superuser, row=plural, name="Sirop")
    page = text_of(browser(cast, "togo_operator").get(f"/acts/{togo.rows['acts'].pk}/"))
    # One line of Togo, and not that of Benin.
    assert "1 line has this name" in page
    assert "Also written PARACETAMOL 500" in page
    for hidden in ("History", "Rename, merge, aliases", "Undo"):
        assert hidden not in page
