"""Imports beside changes of the act catalogue: each follows the other (DOMAIN §6, §11)."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from django.db import connection, connections

from core.catalogue import services
from core.integrity import dangling_references
from core.models import Act, ActCategory, Change, ClaimLine
from file_handling.models import ImportSession
from tests.support.api_user import ApiUser, Outcome
from tests.support.pairs import line, matching_pair
from users.models import Role, User

pytestmark = pytest.mark.django_db(transaction=True)

PLURAL = {"act": "PARACETAMOLS", "act_category": "PHARMACIES"}


@pytest.fixture
def editor() -> User:
    return User.objects.create_user(username="editor", email="editor@example.org", role=Role.ADMIN_GLOBAL)


def act(key: str) -> Act:
    return Act.objects.get(key=key)


def category(key: str) -> ActCategory:
    return ActCategory.objects.get(key=key)


def merge_all(editor: User) -> list[Change]:
    """Merge the plural act and the plural category into the singular ones."""
    pairs: list[tuple[Any, Any]] = [
        (act("PARACETAMOL"), act("PARACETAMOLS")),
        (category("PHARMACIE"), category("PHARMACIES")),
    ]
    changes = []
    for kept, absorbed in pairs:
        change = services.merge(actor=editor, kept=kept, absorbed=[absorbed.pk]).change
        assert change is not None
        changes.append(change)
    return changes


def acts_of_lines() -> set[tuple[str, str]]:
    return set(ClaimLine.objects.values_list("act__name", "category__name"))


def test_the_next_imports_of_every_country_follow_the_aliases_of_acts_and_categories(editor: User) -> None:
    togo, benin = ApiUser("TG"), ApiUser("BJ")
    togo.import_pair(*matching_pair(line("A1"), line("A2", **PLURAL)))
    changes = merge_all(editor)
    here = togo.import_pair(*matching_pair(line("A3", **PLURAL)))
    there = benin.import_pair(*matching_pair(line("B1", act="Paracétamols", act_category="pharmacies")))
    assert (here.status, there.status) == ("DONE", "DONE")
    assert acts_of_lines() == {("PARACETAMOL", "PHARMACIE")}
    assert "acts" not in there.created()
    assert "act_categories" not in there.created()
    # The same file again: nothing has changed for it.
    again = togo.import_pair(*matching_pair(line("A1"), line("A2", **PLURAL)))
    assert again.session["outcome"]["claims_skipped"] == 2
    for change in reversed(changes):
        services.undo(actor=editor, change=change)
    benin.import_pair(*matching_pair(line("B2", **PLURAL)))
    assert acts_of_lines() == {("PARACETAMOL", "PHARMACIE"), ("PARACETAMOLS", "PHARMACIES")}


def in_a_thread(work: Callable[[], Any]) -> None:
    def alone() -> None:
        try:
            work()
        finally:
            connections.close_all()

    beside = Thread(target=alone)
    beside.start()
    beside.join()


@pytest.mark.parametrize("what", ["merge", "alias"])
def test_an_import_that_read_the_catalogue_before_a_change_plans_again(editor: User, what: str) -> None:
    togo, benin = ApiUser("TG"), ApiUser("BJ")
    togo.import_pair(*matching_pair(line("A1"), line("A2", **PLURAL)))
    named = PLURAL if what == "merge" else {"act": "DOLIPRANE"}
    late = benin.send(*matching_pair(line("B1", **named)))
    begun: list[str] = []

    def change() -> None:
        if what == "merge":
            merge_all(editor)
        else:
            services.add_alias(actor=editor, row=act("PARACETAMOL"), name="Doliprane")

    def after_the_snapshot(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        found = execute(sql, *more)
        if not begun and sql.startswith("SELECT") and 'FROM "core_act"' in sql:
            begun.append(sql)
            in_a_thread(change)
        return found

    with connection.execute_wrapper(after_the_snapshot):
        outcome = benin.run(late)
    assert begun
    assert outcome.status == "DONE", outcome.message
    assert set(ClaimLine.objects.filter(claim__number="B1").values_list("act__name", flat=True)) == {"PARACETAMOL"}
    assert not Act.objects.filter(key="DOLIPRANE").exists()
    assert dangling_references() == {}


def revert(api: ApiUser, outcome: Outcome) -> None:
    answer = api.steer(outcome.id, "revert")
    assert answer.status_code == 200, answer.content


def test_a_revert_leaves_acts_and_categories_on_which_the_catalogue_relies(editor: User) -> None:
    togo = ApiUser("TG")
    first = togo.import_pair(
        *matching_pair(
            line("A1"), line("A2", **PLURAL), line("A3", act="SCANNER", act_category="IMAGERIE"),
            line("A4", act="IRM", act_category="RADIO"),
        )
    )  # fmt: skip
    changes = merge_all(editor)
    moved = services.set_category(actor=editor, act=act("IRM"), category=category("IMAGERIE")).change
    services.add_alias(actor=editor, row=category("IMAGERIE"), name="Scanners")
    revert(togo, first)
    assert not ClaimLine.objects.exists()
    # RADIO was the category of IRM, which can have it back.
    assert set(Act.objects.values_list("name", flat=True)) == {"PARACETAMOL", "IRM"}
    assert set(ActCategory.objects.values_list("name", flat=True)) == {"PHARMACIE", "IMAGERIE", "RADIO"}
    assert moved is not None
    services.undo(actor=editor, change=moved)
    for change in reversed(changes):
        services.undo(actor=editor, change=change)
    assert set(Act.objects.values_list("name", "category__name")) == {
        ("PARACETAMOL", "PHARMACIE"), ("PARACETAMOLS", "PHARMACIES"), ("IRM", "RADIO")
    }  # fmt: skip


@pytest.mark.needs("postgresql")  # SQLite has one writer, for which all others wait
def test_merges_and_imports_of_several_countries_at_once_end_without_an_error(editor: User) -> None:
    """Real threads, each with a connection of its own: one merges and undoes, the others import."""
    countries = [ApiUser(code) for code in ("TG", "BJ")]
    countries[0].import_pair(*matching_pair(line("A1"), line("A2", **PLURAL)))
    waiting = {
        api.country.code: [
            api.send(*matching_pair(line(f"{api.country.code}-{n}-1"), line(f"{api.country.code}-{n}-2", **PLURAL)))
            for n in range(2)
        ]
        for api in countries
    }
    failures: list[BaseException] = []

    def imports(api: ApiUser) -> None:
        try:
            for session in waiting[api.country.code]:
                api.run(session)
        except BaseException as error:  # noqa: BLE001  (the test shows it)
            failures.append(error)
        finally:
            connections.close_all()

    threads = [Thread(target=imports, args=(api,)) for api in countries]
    for thread in threads:
        thread.start()
    done = 0
    while any(thread.is_alive() for thread in threads):
        for change in reversed(merge_all(editor)):
            services.undo(actor=editor, change=change)
        done += 1
    merge_all(editor)
    for thread in threads:
        thread.join()
    assert failures == []
    assert done >= 1
    sessions = ImportSession.objects.filter(pk__in=[one for ids in waiting.values() for one in ids])
    assert {(one.status, str(one.message_parts)) for one in sessions if one.status != "DONE"} == set()
    assert ClaimLine.objects.count() == 2 + 2 * 2 * 2
    assert acts_of_lines() == {("PARACETAMOL", "PHARMACIE")}
    assert dangling_references() == {}
