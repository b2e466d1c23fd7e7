"""The mark of one country, which the tests search for in everything that accounts of another country can get."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import django_filters
import polars as pl
from django.urls import resolve

from common.filters import IdFilter, KeyFilter, YesNoFilter
from tests.support.cast import Cast
from tests.support.records import Records
from tests.support.responses import content_of
from users.models import User

MARK = "TOGOCANARY"
API = "/api/v1/"
# A search term without the whole mark, because the page repeats the term.
SEARCH_TERM = MARK[:-1]
# Values of exact filters, in which a part finds nothing; values that no country owns.
EXACT = {"number": f"{MARK}-1", "card_number": f"C-{MARK}"}
SHARED = {"currency": "XOF", "sha256": "0" * 64, "object_type": "core.claim"}
# Filters `claims_…` of a record's claims → the list of the records that they name.
CLAIM_RECORDS = {
    "client": "clients",
    "policy": "policies",
    "insured": "insured",
    "family": "memberships",
    "partner": "partners",
    "operator": "operators",
    "act": "acts",
    "category": "act-categories",
}
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"')


def body(response: Any) -> bytes:
    """The body of a response. A workbook is unpacked, and the time of its creation left out; of a Parquet file, whose
    pages are compressed, the rows come as CSV.
    """
    content = content_of(response)
    if content.startswith(b"PAR1"):
        return pl.read_parquet(io.BytesIO(content)).write_csv().encode()
    if not content.startswith(b"PK\x03\x04"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = sorted(set(archive.namelist()) - {"docProps/core.xml"})
        return b"\n".join(name.encode() + b"\n" + archive.read(name) for name in names)


def page(response: Any) -> str:
    """A page of the admin without the CSRF token, which changes each time."""
    return _TOKEN.sub("", body(response).decode())


def full_text(response: Any) -> str:
    """Headers and body of a response in lower case."""
    headers = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
    return f"{headers}\n\n{body(response).decode(errors='replace')}".lower()


def contains_mark(response: Any, mark: str = MARK) -> bool:
    return mark.lower() in full_text(response)


def conditional_headers(first: Any) -> dict[str, str]:
    """The headers of a conditional request by a cache that stored the response `first`."""
    validators = {"If-None-Match": "ETag", "If-Modified-Since": "Last-Modified"}
    return {name: first.headers[validator] for name, validator in validators.items() if validator in first.headers}


def mark_people(cast: Cast) -> None:
    """Put the mark into the names of the accounts, except the admin: every page shows the name of its reader."""
    User.objects.filter(country=cast.togo).exclude(pk=cast.togo_admin.pk).update(first_name=MARK, last_name="Lawson")


def mark_country(cast: Cast) -> None:
    cast.togo.name = f"{MARK} land"
    cast.togo.save()


def ids(cast: Cast, records: Records) -> dict[str, int]:
    """Name in the tables of addresses or of a filter → id of that record of the marked country."""
    rows = {name: row.pk for name, row in records.rows.items()}
    return rows | {
        "file": records.file.pk,
        "stat_file": records.file.pk,
        "recap_file": records.recap.pk,
        "session": records.session.pk,
        "import_session": records.session.pk,
        "replaced_by_session": records.session.pk,
        "country": cast.togo.pk,
        "account": cast.togo_operator.pk,
        "user": records.session.user_id or 0,
        "author": records.session.user_id or 0,
        "actor": cast.togo_admin.pk,
        "object_id": records.file.pk,
        "client": rows["clients"],
        "policy": rows["policies"],
        "plan": rows["plans"],
        "principal": rows["insured"],
        "membership": rows["memberships"],
        "partner": rows["partners"],
        "operator": rows["operators"],
        "invoice": rows["invoices"],
        "payment": rows["payments"],
        "claim": rows["claims"],
        "act": rows["acts"],
        "category": rows["act-categories"],
        "family": rows["memberships"],
        **{f"claims_{name}": rows[records] for name, records in CLAIM_RECORDS.items()},
    }


def orderings(path: str) -> list[str]:
    """All queries that order the list at an address (below API)."""
    view = _view(path)
    fields = view.ordering_fields if is_list(path) else []
    return [f"ordering={sign}{field}" for field in fields for sign in ("", "-")]


def filters(path: str, named: dict[str, int]) -> Iterator[tuple[str, str, Any]]:
    """(kind, name, value) of each filter of the list at an address, with values of the marked country.

    Kinds: "text" is the mark as a search term, "id" the id of a row, "other" a value that no country owns.
    Raises KeyError for an id that `named` does not have, so that every new filter is tried.
    """
    filterset = _view(path).filterset_class if is_list(path) else None
    for name, field in (filterset.base_filters if filterset else {}).items():
        match field:
            case IdFilter():
                yield "id", name, named[name]
            case YesNoFilter():
                yield "other", name, "true"
            case django_filters.ChoiceFilter() | django_filters.MultipleChoiceFilter():
                for value, _label in field.extra["choices"]:
                    yield "other", name, value
            case django_filters.DateFromToRangeFilter():
                yield "other", f"{name}_after", "2001-01-01"
            case django_filters.DateFilter():
                yield "other", name, "2001-01-01"
            case django_filters.RangeFilter():
                yield "other", f"{name}_min", "0"
            case django_filters.NumberFilter():
                yield "other", name, "0"
            case _ if name in SHARED:
                yield "other", name, SHARED[name]
            case KeyFilter(lookup_expr="exact"):
                yield "text", name, EXACT[name]
            case _:
                yield "text", name, MARK


def formats(path: str) -> list[str]:
    """The query of each file format of an address; one empty query for an address without formats."""
    if path.startswith("dashboard/"):
        return ["", "format=csv", "format=xlsx", "format=parquet"]
    return ["format=csv", "format=xlsx"] if path.endswith("export/") else [""]


def is_list(path: str) -> bool:
    """Whether an address returns a list, or the export of a list."""
    return getattr(_function(path), "actions", {}).get("get") in ("list", "export")


def _function(path: str) -> Any:
    return resolve(f"{API}{path}".split("?")[0]).func


def _view(path: str) -> Any:
    return _function(path).cls


def with_query(path: str, *queries: str) -> str:
    """An address with those of the queries that are not empty."""
    joined = "&".join(query for query in queries if query)
    if not joined:
        return path
    return f"{path}{'&' if '?' in path else '?'}{joined}"
