"""A list as a file: the same rows, those of all pages, and nothing that a spreadsheet would execute."""

from __future__ import annotations

import csv
import datetime
import io
from decimal import Decimal
from typing import Any

import openpyxl
import polars as pl
import pytest
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl.utils import get_column_letter

from common.throttling import ExportThrottle
from core import models as core
from tests.support.browser import Browser
from tests.support.cast import SHUT_OUT, Cast
from tests.support.reading import read
from tests.support.records import Records, make_claim, make_finding
from tests.support.responses import content_of
from tests.support.routes import CATALOGUE_ROUTES, FOREIGN, RECORD_ROUTES
from tests.support.workbooks import numbers_in_column
from users.models import AuditEntry

EXPORTS = [f"{name}/export/" for name in RECORD_ROUTES + CATALOGUE_ROUTES] + [
    "files/export/",
    "import-sessions/export/",
    "family-changes/export/",
]


KINDS = ["csv", "xlsx", "parquet"]


def sent(response: Any) -> bytes:
    assert response.status_code == 200, response.content
    return content_of(response)


def csv_rows(response: Any) -> list[dict[str, str]]:
    content = sent(response)
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def sheet_rows(response: Any) -> list[list[Any]]:
    sheet = openpyxl.load_workbook(io.BytesIO(sent(response))).active
    assert sheet is not None
    assert all(cell.data_type != "f" and cell.hyperlink is None for row in sheet.iter_rows() for cell in row)
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def all_rows(kind: str, response: Any) -> list[Any]:
    match kind:
        case "csv":
            return csv_rows(response)
        case "xlsx":
            return sheet_rows(response)[1:]
    return frame(response).rows()


def test_a_csv_has_the_rows_that_the_filters_leave_on_all_pages(cast: Cast, togo: Records) -> None:
    for n in range(230):
        make_claim(togo.rows, cast.togo, f"N{n:03}", claimed_amount=Decimal(n), status="cancelled")
    client = cast.client("togo_operator")
    rows = csv_rows(client.get("/api/v1/claims/export/?status=cancelled&ordering=-claimed_amount"))
    assert [row["Claim"] for row in rows] == [f"N{n:03}" for n in reversed(range(230))]
    assert rows[0]["Claimed"] == "229.00"
    assert (rows[0]["Settlement date"], rows[0]["Status"], rows[0]["Insured"]) == (
        "2024-03-10", "cancelled", "TOGOCANARY AFI",
    )  # fmt: skip


def frame(response: Any) -> pl.DataFrame:
    return pl.read_parquet(io.BytesIO(sent(response)))


def test_a_parquet_file_has_decimals_dates_and_the_words_of_the_api(cast: Cast, togo: Records) -> None:
    make_claim(
        togo.rows, cast.togo, "N1", client=None, claimed_amount=Decimal("-123456789012.34"),
        incident_date=datetime.date(2024, 2, 29),
    )  # fmt: skip
    path = "/api/v1/claims/export/?format=parquet&ordering=id"
    response = cast.client("togo_operator").get(path, headers={"accept-language": "fr"})
    assert response["Content-Type"] == "application/vnd.apache.parquet"
    assert response["Content-Disposition"].endswith('.parquet"')
    rows = frame(response)
    assert rows.schema["claimed_amount"] == pl.Decimal(20, 2)
    assert (rows.schema["settlement_date"], rows.schema["line_count"]) == (pl.Date(), pl.Int64())
    assert rows["claimed_amount"].to_list() == [Decimal("5000.00"), Decimal("-123456789012.34")]
    assert rows["incident_date"].to_list() == [None, datetime.date(2024, 2, 29)]
    assert rows["client_name"].to_list() == ["TOGOCANARY PORT", None]
    # Neither labels nor names of columns are translated.
    assert rows["status"].to_list() == ["settled", "settled"]
    assert {"id", "country_code", "insured_name", "recap_file_name"} <= set(rows.columns)


