"""Merging the records of one person (DOMAIN §12)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Conflict, Invalid
from core.changes import Recorder, lock_countries
from core.families.following import follow
from core.families.rights import preview, require_manager
from core.models import Change, ChangeKind, Claim, Insured, InsuredSpelling, Membership, MembershipRole
from users import audit
from users.models import AuditAction, User

MOST_AT_ONCE = 50


def preview_merge(*, actor: User, kept: Insured, absorbed: Sequence[Insured]) -> Change:
    """What `merge_people` would do, with the same refusals. Nothing of it stays; the change has no id."""
    return preview(lambda: merge_people(actor=actor, kept=kept, absorbed=absorbed))


def merge_people(*, actor: User, kept: Insured, absorbed: Sequence[Insured]) -> Change:
    """Make the records `absorbed` one with `kept`; their ids are free until the merge is taken back.

    Claims and memberships move to `kept`. Of two memberships with the same policy and client one stays, with the wider
    dates and the plan of the newer. Dependants follow, names become known spellings, a card number is taken over.
    `data`: `kept`, its name, and of each absorbed record the counts and the range of its steps.

    Raises NotAllowed (DOMAIN §12), Invalid with every reason under `insured`, Conflict when a record is gone.
    """
    with transaction.atomic():
        require_manager(actor, kept.country_id)
        lock_countries([kept.country_id])
        kept, others = locked_records(kept, absorbed)
        problems = _objections(kept, others)
        if problems:
            raise Invalid({"insured": problems})
        recorder = Recorder(
            kind=ChangeKind.INSURED_MERGE,
            actor=actor,
            country_id=kept.country_id,
            subjects=[kept, *others],
            data={"kept": kept.pk, "name": kept.name},
        )
        recorder.replace(kept, [other.pk for other in others])
        parts = [_absorb(recorder, kept, other) for other in others]
        claims = sum(part["claims"] for part in parts)
        change = recorder.finish(absorbed=parts, claims=claims)
        follow(change)
        audit.record(
            actor=actor,
            action=AuditAction.UPDATE,
            target=kept,
            data={"change": change.pk, "merged": [other.pk for other in others], "claims": claims},
        )
    return change


def locked_records(kept: Any, absorbed: Sequence[Any]) -> tuple[Any, list[Any]]:
    """The records of one model as they are now, in the order given, locked. Raises Conflict when one is gone."""
    ids = [kept.pk, *dict.fromkeys(one.pk for one in absorbed)]
    found = type(kept)._default_manager.select_for_update().in_bulk(ids)
    if len(found) < len(set(ids)):
        raise Conflict(_("One of these records was merged or removed meanwhile. Reload the page."))
    return found[kept.pk], [found[pk] for pk in ids[1:]]


def _objections(kept: Insured, others: Sequence[Insured]) -> list[str]:
    """Every reason why these are not records of one person, as sentences."""
    if not others:
        return [_("Name at least one other record of this person.")]
    if len(others) > MOST_AT_ONCE:
        return [_("At most %(limit)d records at once.") % {"limit": MOST_AT_ONCE}]
    people = [kept, *others]
    ids = {one.pk for one in people}
    if len(ids) < len(people):
        return [_("A record cannot be merged with itself.")]
    if any(one.country_id != kept.country_id for one in others):
        return [_("The records belong to different countries.")]
    problems = []
    cards = {one.card_key for one in people if one.card_key}
    if len(cards) > 1:
        problems.append(_("They have different card numbers, so they are different persons."))
    memberships = list(Membership.objects.filter(insured__in=ids).select_related("policy", "client"))
    if any(one.principal_id in ids for one in memberships):
        problems.append(_("One of them depends on another, so they are different persons."))
        return problems
    problems += _role_objections(memberships)
    heads = set(Membership.objects.filter(principal__in=ids).values_list("policy_id", flat=True))
    if not problems and any(one.role != MembershipRole.PRIMARY and one.policy_id in heads for one in memberships):
        problems.append(
            _("One of them has dependants on a policy on which another is a dependant. Change the role first.")
        )
    return problems


def _role_objections(memberships: Iterable[Membership]) -> list[str]:
    found: dict[tuple[int, int | None], Membership] = {}
    problems: dict[str, None] = {}
    for one in memberships:
        first = found.setdefault((one.policy_id, one.client_id), one)
        if first.role != one.role:
            sentence = _(
                "Their roles on the policy %(policy)s differ (%(first)s, %(second)s). Change one of them first."
            )
        elif first.principal_id != one.principal_id:
            sentence = _("Their principals on the policy %(policy)s differ. Attach both to the same principal first.")
        else:
            continue
        names = {"policy": one.policy.number, "first": first.get_role_display(), "second": one.get_role_display()}
        problems[sentence % names] = None
    return list(problems)


def _absorb(recorder: Recorder, kept: Insured, other: Insured) -> dict[str, Any]:
    """Move everything from `other` to `kept`, and remove the record; → the counts."""
    first_step = recorder.steps + 1
    has = {(one.policy_id, one.client_id): one for one in kept.memberships.all()}
    brought: list[Membership] = []
    joined: list[Membership] = []
    for one in other.memberships.order_by("id"):
        (joined if (one.policy_id, one.client_id) in has else brought).append(one)
    recorder.concern([*brought, *joined, *(has[one.policy_id, one.client_id] for one in joined)])
    claims = recorder.move(Claim.objects.filter(insured=other), "insured_id", kept.pk)
    recorder.move(Membership.objects.filter(pk__in=[one.pk for one in brought]), "insured_id", kept.pk)
    for one in joined:
        _join(recorder, has[one.policy_id, one.client_id], one)
    dependants = recorder.move(Membership.objects.filter(principal=other), "principal_id", kept.pk)
    spellings = _take_names(recorder, kept, other)
    recorder.remove(other)
    # After the removal: a card number is unique in the country.
    values: dict[str, Any] = {"is_deduced": kept.is_deduced and other.is_deduced}
    if other.card_key:
        values |= {"card_number": other.card_number, "card_key": other.card_key}
    recorder.update(kept, **values)
    return {
        "id": other.pk,
        "name": other.name,
        "claims": claims,
        "memberships": len(brought) + len(joined),
        "memberships_joined": len(joined),
        "dependants": dependants,
        "spellings": spellings,
        "card": bool(other.card_key),
        "steps": [first_step, recorder.steps],
    }


def _join(recorder: Recorder, stays: Membership, goes: Membership) -> None:
    """Two memberships of one person with the same policy and client become one."""
    recorder.move(Claim.objects.filter(membership=goes), "membership_id", stays.pk)
    recorder.update(stays, **joined_values(stays, goes))
    recorder.remove(goes)


def joined_values(stays: Membership, goes: Membership) -> dict[str, Any]:
    """The values that a membership has once another one went into it: the wider dates, the plan of the newer."""
    is_newer = (goes.last_settlement_date or date.min) > (stays.last_settlement_date or date.min)
    newer, older = (goes, stays) if is_newer else (stays, goes)
    both = (stays, goes)
    return {
        "first_settlement_date": min(filter(None, (one.first_settlement_date for one in both)), default=None),
        "last_settlement_date": max(filter(None, (one.last_settlement_date for one in both)), default=None),
        "plan_id": newer.plan_id or older.plan_id,
        "is_corrected": stays.is_corrected or goes.is_corrected,
    }


def _take_names(recorder: Recorder, kept: Insured, other: Insured) -> int:
    """The names of `other` become known spellings of `kept`, which imports find; → how many are new.

    They come from no import, so a revert leaves them as long as the person stays.
    """
    known = {spelling.name_key for spelling in kept.spellings.all()}
    moved = []
    for spelling in other.spellings.order_by("id"):
        if spelling.name_key in known or spelling.name == kept.name:
            recorder.remove(spelling)
        else:
            known.add(spelling.name_key)
            moved.append(spelling.pk)
    recorder.move(InsuredSpelling.objects.filter(pk__in=moved), "insured_id", kept.pk)
    if other.name == kept.name or other.name_key in known:
        return len(moved)
    recorder.create(InsuredSpelling(insured=kept, name=other.name, name_key=other.name_key))
    return len(moved) + 1
