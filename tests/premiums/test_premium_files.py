"""Premiums from a file: what each row would do, the good rows written, every reason of a rejected one (DOMAIN §9)."""

from __future__ import annotations

import datetime
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import load_workbook

from core.models import Client, DataVersion, Premium, PremiumRevision
from tests.support.cast import Cast
from tests.support.files import header_row, inline, package, worksheet
from tests.support.premium_sheets import HEADER, IMPORT, PREMIUMS, PREVIEW, make_client, send, sheet_text, workbook
from tests.support.responses import content_of
from users.models import AuditEntry

DAY = datetime.date
OLD_RECAP = Path(__file__).parents[1] / "reading" / "recap.xls"


@pytest.fixture
def port(cast: Cast) -> Client:
    make_client(cast.togo, "DIRECTION DES DOUANES")
    return make_client(cast.togo, "PORT DU GOLFE")


def judged(cast: Cast, file: SimpleUploadedFile, path: str = PREVIEW) -> dict[str, Any]:
    response = send(cast, "togo_head", path, file)
    assert response.status_code in (200, 201), response.content.decode()
    return dict(response.json())


def test_a_preview_shows_every_row_and_writes_nothing(cast: Cast, port: Client) -> None:
    body = judged(cast, sheet_text("Port du Golfe;1 200 000;01/01/2024;31/12/2024;40", "DOUANES;5;2024-01-01;x;"))
    assert [body[name] for name in ("count", "new", "update", "same", "rejected")] == [2, 1, 0, 0, 1]
    assert (body["currency"], body["file_name"]) == ("XOF", "primes.csv")
    assert body["rows"][0] == {
        "sheet": "",
        "row": 2,
        "status": "new",
        "reasons": [],
        "employer": "Port du Golfe",
        "client": {"id": port.pk, "name": "PORT DU GOLFE"},
        "amount": "1200000.00",
        "amount_before": None,
        "start": "2024-01-01",
        "end": "2024-12-31",
        "insured_count": 40,
        "premium": None,
    }
    assert not Premium.objects.exists()
    assert not PremiumRevision.objects.exists()
    assert not DataVersion.objects.exists()


def test_the_good_rows_are_written_with_their_file_sheet_and_row_and_the_others_are_not(
    cast: Cast, port: Client
) -> None:
    rows = [
        ["Client", "Montant", "Année"],
        ["PORT DU GOLFE", 1200000.5, 2023],
        ["PORT DU GOLFF", 3, 2023],
        ["Port  du golfe", 900000, "01/01/2024 au 30/06/2024"],
    ]
    sheet = workbook({"Notes": [["Primes de l'année"]], "Primes": rows})
    response = send(cast, "togo_head", IMPORT, sheet)
    body = response.json()
    assert (response.status_code, body["new"], body["rejected"]) == (201, 2, 1)
    assert "The nearest name is “PORT DU GOLFE”" in body["rows"][1]["reasons"][0]
    stored = Premium.objects.order_by("start").values_list("amount", "start", "end", "file_name", "sheet", "row")
    assert [(str(amount), *rest) for amount, *rest in stored] == [
        ("1200000.50", DAY(2023, 1, 1), DAY(2023, 12, 31), "primes.xlsx", "Primes", 2),
        ("900000.00", DAY(2024, 1, 1), DAY(2024, 6, 30), "primes.xlsx", "Primes", 4),
    ]
    ids = [row["premium"] for row in body["rows"] if row["premium"]]
    assert set(ids) == set(Premium.objects.values_list("pk", flat=True))
    assert Client.objects.filter(country=cast.togo).count() == 2
    assert PremiumRevision.objects.filter(premium_id__in=ids, before__isnull=True).count() == 2
    assert Premium.objects.first().author == cast.togo_head  # type: ignore[union-attr]
    entry = AuditEntry.objects.get(object_type="core.premium", action="upload")
    assert (entry.country, entry.data) == (
        cast.togo, {"rows": 3, "new": 2, "update": 0, "same": 0, "rejected": 1},
    )  # fmt: skip
    again = send(cast, "togo_head", IMPORT, workbook({"Primes": rows}))
    assert (again.status_code, again.json()["same"], again.json()["rejected"]) == (200, 2, 1)


