"""Accounts from a sheet in the admin: previewed, then created, by the same rules as over the API."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.core import mail, signing
from django.test import Client
from django.utils import timezone

from tests.support.account_sheets import GOOD, HEADER, PREVIEW, sheet_text, sheet_workbook
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.mails import sent_mails
from tests.support.pages import text_of
from users.models import AuditAction, AuditEntry, Role, User

PAGE = "/admin/users/user/import/"
LIST = "/admin/users/user/"


def signed_rows_in(response: Any) -> str:
    """What the page of a preview would send back when its button is pressed."""
    (found,) = re.findall(r'name="signed_rows" value="([^"]*)"', response.content.decode())
    return html.unescape(found)


def look(client: Client, sheet: Any, **more: Any) -> Any:
    response = client.post(PAGE, {"file": sheet, **more})
    assert response.status_code == 200
    return response


def cells(response: Any) -> list[list[str]]:
    """The texts of the table, row by row."""
    (body,) = re.findall(r'class="people">.*?<tbody>(.*?)</tbody>', response.content.decode(), re.DOTALL)
    rows = re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    return [
        [
            " ".join(html.unescape(re.sub(r"<[^>]+>", " ", cell)).split())
            for cell in re.findall(r"<td.*?</td>", row, re.S)
        ]
        for row in rows
    ]


def test_the_list_of_accounts_links_to_the_import(cast: Cast, browser: Browser) -> None:
    for name in ["superuser", "global_admin", "togo_admin"]:
        client = browser(name)
        assert f'href="{PAGE}"' in client.get(LIST).content.decode()
        assert "Import accounts" in text_of(client.get(PAGE))


def test_a_territorial_admin_previews_a_sheet_and_then_creates_its_good_rows(cast: Cast, browser: Browser) -> None:
    client = browser("togo_admin")
    before = User.objects.count()
    sheet = GOOD + "Bad,Row,not-an-address,CHEF_DEPT_TECH\nAlso,Bad,also@example.org,ADMIN_TERRITORIAL\n"
    preview = look(client, sheet_text(sheet))
    assert User.objects.count() == before
    rows = cells(preview)
    assert rows[0] == [
        "2",
        "Afi",
        "Lawson",
        "afi@example.org",
        "Head of the technical department",
        "Togo",
        "An account will be created",
    ]
    assert "not an e-mail address" in rows[2][-1]
    assert "You may not give this role" in rows[3][-1]
    assert "2 accounts can be created" in text_of(preview)

    done = client.post(PAGE, {"signed_rows": signed_rows_in(preview)})
    assert [row[-1] for row in cells(done)[:2]] == ["Account created", "Account created"]
    assert "2 accounts were created" in text_of(done)
    assert User.objects.count() == before + 2
    accounts = User.objects.filter(email__in=["afi@example.org", "kossi@example.org"])
    assert {(one.role, one.country) for one in accounts} == {
        (Role.CHEF_DEPT_TECH, cast.togo),
        (Role.RESP_OPERATEUR, cast.togo),
    }
    assert {mail.to[0] for mail in sent_mails()} == {"afi@example.org", "kossi@example.org"}
    entries = AuditEntry.objects.filter(action=AuditAction.CREATE, object_type="users.user")
    assert {(entry.actor, entry.object_id, entry.country) for entry in entries} == {
        (cast.togo_admin, one.pk, cast.togo) for one in accounts
    }


def test_an_admin_of_all_countries_chooses_the_country_of_the_sheet(cast: Cast, browser: Browser) -> None:
    client = browser("global_admin")
    sheet = sheet_workbook(
        [["Prénom", "Nom", "Courriel", "Rôle"], ["Afi", "Lawson", "afi@example.org", "ADMIN_TERRITORIAL"]]
    )
    preview = look(client, sheet, country=cast.benin.pk)
    assert cells(preview)[0][4:6] == ["Territorial administrator", "Bénin"]
    client.post(PAGE, {"signed_rows": signed_rows_in(preview)})
    account = User.objects.get(email="afi@example.org")
    assert (account.role, account.country, account.has_usable_password()) == (Role.ADMIN_TERRITORIAL, cast.benin, False)


def test_a_territorial_admin_cannot_create_accounts_in_another_country(cast: Cast, browser: Browser) -> None:
    client = browser("togo_admin")
    assert 'name="country"' not in client.get(PAGE).content.decode()
    preview = look(client, sheet_text(GOOD), country=cast.benin.pk)
    client.post(PAGE, {"signed_rows": signed_rows_in(preview), "country": cast.benin.pk})
    assert {one.country for one in User.objects.filter(email__in=["afi@example.org", "kossi@example.org"])} == {
        cast.togo
    }


def test_only_the_account_that_previewed_a_sheet_can_import_it_and_only_unchanged(cast: Cast, browser: Browser) -> None:
    signed_rows = signed_rows_in(look(browser("superuser"), sheet_text(GOOD), country=cast.togo.pk))
    forged = signing.dumps({"country": cast.benin.pk, "rows": [[2, "A", "B", "a@example.org", "ADMIN_GLOBAL"]]})
    for name, sent in [
        ("benin_admin", signed_rows),
        ("global_admin", signed_rows),
        ("superuser", signed_rows[:-1]),
        ("superuser", "x" + signed_rows),
        ("superuser", forged),
    ]:
        response = browser(name).post(PAGE, {"signed_rows": sent})
        assert "Choose the file again" in text_of(response), name
        assert "Nothing was saved" in text_of(response), name
    assert not User.objects.filter(email__in=["afi@example.org", "a@example.org"]).exists()
    assert mail.outbox == []


def test_an_old_preview_must_be_repeated(cast: Cast, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    client = browser("togo_admin")
    signed_rows = signed_rows_in(look(client, sheet_text(GOOD)))
    later = timezone.now().timestamp() + 3601
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    assert "Choose the file again" in text_of(client.post(PAGE, {"signed_rows": signed_rows}))
    assert not User.objects.filter(email="afi@example.org").exists()


def test_a_row_that_became_invalid_since_the_preview_is_reported_and_the_others_are_created(
    cast: Cast, browser: Browser
) -> None:
    client = browser("togo_admin")
    signed_rows = signed_rows_in(look(client, sheet_text(GOOD)))
    User.objects.create_user(username="taken", email="AFI@example.org", country=cast.benin)
    done = client.post(PAGE, {"signed_rows": signed_rows})
    assert "already used" in cells(done)[0][-1]
    assert cells(done)[1][-1] == "Account created"
    again = client.post(PAGE, {"signed_rows": signed_rows})
    assert User.objects.filter(email="kossi@example.org").count() == 1
    assert "0 accounts were created" in text_of(again)


def test_a_country_that_was_deactivated_since_the_preview_gets_no_accounts(cast: Cast, browser: Browser) -> None:
    client = browser("superuser")
    signed_rows = signed_rows_in(look(client, sheet_text(GOOD), country=cast.benin.pk))
    cast.benin.is_active = False
    cast.benin.save()
    assert "This country is not active" in text_of(client.post(PAGE, {"signed_rows": signed_rows}))
    assert not User.objects.filter(email="afi@example.org").exists()


def test_a_sheet_of_a_thousand_rows_can_be_previewed(cast: Cast, browser: Browser) -> None:
    client = browser("togo_admin")
    many = HEADER + "".join(f"\nAfi{n},Lawson,afi{n}@example.org,RESP_OPERATEUR" for n in range(1000))
    preview = look(client, sheet_text(many))
    assert "1000 accounts can be created" in text_of(preview)
    assert len(signed_rows_in(preview)) < 100_000


@pytest.mark.parametrize(
    "sheet",
    [sheet_text(""), sheet_text("just words\n"), sheet_text(GOOD, "people.xls"), sheet_text(b"\x00" * 10), None],
    ids=["empty", "no header", "old Excel", "no text", "none"],
)
def test_a_file_that_is_not_a_sheet_of_accounts_is_refused_with_a_reason(
    sheet: Any, cast: Cast, browser: Browser
) -> None:
    client = browser("togo_admin")
    response = client.post(PAGE, {} if sheet is None else {"file": sheet})
    assert response.context["people"] is None
    assert response.context["form"].errors["file"]
    assert "Nothing was saved" in text_of(response)


def test_a_sheet_without_a_good_row_offers_nothing_to_create(cast: Cast, browser: Browser) -> None:
    preview = look(browser("togo_admin"), sheet_text(f"{HEADER}\n,,,\nA,B,no,nothing\n"))
    assert 'name="signed_rows"' not in preview.content.decode()


def test_imports_of_sheets_are_throttled_for_api_and_admin_together(
    cast: Cast, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.throttling.UploadThrottle.get_rate", lambda self: "1/hour")
    assert cast.client("togo_admin").post(PREVIEW, {"file": sheet_text(GOOD)}, format="multipart").status_code == 200
    assert "Too many uploads" in text_of(browser("togo_admin").post(PAGE, {"file": sheet_text(GOOD)}))


@pytest.mark.parametrize("name", ["togo_head", "togo_operator", "homeless_admin", "closed_admin", "anonymous"])
def test_other_roles_cannot_import_accounts(name: str, cast: Cast, browser: Browser) -> None:
    signed_rows = signed_rows_in(look(browser("togo_admin"), sheet_text(GOOD)))
    client = browser(name)
    for response in [
        client.get(PAGE),
        client.post(PAGE, {"file": sheet_text(GOOD)}),
        client.post(PAGE, {"signed_rows": signed_rows}),
    ]:
        assert response.status_code == 302
    assert not User.objects.filter(email="afi@example.org").exists()


def test_names_from_the_sheet_are_escaped(cast: Cast, browser: Browser) -> None:
    preview = look(browser("togo_admin"), sheet_text(f"{HEADER}\n<script>x</script>,B,c@example.org,RESP_OPERATEUR\n"))
    assert b"<script>x" not in preview.content
    assert "no-store" in preview["Cache-Control"]
