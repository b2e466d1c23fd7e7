"""Changes of the act catalogue and of records in the admin: read only, each for the accounts that may read it."""

from __future__ import annotations

import pytest
from django.utils import timezone

from core.catalogue import services
from core.models import Change
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.pages import text_of
from tests.support.records import Records
from users.models import AuditEntry

LIST = "/admin/core/change/"
NAMED = "TOGOCANARY AFFI → TOGOCANARY AFI"


@pytest.fixture
def renamed(cast: Cast, togo: Records, benin: Records) -> Change:
    act = togo.rows["acts"]
    change = services.rename(actor=cast.users["global_admin"], row=act, name=f"{act.name} 1 g".upper()).change
    assert change is not None
    return change


def test_a_country_reads_its_own_changes_and_global_accounts_those_of_the_catalogue_too(
    renamed: Change, togo: Records, browser: Browser
) -> None:
    page = text_of(browser("togo_admin").get(LIST))
    assert NAMED in page
    assert renamed.data["after"] not in page
    assert "BENINCANARY" not in page
    page = text_of(browser("global_admin").get(LIST))
    assert NAMED in page
    assert "BENINCANARY AFFI → BENINCANARY AFI" in page
    assert f"“{renamed.data['before']}” is called “{renamed.data['after']}” now." in page
    for name, status in (("global_admin", 200), ("togo_admin", 403)):
        assert browser(name).get(f"{LIST}{renamed.pk}/change/").status_code == status


def test_the_page_of_a_change_says_what_it_did_and_reading_it_is_audited(
    renamed: Change, togo: Records, browser: Browser
) -> None:
    change = togo.rows["family-changes"]
    page = text_of(browser("togo_admin").get(f"{LIST}{change.pk}/change/"))
    assert "Name before TOGOCANARY AFFI" in page
    read = AuditEntry.objects.filter(object_type="core.change", object_id=change.pk, action="read")
    assert list(read.values_list("actor__username", flat=True)) == ["togo_admin"]


def test_changes_are_filtered_and_searched(renamed: Change, togo: Records, browser: Browser) -> None:
    def shown(name: str, query: str) -> list[int]:
        found = browser(name).get(f"{LIST}?{query}")
        return [row.pk for row in found.context["cl"].result_list]

    named = togo.rows["family-changes"]
    assert shown("global_admin", "kind=act_rename") == [renamed.pk]
    assert shown("togo_admin", "kind=act_rename") == []
    assert shown("togo_admin", "q=togocanary afi") == [named.pk]
    assert shown("global_admin", f"country={named.country_id}") == [named.pk]
    assert shown("togo_admin", "undone=yes") == []
    Change.objects.filter(pk=named.pk).update(undone_at=timezone.now())
    assert shown("togo_admin", "undone=yes") == [named.pk]
    assert named.pk not in shown("global_admin", "undone=no")
    assert shown("togo_admin", "undone=perhaps") == []
    # A country has no changes of the catalogue, so it is not offered their kinds.
    assert "acts merged" not in text_of(browser("togo_admin").get(LIST))
    assert "acts merged" in text_of(browser("global_admin").get(LIST))
