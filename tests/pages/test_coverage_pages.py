"""Rates and subscribers on the page of a policy, the lists of what is to complete, and the link from the home page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core import models as core
from tests.records.test_query_counts import MOST
from tests.support.cast import Cast
from tests.support.records import Records
from tests.support.small_country import Act, SmallCountry

HEADERS = {"accept-language": "en"}


@pytest.fixture(autouse=True)
def _no_kept_answers(db: None, own_storage: object) -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def signed_in(country: SmallCountry) -> Client:
    client = Client(headers=HEADERS)
    client.force_login(country.user)
    return client


def small_country() -> tuple[SmallCountry, core.Policy, core.Plan]:
    country = SmallCountry()
    country.claim(Act(5000, 4000), client="MINES")
    country.claim(Act(5000, 4000), client="POSTE")
    country.save()
    policy = core.Policy.objects.get()
    return country, policy, core.Plan.objects.create(policy=policy, name="GOLD", key="GOLD")


def test_a_rate_is_typed_on_the_page_of_the_policy_and_given_back() -> None:
    country, policy, plan = small_country()
    client, address = signed_in(country), f"/policies/{policy.pk}/"
    assert "80 %" in client.get(address).content.decode().replace("\xa0", " ")
    page = client.post(f"{address}rate/", {"rate": "75 %"}, follow=True)
    assert "The rate is typed. No import replaces it." in page.content.decode()
    assert page.redirect_chain[-1][0].startswith(address)
    client.post(f"/plans/{plan.pk}/rate/", {"rate": "100"})
    client.post(f"{address}subscriber/", {"subscriber": "MINES ET POSTE"})
    policy.refresh_from_db()
    plan.refresh_from_db()
    assert (str(policy.typed_rate), str(plan.typed_rate), policy.typed_subscriber) == (
        "0.75", "1.00", "MINES ET POSTE",
    )  # fmt: skip
    page = client.get(address)
    for words in ("observed: 80", "Give back to the observed rate", "Give back to the deduced subscriber"):
        assert words in page.content.decode()
    for path in (f"{address}rate/", f"/plans/{plan.pk}/rate/", f"{address}subscriber/"):
        client.post(path, {"give_back": "yes", "rate": "75", "subscriber": "OTHER"})
    policy.refresh_from_db()
    plan.refresh_from_db()
    assert (policy.typed_rate, plan.typed_rate, policy.typed_subscriber) == (None, None, "")


@pytest.mark.parametrize("rate", ["", "0", "101", "0.8", "0,80", "80.5", "-80", "²"])
def test_only_a_whole_percentage_is_taken_as_a_rate(rate: str) -> None:
    country, policy, _plan = small_country()
    page = signed_in(country).post(f"/policies/{policy.pk}/rate/", {"rate": rate}, follow=True)
    assert "Type the rate as a whole percentage from 1 to 100, such as 80." in page.content.decode()
    policy.refresh_from_db()
    assert policy.typed_rate is None


def test_the_forms_are_shown_to_those_alone_who_may_type(cast: Cast, togo: Records) -> None:
    address = f"/policies/{togo.rows['policies'].pk}/"
    for name, may_type in (("togo_admin", True), ("superuser", True), ("togo_head", False), ("global_admin", False)):
        client = Client(headers=HEADERS)
        client.force_login(cast.users[name])
        page = client.get(address).content.decode()
        assert ("Type the rate" in page, "Coverage rate" in page) == (may_type, True), name
        assert client.post(f"{address}rate/", {"rate": "80"}).status_code == (302 if may_type else 403), name


def test_the_home_page_leads_to_what_is_to_complete() -> None:
    country, policy, plan = small_country()
    client = signed_in(country)
    home = client.get("/").content.decode()
    assert "1 policy or plan is to complete" in home
    assert 'href="/policies/to-complete/"' in home
    page = client.get("/policies/to-complete/").content.decode()
    assert "no subscriber" in page
    assert f'href="/policies/{policy.pk}/"' in page
    assert "no coverage rate" not in page
    core.Plan.objects.filter(pk=plan.pk).update(observed_rate="0.80", typed_rate="0.70")
    assert "2 policies and plans are to complete" in client.get("/").content.decode()
    page = client.get("/plans/to-complete/").content.decode()
    assert "GOLD" in page
    assert "70" in page
    client.post(f"/policies/{policy.pk}/subscriber/", {"subscriber": "MINES ET POSTE"})
    client.post(f"/plans/{plan.pk}/rate/", {"give_back": "yes"})
    assert "to complete" not in client.get("/").content.decode()
    assert "MINES ET POSTE" not in client.get("/policies/to-complete/").content.decode()
    assert "MINES ET POSTE" in client.get("/policies/").content.decode()


def test_a_policy_with_many_plans_and_the_lists_take_as_many_statements_as_one_with_few() -> None:
    country, policy, _plan = small_country()
    core.Plan.objects.bulk_create(
        core.Plan(policy=policy, name=f"P{at}", key=f"P{at}", observed_rate="0.80", typed_rate="0.70")
        for at in range(110)
    )
    client = signed_in(country)
    for address in (f"/policies/{policy.pk}/", "/policies/to-complete/", "/plans/to-complete/"):
        client.get(address)
        with CaptureQueriesContext(
            connection,
        ) as taken:
            page = client.get(address)
        assert page.status_code == 200
        assert len(taken) <= MOST, address
    assert "The first 100 plans by name" in client.get(f"/policies/{policy.pk}/").content.decode()
