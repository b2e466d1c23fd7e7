"""The records that a file or a session created, as counts.

The records are models of the apps above this one. Those apps register them here (`register`), so nothing here depends
on them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db import models
from django.db.models import Func, IntegerField, Subquery, Sum

from file_handling.models import File, ImportSession
from users.models import Country

KEPT_SECONDS = 300

Origin = File | ImportSession


@dataclass(frozen=True)
class RecordKind:
    """A kind of record, and the foreign keys by which each record points to its origin (DOMAIN §6).

    `name`: its key in the counts. `session_field` is empty for a kind that no session creates, such as the claims that
    a recap settles. `row_fields`: the fields with the sheet and the row of the file from which a record was read.
    """

    name: str
    model: type[models.Model]
    file_field: str = "file"
    session_field: str = "import_session"
    row_fields: tuple[str, str] | None = None

    def origin_field(self, origin: type[Origin]) -> str:
        return self.file_field if issubclass(origin, File) else self.session_field


_kinds: dict[str, RecordKind] = {}


def register(kinds: Iterable[RecordKind]) -> None:
    """Add kinds of record to the counts. Called once by each app that has records, when all models are loaded."""
    for kind in kinds:
        _kinds[kind.name] = kind


def record_kinds(origin: type[Origin]) -> list[RecordKind]:
    """The registered kinds that point to files or to sessions, sorted by name."""
    return [kind for _name, kind in sorted(_kinds.items()) if kind.origin_field(origin)]


def created_by_file(file: File, *, pages: Sequence[File] = (), kept: bool = False) -> dict[str, int]:
    """Name of the kind → number of records that came from the file and its later pages. `kept`: see `_kept_counts`."""
    counts = _kept_counts if kept else _counts
    return counts(file, ids=[file.pk, *(page.pk for page in pages)])


def created_by_session(session: ImportSession, *, kept: bool = False) -> dict[str, int]:
    """Name of the kind → number of records that the session created and that are still there. `kept`: likewise."""
    return (_kept_counts if kept else _counts)(session, ids=[session.pk])


def rows_with_records(file: File, *, sheet: str, first: int, last: int) -> set[int]:
    """The rows from `first` to `last` of a sheet of the file from which a record was read, or that settle a claim."""
    found = []
    for kind in _kinds.values():
        if kind.row_fields is None:
            continue
        in_sheet, row = kind.row_fields
        records = kind.model._default_manager.filter(
            **{kind.file_field: file, in_sheet: sheet, f"{row}__gte": first, f"{row}__lte": last}
        )
        found.append(records.order_by().values_list(row, flat=True))
    # One statement for all kinds.
    return set(found[0].union(*found[1:])) if found else set()


def _kept_counts(origin: Origin, *, ids: list[int]) -> dict[str, int]:
    """The counts, kept until the next import or revert: a count of a million rows takes a tenth of a second."""
    # Nothing else changes them, and each raises the version of its country. Of any country: acts that a session created
    # go with the revert of the last one that used them, which may be another country's.
    version = Country.objects.aggregate(sum=Sum("data_version"))["sum"]
    if not version:
        return _counts(origin, ids=ids)
    moment = origin.uploaded_at if isinstance(origin, File) else origin.created_at
    key = f"created:{type(origin).__name__}:{'-'.join(map(str, ids))}:{moment.timestamp()}:{version}"
    counts: dict[str, int] | None = cache.get(key)
    if counts is None:
        counts = _counts(origin, ids=ids)
        cache.set(key, counts, KEPT_SECONDS)
    return counts


def _counts(origin: Origin, *, ids: list[int]) -> dict[str, int]:
    # One query for all kinds. Each count reads the index of its own foreign key and no row: a count of a column would
    # read every row (docs/decisions/0018-lists-of-a-million-rows.md).
    origin_model: type[Any] = type(origin)
    kinds = record_kinds(origin_model)
    if not kinds:
        return {}
    counts = {
        f"count_{kind.name}": Subquery(
            kind.model._default_manager.filter(**{f"{kind.origin_field(origin_model)}__in": ids})
            .order_by()
            .annotate(found_rows=Func(template="COUNT(*)", output_field=IntegerField()))
            .values("found_rows")
        )
        for kind in kinds
    }
    row = origin_model._default_manager.filter(pk=origin.pk).values(**counts).get()
    return {kind.name: row[f"count_{kind.name}"] for kind in kinds}