def test_another_amount_for_the_same_client_and_period_changes_the_premium(cast: Cast, port: Client) -> None:
    judged(cast, sheet_text("PORT DU GOLFE;100;01/01/2024;31/12/2024;40"), IMPORT)
    premium = Premium.objects.get()
    version = DataVersion.objects.get(country=cast.togo, part="premiums").token
    lines = [" port du golfe ;250;01/01/2024;31/12/2024;", "DIRECTION DES DOUANES;7;01/01/2024;31/12/2024;"]
    row = judged(cast, sheet_text(*lines))["rows"][0]
    assert (row["status"], row["amount_before"], row["amount"], row["premium"]) == (
        "update", "100.00", "250.00", premium.pk,
    )  # fmt: skip
    judged(cast, sheet_text(*lines, name="new.csv"), IMPORT)
    now = Premium.objects.get(pk=premium.pk)
    assert (now.amount, now.insured_count, now.file_name, now.author) == (250, 40, "new.csv", cast.togo_head)
    assert now.changed_at > premium.changed_at
    assert DataVersion.objects.get(country=cast.togo, part="premiums").token != version
    rows = cast.client("togo_head").get(f"{PREMIUMS}{premium.pk}/history/").json()["results"]
    assert [(one["before"] and one["before"]["amount"], one["after"]["amount"]) for one in rows] == [
        ("100.00", "250.00"),
        (None, "100.00"),
    ]


def test_several_problems_of_a_row_are_all_said(cast: Cast, port: Client) -> None:
    lines = [
        ";;;;",
        "Port du Golf;-5;31/12/2024;01/01/2024;douze",
        ";abc;30/02/2024;;",
        "PORT DU GOLFE;1,5E3;2024;2025;",
        "PORT DU GOLFE;0;01/01/2024;31/12/2024;0",
    ]
    body = judged(cast, sheet_text(*lines))
    assert [row["row"] for row in body["rows"]] == [3, 4, 5, 6]
    assert body["rejected"] == 4
    reasons = [row["reasons"] for row in body["rows"]]
    assert [len(one) for one in reasons] == [4, 4, 3, 2]
    assert "nearest name is “PORT DU GOLFE”" in " ".join(reasons[0])
    assert "must be more than 0" in " ".join(reasons[0])
    assert "The end (01/01/2024) is before the start (31/12/2024)." in reasons[0]
    assert "“douze” is not a number of people" in " ".join(reasons[0])
    assert reasons[1] == [
        "The employer is absent.",
        "The amount “abc” cannot be read.",
        "The start “30/02/2024” cannot be read as a date.",
        "The end is absent.",
    ]


def test_a_year_in_a_column_of_days_is_refused_and_not_read_as_a_day_of_1905(cast: Cast, port: Client) -> None:
    sheet = workbook({"Primes": [["Employeur", "Prime", "Du", "Au"], ["PORT DU GOLFE", 5, 2024, 2024]]})
    (row,) = judged(cast, sheet)["rows"]
    assert row["status"] == "rejected"
    assert "between 01/01/1950 and" in row["reasons"][0]


def test_a_row_that_overlaps_another_row_or_a_stored_premium_is_rejected_with_its_name(
    cast: Cast, port: Client
) -> None:
    judged(cast, sheet_text("PORT DU GOLFE;100;01/01/2022;31/12/2022;"), IMPORT)
    there = Premium.objects.get()
    lines = [
        "PORT DU GOLFE;1;31/12/2022;30/12/2023;",
        "PORT DU GOLFE;2;01/01/2024;31/12/2024;",
        "PORT DU GOLFE;3;31/12/2024;01/02/2025;",
        "PORT DU GOLFE;4;01/01/2025;31/12/2025;",
        "DIRECTION DES DOUANES;5;31/12/2024;01/02/2025;",
        "PORT DU GOLFE;6;01/06/2021;01/06/2026;",
    ]
    rows = judged(cast, sheet_text(*lines), IMPORT)["rows"]
    assert [row["status"] for row in rows] == ["rejected", "new", "rejected", "new", "new", "rejected"]
    assert f"premium {there.pk} of this client: 100\xa0F\xa0CFA from 01/01/2022" in rows[0]["reasons"][0]
    assert rows[2]["reasons"] == ["It overlaps row 3 of the file."]
    assert [reason[:20] for reason in rows[5]["reasons"]] == [
        "It overlaps row 3 of", "It overlaps row 5 of", "It overlaps premium ",
    ]  # fmt: skip
    assert Premium.objects.count() == 4


