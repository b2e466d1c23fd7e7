"""The pages of the review list: the list, both records beside each other, the answer (DOMAIN §12)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core import models as core
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.records import Records
from tests.support.responses import content_of

pytestmark = pytest.mark.django_db


def words(response: Any) -> str:
    return " ".join(content_of(response).decode().split())


@pytest.fixture
def pair(cast: Cast, togo: Records) -> core.ReviewPair:
    """A client with a claim, and another with nearly the same name and none."""
    found: core.ReviewPair = togo.rows["review-pairs"]
    name = "TOGOCANARY PORTE"
    found.other_id = core.Client.objects.create(country=cast.togo, name=name, key=name).pk
    found.save()
    return found


@pytest.fixture
def two_persons(cast: Cast, togo: Records) -> core.ReviewPair:
    """Two persons of one policy with two cards."""
    other = core.Insured.objects.create(
        country=cast.togo, name="TOGOCANARY AFFI", name_key="AFFI TOGOCANARY", card_number="D-1", card_key="D1"
    )
    core.Membership.objects.create(insured=other, policy=togo.rows["policies"], role="primary")
    return core.ReviewPair.objects.create(
        country=cast.togo,
        kind="insured",
        policy_key=togo.rows["policies"].key,
        one_key="AFFI TOGOCANARY",
        other_key="AFI TOGOCANARY",
        one_id=other.pk,
        other_id=togo.rows["insured"].pk,
        one_name=other.name,
        other_name="TOGOCANARY AFI",
    )


def test_the_list_shows_what_waits_unless_it_is_asked_for_more(
    pair: core.ReviewPair, two_persons: core.ReviewPair, browser: Browser
) -> None:
    client = browser("togo_head")
    assert client.get("/review/")["Location"] == "/review/?state=waiting"

    page = words(client.get("/review/?state=waiting"))
    assert "TOGOCANARY PORT / TOGOCANARY PORTE" in page
    assert f'href="/review/{pair.pk}/"' in page
    assert "45/TOGOCANARY" in page
    assert "AFFI" not in words(client.get("/review/?state=waiting&kind=client"))
    assert client.get("/review/?kind=nothing").status_code == 400


def test_both_records_stand_beside_each_other_with_what_differs_marked(
    pair: core.ReviewPair, two_persons: core.ReviewPair, browser: Browser
) -> None:
    client = browser("togo_head")
    page = words(client.get(f"/review/{pair.pk}/"))
    assert "TOGOCANARY PORT<mark>E</mark>" in page
    assert "5 000 F CFA" in page.replace("\u202f", " ").replace("\u00a0", " ").replace(",", " ")

    persons = words(client.get(f"/review/{two_persons.pk}/"))
    assert "<mark>D-1</mark>" in persons
    assert "<mark>C-TOGOCANARY</mark>" in persons


def test_the_answer_different_leads_to_the_next_pair_and_into_the_history(
    pair: core.ReviewPair, browser: Browser
) -> None:
    client = browser("togo_head")

    answered = client.post(f"/review/{pair.pk}/", {"decision": "different"}, follow=True)

    assert "Nobody is asked again" in words(answered)
    assert "TOGOCANARY PORT" not in words(client.get("/review/?state=waiting"))
    history = words(client.get("/review/?state=different&ordering=-decided_at"))
    assert "TOGOCANARY PORT / TOGOCANARY PORTE" in history


def answers_offered(page: str) -> list[tuple[str, str]]:
    """(id of the pair, accessible name of the button) of the rows that can be answered in the list."""
    return re.findall(r'<form method="post">.*?name="pair" value="(\d+)"><button[^>]* aria-label="([^"]+)"', page)


@pytest.mark.parametrize("name", ["superuser", "togo_admin", "togo_head"])
def test_a_row_that_waits_is_answered_in_the_list_by_those_who_decide(
    name: str, pair: core.ReviewPair, two_persons: core.ReviewPair, browser: Browser
) -> None:
    client = browser(name)
    address = "/review/?kind=client&state=waiting&ordering=-id"
    page = words(client.get(address))
    assert answers_offered(page) == [(str(pair.pk), "Different: TOGOCANARY PORT and TOGOCANARY PORTE")]
    assert f'href="/review/{pair.pk}/#answer" aria-label="Same: TOGOCANARY PORT and TOGOCANARY PORTE' in page
    assert 'id="answer"' in words(client.get(f"/review/{pair.pk}/"))

    answered = client.post(address, {"pair": pair.pk}, follow=True)

    assert answered.redirect_chain == [(address, 302)]
    assert "TOGOCANARY PORT and TOGOCANARY PORTE are different. Nobody is asked again." in words(answered)
    assert answers_offered(words(answered)) == []
    everything = words(client.get("/review/?ordering=id"))
    assert [id_ for id_, _label in answers_offered(everything)] == [str(two_persons.pk)]
    row = re.search(rf'<tr[^>]* data-pair="{pair.pk}".*?</tr>', everything)
    assert row is not None
    assert "<td >different </td>" in row[0]


def test_the_form_of_a_row_has_its_token(pair: core.ReviewPair, cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.users["togo_head"])
    address = "/review/?state=waiting"
    found = re.search(
        r'<form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="(\w+)">'
        r'<input type="hidden" name="pair"',
        words(client.get(address)),
    )
    assert found is not None

    assert client.post(address, {"pair": pair.pk}).status_code == 403
    assert client.post(address, {"pair": pair.pk, "csrfmiddlewaretoken": found[1]}).status_code == 302


@pytest.mark.parametrize("place", ["page", "cursor"])
def test_an_answer_comes_back_to_the_same_page_of_the_list_while_it_has_rows(
    place: str, pair: core.ReviewPair, cast: Cast, browser: Browser
) -> None:
    names = [f"TOGOCANARY PORT{letter}" for letter in "ABC"]
    others = [core.Client.objects.create(country=cast.togo, name=name, key=name) for name in names]
    core.ReviewPair.objects.bulk_create(
        core.ReviewPair(
            country=cast.togo,
            kind="client",
            one_key=pair.one_key,
            other_key=one.key,
            one_id=pair.one_id,
            other_id=one.pk,
            one_name=pair.one_name,
            other_name=one.name,
        )
        for one in others
    )
    client = browser("togo_head")
    query = "state=waiting&kind=client&ordering=one_name&page_size=2"
    next_page = re.search(r'rel="next" href="[^"?]*\?([^"]+)"', words(client.get(f"/review/?{query}")))
    assert next_page is not None
    second = {"page": f"/review/?{query}&page=2", "cursor": f"/review/?{next_page[1].replace('&amp;', '&')}"}[place]

    for expected in (second, f"/review/?{query}"):
        (id_, _label), *_others = answers_offered(words(client.get(second)))
        assert client.post(second, {"pair": id_})["Location"] == expected
        assert client.get(expected).status_code == 200


def test_a_row_of_the_list_is_answered_by_nobody_else(pair: core.ReviewPair, browser: Browser) -> None:
    reader = browser("global_admin")
    page = words(reader.get("/review/?state=waiting"))
    assert "TOGOCANARY PORT / TOGOCANARY PORTE" in page
    assert answers_offered(page) == []
    assert "Same…" not in page
    for name, status in {"global_admin": 403, "benin_admin": 403, "togo_operator": 403}.items():
        assert browser(name).post("/review/?state=waiting", {"pair": pair.pk}).status_code == status, name
    assert browser("togo_head").post("/review/", {"pair": "987654321"}).status_code == 404
    pair.refresh_from_db()
    assert pair.decision == ""


def test_an_answer_that_comes_too_late_is_refused_in_words(pair: core.ReviewPair, browser: Browser) -> None:
    client = browser("togo_head")
    client.post(f"/review/{pair.pk}/", {"decision": "same", "keep": pair.one_id})

    late = client.post("/review/?kind=client", {"pair": pair.pk}, follow=True)

    assert "These records were merged already" in words(late)
    assert ">the same <" in words(late)


def test_a_merge_is_shown_before_it_is_carried_out(pair: core.ReviewPair, togo: Records, browser: Browser) -> None:
    client = browser("togo_admin")
    kept = pair.other_id

    preview = words(client.post(f"/review/{pair.pk}/", {"step": "preview", "keep": kept}))
    assert "1 claim" in preview
    assert "1 membership" in preview
    assert core.Client.objects.filter(pk=pair.one_id).exists()

    client.post(f"/review/{pair.pk}/", {"decision": "same", "keep": kept})
    assert not core.Client.objects.filter(pk=pair.one_id).exists()
    togo.rows["claims"].refresh_from_db()
    assert togo.rows["claims"].client_id == kept
    assert "They are different" not in words(client.get(f"/review/{pair.pk}/"))


def test_a_merge_that_cannot_be_is_refused_in_words(two_persons: core.ReviewPair, browser: Browser) -> None:
    client = browser("togo_head")

    preview = client.post(f"/review/{two_persons.pk}/", {"step": "preview"})
    assert preview.status_code == 400
    assert "different card numbers" in words(preview)
    answered = client.post(f"/review/{two_persons.pk}/", {"decision": "same"}, follow=True)
    assert "different card numbers" in words(answered)
    assert core.Insured.objects.filter(country=two_persons.country).count() == 2


def test_a_global_admin_reads_and_does_not_answer(pair: core.ReviewPair, browser: Browser) -> None:
    client = browser("global_admin")

    assert "They are different" not in words(client.get(f"/review/{pair.pk}/"))
    assert client.post(f"/review/{pair.pk}/", {"decision": "different"}).status_code == 403
    pair.refresh_from_db()
    assert pair.decision == ""


@pytest.mark.parametrize("name", ["superuser", "togo_head"])
def test_the_pages_take_few_statements(
    name: str, pair: core.ReviewPair, two_persons: core.ReviewPair, browser: Browser
) -> None:
    client = browser(name)
    for path in ("/review/?state=waiting", f"/review/{pair.pk}/", f"/review/{two_persons.pk}/"):
        client.get(path)
        with CaptureQueriesContext(connection) as statements:
            assert client.get(path).status_code == 200
        assert len(statements) <= 12, (path, [one["sql"][:100] for one in statements])


def test_the_page_is_french_for_a_french_reader(pair: core.ReviewPair, browser: Browser) -> None:
    page = words(browser("togo_head").get(f"/review/{pair.pk}/", headers={"accept-language": "fr"}))
    assert "Un ou deux" in page
    assert "They are" not in page


def test_a_client_is_merged_from_its_own_page_with_the_password(
    pair: core.ReviewPair, cast: Cast, browser: Browser
) -> None:
    cast.users["togo_admin"].set_password("own password")
    cast.users["togo_admin"].save()
    client = browser("togo_admin")
    address = f"/clients/{pair.one_id}/merge/"
    assert f'href="{address}"' in words(client.get(f"/clients/{pair.one_id}/"))
    assert f'href="{address}"' not in words(browser("togo_operator").get(f"/clients/{pair.one_id}/"))
    assert "TOGOCANARY PORTE" in words(client.get(address))

    form = {"records": [pair.other_id]}
    assert "TOGOCANARY PORTE → TOGOCANARY PORT" in words(client.post(address, form))
    assert client.post(address, form | {"password": "wrong"}).status_code == 400
    assert core.Client.objects.filter(pk=pair.other_id).exists()
    assert client.post(address, form | {"password": "own password"})["Location"] == f"/clients/{pair.one_id}/"
    assert "Also written" in words(client.get(f"/clients/{pair.one_id}/"))
