"""The content of a file decides how it is read; its name only hints (DOMAIN §4 "Files")."""

import io
import re
import zipfile
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from file_handling.files.checks import InvalidUpload, check_upload, expand_recap_zip
from file_handling.problem_texts import FOREIGN_FORMATS
from reading import formats
from reading.first_look import problems_of as first_look
from reading.limits import Limits
from reading.preview import preview
from reading.sources import Source
from tests.support.files import RECAP_HEADERS, read, recap_row, write_csv, write_xlsx
from tests.support.packages import bare_stream

OLD_WORKBOOK = (Path(__file__).parent / "recap.xls").read_bytes()
NAMES = ("r.xlsx", "r.xls", "r.csv")
TABLE = "<table><tr><td>reglementId</td></tr></table>"
ODF = b"application/vnd.oasis.opendocument."


def zip_of(**parts: bytes) -> bytes:
    """`folder__name_ending` for `folder/name.ending`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(".".join(name.replace("__", "/").rsplit("_", 1)), data)
    return buffer.getvalue()


def office(folder: str, part: str) -> bytes:
    return zip_of(**{"[Content_Types]_xml": b"<Types/>", f"{folder}__{part}": b"<x/>"})


def ole_with(stream: str) -> bytes:
    return formats.OLE + bytes(1016) + f"{stream}\0".encode("utf-16-le") + bytes(512)


READ_AS = {
    "workbook": lambda path: write_xlsx(path, {"x": [RECAP_HEADERS, recap_row("N1"), recap_row("N2")]}),
    "semicolons": lambda path: write_csv(path, [RECAP_HEADERS, recap_row("N1"), recap_row("N2")]),
    "tabs": lambda path: write_csv(path, [RECAP_HEADERS, recap_row("N1"), recap_row("N2")], separator="\t"),
    "UTF-16": lambda path: write_csv(
        path, [RECAP_HEADERS, recap_row("N1"), recap_row("N2")], separator="\t", encoding="utf-16"
    ),
    "a first cell in angle brackets": lambda path: write_csv(
        path, [["<vide>"], ["< 5 jours"], RECAP_HEADERS, recap_row("N1"), recap_row("N2")]
    ),
    "a first cell like a tag": lambda path: write_csv(
        path, [["<b>", "</b>"], RECAP_HEADERS, recap_row("N1"), recap_row("N2")]
    ),
    "a NUL further down": lambda path: path.write_bytes(
        write_csv(path, [RECAP_HEADERS, recap_row("N1", note="x" * 5_000 + "@"), recap_row("N2")])
        .read_bytes()
        .replace(b"@", b"\0")
    ),
    "a first header like SYLK": lambda path: write_csv(
        path, [["ID", "Police"], ["C", "1"], RECAP_HEADERS, recap_row("N1"), recap_row("N2")]
    ),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", READ_AS)
def test_a_readable_content_is_read_under_any_name(tmp_path, content, name):
    made = tmp_path / "made"
    READ_AS[content](made)
    path = tmp_path / name
    made.rename(path)
    assert check_upload(SimpleUploadedFile(name, path.read_bytes()), kind="recap") is not None
    assert first_look(Source(str(path), name), kind="recap") == []
    assert read(path, kind="recap")["claim_number"].to_list() == ["N1", "N2"]
    assert preview(Source(str(path), name), rows=5, limits=Limits())["total_rows"] >= 2


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stream", [False, True])
def test_an_old_workbook_is_read_under_any_name_and_without_its_container(tmp_path, name, stream):
    data = bare_stream(OLD_WORKBOOK) if stream else OLD_WORKBOOK
    (tmp_path / name).write_bytes(data)
    assert check_upload(SimpleUploadedFile(name, data), kind="recap") is not None
    assert first_look(Source(str(tmp_path / name), name), kind="recap") == []
    assert read(tmp_path / name, kind="recap").select("claim_number", "settlement_date").rows() == [
        ("N1", "2023-02-03"),
        ("N2", "#N/A"),
        ("N3", None),
    ]


def test_a_large_bare_stream_is_put_into_a_container_whole(tmp_path):
    # More than 109 sectors of the allocation table, from where on it takes a list of its own. What follows the end of
    # the stream is nothing to a reader.
    (tmp_path / "r.xls").write_bytes(bare_stream(OLD_WORKBOOK) + bytes(8_000_000))
    assert read(tmp_path / "r.xls", kind="recap")["claim_number"].to_list() == ["N1", "N2", "N3"]


FOREIGN: list[tuple[str, bytes]] = [
    ("web page (HTML)", f"<html><body>{TABLE}</body></html>".encode()),
    ("web page (HTML)", f"\ufeff\r\n  <!DOCTYPE html>\n<html>{TABLE}".encode()),
    ("web page (HTML)", f"<HTML>{TABLE}".encode("utf-16")),
    ("web page (HTML)", f"<html>{TABLE}".encode("utf-16-le")),
    ("web page (HTML)", f"<!-- exported\nby a portal --><style>td {{}}</style>{TABLE}".encode()),
    ("web page (HTML)", f"<!-- {'x' * 70_000} -->{TABLE}".encode()),
    ("web page (HTML)", f"<div class='x'>{TABLE}</div>".encode()),
    ("web page (HTML)", f"<br />\n<b>Warning</b>: x\n{TABLE}".encode()),
    ("web page (HTML)", f'<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml">{TABLE}'.encode()),
    ("web page (HTML)", f"<meta charset='utf-8'>{TABLE}".encode()),
    ("web page (HTML)", TABLE.encode("cp1252")),
    (
        "web page saved as a single file (MHTML)",
        b'MIME-Version: 1.0\r\nX-Document-Type: Workbook\r\nContent-Type: multipart/related; boundary="x"\r\n\r\n--x',
    ),
    (
        "web page saved as a single file (MHTML)",
        b"From: <Saved by a browser>\r\nSubject: x\r\nContent-Type: multipart/related;\r\n boundary=x\r\n",
    ),
    (
        "XML spreadsheet of Excel 2003",
        b'<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n'
        b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
    ),
    ("XML spreadsheet of Excel 2003", b'<ss:Workbook xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"/>'),
    ("XML document", b'<?xml version="1.0"?><sinistres><sinistre/></sinistres>'),
    ("OpenDocument spreadsheet (.ods)", zip_of(mimetype=ODF + b"spreadsheet", content_xml=b"<x/>")),
    (
        "OpenDocument spreadsheet (.ods)",
        b'<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:x"/>',
    ),
    ("document of another Office program", zip_of(mimetype=ODF + b"text", content_xml=b"<x/>")),
    ("document of another Office program", office("word", "document_xml")),
    ("document of another Office program", office("ppt", "presentation_xml")),
    ("document of another Office program", ole_with("WordDocument")),
    ("binary Excel workbook (.xlsb)", office("xl", "workbook_bin")),
    ("spreadsheet of Numbers", zip_of(Index__Document_iwa=b"x")),
    ("SYLK spreadsheet", b'ID;PWXL;N;E\r\nP;PGeneral\r\nC;Y1;X1;K"reglementId"\r\nE\r\n'),
    ("DIF spreadsheet", b'TABLE\r\n0,1\r\n"EXCEL"\r\nVECTORS\r\n0,2\r\n'),
    ("PDF document", b"%PDF-1.7\n"),
    ("RTF document", b"{\\rtf1\\ansi x}"),
    ("image", b"\x89PNG\r\n\x1a\n" + bytes(20)),
    ("image", b"\xff\xd8\xff\xe0" + bytes(20)),
    ("zip archive", zip_of(readme_txt=b"x")),
    ("an archive", b"Rar!\x1a\x07\x01\x00"),
    ("something else", bytes(range(256)) * 4),
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("what", "data"), FOREIGN)
def test_a_foreign_content_is_refused_with_what_it_is_and_advice(tmp_path, what, data, name):
    with pytest.raises(InvalidUpload) as invalid:
        check_upload(SimpleUploadedFile(name, data), kind="recap")
    (reason,) = invalid.value.sentences()
    expected = rf"“{name}” is named \.\w+ but contains (an? )?{re.escape(what)}\. (Open it in Excel, save|Export)"
    assert re.match(expected, reason)
    (tmp_path / name).write_bytes(data)
    (problem,) = first_look(Source(str(tmp_path / name), name), kind="recap")
    assert problem.code == "wrong_content"
    assert problem.params["found"] in FOREIGN_FORMATS


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("start", [b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00"])
def test_a_workbook_of_excel_2_to_4_is_refused_as_too_old(tmp_path, name, start):
    data = start + bytes(100)
    with pytest.raises(InvalidUpload) as invalid:
        check_upload(SimpleUploadedFile(name, data), kind="recap")
    assert re.search("Excel 4 or older.*Open it in a current Excel", invalid.value.sentences()[0])
    (tmp_path / name).write_bytes(data)
    assert [one.code for one in first_look(Source(str(tmp_path / name), name), kind="recap")] == ["too_old"]


@pytest.mark.parametrize("name", NAMES)
def test_an_encrypted_workbook_is_refused_as_encrypted_under_any_name(name):
    with pytest.raises(InvalidUpload) as invalid:
        check_upload(SimpleUploadedFile(name, ole_with("EncryptedPackage")), kind="recap")
    assert "password" in invalid.value.sentences()[0]


def test_pages_of_a_zip_are_known_by_their_content_too(tmp_path):
    text = write_csv(tmp_path / "t", [RECAP_HEADERS, recap_row("N1")], separator="\t").read_bytes()
    book = write_xlsx(tmp_path / "b", {"x": [RECAP_HEADERS, recap_row("N1")]}).read_bytes()
    pages = expand_recap_zip(SimpleUploadedFile("r.zip", zip_of(a_xls=text, b_csv=book, c_xlsx=OLD_WORKBOOK)))
    try:
        read_pages = [read(Path(page.temporary_file_path()), kind="recap").height for page in pages]
    finally:
        for page in pages:
            page.close()
    assert read_pages == [1, 1, 3]
    with pytest.raises(InvalidUpload) as invalid:
        expand_recap_zip(SimpleUploadedFile("r.zip", zip_of(a_xls=TABLE.encode(), b_csv=b"\x09\x04\x06\x00xx")))
    assert [("web page" in one, "Excel 4" in one) for one in invalid.value.sentences()] == [
        (True, False),
        (False, True),
    ]
