"""Splitting off a record that a merge joined, although other records followed (DOMAIN §12).

The rule: the record gets back what it brought and what came with that since: its memberships with their later claims,
its dependants, its names, its card. Claims that came later into a membership that both had stay with the person. It is
refused while a record that was merged later has claims in a membership that this one brought, and while the person
has its name. docs/decisions/0044-splitting-off-a-record.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from common.errors import Conflict, Invalid
from core.changes import Recorder, lock_countries, restored_row
from core.families.following import follow, leftovers, misplaced, right_dates
from core.families.rights import require_manager
from core.models import (
    Change,
    ChangeAction,
    ChangeKind,
    ChangeStep,
    ChangeSubject,
    Claim,
    Insured,
    InsuredSpelling,
    Membership,
)
from users import audit
from users.models import AuditAction, User


@dataclass(frozen=True)
class Joined:
    """A record that `merge` joined to the person. `facts`: its part of the merge's `data`."""

    merge: Change
    facts: dict[str, Any]

    @property
    def id(self) -> int:
        return int(self.facts["id"])

    @property
    def name(self) -> str:
        return str(self.facts["name"])

    def steps(self) -> QuerySet[ChangeStep]:
        first, last = self.facts["steps"]
        return self.merge.steps.filter(sequence__range=(first, last))


def joined_records(insured: Insured) -> list[Joined]:
    """The records that were merged into the person and not split off since, the latest first."""
    of_person = ChangeSubject.objects.filter(model=Insured._meta.label_lower, row_id=insured.pk).values("change")
    changes = Change.objects.filter(pk__in=of_person, undone_at__isnull=True).order_by("-pk")
    merges, gone = [], set()
    for change in changes:
        if change.data.get("kept") != insured.pk:
            continue
        if change.kind == ChangeKind.INSURED_SPLIT:
            gone |= {(one["merge"], one["id"]) for one in change.data["split"]}
        elif change.kind == ChangeKind.INSURED_MERGE:
            merges.append(change)
    joined = [Joined(merge, facts) for merge in merges for facts in reversed(merge.data["absorbed"])]
    return [one for one in joined if (one.merge.pk, one.id) not in gone]


def split_person(*, actor: User, kept: Insured, merge: int | None = None, absorbed: int | None = None) -> Change:
    """Split off the record `absorbed`, or all records that the change `merge` joined; both name one of several merges.

    Raises NotAllowed (DOMAIN §12), Invalid with `insured` when no such record was joined, Conflict when something later
    relies on it.
    """
    with transaction.atomic():
        require_manager(actor, kept.country_id)
        lock_countries([kept.country_id])
        kept = Insured.objects.select_for_update().get(pk=kept.pk)
        joined = joined_records(kept)
        if merge is None and absorbed is None:
            raise Invalid({"insured": [_("Name the record to split off.")]})
        chosen = [one for one in joined if merge in (None, one.merge.pk) and absorbed in (None, one.id)]
        if not chosen:
            raise Invalid({"insured": [_("No such record was merged into this person.")]})
        recorder = Recorder(
            kind=ChangeKind.INSURED_SPLIT,
            actor=actor,
            country_id=kept.country_id,
            subjects=[kept],
            data={"kept": kept.pk, "name": kept.name},
        )
        parts = []
        for one in chosen:
            joined.remove(one)
            parts.append(_part_off(recorder, kept, one, joined))
        for row in leftovers([kept.pk, *(one.id for one in chosen)]):
            if row.pk in {one.id for one in chosen} and isinstance(row, Insured):
                raise Conflict(_("The import that created this record was reverted: nothing is left to split off."))
            recorder.remove(row)
        change = recorder.finish(split=parts, claims=sum(part["claims"] for part in parts))
        follow(change)
        audit.record(
            actor=actor,
            action=AuditAction.UPDATE,
            target=kept,
            data={"change": change.pk, "split": [one.id for one in chosen]},
        )
    return change