def test_moments_and_answers_of_a_parquet_file_have_their_types(cast: Cast, togo: Records) -> None:
    client = cast.client("togo_admin")
    files = frame(client.get("/api/v1/files/export/?format=parquet&ordering=id"))
    assert files["uploaded_at"].to_list() == [togo.file.uploaded_at, togo.recap.uploaded_at]
    people = frame(client.get("/api/v1/insured/export/?format=parquet"))
    assert people["is_deduced"].to_list() == [False]
    empty = frame(client.get("/api/v1/insured/export/?format=parquet&name=nobody"))
    assert (empty.schema, empty.height) == (people.schema, 0)


def test_amounts_dates_and_texts_of_a_workbook_have_their_types(cast: Cast, togo: Records) -> None:
    response = cast.client("togo_operator").get("/api/v1/claims/export/?format=xlsx")
    assert response["Content-Disposition"].endswith('.xlsx"')
    header, row = sheet_rows(response)
    cells = dict(zip(header, row, strict=True))
    assert (cells["Claim"], cells["Claimed"], cells["Lines"]) == ("TOGOCANARY-1", 5000, 1)
    assert cells["Settlement date"].date() == togo.rows["claims"].settlement_date
    assert (cells["Recap file"], cells["Recap sheet"], cells["Recap row"]) == (togo.recap.name, "Page 1", 7)


def test_each_amount_of_a_workbook_is_the_double_that_is_nearest_to_it(cast: Cast, togo: Records) -> None:
    amounts = [Decimal("102310.40"), Decimal("-0.05"), *(Decimal(cents) / 100 for cents in range(1001, 10**8, 999_983))]
    for n, amount in enumerate(amounts):
        make_claim(togo.rows, cast.togo, f"N{n:03}", claimed_amount=amount, status="cancelled")
    workbook = sent(
        cast.client("togo_operator").get("/api/v1/claims/export/?format=xlsx&status=cancelled&ordering=number")
    )
    header = next(openpyxl.load_workbook(io.BytesIO(workbook)).worksheets[0].values)
    column = get_column_letter(header.index("Claimed") + 1)
    assert [float(text) for text in numbers_in_column(workbook, sheet=1, column=column)] == [float(a) for a in amounts]


@pytest.mark.parametrize("text", ["=1+1", "+33", "-2+3", "@SUM(A1)", "\t=1", " =cmd|' /C calc'!A0", "＝1"])
def test_text_stays_text(text: str, cast: Cast) -> None:
    core.Client.objects.create(country=cast.togo, name=text, key="K")
    client = cast.client("togo_operator")
    (row,) = csv_rows(client.get("/api/v1/clients/export/"))
    assert row["Client"] == "'" + text
    assert sheet_rows(client.get("/api/v1/clients/export/?format=xlsx"))[1][2] == text


def test_a_name_with_separators_quotes_and_line_breaks_is_one_cell(cast: Cast) -> None:
    name = 'A;B "C"\nD\x00\x0bE'
    core.Client.objects.create(country=cast.togo, name=name.replace("\x00", ""), key="K")
    client = cast.client("togo_operator")
    (row,) = csv_rows(client.get("/api/v1/clients/export/"))
    assert row["Client"] == 'A;B "C"\nDE'
    assert len(sheet_rows(client.get("/api/v1/clients/export/?format=xlsx"))) == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", [*EXPORTS, "import-sessions/{session}/findings/export/", "audit/export/"])
def test_every_list_can_be_exported_with_the_rows_of_the_list(path: str, kind: str, cast: Cast, togo: Records) -> None:
    client = cast.client("togo_admin")
    path = path.format(session=togo.session.pk)
    listed = client.get(f"/api/v1/{path.removesuffix('export/')}").json()["count"]
    response = client.get(f"/api/v1/{path}?format={kind}")
    got = all_rows(kind, response)
    # Listing the findings or the trail itself adds to the trail.
    assert len(got) - listed in ((0,) if "audit" not in path else (0, 1))
    if "audit" not in path:
        assert got
    assert response["Cache-Control"] == "private, no-store"


