"""Malicious and damaged files: name and content of each."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.files import RECAP_HEADERS, STAT_HEADERS, header_row, inline, package, worksheet

OLD_EXCEL = Path(__file__).resolve().parent.parent / "reading" / "recap.xls"


def hostile_pairs(folder: Path, honest: Path, names: dict[str, Any], *, harmed: int) -> Iterator[tuple[str, Path]]:
    """Pairs of a hostile file and a good one, each in a folder with the name of the hostile file; → its side, folder.

    `names`: the names of the files in `honest`, as in `expected.json`. `harmed`: see `hostile_files`.
    """
    stat, recap = honest / names["stat"], honest / names["recaps"][0]
    for kind, file, headers in (("stat", stat, STAT_HEADERS), ("recap", recap, RECAP_HEADERS)):
        whole = {f"whole{file.suffix}": file.read_bytes(), "whole.csv": f"{';'.join(headers)}\r\n".encode() * 1000}
        if kind == "recap":
            whole["whole.xls"] = OLD_EXCEL.read_bytes()
        for name, data in hostile_files(whole, headers=headers, harmed=harmed, seed=17):
            other = recap if kind == "stat" else stat
            pair = folder / f"{kind}-{name}"
            pair.mkdir(parents=True)
            (pair / name).write_bytes(data)
            (pair / f"honest{other.suffix}").write_bytes(other.read_bytes())
            files = (name, f"honest{other.suffix}") if kind == "stat" else (f"honest{other.suffix}", name)
            (pair / "expected.json").write_text(json.dumps({"files": {"stat": files[0], "recaps": [files[1]]}}))
            yield kind, pair


def hostile_files(
    honest: dict[str, bytes], *, headers: list[str], harmed: int, seed: int
) -> Iterator[tuple[str, bytes]]:
    """`honest`: good files by name; `harmed` copies of each are cut or have bytes changed. `headers`: those of the kind
    that the files pretend to be.
    """
    yield from _made(headers)
    rnd = random.Random(seed)
    for name, data in honest.items():
        stem, _, ending = name.rpartition(".")
        for copy in range(harmed):
            yield f"{stem}-{copy}.{ending}", _cut(data, rnd) if copy % 4 == 0 else _changed(data, rnd)
        yield f"{stem}-noise.{ending}", rnd.randbytes(20_000)


def _made(headers: list[str]) -> Iterator[tuple[str, bytes]]:
    head = header_row(headers)

    def sheet(cells: str, **options: str) -> bytes:
        return package(worksheet(head + cells, **options))

    yield "last-cell.xlsx", sheet(f'<row r="1048576">{inline("XFD1048576", "x")}</row>')
    yield "last-row.xlsx", sheet(f'<row r="1048576">{inline("A1048576", "x")}</row>')
    yield "beyond-the-last-row.xlsx", sheet(f'<row r="99999999999">{inline("A99999999999", "x")}</row>')
    yield "beyond-the-last-column.xlsx", sheet(f'<row r="2">{inline("ZZZZZZ2", "x")}</row>')
    yield "row-zero.xlsx", sheet(f'<row r="0">{inline("A0", "x")}</row>')
    yield "no-addresses.xlsx", sheet("<row><c><v>1</v></c></row>" * 50)
    yield "rows-backwards.xlsx", sheet("".join(f'<row r="{n}">{inline(f"A{n}", "x")}</row>' for n in range(90, 1, -1)))
    yield "no-such-string.xlsx", sheet('<row r="2"><c r="A2" t="s"><v>4294967295</v></c></row>')
    yield "no-such-style.xlsx", sheet('<row r="2"><c r="A2" s="4000000000"><v>1</v></c></row>')
    yield (
        "numbers.xlsx",
        sheet(
            "".join(
                f'<row r="{n}"><c r="A{n}"><v>{v}</v></c></row>'
                for n, v in enumerate(("1e999", "-1e999", "NaN", "x"), 2)
            )
        ),
    )
    yield "long-cell.xlsx", sheet(f'<row r="2">{inline("A2", "x" * 20_000_000)}</row>')
    yield "not-closed.xlsx", package(worksheet(head).replace("</sheetData></worksheet>", ""))
    yield "deep.xlsx", sheet("<row>" * 20_000)
    yield "no-sheet.xlsx", package(worksheet(head), workbook="<workbook/>")
    yield "entities.xlsx", sheet("", before='<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>')
    yield "inflates.xlsx", package(worksheet(head), extra={"xl/media/image1.bin": bytes(600 * 1024 * 1024)})
    yield "inflates-sheet.xlsx", sheet(" " * (520 * 1024 * 1024))
    yield "many-parts.xlsx", package(worksheet(head), extra={f"xl/media/{n}": b"" for n in range(3000)})
    yield "same-part-twice.xlsx", package(worksheet(head), extra={"XL/WORKSHEETS/SHEET1.XML": b"<worksheet/>"})
    yield "climbs.xlsx", package(worksheet(head), extra={"../../../../tmp/concord-climbed": b"x"})
    yield "only-a-zip.xlsx", _zipped({"readme.txt": b"x"})
    yield "zip-in-zip.zip", _zipped({"page.xlsx": _zipped({"page.xlsx": b"x" * 1000})})
    yield "nothing.xlsx", b""
    yield "web-page.xls", b"<html><table><tr><td>1</td></tr></table></html>"
    yield "old-office.xls", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
    yield "nothing.csv", b""
    line = ";".join(headers).encode()
    yield "zeros.csv", bytes(1_000_000)
    yield "one-line.csv", line + b";x" * 5_000_000
    yield "no-line-ends.csv", line + b"\r\n" + b"x" * 30_000_000
    yield "open-quote.csv", line + b'\r\n"' + b"a;b\r\n" * 300_000
    yield "nothing-but-quotes.csv", line + b"\r\n" + b'"' * 1_000_001
    yield "nothing-but-separators.csv", line + b"\r\n" + b";" * 5_000_000
    yield "many-columns.csv", b";".join(b"c%d" % n for n in range(30_000)) + b"\r\n" + line
    yield "utf-16.csv", ";".join(headers).encode("utf-16")
    yield "broken-letters.csv", line + b"\r\n" + bytes(range(128, 256)) * 2_000


def _zipped(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _cut(data: bytes, rnd: random.Random) -> bytes:
    return data[: rnd.randrange(len(data))]


def _changed(data: bytes, rnd: random.Random) -> bytes:
    """Change some bytes. In half of the packages they are changed in a part, whose checksum is then made again."""
    if data[:2] == b"PK" and rnd.random() < 0.5:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        harmed = rnd.choice(sorted(parts, key=lambda name: "sheet" in name)[-4:])
        parts[harmed] = _with_other_bytes(parts[harmed], rnd)
        return _zipped(parts)
    return _with_other_bytes(data, rnd)


def _with_other_bytes(data: bytes, rnd: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rnd.choice((1, 3, 30, 300))):
        if changed:
            changed[rnd.randrange(len(changed))] = rnd.randrange(256)
    return bytes(changed)
