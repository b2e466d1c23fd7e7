import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from file_handling.files.checks import InvalidUpload, check_upload, expand_recap_zip
from reading.limits import MB, Limits
from reading.problems import UnreadableFile
from reading.process import preview
from reading.sources import Source
from tests.support.files import RECAP_HEADERS, package, recap_row, worksheet, write_csv, write_xlsx

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1016
GOOD = package(worksheet('<row r="1"/>'))


def upload(name: str, data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def refusal(name: str, data: bytes, kind: str = "recap") -> list[str]:
    with pytest.raises(InvalidUpload) as refused:
        check_upload(upload(name, data), kind=kind)
    return refused.value.sentences()


def zipped(**pages: bytes) -> bytes:
    return zip_of({name.replace("_", "."): data for name, data in pages.items()})


def zip_of(pages: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in pages.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_good_files_pass_and_are_left_at_their_start():
    for name, data in (("a.xlsx", GOOD), ("b.CSV", b"a;b\n"), ("c.csv", "é;b\n".encode("utf-16")), ("d.xls", OLE)):
        one = upload(name, data)
        checked = check_upload(one, kind="stat")
        assert checked is not None
        assert checked.size == len(data)
        assert one.read() == data


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.exe", b"MZ", ".xlsx, .xls, .csv"),
        ("a.xlsx", b"", "empty"),
        ("a.xlsx", GOOD[:300], "cut short"),
        ("a.xlsx", zipped(readme_txt=b"x"), "contains a zip archive"),
        ("a.csv", b"%PDF-1.7", "contains a PDF document"),
        ("a.xls", b"<html><body></body></html>", "contains a web page (HTML)"),
        ("a.zip", b"a;b", "no zip archive"),
        ("a.zip", GOOD, "contains an Excel workbook"),
        ("a.xlsx", package("<x/>", extra={"xl/vbaProject.bin": b"x"}), "macros"),
        ("a.xlsx", OLE + "EncryptedPackage".encode("utf-16-le"), "password"),
        ("a.xls", OLE[:512] + b"\x09\x08\x10\x00" + b"\0" * 16 + b"\x2f\x00\x06\x00" + b"\0" * 64, "password"),
        ("a.xls", OLE + "_VBA_PROJECT_CUR".encode("utf-16-le"), "macros"),
    ],
)
def test_a_file_that_cannot_be_imported_is_refused_with_the_reason(name, data, says):
    (error,) = refusal(name, data)
    assert says in error
    assert name in error


def test_a_file_past_the_limit_is_refused(settings):
    settings.CONCORD = settings.CONCORD | {"MAX_FILE_BYTES": 1024 * 1024}
    assert "larger than 1 MB" in refusal("a.csv", b"a" * (1024 * 1024 + 1))[0]


def test_a_zip_is_for_recap_pages_alone():
    assert refusal("a.zip", zipped(a_csv=b"a;b"), kind="stat")


def test_lock_files_are_skipped():
    assert check_upload(upload("~$stat.xlsx", b"x"), kind="stat") is None


def test_the_pages_of_a_zip_come_in_order_from_any_folder():
    archive = zip_of(
        {
            "2023/p02.csv": b"c;d",
            "2023/p01.xlsx": GOOD,
            "../../etc/p03.csv": b"e;f",
            "2023/~$p01.xlsx": b"lock",
            "__MACOSX/2023/._p01.xlsx": b"x",
            ".DS_Store": b"x",
        }
    )
    pages = expand_recap_zip(upload("pages.zip", archive))
    assert [(page.name, page.read()) for page in pages] == [
        ("p03.csv", b"e;f"),
        ("p01.xlsx", GOOD),
        ("p02.csv", b"c;d"),
    ]


def test_every_bad_page_of_a_zip_is_named():
    archive = zip_of({"a.csv": b"a;b", "b.zip": zipped(x_csv=b"a"), "c.xlsx": b"%PDF-1.7", "d.csv": b""})
    with pytest.raises(InvalidUpload) as refused:
        expand_recap_zip(upload("pages.zip", archive))
    assert [name for error in refused.value.sentences() for name in ("b.zip", "c.xlsx", "d.csv") if name in error] == [
        "b.zip",
        "c.xlsx",
        "d.csv",
    ]


@pytest.mark.parametrize(
    ("pages", "changed", "says"),
    [
        ({}, {}, "no page"),
        ({f"{at}.csv": b"a" for at in range(4)}, {"MAX_PAGES": 3}, "at most 3 pages"),
        ({"a.csv": b"a" * 3_000_000}, {"MAX_FILE_BYTES": 2 * 1024 * 1024}, "larger than 2 MB"),
        (
            {"a.csv": b"a" * 900_000, "b.csv": b"a" * 900_000},
            {"MAX_POST_BYTES": 1024 * 1024},
            "larger than 1 MB together",
        ),
    ],
)
def test_a_zip_past_the_limits_is_refused(settings, pages, changed, says):
    settings.CONCORD = settings.CONCORD | changed
    with pytest.raises(InvalidUpload) as refused:
        expand_recap_zip(upload("pages.zip", zip_of(pages)))
    assert says in refused.value.sentences()[0]


def preview_of(path, name, *, rows=10, sheet=None, limits=None):
    return preview(Source(str(path), name, sheet), rows=rows, limits=limits or Limits())


def test_a_preview_shows_the_first_rows_and_how_many_there_are(tmp_path):
    rows = [RECAP_HEADERS, *(recap_row(f"N{at}") for at in range(30))]
    book = write_xlsx(tmp_path / "r.xlsx", {"p1": rows, "p2": rows[:2]})
    shown = preview_of(book, "r.xlsx", rows=2)
    assert (shown["sheets"], shown["sheet"], shown["total_rows"], shown["total_columns"]) == (
        ["p1", "p2"],
        "p1",
        30,
        13,
    )
    assert shown["columns"] == RECAP_HEADERS
    assert [row[0] for row in shown["rows"]] == ["N0", "N1"]
    assert preview_of(book, "r.xlsx", sheet="p2")["total_rows"] == 1
    text = write_csv(tmp_path / "r.csv", rows, separator=",")
    assert preview_of(text, "r.csv", rows=1)["rows"][0][:2] == ["N0", "03/02/2023"]


def test_a_preview_of_an_unreadable_file_has_the_reason(tmp_path):
    (tmp_path / "r.xlsx").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(UnreadableFile) as unreadable:
        preview_of(tmp_path / "r.xlsx", "récap.xlsx")
    assert [(one.code, one.file) for one in unreadable.value.problems] == [("damaged", "récap.xlsx")]


def test_a_preview_out_of_memory_has_the_reason(tmp_path):
    (tmp_path / "r.csv").write_bytes(b"a;b\r\n" * 4_000_000)
    with pytest.raises(UnreadableFile) as unreadable:
        preview_of(tmp_path / "r.csv", "r.csv", limits=Limits(memory_bytes=450 * MB))
    assert [one.code for one in unreadable.value.problems] == ["reader_out_of_memory"]