def test_an_empty_list_is_a_header_alone(cast: Cast, togo: Records) -> None:
    client = cast.client("togo_operator")
    assert csv_rows(client.get("/api/v1/claims/export/?number=none-such")) == []
    assert sheet_rows(client.get("/api/v1/claims/export/?number=none-such&format=xlsx"))[0][:3] == [
        "Id", "Country", "Claim",
    ]  # fmt: skip


def test_more_rows_than_the_cap_are_refused_with_both_numbers(cast: Cast, togo: Records, settings: Any) -> None:
    settings.CONCORD = settings.CONCORD | {"EXPORT_MAX_ROWS": 2}
    for n in range(2):
        make_claim(togo.rows, cast.togo, f"N{n}")
    client = cast.client("togo_operator")
    for kind in KINDS:
        refused = client.get(f"/api/v1/claims/export/?format={kind}")
        assert refused.status_code == 400
        assert "3" in refused.json()["detail"]
        assert "2" in refused.json()["detail"]
    assert len(csv_rows(client.get("/api/v1/claims/export/?number=N1"))) == 1


@pytest.mark.parametrize("query", ["format=pdf", "clientt=1", "client=abc", "ordering=fingerprint"])
def test_an_export_refuses_what_it_does_not_understand(query: str, cast: Cast, togo: Records) -> None:
    assert cast.client("togo_operator").get(f"/api/v1/claims/export/?{query}").status_code == 400


@pytest.mark.parametrize("kind", KINDS)
def test_an_export_leaves_an_entry_with_its_size_and_no_value(kind: str, cast: Cast, togo: Records) -> None:
    sent(cast.client("togo_operator").get(f"/api/v1/insured/export/?search=afi&format={kind}"))
    entry = AuditEntry.objects.get(action="export")
    assert (entry.actor, entry.country, entry.object_type) == (cast.togo_operator, cast.togo, "core.insured")
    assert entry.data == {"format": kind, "rows": 1, "filters": ["search"]}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", EXPORTS)
def test_no_export_holds_a_byte_of_another_country(
    path: str, kind: str, cast: Cast, togo: Records, benin: Records
) -> None:
    for name in [*FOREIGN, *SHUT_OUT]:
        response = cast.client(name).get(f"/api/v1/{path}?format={kind}")
        if response.status_code != 200:
            assert response.status_code == 403
            continue
        assert "TOGOCANARY" not in str(all_rows(kind, response)), name


def test_corrections_of_persons_are_exported_as_sentences_with_their_undo(cast: Cast, togo: Records) -> None:
    change = togo.rows["family-changes"]
    merged = core.Change.objects.create(
        country=cast.togo, kind="insured_merge", actor_label="KOSSI", undone_at=change.at, undone_by=cast.togo_admin,
        data={"name": "AFI", "absorbed": [{"name": "AFFI"}, {"name": "AFY"}]},
    )  # fmt: skip
    client, path = cast.client("togo_operator"), "/api/v1/family-changes/export/"
    first, second = csv_rows(client.get(path))
    time = f"{change.at:%Y-%m-%d %H:%M:%S}Z"
    assert (first["Id"], first["Kind"], first["Correction"]) == (
        str(merged.pk), "records of a person merged", "AFFI, AFY → AFI"
    )  # fmt: skip
    assert (first["Account"], first["Undone on"], first["Undone by"]) == ("KOSSI", time, cast.togo_admin.display_name())
    assert (second["Country"], second["Correction"]) == ("TG", "TOGOCANARY AFFI → TOGOCANARY AFI")
    assert (second["Time"], second["Undone on"], second["Undone by"]) == (time, "", "")
    for query, found in {"undone=true": [merged.pk], f"insured={togo.rows['insured'].pk}": [change.pk]}.items():
        assert [row["Id"] for row in csv_rows(client.get(f"{path}?{query}"))] == [str(pk) for pk in found]
    data = frame(client.get(f"{path}?format=parquet"))
    assert data["kind"].to_list() == ["insured_merge", "insured_name"]
    assert data["undone_at"].to_list()[1] is None
    french = csv_rows(client.get(path, headers={"accept-language": "fr"}))
    assert french[0]["Correction"] == "AFFI, AFY → AFI"
    assert french[0]["Annulée par"] == cast.togo_admin.display_name()


