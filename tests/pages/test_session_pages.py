"""The list of imports, and the page of one: its progress, its outcome, and what can be done with it."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import models as core
from file_handling.models import Finding, ImportSession, SessionEvent, SessionStatus
from importer.runs import run_session
from importer.session_pages.timeline import duration
from importer.transitions import TRANSITIONS
from importer.undo import preview
from samples import make_pair
from tests.support.api_user import ApiUser, Outcome
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.page_text import ENGLISH, FRENCH, marked, number, opened, statements, words
from tests.support.pairs import line, matching_pair, row, stat_xlsx

pytestmark = pytest.mark.django_db(transaction=True)

HTMX = {"HX-Request": "true", "accept-language": "en"}
GAP = ([line("A1"), line("A2"), line("GAP", "6000")], [row("A1"), row("A2"), row("GAP")])


def import_as(cast: Cast, name: str, pair: Any = GAP, **form: Any) -> Outcome:
    return ApiUser.for_user(cast.users[name]).import_pair(*pair, **form)


def rows_of(page: str) -> dict[str, list[str]]:
    """Part of the outcome → its cells."""
    return {key: [words(cell) for cell in text.split("</td>")] for key, text in _rows(page, "data-part").items()}


def _rows(page: str, attribute: str) -> dict[str, str]:
    rows = {}
    for piece in page.split("<tr")[1:]:
        head, _, body = piece.partition(">")
        if attribute in head:
            rows[head.split(f'{attribute}="')[1].split('"')[0]] = body.split("</tr>")[0]
    return rows


# ------------------------------------------------------------------------------------------------ the outcome


def test_the_outcome_on_the_page_is_that_of_the_generator(cast: Cast, browser: Browser, tmp_path: Path) -> None:
    make_pair(tmp_path, claims=150, seed=5, pages=2, fmt="csv")
    expected = json.loads((tmp_path / "expected.json").read_text())

    def upload(path: Path) -> SimpleUploadedFile:
        return SimpleUploadedFile(path.name, path.read_bytes())

    api = ApiUser.for_user(cast.togo_admin)
    pages = [upload(tmp_path / name) for name in expected["files"]["recaps"]]
    outcome = api.import_pair(upload(tmp_path / expected["files"]["stat"]), pages)
    page = opened(browser("togo_admin"), f"/imports/{outcome.id}/")
    parts = rows_of(page)
    categories = dict(expected["claims"]["by_category"])
    agreed = categories.pop("conform") + categories.pop("cancelled", 0)
    assert {key: number(cells[0].split()[-1]) for key, cells in parts.items()} == {
        "imported": agreed,
        **{name: count for name, count in categories.items() if count},
    }
    assert agreed == expected["importable"]["claims"]
    money = Decimal(parts["imported"][1].replace(",", ""))
    assert money == Decimal(expected["importable"]["reimbursed"])
    # The amounts of what was left out are those of the findings that the API lists.
    for category in categories.keys() & parts.keys():
        listed = [
            finding["recap_reimbursed"] or finding["stat_reimbursed"] for finding in outcome.findings_in(category)
        ]
        assert Decimal(parts[category][1].replace(",", "")) == sum((Decimal(one) for one in listed if one), Decimal(0))
    created = {kind: number(text) for kind, text in marked(page, "created").items()}
    assert created == {name: count for name, count in outcome.session["created"].items() if count}
    # The list has the same numbers.
    cells = [
        words(cell)
        for cell in _rows(opened(browser("togo_admin"), "/imports/"), "data-session")[str(outcome.id)].split("</td>")
    ]
    left_out = expected["claims"]["total"] - agreed
    assert [number(cells[-4]), number(cells[-3])] == [agreed, left_out]


def test_the_picture_has_the_shares_of_the_table(cast: Cast, browser: Browser) -> None:
    outcome = import_as(cast, "togo_admin")
    page = opened(browser("togo_admin"), f"/imports/{outcome.id}/")
    assert '<rect class="part-imported" x="0.00" y="0" width="666.67" height="24"/>' in page
    assert '<rect class="part-amount_gap" x="666.67" y="0" width="333.33" height="24"/>' in page
    assert "style=" not in page
    assert f"/imports/{outcome.id}/findings/?category=amount_gap" in page


def test_claims_imported_before_are_a_part_of_their_own(cast: Cast, browser: Browser) -> None:
    import_as(cast, "togo_admin")
    again = import_as(cast, "togo_admin", (GAP[0] + [line("A3")], GAP[1] + [row("A3")]))
    parts = rows_of(opened(browser("togo_admin"), f"/imports/{again.id}/"))
    assert {key: number(cells[0].split()[-1]) for key, cells in parts.items()} == {
        "imported": 1, "there": 2, "amount_gap": 1,
    }  # fmt: skip
    assert [parts["imported"][1], parts["there"][1]] == ["4,000", "8,000"]


def test_amounts_and_labels_are_french_for_a_french_reader(cast: Cast, browser: Browser) -> None:
    outcome = import_as(cast, "togo_admin")
    page = opened(browser("togo_admin"), f"/imports/{outcome.id}/", headers=FRENCH)
    assert "Écart de montant" in page
    assert rows_of(page)["imported"][1] == "8 000"
    assert '<html lang="fr">' in page


# ------------------------------------------------------------------------------------------------ progress


def test_the_page_polls_while_the_import_waits_and_shows_the_outcome_once_it_ended(
    cast: Cast, browser: Browser
) -> None:
    api, client = ApiUser.for_user(cast.togo_admin), browser("togo_admin")
    session_id = api.send(*GAP)
    address = f"/imports/{session_id}/"
    page = opened(client, address)
    assert f'hx-get="{address}progress/"' in page
    assert 'hx-trigger="every 2s"' in page
    assert 'data-status="PENDING"' in page
    assert 'aria-live="polite"' in page
    ImportSession.objects.filter(pk=session_id).update(status="PROCESSING", progress=55)
    poll = client.get(f"{address}progress/?seen=waiting", headers=HTMX)
    assert "HX-Refresh" not in poll
    assert '<progress max="100" value="55"' in poll.content.decode()
    assert marked(poll.content.decode(), "step") == {
        "read": "Read the files done",
        "reconcile": "Compare stat and recap done",
        "plan": "Compare with what is imported already under way",
        "write": "Write the claims to come",
        "end": "Make the report to come",
    }
    # A screen reader hears what is new, once.
    assert "hx-swap-oob" in poll.content.decode()
    assert "hx-swap-oob" not in client.get(f"{address}progress/?seen=plan", headers=HTMX).content.decode()
    ImportSession.objects.filter(pk=session_id).update(status="PENDING", progress=0)
    run_session(session_id)
    ended = client.get(f"{address}progress/?seen=plan", headers=HTMX)
    assert (ended.headers["HX-Refresh"], ended.content) == ("true", b"")
    page = opened(client, address)
    assert "hx-get" not in page
    assert 'id="outcome"' in page


@pytest.mark.parametrize("name", ["anonymous", "benin_admin", "togo_operator"])
def test_a_poll_that_is_refused_loads_the_page_which_says_why(name: str, cast: Cast, browser: Browser) -> None:
    session_id = ApiUser.for_user(cast.togo_admin).send(*GAP)
    response = browser(name).get(f"/imports/{session_id}/progress/", headers=HTMX)
    assert (response.status_code, response.headers["HX-Refresh"], response.content) == (200, "true", b"")


def test_the_address_of_the_poll_leads_a_browser_to_the_page(cast: Cast, browser: Browser) -> None:
    session_id = ApiUser.for_user(cast.togo_admin).send(*GAP)
    response = browser("togo_admin").get(f"/imports/{session_id}/progress/")
    assert response.headers["Location"] == f"/imports/{session_id}/"


def test_a_dry_run_has_no_step_that_writes(cast: Cast, browser: Browser) -> None:
    session_id = ApiUser.for_user(cast.togo_admin).send(*GAP, dry_run="true")
    page = opened(browser("togo_admin"), f"/imports/{session_id}/")
    assert list(marked(page, "step")) == ["read", "reconcile", "plan", "end"]


# ------------------------------------------------------------------------------------------------ acts


def test_a_review_shows_what_a_commit_writes_and_writes_it_once(cast: Cast, browser: Browser) -> None:
    outcome, client = import_as(cast, "togo_admin", dry_run="true"), browser("togo_admin")
    address = f"/imports/{outcome.id}/"
    page = opened(client, address)
    planned = page.split('id="planned"')[1].split("</section>")[0]
    assert "Claims created 2" in words(planned)
    assert "2 of 3 claims agree; nothing is written" in words(page)
    for _press in range(2):
        answer = client.post(f"{address}commit/", follow=True, headers=ENGLISH)
        assert answer.redirect_chain == [(address, 302)]
        assert '<li class="error">' not in answer.content.decode()
    assert SessionEvent.objects.filter(session=outcome.id, step="steered").count() == 1
    run_session(outcome.id)
    assert core.Claim.objects.count() == 2
    late = client.post(f"{address}commit/", follow=True, headers=ENGLISH).content.decode()
    assert '<li class="error">Only a session that waits for review can be committed.</li>' in late


def test_the_sheet_is_chosen_on_the_page(cast: Cast, browser: Browser) -> None:
    workbook = stat_xlsx({"2023": [line("OTHER")], "2024": GAP[0]})
    outcome, client = import_as(cast, "togo_admin", (workbook, GAP[1])), browser("togo_admin")
    address = f"/imports/{outcome.id}/"
    assert "<option>2024</option>" in opened(client, address)
    wrong = client.post(f"{address}sheet/", {"stat_sheet": "1999"}, follow=True, headers=ENGLISH).content.decode()
    assert "Choose one of: 2023, 2024" in wrong
    client.post(f"{address}sheet/", {"stat_sheet": "2024"})
    run_session(outcome.id)
    assert ImportSession.objects.get(pk=outcome.id).status == "DONE_WITH_ERRORS"


def test_an_import_is_cancelled_run_again_and_deleted(cast: Cast, browser: Browser) -> None:
    client = browser("togo_head")
    session_id = ApiUser.for_user(cast.togo_head).send(*GAP)
    address = f"/imports/{session_id}/"
    assert 'data-act="delete"' not in opened(client, address)
    client.post(f"{address}cancel/")
    assert ImportSession.objects.get(pk=session_id).status == "CANCELLED"
    assert 'data-act="retry"' in opened(client, address)
    client.post(f"{address}retry/")
    run_session(session_id)
    assert "claims imported" in opened(client, address)
    assert "They no longer" not in opened(client, f"{address}delete/")
    response = client.post(f"{address}delete/")
    assert response.headers["Location"] == "/imports/"
    assert not ImportSession.objects.exists()
    assert core.Claim.objects.count() == 2
    opened(client, address, status=404)


def test_a_retry_without_files_is_explained_and_refused(cast: Cast, browser: Browser) -> None:
    session_id = ApiUser.for_user(cast.togo_admin).send(*GAP)
    ImportSession.objects.filter(pk=session_id).update(status="ERROR", stat_file=None)
    client = browser("togo_admin")
    page = opened(client, f"/imports/{session_id}/")
    assert "files were deleted. Upload them again" in page
    assert 'data-act="retry"' not in page
    answer = client.post(f"/imports/{session_id}/retry/", follow=True, headers=ENGLISH).content.decode()
    assert '<li class="error">' in answer
    assert ImportSession.objects.get(pk=session_id).status == "ERROR"


def test_the_page_offers_the_acts_that_the_table_allows(cast: Cast, browser: Browser) -> None:
    session_id = ApiUser.for_user(cast.togo_admin).send(*GAP)
    client = browser("togo_admin")
    for status in SessionStatus:
        ImportSession.objects.filter(pk=session_id).update(status=status, sheet_choices=["a"])
        session = ImportSession.objects.get(pk=session_id)
        page = opened(client, f"/imports/{session_id}/")
        for transition in TRANSITIONS:
            address = f"/imports/{session_id}/{transition.name}/"
            is_offered = f'action="{address}"' in page or f'href="{address}"' in page
            # The button of a commit stands beside the figures of the review, which this session never had.
            if transition.name != "commit":
                assert is_offered == (transition.objection(session) is None), (status, transition.name)


def test_unknown_acts_do_not_exist(cast: Cast, browser: Browser) -> None:
    session_id = ApiUser.for_user(cast.togo_admin).send(*GAP)
    client = browser("togo_admin")
    assert client.post(f"/imports/{session_id}/explode/").status_code == 404
    assert client.get(f"/imports/{session_id}/commit/").headers["Location"] == f"/imports/{session_id}/"


# ------------------------------------------------------------------------------------------------ revert


def test_a_revert_does_what_its_page_announced(cast: Cast, browser: Browser) -> None:
    early, late = {"settlement_date": "10/02/2024"}, {"settlement_date": "20/11/2024"}
    first = import_as(
        cast,
        "togo_admin",
        matching_pair(
            line("A1", "3000", "2000", **early), line("A2", beneficiary="MENSAH YAO", partner="CHU", **early)
        ),
    )
    second = import_as(cast, "togo_admin", matching_pair(line("B1", **late)))
    client = browser("togo_admin")
    page = opened(client, f"/imports/{first.id}/revert/")
    removed, stays = marked(page, "removed"), marked(page, "stays")
    assert removed["claimed"] == "8,000 F CFA"
    assert removed["reimbursed"] == "6,000 F CFA"
    assert list(marked(page, "relies")) == [str(second.id)]
    assert {"insured", "partners", "policies"} <= stays.keys()
    kinds = {
        "claims": core.Claim, "claim_lines": core.ClaimLine, "insured": core.Insured, "partners": core.Partner,
        "policies": core.Policy, "clients": core.Client, "memberships": core.Membership, "acts": core.Act,
    }  # fmt: skip
    before = {kind: model.objects.count() for kind, model in kinds.items()}
    of_first = {kind: model.objects.filter(import_session=first.id).count() for kind, model in kinds.items()}
    for _press in range(2):
        answer = client.post(f"/imports/{first.id}/revert/", follow=True, headers=ENGLISH)
        assert '<li class="error">' not in answer.content.decode()
    after = {kind: model.objects.count() for kind, model in kinds.items()}
    assert {kind: before[kind] - after[kind] for kind in kinds} == {
        kind: number(removed.get(kind, "0")) for kind in kinds
    }
    assert {kind: number(stays.get(kind, "0")) for kind in kinds} == {
        kind: of_first[kind] - number(removed.get(kind, "0")) for kind in kinds
    }
    gone = client.get(f"/imports/{first.id}/revert/", follow=True, headers=ENGLISH).content.decode()
    assert "Only a session that is done can be reverted." in gone


def test_the_preview_of_a_revert_takes_the_same_statements_for_a_larger_import(cast: Cast, browser: Browser) -> None:
    client = browser("togo_admin")
    small = import_as(cast, "togo_admin", matching_pair(line("S1")))
    family = {"main_insured": "LAWSON AFI", "insured_status": "E"}
    large = import_as(
        cast,
        "togo_admin",
        matching_pair(*(line(f"L{n}", beneficiary=f"LAWSON N{n}", **family) for n in range(40))),
    )
    counts = []
    for outcome in (small, large):
        with CaptureQueriesContext(connection) as captured:
            preview(ImportSession.objects.get(pk=outcome.id))
        counts.append(len(captured))
        opened(client, f"/imports/{outcome.id}/revert/")
    assert counts[1] <= counts[0]


# ------------------------------------------------------------------------------------------------ who


@pytest.mark.parametrize(
    ("name", "sees", "steers"),
    [
        ("superuser", 200, 200),
        ("global_admin", 200, 403),
        ("togo_admin", 200, 200),
        ("togo_head", 200, 200),
        ("rival_head", 200, 403),
        ("togo_operator", 403, 403),
        ("benin_admin", 403, 403),
        ("homeless_admin", 403, 403),
    ],
)
def test_who_reads_and_who_steers(name: str, sees: int, steers: int, cast: Cast, browser: Browser) -> None:
    outcome, client = import_as(cast, "togo_head"), browser(name)
    address = f"/imports/{outcome.id}/"
    page = opened(client, address, status=sees)
    for part in ("revert/", "delete/"):
        opened(client, address + part, status=steers)
    assert ('id="acts"' in page) == (steers == 200)
    assert ('id="read-only"' in page) == (sees == 200 and steers == 403)
    if steers == 403:
        for act in ("revert", "delete", "cancel", "retry", "report"):
            assert client.post(f"{address}{act}/").status_code == 403
        assert ImportSession.objects.get(pk=outcome.id).status == "DONE_WITH_ERRORS"
    missing = 403 if name in ("togo_operator", "homeless_admin") else 404
    opened(client, "/imports/999999/", status=missing)


def test_an_anonymous_visitor_signs_in_first(cast: Cast, browser: Browser) -> None:
    response = browser("anonymous").get("/imports/?status=DONE")
    assert response.status_code == 302
    assert "next=%2Fimports%2F%3Fstatus%3DDONE" in response.headers["Location"]


def test_the_list_has_the_imports_of_the_country_and_the_country_for_global_roles(cast: Cast, browser: Browser) -> None:
    togo = import_as(cast, "togo_admin")
    benin = import_as(cast, "benin_admin")
    seen = {name: opened(browser(name), "/imports/") for name in ("togo_admin", "benin_head", "global_admin")}
    assert list(_rows(seen["togo_admin"], "data-session")) == [str(togo.id)]
    assert list(_rows(seen["benin_head"], "data-session")) == [str(benin.id)]
    assert list(_rows(seen["global_admin"], "data-session")) == [str(benin.id), str(togo.id)]
    assert "Bénin" in _rows(seen["global_admin"], "data-session")[str(benin.id)]
    assert "<td" in seen["togo_admin"]
    assert "Togo</td>" not in seen["togo_admin"]


def test_the_list_is_filtered_as_in_the_api(cast: Cast, browser: Browser) -> None:
    done = import_as(cast, "togo_admin")
    waiting = ApiUser.for_user(cast.togo_head).send(*GAP)
    client = browser("togo_admin")

    def listed(query: str) -> list[int]:
        return [int(key) for key in _rows(opened(client, f"/imports/?{query}"), "data-session")]

    assert listed("status=PENDING") == [waiting]
    assert listed("status=PENDING&status=DONE_WITH_ERRORS") == [waiting, done.id]
    assert listed(f"user={cast.togo_admin.pk}") == [done.id]
    assert listed(f"created_after={timezone.localdate():%Y-%m-%d}&ordering=created_at") == [done.id, waiting]
    assert listed("created_before=2020-01-01") == []
    assert 'role="alert"' in opened(client, "/imports/?stauts=DONE", status=400)


def test_no_page_takes_more_statements_for_a_long_history(cast: Cast, browser: Browser) -> None:
    outcome, client = import_as(cast, "togo_admin"), browser("togo_admin")
    addresses = ["/imports/", f"/imports/{outcome.id}/"]
    few = {address: statements(client, address) for address in addresses}
    numbers = range(1000, 1400)
    SessionEvent.objects.bulk_create(
        [SessionEvent(session_id=outcome.id, sequence=n, step="s", code="received") for n in numbers]
    )
    Finding.objects.bulk_create(
        [Finding(session_id=outcome.id, sequence=n, category="warning", code="homonyms") for n in numbers]
    )
    ImportSession.objects.bulk_create(
        [ImportSession(country=cast.togo, user=cast.togo_admin, files_sha256=f"{n}") for n in range(60)]
    )
    many = {address: statements(client, address) for address in addresses}
    # A full page of the list has one more statement: that which counts the rows behind it.
    assert many["/imports/"] <= few["/imports/"] + 1
    assert many[addresses[1]] == few[addresses[1]]
    assert len(_rows(opened(client, "/imports/"), "data-session")) == 50


@pytest.mark.parametrize(
    ("seconds", "english"), [(0.44, "0.4 s"), (75, "1 min 15 s"), (3 * 3600 + 120, "3 h 2 min"), (90000, "1 d 1 h")]
)
def test_a_duration_is_written_in_words(seconds: float, english: str) -> None:
    assert duration(timedelta(seconds=seconds)) == english


def test_the_client_needs_a_token_of_the_form(cast: Cast) -> None:
    session_id = ApiUser.for_user(cast.togo_admin).send(*GAP)
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.togo_admin)
    assert client.post(f"/imports/{session_id}/cancel/").status_code == 403
    assert ImportSession.objects.get(pk=session_id).status == "PENDING"
