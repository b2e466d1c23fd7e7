"""Accounts from a sheet: a preview first, then an import of the rows without a problem."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.support.account_sheets import GOOD, HEADER, IMPORT, PREVIEW, sheet_text, sheet_workbook
from tests.support.cast import Cast
from tests.support.mails import sent_mails
from users.models import User


def send(cast: Cast, actor: str, path: str, file: SimpleUploadedFile, **more: Any) -> Any:
    return cast.client(actor).post(path, {"file": file, **more}, format="multipart")


def test_a_preview_shows_every_row_and_creates_nothing(cast: Cast) -> None:
    before = User.objects.count()
    body = send(cast, "togo_admin", PREVIEW, sheet_text(GOOD)).json()
    assert (body["count"], body["valid"], body["created"]) == (2, 2, 0)
    assert body["rows"][0] == {
        "row": 2,
        "first_name": "Afi",
        "last_name": "Lawson",
        "email": "afi@example.org",
        "role": "CHEF_DEPT_TECH",
        "problems": [],
        "account": None,
    }
    assert User.objects.count() == before
    assert sent_mails() == []


def test_an_import_creates_the_good_rows_with_a_mail_each_and_nothing_of_the_others(cast: Cast) -> None:
    sheet = GOOD + "Bad,Row,not-an-address,CHEF_DEPT_TECH\nAlso,Bad,also@example.org,SUPERUSER\n"
    response = send(cast, "togo_admin", IMPORT, sheet_text(sheet))
    body = response.json()
    assert response.status_code == 201
    assert (body["count"], body["valid"], body["created"]) == (4, 2, 2)
    made = User.objects.filter(pk__in=[row["account"] for row in body["rows"] if row["account"]])
    assert {(one.email, one.role, one.country) for one in made} == {
        ("afi@example.org", "CHEF_DEPT_TECH", cast.togo),
        ("kossi@example.org", "RESP_OPERATEUR", cast.togo),
    }
    assert not User.objects.filter(email__in=["also@example.org", "not-an-address"]).exists()
    assert {mail.to[0] for mail in sent_mails()} == {"afi@example.org", "kossi@example.org"}
    again = send(cast, "togo_admin", IMPORT, sheet_text(GOOD))
    assert (again.status_code, again.json()["created"]) == (200, 0)


def test_every_problem_is_listed_with_its_row(cast: Cast) -> None:
    sheet = "\n".join(
        [
            "Liste des comptes;;;",
            "",
            "Prénom;Nom;Adresse e-mail;Rôle",
            ";Lawson;;chef",
            "Afi;Lawson;togo_head@example.org;Responsable opérateur",
            "Afi;Lawson;x@example.org;Chef du département technique",
            "Afi;http://evil;X@example.org;Administrateur territorial",
        ]
    )
    rows = send(cast, "togo_admin", PREVIEW, sheet_text(sheet)).json()["rows"]
    assert [(row["row"], len(row["problems"])) for row in rows] == [(4, 3), (5, 1), (6, 0), (7, 3)]
    assert [row["role"] for row in rows] == ["", "RESP_OPERATEUR", "CHEF_DEPT_TECH", "ADMIN_TERRITORIAL"]
    assert "Row 6" in rows[3]["problems"][1]


@pytest.mark.parametrize(
    "role", ["CHEF_DEPT_TECH", "chef dept tech", "Head of the technical department", "Chef de département technique"]
)
def test_a_role_is_known_by_its_code_or_its_name_in_either_language(role: str, cast: Cast) -> None:
    rows = [["Nom", "Prénoms", "Courriel", "Profil"], ["Lawson", "Afi", "afi@example.org", role]]
    body = send(cast, "togo_admin", PREVIEW, sheet_workbook(rows)).json()
    assert (body["rows"][0]["role"], body["valid"]) == ("CHEF_DEPT_TECH", 1)


def test_a_workbook_is_read_by_its_header_wherever_it_stands(cast: Cast) -> None:
    rows = [
        [],
        ["Comptes du Togo"],
        ["N°", "role", "E-mail", "LAST NAME", "First_Name"],
        [],
        [1, "RESP_OPERATEUR", "a@example.org", "Lawson", "Afi"],
    ]
    body = send(cast, "togo_admin", IMPORT, sheet_workbook(rows)).json()
    assert [(row["row"], row["first_name"], row["last_name"]) for row in body["rows"]] == [(5, "Afi", "Lawson")]
    assert body["created"] == 1


def test_csv_is_read_with_any_separator_in_utf_8_and_windows_1252(cast: Cast) -> None:
    for separator in ";,\t|":
        content = separator.join(["Prénom", "Nom", "Email", "Rôle"]) + "\r\n"
        content += separator.join(["Hélène", "Mensah", "h@example.org", "RESP_OPERATEUR"]) + "\r\n"
        for encoding in ("utf-8", "utf-8-sig", "cp1252"):
            body = send(cast, "togo_admin", PREVIEW, sheet_text(content.encode(encoding))).json()
            assert (body["rows"][0]["first_name"], body["valid"]) == ("Hélène", 1), (separator, encoding)


def test_a_sheet_creates_only_roles_below_the_own_role_as_a_form_does(cast: Cast) -> None:
    created = {}
    for actor, more in {"superuser": {"country": cast.benin.pk}, "global_admin": {}, "togo_admin": {}}.items():
        sheet = HEADER + "".join(
            f"\nA,B,{actor}-{role}@example.org,{role}"
            for role in ["SUPERUSER", "ADMIN_GLOBAL", "ADMIN_TERRITORIAL", "CHEF_DEPT_TECH"]
        )
        body = send(cast, actor, IMPORT, sheet_text(sheet), **more).json()
        created[actor] = [row["role"] for row in body["rows"] if row["account"]]
    assert created == {
        "superuser": ["ADMIN_GLOBAL", "ADMIN_TERRITORIAL", "CHEF_DEPT_TECH"],
        "global_admin": ["ADMIN_TERRITORIAL"],
        "togo_admin": ["CHEF_DEPT_TECH"],
    }


def test_a_territorial_admin_cannot_import_a_sheet_into_another_country(cast: Cast) -> None:
    assert send(cast, "togo_admin", IMPORT, sheet_text(GOOD), country=cast.benin.pk).status_code == 400
    assert not User.objects.filter(email="afi@example.org").exists()


@pytest.mark.parametrize("actor", ["togo_head", "togo_operator", "homeless_admin", "closed_admin"])
def test_an_account_that_may_not_create_accounts_may_not_preview_a_sheet(actor: str, cast: Cast) -> None:
    assert send(cast, actor, PREVIEW, sheet_text(GOOD)).status_code == 403
    assert send(cast, actor, IMPORT, sheet_text(GOOD)).status_code == 403


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (50 * 1024 * 1024))
    return out.getvalue()


def with_sheet(xml: str) -> bytes:
    """A real workbook whose sheet is replaced."""
    given = sheet_workbook([["a"]]).read()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(given)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, xml if entry.filename == "xl/worksheets/sheet1.xml" else old.read(entry))
    return out.getvalue()


NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
FAR = (
    f'<worksheet {NS}><sheetData><row r="99999999999"><c r="XFD99999999999"><v>1</v></c></row></sheetData></worksheet>'
)
ENTITIES = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
    f'<worksheet {NS}><sheetData><row r="1"><c t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>'
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("people.csv", b""),
        ("people.csv", b"just words\n"),
        ("people.csv", b"first_name,last_name,email\nA,B,c@example.org\n"),
        ("people.csv", f"{HEADER}\n".encode()),
        ("people.csv", f'{HEADER}\nA,"B,c@example.org,RESP_OPERATEUR\n'.encode()),
        ("people.csv", f"{HEADER},e-mail\nA,B,c@example.org,RESP_OPERATEUR,d@example.org\n".encode()),
        ("people.csv", b"\x00\x01" * 100),
        ("people.csv", (HEADER + "\nA,B,c@example.org,RESP_OPERATEUR" * 1001).encode()),
        ("people.csv", b"a" * (1024 * 1024 + 1)),
        ("people.xlsx", b"PK\x03\x04 not a workbook"),
        ("people.xlsx", sheet_workbook([["a"]]).read()[:400]),
        ("people.xlsx", bomb()),
        ("people.xlsx", with_sheet(FAR)),
        ("people.xlsx", with_sheet(ENTITIES)),
        ("people.xlsx", with_sheet("<worksheet")),
        ("people.xls", b"\xd0\xcf\x11\xe0"),
        ("people", GOOD.encode()),
    ],
    # Not by size: a workbook made now may differ by a byte from one made a second later in another process.
    ids=lambda value: value if isinstance(value, str) else "content",
)
def test_a_file_that_is_not_a_sheet_of_accounts_is_refused_with_a_reason(name: str, content: bytes, cast: Cast) -> None:
    response = send(cast, "togo_admin", IMPORT, sheet_text(content, name))
    assert response.status_code == 400
    reasons = response.json()["file"]
    assert reasons
    assert all(isinstance(reason, str) and reason for reason in reasons)


def test_a_workbook_that_inflates_beyond_the_limit_is_refused_before_it_is_read(cast: Cast) -> None:
    row = "<row><c><v>1</v></c></row>"
    heavy = with_sheet(f"<worksheet {NS}><sheetData>{row * 400_000}</sheetData></worksheet>")
    assert len(heavy) < 1024 * 1024
    response = send(cast, "togo_admin", IMPORT, sheet_text(heavy, "people.xlsx"))
    assert response.json()["file"] == ["The workbook is too large. Save only the list in a new workbook."]


def test_all_missing_columns_are_named(cast: Cast) -> None:
    response = send(cast, "togo_admin", IMPORT, sheet_text("Nom;Prénom\nA;B\n"))
    assert [word in str(response.json()["file"]) for word in ("email", "role", "last_name")] == [True, True, False]


def test_a_workbook_that_ends_with_thousands_of_blank_rows_is_read(cast: Cast) -> None:
    rows: list[list[Any]] = [HEADER.split(","), ["Afi", "Lawson", "afi@example.org", "RESP_OPERATEUR"]]
    rows += [["", None, " ", ""]] * 3000
    assert send(cast, "togo_admin", PREVIEW, sheet_workbook(rows)).json()["count"] == 1


def test_a_request_without_a_file_is_refused_with_the_name_of_the_field(cast: Cast) -> None:
    response = cast.client("togo_admin").post(IMPORT, {}, format="multipart")
    assert (response.status_code, set(response.json())) == (400, {"file"})