@pytest.mark.parametrize("kind", KINDS)
def test_changes_of_the_catalogue_are_exported_to_global_roles(kind: str, cast: Cast, togo: Records) -> None:
    merged = core.Change.objects.create(
        kind="act_merge", actor_label="ADJO",
        data={"subject": 1, "name": "IRM", "absorbed": [{"id": 2, "name": "I R M"}], "moved": {"lines": 7}},
    )  # fmt: skip
    client = cast.client("global_admin")
    path = f"/api/v1/catalogue-changes/export/?format={kind}"
    row, *others = all_rows(kind, client.get(path))
    assert len(others) == 1
    shown = list(row.values()) if kind == "csv" else list(row)
    assert [float(shown[0]), float(shown[3])] == [merged.pk, 7]
    assert (shown[2], shown[5]) == ("“I R M” became “IRM”.", "ADJO")
    assert shown[1] == ("act_merge" if kind == "parquet" else "acts merged")
    assert len(all_rows(kind, client.get(f"{path}&kind=act_merge"))) == 1
    assert client.get(f"{path}&country=1").status_code == 400
    assert cast.client("togo_admin").get(path).status_code == 403


@pytest.mark.parametrize(
    ("page", "name", "query"),
    [
        ("/families/changes/", "togo_operator", "undone=false"),
        ("/catalogue-changes/", "global_admin", "kind=act_alias_add"),
    ],
)
def test_the_page_of_changes_leads_to_its_list_as_a_file(
    page: str, name: str, query: str, cast: Cast, togo: Records, browser: Browser
) -> None:
    shown = read(browser(name), f"{page}?{query}")
    addresses = [address for address, text in shown.links if text in ("CSV", "XLSX", "PARQUET")]
    assert len(addresses) == 3
    for kind, address in zip(KINDS, addresses, strict=True):
        assert address.endswith(f"/export/?{query}&format={kind}")
        assert len(all_rows(kind, browser(name).get(address))) == 1


def test_headers_and_choices_are_in_the_language_of_the_caller(cast: Cast, togo: Records) -> None:
    # Whatever the translations are: the file is made in each of the two languages.
    for language in ("fr", "en"):
        response = cast.client("togo_operator").get("/api/v1/insured/export/", headers={"accept-language": language})
        assert len(csv_rows(response)) == 1


def test_exports_are_throttled(cast: Cast, togo: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    caches["throttle"].clear()
    monkeypatch.setattr(ExportThrottle, "rate", "2/hour", raising=False)
    client = cast.client("togo_operator")
    statuses = [client.get("/api/v1/clients/export/").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert client.get("/api/v1/clients/").status_code == 200
    caches["throttle"].clear()


@pytest.mark.parametrize("kind", KINDS)
def test_an_export_of_many_rows_makes_as_many_queries_as_one_of_few(kind: str, cast: Cast, togo: Records) -> None:
    client = cast.client("togo_admin")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            sent(client.get(f"/api/v1/import-sessions/{togo.session.pk}/findings/export/?format={kind}"))
            sent(client.get(f"/api/v1/claims/export/?format={kind}"))
        return len(captured)

    few = queries()
    for n in range(100):
        make_claim(togo.rows, cast.togo, f"N{n}")
        make_finding(togo.session, n + 10)
    assert queries() == few