PERIODS: dict[str, tuple[str, str] | str] = {
    "2024": ("2024-01-01", "2024-12-31"),
    "01/01/2024 - 31/12/2024": ("2024-01-01", "2024-12-31"),
    "01/01/2024-31/12/2024": ("2024-01-01", "2024-12-31"),
    "01-02-2024-31-01-2025": ("2024-02-01", "2025-01-31"),
    "2024-02-01 – 2025-01-31": ("2024-02-01", "2025-01-31"),
    "1er février 2024 au 31 janvier 2025": ("2024-02-01", "2025-01-31"),
    "Du 01.02.24 AU 31.01.25": ("2024-02-01", "2025-01-31"),
    "2023 - 2024": "The period “2023 - 2024” cannot be read",
    "2023/2024": "cannot be read",
    "01/01/2024": "cannot be read",
    "janvier 2024": "cannot be read",
    "31/12/2024 - 01/01/2024": "The end (01/01/2024) is before the start (31/12/2024).",
}


def test_one_column_may_have_the_period(cast: Cast, port: Client) -> None:
    lines = [f"CLIENT {at};5;{text}" for at, text in enumerate(PERIODS)]
    for at in range(len(PERIODS)):
        make_client(cast.togo, f"CLIENT {at}")
    rows = judged(cast, sheet_text(*lines, header="Souscripteur;Prime annuelle;Exercice"))["rows"]
    for row, expected in zip(rows, PERIODS.values(), strict=True):
        if isinstance(expected, tuple):
            assert (row["status"], row["start"], row["end"]) == ("new", *expected)
        else:
            assert row["status"] == "rejected"
            assert expected in row["reasons"][0]


def test_a_period_that_contradicts_start_and_end_is_rejected(cast: Cast, port: Client) -> None:
    header = "Employeur;Prime;Début;Fin;Année"
    lines = ["PORT DU GOLFE;5;01/01/2024;31/12/2024;2024", "PORT DU GOLFE;5;01/02/2025;;2025"]
    rows = judged(cast, sheet_text(*lines, header=header))["rows"]
    assert [row["status"] for row in rows] == ["new", "rejected"]
    assert "not have the same start and end" in rows[1]["reasons"][0]


def test_columns_are_known_by_their_headers_wherever_they_stand(cast: Cast, port: Client) -> None:
    days = ["Début;Fin", "Du;Au", "Date d'effet;Date d’échéance", "DEBUT;FIN", "date_d_effet;Date d'echeance"]
    employers = ["Employeur", "Nom employeur", "Client", "ENTREPRISE", "Souscripteur"]
    amounts = ["Montant", "Prime", "PRIME_ANNUELLE", "prime annuelle", "MONTANT"]
    for day, employer, amount in zip(days, employers, amounts, strict=True):
        header = f"Primes 2024;;;\r\n\r\nRemarque;{day};{amount};{employer}"
        body = judged(cast, sheet_text("x;01/01/2024;31/12/2024;5;PORT DU GOLFE", header=header))
        assert [(row["row"], row["status"]) for row in body["rows"]] == [(4, "new")], header


def test_the_column_decides_what_one_mark_before_three_digits_is(cast: Cast, port: Client) -> None:
    def amounts(*texts: str) -> list[str | None]:
        lines = [f"PORT DU GOLFE;{text};01/01/{2000 + at};31/12/{2000 + at};" for at, text in enumerate(texts)]
        return [row["amount"] for row in judged(cast, sheet_text(*lines))["rows"]]

    assert amounts("1.234", "1.234.567") == ["1234.00", "1234567.00"]
    assert amounts("1.234", "0.5") == ["1.23", "0.50"]
    assert amounts("1.234", "7") == ["1234.00", "7.00"]
    cast.togo.currency_code = "EUR"
    cast.togo.save()
    (row,) = judged(cast, sheet_text("PORT DU GOLFE;1.234;01/01/2024;31/12/2024;"))["rows"]
    assert "“1.234” could be read in two ways" in row["reasons"][0]


