"""Importing a file of premiums (DOMAIN §9): what each row would do, and writing the good rows in one transaction."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Generic, TypeVar

from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from rapidfuzz import fuzz, process

from common.errors import NotAllowed
from common.keys import label_key, shortened_key
from common.money import to_decimal
from core.models import Client, ClientAlias, Premium
from core.premiums.services import locked_country, may_manage, overlap_sentence, problems_of, write_imported
from core.premiums.sheet import SheetRow
from users import audit
from users.models import AuditAction, Country, User

# The least similarity, of 100, of a name that is shown as the nearest one.
_SIMILAR = 60


T = TypeVar("T")


class _Timeline(Generic[T]):
    """Periods of clients, none of which overlap: those in the way of another one are found by bisection."""

    def __init__(self) -> None:
        self._starts: dict[int, list[date]] = {}
        self._periods: dict[tuple[int, date], tuple[date, T]] = {}

    def add(self, client_id: int, start: date, end: date, what: T) -> None:
        insort(self._starts.setdefault(client_id, []), start)
        self._periods[client_id, start] = (end, what)

    def overlapping(self, client_id: int, start: date, end: date) -> list[T]:
        """What was added with a day in common with `start` to `end`, by start."""
        starts = self._starts.get(client_id, [])
        found: list[T] = []
        for at in range(bisect_right(starts, end) - 1, -1, -1):
            other_end, what = self._periods[client_id, starts[at]]
            if other_end < start:
                break
            found.append(what)
        return found[::-1]


class RowStatus(models.TextChoices):
    NEW = "new", pgettext_lazy("premium", "new")
    UPDATE = "update", pgettext_lazy("premium", "changed")
    SAME = "same", pgettext_lazy("premium", "same")
    REJECTED = "rejected", pgettext_lazy("premium", "rejected")


@dataclass
class JudgedRow:
    """One row of a file and what an import does with it. `reasons`: why it is rejected, all of them.

    `premium`: the stored premium of the same client and period; its `amount` is the amount before an update.
    """

    read: SheetRow
    status: RowStatus = RowStatus.NEW
    reasons: list[str] = field(default_factory=list)
    client: Client | None = None
    premium: Premium | None = None
    amount_before: Decimal | None = None

    @property
    def amount(self) -> Decimal | None:
        return None if self.read.amount_cents is None else to_decimal(self.read.amount_cents)


@dataclass(frozen=True)
class Judged:
    """All rows of a file, in its order."""

    country: Country
    file_name: str
    rows: list[JudgedRow]

    def count(self, status: RowStatus) -> int:
        return Counter(row.status for row in self.rows)[status]

    @property
    def counts(self) -> dict[str, int]:
        """The number of rows of each status, under its word in the API."""
        found = Counter(row.status for row in self.rows)
        return {status.value: found[status] for status in RowStatus}

    @property
    def writable(self) -> int:
        """How many rows an import writes."""
        return self.count(RowStatus.NEW) + self.count(RowStatus.UPDATE)


def clients_by_key(country: Country) -> dict[str, Client]:
    """Label key → the client that an import of this country finds by it: its name, or another from a merge."""
    aliases = ClientAlias.objects.filter(country=country).select_related("client").order_by("pk")
    named = {client.key: client for client in Client.objects.filter(country=country).order_by("pk")}
    return {alias.key: alias.client for alias in aliases} | named


def key_of(name: str) -> str:
    """The key by which a client is found (DOMAIN §4, label key)."""
    return shortened_key(label_key(name))


def unknown_employer(name: str, clients: dict[str, Client]) -> str:
    """That there is no such client, with the nearest name."""
    best = process.extractOne(key_of(name), clients.keys(), scorer=fuzz.ratio, score_cutoff=_SIMILAR)
    if best is None:
        return _("“%(name)s” is no client of this country. An import of premiums creates no client.") % {"name": name}
    return _("“%(name)s” is no client of this country. The nearest name is “%(nearest)s”.") % {
        "name": name,
        "nearest": clients[best[0]].name,
    }


def preview(*, actor: User, country: Country, file_name: str, rows: Sequence[SheetRow]) -> Judged:
    """What an import of the rows would do now. Writes nothing. Raises NotAllowed."""
    if not may_manage(actor, country.pk):
        raise NotAllowed
    return Judged(country, file_name, judge(country, rows))


def import_rows(*, actor: User, country: Country, file_name: str, rows: Sequence[SheetRow]) -> Judged:
    """Write the new and the changed premiums of the rows in one transaction; → what became of each row.

    The rows are judged again, under the lock of the country. Raises NotAllowed; Invalid when the country is closed.
    """
    with transaction.atomic():
        country = locked_country(actor=actor, country_id=country.pk)
        judged = Judged(country, file_name, judge(country, rows))
        new: list[Premium] = []
        changed: list[Premium] = []
        for row in judged.rows:
            if row.status == RowStatus.NEW:
                row.premium = _premium(row, country, author=actor)
                new.append(row.premium)
            elif row.status == RowStatus.UPDATE and row.premium is not None:
                row.premium.amount = row.amount
                row.premium.insured_count = row.read.insured_count or row.premium.insured_count
                changed.append(row.premium)
            else:
                continue
            row.premium.file_name, row.premium.sheet, row.premium.row = file_name, row.read.sheet, row.read.row
        write_imported(country=country, actor=actor, new=new, changed=changed)
        audit.record(
            actor=actor,
            action=AuditAction.UPLOAD,
            target=Premium(),
            country_id=country.pk,
            data={"rows": len(judged.rows), **judged.counts},
        )
    return judged


def _premium(row: JudgedRow, country: Country, *, author: User) -> Premium:
    values: dict[str, Any] = {
        "client": row.client,
        "amount": row.amount,
        "start": row.read.start,
        "end": row.read.end,
        "insured_count": row.read.insured_count,
    }
    return Premium(country=country, currency=country.currency_code, author=author, **values)


def judge(country: Country, rows: Iterable[SheetRow]) -> list[JudgedRow]:
    """Each row with its status, and all reasons of a rejected one. Three statements, whatever the number of rows."""
    clients = clients_by_key(country)
    judged = [JudgedRow(row, reasons=list(row.problems)) for row in rows]
    nearest: dict[str, str] = {}
    for row in judged:
        name = row.read.employer
        row.client = clients.get(key_of(name)) if name else None
        if name and row.client is None:
            if name not in nearest:
                nearest[name] = unknown_employer(name, clients)
            row.reasons.append(nearest[name])
    stored: _Timeline[Premium] = _Timeline()
    named = {row.client.pk for row in judged if row.client is not None}
    for premium in Premium.objects.filter(country=country).order_by("client_id", "start"):
        if premium.client_id in named:
            stored.add(premium.client_id, premium.start, premium.end, premium)
    accepted: _Timeline[JudgedRow] = _Timeline()
    for row in judged:
        _judge_row(row, stored, accepted)
    return judged


def _judge_row(row: JudgedRow, stored: _Timeline[Premium], accepted: _Timeline[JudgedRow]) -> None:
    read = row.read
    if read.start is None or read.end is None:
        row.status = RowStatus.REJECTED
        if row.amount is not None and row.amount <= 0:
            row.reasons.append(_("The amount must be more than 0."))
        return
    found = problems_of(amount=row.amount, start=read.start, end=read.end, insured_count=read.insured_count)
    row.reasons += [reason for reasons in found.values() for reason in reasons]
    if row.client is not None and not found.keys() & {"start", "end"}:
        for other in accepted.overlapping(row.client.pk, read.start, read.end):
            row.reasons.append(_overlaps_row(row, other))
        for premium in stored.overlapping(row.client.pk, read.start, read.end):
            if (premium.start, premium.end) == (read.start, read.end):
                row.premium = premium
            else:
                row.reasons.append(overlap_sentence(premium))
    if row.reasons:
        row.status, row.premium = RowStatus.REJECTED, None
        return
    if row.premium is not None:
        row.amount_before = row.premium.amount
        has_changed = row.premium.amount != row.amount or (
            read.insured_count is not None and read.insured_count != row.premium.insured_count
        )
        row.status = RowStatus.UPDATE if has_changed else RowStatus.SAME
    if row.client is not None:
        accepted.add(row.client.pk, read.start, read.end, row)


def _overlaps_row(row: JudgedRow, other: JudgedRow) -> str:
    if row.read.sheet == other.read.sheet:
        return _("It overlaps row %(row)d of the file.") % {"row": other.read.row}
    return _("It overlaps row %(row)d of the sheet “%(sheet)s”.") % {"row": other.read.row, "sheet": other.read.sheet}
