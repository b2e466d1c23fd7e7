"""What of one country is looked for in all that another one's accounts can get."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import django_filters
from django.urls import resolve

from common.filters import IdFilter, KeyFilter, YesNoFilter
from tests.support.cast import Cast
from tests.support.records import Records
from tests.support.responses import content_of
from users.models import User

MARK = "TOGOCANARY"
API = "/api/v1/"
# What is typed where the page repeats it.
TYPED = MARK[:-1]
# What is asked for whole, where a part finds nothing; and what is one of a few values.
WHOLE = {"number": f"{MARK}-1", "card_number": f"C-{MARK}"}
FIXED = {"currency": "XOF", "sha256": "0" * 64, "object_type": "core.claim"}
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"')


def body(response: Any) -> bytes:
    """The body of an answer: a download read to its end, a workbook unpacked, without the moment it was made."""
    content = content_of(response)
    if not content.startswith(b"PK\x03\x04"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = sorted(set(archive.namelist()) - {"docProps/core.xml"})
        return b"\n".join(name.encode() + b"\n" + archive.read(name) for name in names)


def page(response: Any) -> str:
    """A page of the admin without the token that is another one each time."""
    return _TOKEN.sub("", body(response).decode())


def said(response: Any) -> str:
    """All that an answer says, headers too, in small letters."""
    headers = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
    return f"{headers}\n\n{body(response).decode(errors='replace')}".lower()


def bears(response: Any, mark: str = MARK) -> bool:
    return mark.lower() in said(response)


def conditions(first: Any) -> dict[str, str]:
    """The headers with which a cache that kept the answer `first` would ask whether it still holds."""
    asked = {"If-None-Match": "ETag", "If-Modified-Since": "Last-Modified"}
    return {name: first.headers[kept] for name, kept in asked.items() if kept in first.headers}


def mark_people(cast: Cast) -> None:
    """The country's accounts bear the mark, too; its admin does not, whom every page greets by name."""
    User.objects.filter(country=cast.togo).exclude(pk=cast.togo_admin.pk).update(first_name=MARK, last_name="Lawson")


def mark_country(cast: Cast) -> None:
    cast.togo.name = f"{MARK} land"
    cast.togo.save()


def ids(cast: Cast, records: Records) -> dict[str, int]:
    """What the tables of addresses, and filters, name → the id of it that is of the marked country."""
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
    }


def orderings(path: str) -> list[str]:
    """The queries by which the list at an address (below API) can be put in order."""
    view = _view(path)
    fields = view.ordering_fields if is_list(path) else []
    return [f"ordering={sign}{field}" for field in fields for sign in ("", "-")]


def filters(path: str, named: dict[str, int]) -> Iterator[tuple[str, str, Any]]:
    """(kind, name, value) of each filter of the list at an address, asked for what is of the marked country.

    Kinds: "text" is the mark typed into a search, "id" the id of a row, "other" a value of no country.
    Raises KeyError for an id that `named` does not have, so that no new filter goes untried.
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
            case django_filters.RangeFilter():
                yield "other", f"{name}_min", "0"
            case django_filters.NumberFilter():
                yield "other", name, "0"
            case _ if name in FIXED:
                yield "other", name, FIXED[name]
            case KeyFilter(lookup_expr="exact"):
                yield "text", name, WHOLE[name]
            case _:
                yield "text", name, MARK


def formats(path: str) -> list[str]:
    """The queries by which the files come that an address gives; one empty query for what gives none."""
    return ["format=csv", "format=xlsx"] if path.endswith("export/") else [""]


def is_list(path: str) -> bool:
    """Whether an address gives a list, or the file of one."""
    return getattr(_function(path), "actions", {}).get("get") in ("list", "export")


def _function(path: str) -> Any:
    return resolve(f"{API}{path}".split("?")[0]).func


def _view(path: str) -> Any:
    return _function(path).cls


def with_query(path: str, *queries: str) -> str:
    """An address with the queries that are not empty."""
    asked = "&".join(query for query in queries if query)
    if not asked:
        return path
    return f"{path}{'&' if '?' in path else '?'}{asked}"