NO_SHEETS: dict[str, tuple[str, bytes]] = {
    "damaged": ("primes.xlsx", b"PK\x03\x04 not a workbook"),
    "kinds": ("primes.pdf", b"%PDF-1.4"),
    "web page": ("primes.xls", b"<html><table></table></html>"),
    "empty": ("primes.csv", b" "),
    "lock file": ("~$primes.xlsx", b"x"),
    "“Prime”": ("primes.csv", b"Employeur;Effectif\na;5"),
    "the columns “Début”, “Fin”": ("primes.csv", b"Employeur;Prime\na;5"),
    "the column “Fin”": ("primes.csv", "Employeur;Prime;Début\na;5;2024".encode()),
    "no rows": ("primes.csv", HEADER.encode()),
    "at most 5000": ("primes.csv", (HEADER + "\na;1;2024;2024;" * 5_001).encode()),
    "but its columns are those of a recap file": ("old.xls", OLD_RECAP.read_bytes()),
    "recap file": ("primes.csv", b"reglementId;totalmttreclame;totalmttrembourse\n1;2;3"),
}


def test_a_file_that_is_no_sheet_of_premiums_is_refused_in_words(cast: Cast, port: Client) -> None:
    for words, (name, content) in NO_SHEETS.items():
        response = send(cast, "togo_head", IMPORT, SimpleUploadedFile(name, content))
        assert response.status_code == 400, words
        assert words in " ".join(one["message"] for one in response.json()["errors"])


def test_hostile_files_are_refused_in_words_and_harm_nothing(cast: Cast, port: Client) -> None:
    head = header_row(HEADER.split(";"))
    for content in (
        package(worksheet(head + f'<row r="1048576">{inline("XFD1048576", "x")}</row>')),
        package(worksheet(head + f'<row r="0">{inline("A0", "x")}</row>')),
        package(worksheet(head + "<row>" * 20_000)),
        package(worksheet(head, before='<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>')),
        package(worksheet(head), extra={f"xl/media/{n}": b"" for n in range(3000)}),
    ):
        response = send(cast, "togo_head", IMPORT, SimpleUploadedFile("primes.xlsx", content))
        assert (response.status_code, len(response.json()["errors"])) == (400, 1)
    assert Premium.objects.count() == 0


def test_an_account_without_a_country_names_it_and_no_other_may_name_another_one(cast: Cast, port: Client) -> None:
    line = "PORT DU GOLFE;5;01/01/2024;31/12/2024;"
    for path in (PREVIEW, IMPORT):
        refused = send(cast, "superuser", path, sheet_text(line))
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "country")
        assert send(cast, "togo_head", path, sheet_text(line), country="BJ").status_code == 400
    assert send(cast, "superuser", IMPORT, sheet_text(line), country="TG").status_code == 201
    foreign = send(cast, "benin_head", PREVIEW, sheet_text(line)).json()["rows"][0]
    assert (foreign["status"], "GOLFE”." in foreign["reasons"][0]) == ("rejected", False)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_template_is_read_by_the_import_in_each_language(language: str, cast: Cast, port: Client) -> None:
    api = cast.client("togo_head")
    response = api.get(f"{IMPORT}template/", headers={"Accept-Language": language})
    book = load_workbook(io.BytesIO(content_of(response)))
    sheet, clients = book.worksheets[1:]
    assert ("Employeur" if language == "fr" else "Employer") == sheet.cell(2, 1).value
    names = [row[0] for row in clients.iter_rows(min_row=3, values_only=True)]
    assert names == ["DIRECTION DES DOUANES", "PORT DU GOLFE"]
    assert not sheet.column_dimensions["A"].hidden
    for at, value in enumerate([names[1], "1 200 000", "01/01/2024", "31/12/2024", "40"], start=1):
        sheet.cell(3, at).value = value
    out = io.BytesIO()
    book.save(out)
    body = judged(cast, SimpleUploadedFile("template.xlsx", out.getvalue()), IMPORT)
    assert [(row["row"], row["status"], row["insured_count"]) for row in body["rows"]] == [(3, "new", 40)]
