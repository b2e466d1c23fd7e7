"""The changes of a premium, which stay when it is deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from common.formats import format_amount, format_count, format_day
from common.parsing import positive_int
from core.models import Premium, PremiumRevision
from users.access.viewsets import visible_or_refused
from users.models import User

_NOTHING = "–"


def changes_of(
    user: User, pk: str, *, not_found: type[Exception], refused: type[Exception]
) -> QuerySet[PremiumRevision]:
    """The changes of the premium with the id `pk`, newest first; also of a deleted one.

    Raises `refused` for a premium that the account may not see, `not_found` where there never was one.
    """
    number = positive_int(pk)
    if number is None:
        raise not_found()
    if Premium.objects.filter(pk=number).exists():
        visible_or_refused(rows=Premium.objects.visible_to(user), pk=pk, not_found=not_found, refused=refused)
    else:
        newest = PremiumRevision.objects.filter(premium_id=number).order_by("-pk").first()
        visible_or_refused(
            rows=PremiumRevision.objects.visible_to(user),
            pk=str(newest.pk if newest else 0),
            not_found=not_found,
            refused=refused,
        )
    return visible_changes(user, number)


def visible_changes(user: User, number: int) -> QuerySet[PremiumRevision]:
    """The changes of a premium that the account sees, newest first; none where `changes_of` refuses."""
    changes: QuerySet[PremiumRevision] = PremiumRevision.objects.visible_to(user).filter(premium_id=number)
    return changes.order_by("-id")


@dataclass(frozen=True)
class ValueChange:
    """One value of a premium before and after a change, as texts in the active language."""

    label: str
    before: str
    after: str


def value_changes(revision: PremiumRevision) -> list[ValueChange]:
    """The values that a change of a premium set: all for a new or a deleted one."""
    before, after = revision.before or {}, revision.after or {}
    texts = zip(_texts(before), _texts(after), strict=True)
    return [ValueChange(label, old, new) for (label, old), (_label, new) in texts if old != new]


def what_changed(revision: PremiumRevision) -> str:
    """The kind of a change, in a word."""
    if revision.before is None:
        return pgettext("premium", "entered")
    return pgettext("premium", "deleted") if revision.after is None else pgettext("premium", "changed")


def _texts(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    def text(name: str, write: Any = str) -> str:
        return write(values[name]) if values.get(name) not in (None, "") else _NOTHING

    def day(value: str) -> str:
        return format_day(date.fromisoformat(value))

    currency = values.get("currency", "")
    yield _("Amount"), text("amount", lambda value: format_amount(Decimal(value), currency, with_currency=True))
    yield _("Start"), text("start", day)
    yield _("End"), text("end", day)
    yield _("Headcount"), text("insured_count", format_count)
    yield _("Note"), text("note")
    place = [values.get(name) for name in ("file_name", "sheet", "row")]
    yield _("File, sheet, row"), " · ".join(str(part) for part in place if part) or _NOTHING
