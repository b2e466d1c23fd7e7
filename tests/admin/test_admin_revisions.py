"""Earlier versions of a replaced claim: on its page, on a page of their own, in the API."""

from __future__ import annotations

import pytest

from core.models import ClaimRevision
from tests.support.admin_import import import_pair
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.pages import text_of
from tests.support.pairs import RECAP_HEADER, STAT_HEADER, STAT_LINE, recap_upload, stat_upload
from tests.support.records import Records
from users.models import AuditAction, AuditEntry

OTHER_LINE = (
    STAT_LINE.replace("CLINIQUE BIASA", "CHU").replace("5000;4000", "7500;6000").replace("PARACETAMOL", "RADIO")
)


@pytest.mark.django_db(transaction=True)
def test_the_page_of_a_replaced_claim_shows_its_earlier_values_and_the_session_that_replaced_it(
    cast: Cast, browser: Browser
) -> None:
    client = browser("togo_admin")
    first = import_pair(client)
    again = import_pair(
        client,
        stat_file=stat_upload(text=f"{STAT_HEADER}\n{OTHER_LINE}\n"),
        recap_file=recap_upload(text=f"{RECAP_HEADER}\nS-1;10/03/2024;7500;6000\n"),
        on_conflict="update",
    )
    revision = ClaimRevision.objects.get()
    page = client.get(f"/admin/core/claim/{revision.claim_id}/change/").content.decode()
    section = page[page.index("<h2>Earlier versions") :]
    for words in [
        "CLINIQUE BIASA",
        "PARACETAMOL",
        "5,000\xa0F\xa0CFA",
        "4,000\xa0F\xa0CFA",
        "LAWSON AFI",
        "10 Mar 2024",
        "stat.csv",
    ]:
        assert words in section, words
    assert "7,500" not in section
    assert "RADIO" not in section
    assert f"/admin/file_handling/importsession/{again.pk}/change/" in section
    assert str(first.pk) in section

    french = client.get(f"/admin/core/claim/{revision.claim_id}/change/", headers={"Accept-Language": "fr"})
    section = french.content.decode()
    section = section[section.index("<h2>Versions antérieures") :]
    for words in ["Prestataire", "Montant facturé", "5\xa0000\xa0F\xa0CFA", "10 mars 2024", "réglé"]:
        assert words in section, words

    alone = client.get(f"/admin/core/claimrevision/{revision.pk}/change/").content.decode()
    assert "PARACETAMOL" in alone
    assert "S-1" in text_of(client.get("/admin/core/claimrevision/?q=s-1"))


def test_a_claim_that_was_never_replaced_has_no_earlier_versions(cast: Cast, togo: Records, browser: Browser) -> None:
    claim = togo.rows["claims"]
    claim.pk, claim.number = None, "S-NEVER-REPLACED"
    claim.save()
    page = browser("togo_admin").get(f"/admin/core/claim/{claim.pk}/change/").content.decode()
    assert "S-NEVER-REPLACED" in page
    assert "<h2>Earlier versions" not in page


def test_the_page_of_a_claim_shows_its_newest_versions_and_links_to_the_others(
    cast: Cast, togo: Records, browser: Browser
) -> None:
    claim = togo.rows["claims"]
    for n in range(25):
        ClaimRevision.objects.create(
            country=cast.togo, claim=claim, number="x", before={"guarantee": "", "recap_row": n}
        )
    client = browser("togo_admin")
    page = client.get(f"/admin/core/claim/{claim.pk}/change/").content.decode()
    assert page.count("<details") == 20
    address = f"/admin/core/claimrevision/?claim={claim.pk}"
    assert f'href="{address}"' in page
    assert client.get(address).context["cl"].result_count == 26


def test_the_api_lists_the_earlier_versions_of_a_claim_and_audits_the_reading(
    cast: Cast, togo: Records, benin: Records
) -> None:
    claim = togo.rows["claims"]
    # An earlier version of another claim, which was removed since.
    ClaimRevision.objects.create(country=cast.togo, claim=None, number="S-9", before={"number": "S-9", "lines": []})
    client = cast.client("togo_operator")
    body = client.get(f"/api/v1/claims/{claim.pk}/revisions/").json()
    assert [(one["id"], one["before"]["number"]) for one in body["results"]] == [
        (togo.rows["claim-revisions"].pk, "TOGOCANARY-1")
    ]
    entry = AuditEntry.objects.get(action=AuditAction.READ, object_type="core.claim", object_id=claim.pk)
    assert (entry.actor, entry.country, entry.data) == (
        cast.togo_operator,
        cast.togo,
        {"part": "revisions", "rows": 1},
    )
    assert cast.client("benin_head").get(f"/api/v1/claims/{claim.pk}/revisions/").status_code == 403
    assert client.get("/api/v1/claims/999999/revisions/").status_code == 404
    schema = client.get("/api/v1/schema/?format=json").json()
    answer = schema["paths"]["/api/v1/claims/{id}/revisions/"]["get"]["responses"]["200"]
    assert "PaginatedClaimRevisionList" in str(answer)
