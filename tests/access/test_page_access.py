"""Every page for every account: opened or refused by role and country, and nothing of another country on it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import resolve

from common.filters import IdFilter
from core.models import Premium
from file_handling.models import SessionStatus
from tests.support import canary
from tests.support.cast import SHUT_OUT, Cast
from tests.support.page_routes import (
    EVERYONE,
    GETS,
    LISTS,
    OPEN,
    PARTS,
    POSTS,
    is_let_in,
    page_routes,
    plain,
    signed_in,
)
from tests.support.records import Records, add_corrected_session, make_file, make_premium, make_session
from tests.support.routes import FOREIGN
from users.models import Country, User

UNKNOWN = "987654321"
# A word of the same length that no record has.
OTHER_WORD = "X" * len(canary.MARK)
OTHERS = [*FOREIGN, *SHUT_OUT, "anonymous"]
# Pages on which the admin of the marked country does not see the mark either: its absence proves nothing there.
UNMARKED = {
    "",
    "account/password/",
    "help/",
    "help/imports/",
    "search/",
    "imports/new/",
    "imports/new/waiting/",
    "imports/new/missing-pages/?ids={file}",
    "accounts/new/",
    "accounts/import/",
    "acts/",
    "act-categories/",
    "webhooks/new/",
    "premiums/import/",
    "premiums/import/template/",
    # They contain numbers only, or lead elsewhere.
    "imports/{session}/progress/",
    "imports/{session}/cancel/",
    "imports/{session}/corrections/",
    "corrections/{corrections}/withdraw/",
    "imports/{session}/delete/",
    "imports/{session}/revert/",
    # No names of records. The one claim with findings was imported, and no rule finds it.
    "figures/",
    "figures/imports/",
    *(f"figures/{name}/" for name in PARTS if name not in ("rankings", "quality", "loss-ratio")),
}


@pytest.fixture
def named(cast: Cast, togo: Records) -> dict[str, int]:
    add_corrected_session(togo)
    return canary.ids(cast, togo)


@pytest.mark.parametrize("address", sorted(GETS))
def test_a_page_opens_for_those_who_may_read_it(address: str, cast: Cast, named: dict[str, int]) -> None:
    opened = {
        name for name in [*EVERYONE, "anonymous"] if is_let_in(signed_in(cast, name).get(f"/{address}".format(**named)))
    }
    assert opened == GETS[address]


@pytest.mark.parametrize("address", sorted(POSTS))
def test_a_form_is_read_from_those_who_may_send_it(
    address: str, cast: Cast, named: dict[str, int], togo: Records
) -> None:
    allowed = set()
    for name in [*EVERYONE, "anonymous"]:
        # Each of them finds the records as they were.
        Country.objects.filter(pk=cast.togo.pk).update(is_active=True)
        account = User.objects.create(
            username=f"new-{name}", email=f"new-{name}@example.org", role="CHEF_DEPT_TECH", country=cast.togo
        )
        session = make_session(user=cast.togo_head, country=cast.togo, status=SessionStatus.PENDING)
        file = make_file(user=cast.togo_head, country=cast.togo, name="gone.csv")
        Premium.objects.all().delete()
        premium = make_premium(togo.rows["clients"], owner=cast.togo_head)
        ids = named | {"account": account.pk, "session": session.pk, "file": file.pk, "premiums": premium.pk}
        if is_let_in(signed_in(cast, name).post(f"/{address}".format(**ids))):
            allowed.add(name)
    assert allowed == POSTS[address]


def test_the_tables_name_every_page_and_form() -> None:
    gets, posts = {plain(address) for address in GETS}, {plain(address) for address in POSTS}
    # One of several values of a part of the address stands for all.
    for one, every in {
        "help/imports/": "help/*/",
        "figures/trends/": "figures/*/",
        "imports/*/findings/1/": "imports/*/findings/*/",
        "imports/*/findings/1/correct/": "imports/*/findings/*/correct/",
        "figures/watch-list/": "figures/*/",
        "imports/*/cancel/": "imports/*/*/",
        "accounts/*/deactivate/": "accounts/*/*/",
        "countries/*/deactivate/": "countries/*/*/",
        "webhooks/*/test/": "webhooks/*/*/",
    }.items():
        gets |= {every} if one in gets else set()
        posts |= {every} if one in posts else set()
    for address, view in page_routes():
        if address in OPEN:
            continue
        methods = view.view_class
        assert not hasattr(methods, "get") or address in gets, address
        assert not hasattr(methods, "post") or address in posts, address


@pytest.mark.parametrize("address", sorted(GETS))
def test_no_page_contains_data_of_another_country(
    address: str, cast: Cast, named: dict[str, int], benin: Records
) -> None:
    canary.mark_people(cast)
    canary.mark_country(cast)
    own = signed_in(cast, "togo_admin")
    # So that the audit trail and the history of the file are not empty.
    own.get(f"/files/{named['file']}/")
    path = f"/{address}".format(**named)
    first = own.get(path)
    if "togo_admin" in GETS[address]:
        assert _marked_below_its_head(first) == (address not in UNMARKED)
        assert "no-store" in first["Cache-Control"]
    for name in OTHERS:
        answer = signed_in(cast, name).get(path, headers=canary.conditional_headers(first))
        assert not _marked(answer, path), name


@pytest.mark.parametrize("address", LISTS)
def test_a_list_filtered_by_a_record_of_another_country_is_that_of_an_unknown_record(
    address: str, cast: Cast, named: dict[str, int], benin: Records
) -> None:
    """Its filters are shown with the names of the records: not with those of another country."""
    canary.mark_people(cast)
    canary.mark_country(cast)
    client = signed_in(cast, "benin_admin")
    filterset = resolve(f"/{address}").func.view_class.filterset_class  # type: ignore[attr-defined]
    for name, field in filterset.base_filters.items():
        if not isinstance(field, IdFilter) or name in ("act", "category", "claims_act", "claims_category"):
            continue
        shown = {value: client.get(f"/{address}?{name}={value}") for value in (str(named[name]), UNKNOWN)}
        either = re.compile(rf"(?<![0-9])({named[name]}|{UNKNOWN})(?![0-9])")
        pages = {value: either.sub("*", canary.page(answer)) for value, answer in shown.items()}
        assert {answer.status_code for answer in shown.values()} == {200}, name
        assert len(set(pages.values())) == 1, name


def test_the_search_finds_nothing_of_another_country(cast: Cast, togo: Records, benin: Records) -> None:
    canary.mark_people(cast)
    words = [canary.MARK, f"{canary.MARK}-1", f"C-{canary.MARK}", "45/" + canary.MARK]
    for name in FOREIGN:
        client = signed_in(cast, name)
        for word in words:
            found = canary.page(client.get("/search/", {"q": word}))
            unknown = canary.page(client.get("/search/", {"q": word.replace(canary.MARK, OTHER_WORD)}))
            assert found.replace(canary.MARK, OTHER_WORD) == unknown
    assert canary.MARK in canary.page(signed_in(cast, "togo_admin").get("/search/", {"q": canary.SEARCH_TERM}))


def _marked(answer: Any, path: str) -> bool:
    """Whether the page has the mark, apart from the address that it repeats in its own links and forms."""
    return canary.contains_mark(answer) and canary.MARK.lower() in canary.page(answer).lower().replace(path.lower(), "")


def _marked_below_its_head(answer: Any) -> bool:
    """The head of every page has the country of its reader."""
    return canary.MARK in canary.page(answer).partition("<main")[2]
