"""The converter as Concord uses it: a real process, signed requests, and the workbooks that it answers with."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import http.client
import io
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import python_calamine

from tests import samples

FOLDER = Path(__file__).resolve().parent.parent
KEY = secrets.token_bytes(32)
SECRET = "whsec_" + base64.b64encode(KEY).decode()
HEADER = ["reglementId", "date_reglement", "totalmttreclame", "totalmttrembourse"]
ROWS = [["A1", "15/06/2024", "5 000", "4 000"], ["A2", "16/06/2024", "300", "200"]]


class Service:
    def __init__(self, port: int) -> None:
        self.port = port

    def send(self, body: bytes, facts: dict[str, Any], **changed: str) -> tuple[int, dict[str, str], bytes]:
        content = json.dumps(facts | {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body)})
        moment = changed.pop("moment", str(int(time.time())))
        digest = hmac.new(KEY, f"file_1.{moment}.{content}".encode(), hashlib.sha256).digest()
        headers = {
            "webhook-id": "file_1",
            "webhook-timestamp": moment,
            "webhook-signature": "v1,other v1," + base64.b64encode(digest).decode(),
            "concord-file": content,
            **{name.replace("_", "-"): value for name, value in changed.items()},
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("POST", "/", body=body, headers=headers)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.headers.items()}
            return answer.status, found, answer.read()
        finally:
            connection.close()

    def sheets(self, body: bytes, extension: str) -> dict[str, list[list[Any]]]:
        status, headers, content = self.send(body, {"extension": extension, "kind": "recap"})
        assert status == 200, content
        assert (headers["converter-name"], headers["converter-version"]) == ("Concord reference converter", "1.0")
        assert headers["content-type"].endswith("spreadsheetml.sheet")
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        return {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = os.environ | {
        "CONVERTER_SECRET": SECRET, "PORT": str(port), "VENV": sys.prefix, "MAX_MEGABYTES": "2", "MAX_SECONDS": "10",
        "MAX_MEMORY_MEGABYTES": "500",
    }  # fmt: skip
    process = subprocess.Popen(["sh", str(FOLDER / "serve.sh")], env=environment, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < end
                time.sleep(0.05)
        yield Service(port)
    finally:
        process.terminate()
        process.wait(10)


def test_every_sheet_of_an_ods_keeps_its_rows_texts_numbers_and_days(service: Service) -> None:
    body = samples.ods({"Récap": [HEADER, ["A1", "=1+1", 5000, 4000.5]], "Autre": [["00123"]]}, day="2024-06-15")
    sheets = service.sheets(body, "ods")
    assert sheets["Récap"][:2] == [HEADER, ["A1", "=1+1", 5000, 4000.5]]
    assert sheets["Récap"][2][0] == dt.date(2024, 6, 15)
    assert sheets["Autre"][0] == ["00123"]


def test_an_xlsb_is_converted(service: Service) -> None:
    rows = [HEADER, ["A1", "15/06/2024", 5000, 4000]]
    assert service.sheets(samples.xlsb("Récap", rows), "xlsb") == {"Récap": rows}


@pytest.mark.parametrize("lines", [True, False])
def test_the_tables_of_all_pages_of_a_pdf_are_one_with_one_header(lines: bool, service: Service) -> None:
    pages = [[HEADER, *ROWS], [HEADER, ["A3", "17/06/2024", "70", "60"], ["A4", "18/06/2024", "7", "6"]]]
    (rows,) = service.sheets(samples.pdf(pages, lines=lines), "pdf").values()
    assert rows == [HEADER, *ROWS, *pages[1][1:]]


def test_what_cannot_be_converted_is_refused_in_the_language_of_the_reader(service: Service) -> None:
    status, _headers, text = service.send(samples.pdf([[]]), {"extension": "pdf"}, Accept_Language="fr")
    assert (status, text.decode()[:32]) == (422, "Le PDF n’a pas de tableau. Une p")
    for body, extension, words in (
        (samples.pdf([[]]), "pdf", "no table"),
        (b"no file", "doc", "Only .ods"),
        (b"PK\x03\x04 no ods", "ods", "cannot be read"),
        (b"%PDF-1.4 cut", "pdf", "cannot be read"),
    ):
        status, headers, text = service.send(body, {"extension": extension})
        assert status == 422
        assert words in text.decode()
        assert headers["content-type"].startswith("text/plain")


def test_only_requests_that_are_signed_now_with_the_secret_are_served(service: Service) -> None:
    body, facts = samples.ods({"A": [HEADER]}), {"extension": "ods"}
    assert service.send(body, facts, webhook_signature="v1,AAAA")[0] == 401
    assert service.send(body, facts, concord_file='{"extension": "pdf"}')[0] == 401
    assert service.send(body, facts, moment=str(int(time.time()) - 3600))[0] == 401
    # The signature is right, the file another.
    assert service.send(body, facts | {"check": True})[0] == 204
    assert service.send(bytes(3 * 1024 * 1024), facts)[0] == 413


def test_the_version_is_answered_without_a_file(service: Service) -> None:
    status, headers, content = service.send(b"", {"check": True})
    assert (status, headers["converter-version"], content) == (204, "1.0", b"")


def test_a_sheet_that_unpacks_to_more_than_the_memory_ends_its_own_process_only(service: Service) -> None:
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(samples.ods({"A": [HEADER]}))) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        content = source.read("content.xml").replace(
            b"<table:table-row>",
            b'<table:table-row table:number-rows-repeated="1000000"><table:table-cell office:value-type="string"'
            b' table:number-columns-repeated="1000"><text:p>x</text:p></table:table-cell></table:table-row>'
            b"<table:table-row>",
            1,
        )
        bomb.writestr("mimetype", source.read("mimetype"))
        bomb.writestr("content.xml", content)
    assert service.send(target.getvalue(), {"extension": "ods"})[0] == 422
    assert service.sheets(samples.ods({"A": [HEADER]}), "ods") == {"A": [HEADER]}
