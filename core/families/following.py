"""What must follow a correction of persons: rows that belong elsewhere now, dates, leftovers, figures (DOMAIN §12)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from common.errors import Conflict
from core.data_versions import claims_of, renew
from core.models import Change, ChangeAction, Claim, Insured, InsuredSpelling, Membership, MembershipRole
from file_handling.models import SessionStatus


def follow(change: Change) -> None:
    """Renew what is computed from rows that the change moved, after it was made or undone, in its transaction.

    Versions of figures: all months with claims of its persons. (`core.changes` knows those of moved claims only.)
    """
    days = Claim.objects.filter(insured__in=people_of(change)).dates("settlement_date", "month")
    assert change.country_id is not None
    renew(change.country_id, map(claims_of, days))


def people_of(change: Change) -> list[int]:
    """Ids of the persons that the change concerns."""
    subjects = change.subjects.filter(model=Insured._meta.label_lower)
    return list(subjects.order_by("row_id").values_list("row_id", flat=True))


def part(change: Change) -> None:
    """After a merge was undone: put later rows where they belong, and remove what a reverted import left."""
    people = people_of(change)
    for rows, field, to in misplaced(people):
        rows.update(**{field: to})
    for membership in _outdated(change):
        Membership.objects.filter(pk=membership.pk).update(**right_dates(membership))
    Insured.objects.filter(pk__in=people, is_deduced=True, claims__isnull=False).update(is_deduced=False)
    for row in leftovers(people):
        type(row)._default_manager.filter(pk=row.pk).delete()


def require_family(change: Change) -> None:
    """After a role or an attachment was undone. Raises Conflict where something that came later relies on it: the head
    of a family would be a dependant, or the earlier principal no longer heads a family.
    """
    for step in change.steps.filter(action=ChangeAction.CREATED):
        place = {name: step.after[name] for name in ("policy_id", "client_id")}
        if Membership.objects.filter(principal=step.after["insured_id"], **place).exists():
            raise Conflict(_("Dependants that came later need a membership that this change created."))
    membership = Membership.objects.filter(pk=change.data["membership"]).first()
    if membership is None or membership.role == MembershipRole.PRIMARY:
        return
    here = Membership.objects.filter(policy=membership.policy_id)
    if here.filter(principal=membership.insured_id).exists():
        raise Conflict(_("This person has dependants now. Attach them to another principal first."))
    principal = membership.principal_id
    if principal is not None and here.filter(insured=principal, principal__isnull=False).exists():
        raise Conflict(_("The earlier principal is a dependant now, so this change can no longer be undone."))


def misplaced(people: Iterable[int]) -> list[tuple[QuerySet[Any], str, int]]:
    """What is not where it belongs after records were parted: (rows, field, the id that it must have).

    A claim that came later belongs to the person of its membership. Dependants that came later follow their principal's
    membership.
    """
    people = sorted(set(people))
    found: list[tuple[QuerySet[Any], str, int]] = []
    for person in people:
        claims = Claim.objects.filter(membership__insured=person).exclude(insured=person)
        if claims.exists():
            found.append((claims, "insured_id", person))
    memberships = list(Membership.objects.filter(insured__in=people).order_by("pk"))
    heads = [one for one in memberships if one.role == MembershipRole.PRIMARY]
    head_of = {(one.policy_id, one.client_id): one.insured_id for one in heads}
    has = {(one.insured_id, one.policy_id, one.client_id) for one in memberships}
    for dependant in Membership.objects.filter(principal__in=people).order_by("pk"):
        place = (dependant.policy_id, dependant.client_id)
        head = head_of.get(place)
        if head and head != dependant.insured_id and (dependant.principal_id, *place) not in has:
            found.append((Membership.objects.filter(pk=dependant.pk), "principal_id", head))
    return found


def right_dates(membership: Membership) -> dict[str, Any]:
    """First and last settlement date of the claims that the membership has now."""
    days = Claim.objects.filter(membership=membership).order_by("settlement_date")
    first, last = days.first(), days.last()
    return {
        "first_settlement_date": first and first.settlement_date,
        "last_settlement_date": last and last.settlement_date,
    }


def _outdated(change: Change) -> list[Membership]:
    """The memberships whose dates the undo could not restore, because later imports or reverts changed their claims."""
    label = Membership._meta.label_lower
    steps = change.steps.filter(model=label, action__in=(ChangeAction.UPDATED, ChangeAction.REMOVED))
    stored: dict[int, dict[str, Any]] = {}
    # The first step has the oldest values.
    for step in steps.order_by("-sequence"):
        stored[step.row_id or 0] = step.before
    claims = change.steps.filter(model=Claim._meta.label_lower, field="membership_id")
    all_there = all(
        step.moves.count() == Claim.objects.filter(pk__in=step.moves.values("row_id")).count() for step in claims
    )
    found = []
    for membership in Membership.objects.filter(pk__in=stored):
        before = stored[membership.pk]
        as_before = all(
            str(getattr(membership, name) or None) == str(before[name])
            for name in ("first_settlement_date", "last_settlement_date")
            if name in before
        )
        if not (as_before and all_there):
            found.append(membership)
    return found


def leftovers(people: Iterable[int]) -> list[Model]:
    """Rows of reverted imports on which nothing relies once records were parted, in the order of their removal."""
    reverted = Q(import_session__status=SessionStatus.REVERTED)
    memberships = [
        one
        for one in Membership.objects.filter(reverted, insured__in=people, claims__isnull=True)
        if not Membership.objects.filter(principal=one.insured_id, policy=one.policy_id, client=one.client_id).exists()
    ]
    gone = [one.pk for one in memberships]
    persons = [
        one
        for one in Insured.objects.filter(reverted, pk__in=people, claims__isnull=True, dependant_memberships=None)
        if not one.memberships.exclude(pk__in=gone).exists()
    ]
    return [*memberships, *InsuredSpelling.objects.filter(insured__in=persons), *persons]
