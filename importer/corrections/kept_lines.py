"""The texts of the lines of a session's findings, kept when its files are read: corrections do not read them again."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from django.conf import settings

from file_handling.models import Finding, SessionClaims
from reading.child import lines_name

if TYPE_CHECKING:
    from importer.corrections.lines import Line, LinePlace

_PLACE = {"file_id": pl.Int64, "sheet": pl.String, "row": pl.UInt32}


def keep_lines(session_id: int, sides: Sequence[tuple[Path, Sequence[int]]]) -> None:
    """Keep the lines of the findings that the session has now.

    `sides`: for each side the folder of its reading process, and the ids of its files in the order of their reading.
    A side whose folder has no lines, as after a run that only ended another one, leaves nothing to keep.
    """
    read = [(file_id, folder / lines_name(index)) for folder, files in sides for index, file_id in enumerate(files)]
    if not all(path.exists() for _file_id, path in read):
        return
    places = pl.DataFrame(list(_places_of_findings(session_id)), schema=_PLACE, orient="row").unique()
    if places.is_empty() or places.height > settings.CONCORD["EXPORT_MAX_ROWS"]:
        return
    kept: list[pl.DataFrame] = []
    for file_id, path in read:
        lines = pl.scan_parquet(path).with_columns(file_id=pl.lit(file_id, pl.Int64)).drop("file")
        kept.append(lines.join(places.lazy(), on=list(_PLACE), how="semi").collect())
    content = io.BytesIO()
    pl.concat(kept, how="diagonal").select(*_PLACE, pl.exclude(_PLACE)).write_parquet(content)
    SessionClaims.objects.filter(session_id=session_id).update(lines=content.getvalue())


def kept_lines(session_id: int, wanted: set[LinePlace]) -> dict[LinePlace, Line]:
    """Those of the wanted lines that were kept. A line has the fields of both sides; those of the other are null."""
    content = SessionClaims.objects.filter(session_id=session_id).values_list("lines", flat=True).first()
    if content is None:
        return {}
    places = pl.DataFrame(list(wanted), schema=_PLACE, orient="row")
    lines = pl.read_parquet(io.BytesIO(bytes(content))).join(places, on=list(_PLACE), how="semi")
    names = lines.columns[len(_PLACE) :]
    return {
        (file_id, sheet, row): dict(zip(names, texts, strict=True)) for file_id, sheet, row, *texts in lines.iter_rows()
    }


def _places_of_findings(session_id: int) -> Iterator[tuple[int, str, int]]:
    found = Finding.objects.filter(session_id=session_id).order_by().values_list("locations", flat=True)
    for locations in found.iterator(chunk_size=2_000):
        for one in locations:
            yield one["file_id"], one["sheet"] or "", one["row"]
