"""What became of an act or a category, and what it is used for (DOMAIN §11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, Count, Exists, OuterRef, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from core.catalogue.kinds import ACTS, kind_of
from core.catalogue.services import Entry
from core.models import (
    CATALOGUE_KINDS,
    Change,
    ChangeAction,
    ChangeStep,
    ChangeSubject,
    ClaimLine,
)
from users.models import User


def history_of(row: Entry, *, user: User) -> QuerySet[Change]:
    """The changes of an act or a category and of those that it absorbed, newest first, as far as the account may read
    them: those of the catalogue are for accounts that see all countries.
    """
    kind = kind_of(row)
    concerned = ChangeSubject.objects.filter(
        change=OuterRef("pk"), model=kind.label, row_id__in=[row.pk, *_absorbed(row)]
    )
    changes: QuerySet[Change] = Change.objects.visible_to(user).filter(Exists(concerned), kind__in=CATALOGUE_KINDS)
    return changes.order_by("-pk")


def _absorbed(row: Entry) -> set[int]:
    """The ids that were merged into the row, and into those before that."""
    merges = Change.objects.filter(kind=kind_of(row).merge, undone_at__isnull=True).values_list("data", flat=True)
    into: dict[int, list[int]] = {}
    for data in merges:
        into.setdefault(data["subject"], []).extend(one["id"] for one in data["absorbed"])
    found: set[int] = set()
    waiting = [row.pk]
    while waiting:
        new = set(into.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return found


def categories_to_return_to() -> QuerySet[Any]:
    """The ids of the categories that acts would have again if changes were undone: those before another one, and those
    of absorbed acts.
    """
    steps = ChangeStep.objects.filter(
        model=ACTS.label, action__in=(ChangeAction.UPDATED, ChangeAction.REMOVED), change__undone_at__isnull=True
    )
    category = Cast(KeyTextTransform("category_id", "before"), BigIntegerField())
    return steps.filter(before__has_key="category_id").values_list(category, flat=True)


class CategoryUse(NamedTuple):
    id: int
    name: str
    lines: int


@dataclass(frozen=True)
class Usage:
    """`lines`: claim lines of all countries that the account sees. `categories`: those that the lines of an act have,
    the most frequent first. `acts`: of a category, the acts in it.
    """

    lines: int
    categories: list[CategoryUse]
    acts: int


def usage_of(row: Entry, *, user: User) -> Usage:
    kind = kind_of(row)
    lines: QuerySet[Any] = ClaimLine.objects.visible_to(user).filter(**{kind.reference: row.pk}).order_by()
    if kind is not ACTS:
        return Usage(lines.count(), [], row.acts.count())  # type: ignore[union-attr]
    counted = lines.values_list("category_id", "category__name").annotate(number=Count("pk"))
    by_number = sorted((CategoryUse(*one) for one in counted), key=lambda use: (-use.lines, use.id))
    return Usage(sum(use.lines for use in by_number), by_number, 1)