def _part_off(recorder: Recorder, kept: Insured, one: Joined, others: Sequence[Joined]) -> dict[str, Any]:
    """Give the record back what it brought; → the counts."""
    steps = list(one.steps().order_by("-sequence"))

    def of(action: ChangeAction, model: type[Any], field: str = "") -> list[ChangeStep]:
        return [
            step
            for step in steps
            if step.action == action and step.model == model._meta.label_lower and step.field == field
        ]

    def moved(model: type[Any], field: str) -> QuerySet[Any]:
        """The rows that the merge moved in this field."""
        ids = ChangeStep.objects.none().values("pk")
        found = of(ChangeAction.MOVED, model, field)
        return model._default_manager.filter(
            pk__in=found[0].moves.values("row_id") if found else ids, **{field: kept.pk}
        )

    brought = moved(Membership, "insured_id")
    _require_unused(brought, one, others)
    _give_name_back(recorder, kept, one, of(ChangeAction.CREATED, InsuredSpelling))
    (removed,) = of(ChangeAction.REMOVED, Insured)
    _give_card_back(recorder, kept, of(ChangeAction.UPDATED, Insured))
    record = restored_row(removed)
    recorder.create(record)
    for step in of(ChangeAction.REMOVED, InsuredSpelling):
        recorder.create(restored_row(step))
    recorder.move(moved(InsuredSpelling, "insured_id"), "insured_id", record.pk)
    memberships = list(brought)
    recorder.move(brought, "insured_id", record.pk)
    shared = []
    for step in of(ChangeAction.REMOVED, Membership):
        principal = step.before["principal_id"]
        row = restored_row(step, principal_id=None if principal is None else _present(principal))
        recorder.create(row)
        memberships.append(row)
    for step in of(ChangeAction.MOVED, Claim, "membership_id"):
        stays = step.after["id"]
        first = step.moves.first()
        assert first is not None
        rows = Claim.objects.filter(pk__in=step.moves.values("row_id"), membership=stays)
        recorder.move(rows, "membership_id", first.before)
    for step in of(ChangeAction.UPDATED, Membership):
        stays_row = Membership.objects.filter(pk=step.row_id or 0).first()
        if stays_row is not None:
            shared.append(stays_row)
            _set_back(recorder, stays_row, step, ("plan_id", "is_corrected"))
    dependants = recorder.move(moved(Membership, "principal_id"), "principal_id", record.pk)
    for late, field, to in misplaced([kept.pk, record.pk]):
        recorder.move(late, field, to)
    for membership in [*shared, *(row for row in memberships if row.insured_id == record.pk)]:
        membership.refresh_from_db()
        recorder.update(membership, **right_dates(membership))
    kept.refresh_from_db()
    was_deduced = any(step.before.get("is_deduced") for step in of(ChangeAction.UPDATED, Insured))
    recorder.update(kept, is_deduced=kept.is_deduced or (was_deduced and not kept.claims.exists()))
    recorder.concern([record, *memberships, *shared])
    return {
        "id": record.pk,
        "name": record.name,
        "merge": one.merge.pk,
        "claims": record.claims.count(),
        "memberships": len(memberships),
        "dependants": dependants,
    }


def _require_unused(brought: QuerySet[Membership], one: Joined, others: Sequence[Joined]) -> None:
    """Raises Conflict when a record that was merged later has claims in a membership that this one brought."""
    for other in others:
        if (other.merge.pk, other.facts["steps"][0]) < (one.merge.pk, one.facts["steps"][0]):
            continue
        claims = other.steps().filter(model=Claim._meta.label_lower, field="insured_id")
        if Claim.objects.filter(pk__in=claims.values("moves__row_id"), membership__in=brought).exists():
            raise Conflict(
                _("“%(other)s” was merged later, and its claims are in a membership of “%(name)s”. Split it off first.")
                % {"other": other.name, "name": one.name}
            )


def _give_name_back(recorder: Recorder, kept: Insured, one: Joined, created: Sequence[ChangeStep]) -> None:
    if not created:
        return
    key = created[0].after["name_key"]
    if kept.has_chosen_name and kept.name == one.name:
        raise Conflict(_("The person has the name “%(name)s”. Choose another name first.") % {"name": one.name})
    spelling = kept.spellings.filter(name_key=key).first()
    if spelling is not None:
        recorder.remove(spelling)


def _give_card_back(recorder: Recorder, kept: Insured, updated: Sequence[ChangeStep]) -> None:
    for step in updated:
        _set_back(recorder, kept, step, ("card_number", "card_key"))


def _set_back(recorder: Recorder, row: Any, step: ChangeStep, fields: Sequence[str]) -> None:
    """The values before the step, of fields that are as it left them."""
    changed = [name for name in fields if name in step.after and getattr(row, name) == step.after[name]]
    recorder.update(row, **{name: step.before[name] for name in changed})


def _present(insured_id: int) -> int:
    """The person, or the one into whom the person was merged since. Raises Conflict when both are gone."""
    seen: set[int] = set()
    while insured_id not in seen and not Insured.objects.filter(pk=insured_id).exists():
        seen.add(insured_id)
        subjects = ChangeSubject.objects.filter(model=Insured._meta.label_lower, row_id=insured_id)
        merges = Change.objects.filter(
            pk__in=subjects.values("change"), kind=ChangeKind.INSURED_MERGE, undone_at__isnull=True
        )
        merge = merges.order_by("-pk").first()
        if merge is None or merge.data["kept"] == insured_id:
            raise Conflict(_("The principal of this record is gone, so it can no longer be split off."))
        insured_id = int(merge.data["kept"])
    return insured_id
