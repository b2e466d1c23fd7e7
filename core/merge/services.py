"""Merging clients, care providers and operators (DOMAIN §12): the same rules as for the records of a person.

Everything that refers to an absorbed record refers to the one that is kept, and the names of the absorbed record become
other names, by which later imports find it. No total of the country changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from common.errors import Invalid
from common.formats import format_day
from core.changes import lock_countries
from core.families.merging import joined_values, locked_records
from core.families.rights import require_manager
from core.merge.bulk import BulkRecorder
from core.models import (
    Change,
    ChangeKind,
    ChangeMove,
    Claim,
    ClaimLine,
    Client,
    ClientAlias,
    Invoice,
    Membership,
    Operator,
    OperatorAlias,
    Partner,
    PartnerAlias,
    Payment,
    Premium,
)
from users import audit
from users.models import AuditAction, User

MOST_AT_ONCE = 50
Record = Client | Partner | Operator


def merge_clients(*, actor: User, kept: Client, absorbed: Sequence[Client]) -> Change:
    """Make the clients `absorbed` one with `kept`.

    Claims, memberships and premiums move. Of two memberships of one person under one policy one stays, with the wider
    dates and the plan of the newer; role and principal are those of the client that is kept, unless a person corrected
    the other.
    `data`: `kept`, `name`, `claims`, and under `absorbed` the counts for each record.

    Raises NotAllowed (DOMAIN §1), Invalid with every reason under `clients`, such as premiums that would overlap,
    and Conflict when a record is gone.
    """
    return _merge(actor, kept, absorbed, _CLIENTS)


def merge_partners(*, actor: User, kept: Partner, absorbed: Sequence[Partner]) -> Change:
    """Make the providers `absorbed` one with `kept`: claims, invoices and payments move.

    Of two invoices or payments with the same number, one stays. Raises as `merge_clients`, under `partners`.
    """
    return _merge(actor, kept, absorbed, _PARTNERS)


def merge_operators(*, actor: User, kept: Operator, absorbed: Sequence[Operator]) -> Change:
    """Make the operators `absorbed` one with `kept`: their claim lines move. Raises as `merge_clients`, under
    `operators`.
    """
    return _merge(actor, kept, absorbed, _OPERATORS)


# ------------------------------------------------------------------------------------------------ one way for all


class _Kind:
    """How records of one kind are merged.

    `field`: the name under which problems are listed. `alias`: the model of other names. `objections`: further reasons
    to refuse. `absorb`: moves everything that refers to a record, but for its names, and returns the counts.
    """

    def __init__(
        self,
        field: str,
        alias: type[ClientAlias] | type[PartnerAlias] | type[OperatorAlias],
        change: ChangeKind,
        absorb: Callable[[BulkRecorder, Any, Any], dict[str, int]],
        objections: Callable[[Sequence[Any]], list[str]] = lambda _records: [],
    ) -> None:
        self.field, self.alias, self.change = field, alias, change
        self.absorb, self.objections = absorb, objections


def _merge(actor: User, kept: Any, absorbed: Sequence[Any], kind: _Kind) -> Change:
    with transaction.atomic():
        require_manager(actor, kept.country_id)
        lock_countries([kept.country_id])
        kept, others = locked_records(kept, absorbed)
        problems = _objections(kept, others) or kind.objections([kept, *others])
        if problems:
            raise Invalid({kind.field: problems})
        recorder = BulkRecorder(
            kind=kind.change,
            actor=actor,
            country_id=kept.country_id,
            subjects=[kept, *others],
            data={"kept": kept.pk, "name": kept.name},
        )
        recorder.replace(kept, [other.pk for other in others])
        parts = []
        for other in others:
            counts = kind.absorb(recorder, kept, other)
            parts.append({"id": other.pk, "name": other.name, **counts})
            _take_names(recorder, kind, kept, other)
        moved = {name: sum(part[name] for part in parts) for name in parts[0] if name not in ("id", "name")}
        change = recorder.finish(absorbed=parts, **moved)
        audit.record(
            actor=actor,
            action=AuditAction.UPDATE,
            target=kept,
            data={"change": change.pk, "merged": [other.pk for other in others], **moved},
        )
    return change


def _objections(kept: Record, others: Sequence[Record]) -> list[str]:
    """Every reason why these cannot be one, as sentences."""
    if not others:
        return [_("Name at least one other record.")]
    if len(others) > MOST_AT_ONCE:
        return [_("At most %(limit)d records at once.") % {"limit": MOST_AT_ONCE}]
    if kept.pk in {one.pk for one in others}:
        return [_("A record cannot be merged with itself.")]
    if any(one.country_id != kept.country_id for one in others):
        return [_("The records belong to different countries.")]
    return []


def _take_names(recorder: BulkRecorder, kind: _Kind, kept: Any, other: Any) -> None:
    """Remove `other`. Its name and its other names lead later imports to `kept`."""
    reference = f"{kind.alias.record_field}_id"
    recorder.move(kind.alias.objects.filter(**{reference: other.pk}), reference, kept.pk)
    recorder.remove(other)
    alias = kind.alias(country_id=kept.country_id, name=other.name, key=other.key, **{reference: kept.pk})
    recorder.create(alias)


# ------------------------------------------------------------------------------------------------ clients


def _absorb_client(recorder: BulkRecorder, kept: Client, other: Client) -> dict[str, int]:
    has = {(one.insured_id, one.policy_id): one for one in Membership.objects.filter(client=kept)}
    theirs = list(Membership.objects.filter(client=other).order_by("pk"))
    joined = [(has[place], one) for one in theirs if (place := (one.insured_id, one.policy_id)) in has]
    recorder.concern([*theirs, *(stays for stays, _goes in joined)])
    claims = recorder.move(Claim.objects.filter(client=other), "client_id", kept.pk)
    if joined:
        recorder.move_each(Claim, "membership_id", {goes.pk: stays.pk for stays, goes in joined})
        recorder.update_each([(stays, _of_both(stays, goes)) for stays, goes in joined])
        recorder.remove_each([goes for _stays, goes in joined])
    recorder.move(Membership.objects.filter(client=other), "client_id", kept.pk)
    premiums = recorder.move(Premium.objects.filter(client=other), "client_id", kept.pk)
    return {
        "claims": claims,
        "memberships": len(theirs),
        "memberships_joined": len(joined),
        "premiums": premiums,
    }


def _of_both(stays: Membership, goes: Membership) -> dict[str, Any]:
    """The values of a membership into which another of the same person and policy goes."""
    values = joined_values(stays, goes)
    if (goes.is_corrected and not stays.is_corrected) or (stays.role == "other" and goes.role != "other"):
        values |= {"role": goes.role, "principal_id": goes.principal_id}
    elif stays.principal_id is None and stays.role == goes.role:
        values |= {"principal_id": goes.principal_id}
    return values


def _premiums_overlap(clients: Sequence[Client]) -> list[str]:
    """A sentence for each two premiums of the clients that would be of one client and share a day (DOMAIN §9)."""
    names = {one.pk: one.name for one in clients}
    premiums = list(Premium.objects.filter(client__in=names).order_by("start", "pk"))
    problems = []
    for number, one in enumerate(premiums):
        for other in premiums[number + 1 :]:
            if other.start > one.end or other.client_id == one.client_id:
                continue
            problems.append(
                _(
                    "The premium of %(one)s from %(one_start)s to %(one_end)s and that of %(other)s from"
                    " %(other_start)s to %(other_end)s would overlap. Change or delete one of them first."
                )
                % {
                    "one": names[one.client_id],
                    "one_start": format_day(one.start),
                    "one_end": format_day(one.end),
                    "other": names[other.client_id],
                    "other_start": format_day(other.start),
                    "other_end": format_day(other.end),
                }
            )
    return problems


# ------------------------------------------------------------------------------------------------ providers, operators


def _absorb_partner(recorder: BulkRecorder, kept: Partner, other: Partner) -> dict[str, int]:
    claims = recorder.move(Claim.objects.filter(partner=other), "partner_id", kept.pk)
    counts = {"claims": claims}
    numbered: list[tuple[str, Any, str]] = [("invoices", Invoice, "invoice_id"), ("payments", Payment, "payment_id")]
    for name, model, field in numbered:
        has = dict(model.objects.filter(partner=kept).values_list("key", "pk"))
        joined = list(model.objects.filter(partner=other, key__in=model.objects.filter(partner=kept).values("key")))
        if joined:
            recorder.move_each(ClaimLine, field, {one.pk: has[one.key] for one in joined})
            recorder.remove_each(joined)
        moved = recorder.move(model.objects.filter(partner=other), "partner_id", kept.pk)
        counts |= {name: moved + len(joined), f"{name}_joined": len(joined)}
    # What only the absorbed record knows.
    recorder.update(
        kept, address=kept.address or other.address, partner_country=kept.partner_country or other.partner_country
    )
    return counts


def _absorb_operator(recorder: BulkRecorder, kept: Operator, other: Operator) -> dict[str, int]:
    return {"lines": recorder.move(ClaimLine.objects.filter(operator=other), "operator_id", kept.pk)}


_CLIENTS = _Kind("clients", ClientAlias, ChangeKind.CLIENT_MERGE, _absorb_client, _premiums_overlap)
_PARTNERS = _Kind("partners", PartnerAlias, ChangeKind.PARTNER_MERGE, _absorb_partner)
_OPERATORS = _Kind("operators", OperatorAlias, ChangeKind.OPERATOR_MERGE, _absorb_operator)


# ------------------------------------------------------------------------------------------------ the way back


def objection_to_parting(change: Change) -> str:
    """Why a merge of clients, providers or operators cannot be undone although no later change concerns it; "" if none.

    Imports rely on it: they found the record by a name that it has from the merge, or added to what was moved.
    """
    kinds = {one.change: one for one in (_CLIENTS, _PARTNERS, _OPERATORS)}
    kind = kinds.get(ChangeKind(change.kind))
    if kind is None:
        return ""
    keys = [(step.after or {}).get("key") for step in change.steps.filter(model=kind.alias._meta.label_lower)]
    names = kind.alias.objects.filter(country_id=change.country_id, key__in=[key for key in keys if key])
    sessions = sorted({session for name in names for session in name.followed_by})
    if sessions:
        return _("Import %(number)d found the record by its other name. Revert that import first.") % {
            "number": sessions[-1]
        }
    if _later_claims(change).exists():
        return _("Claims that were imported later rely on this merge, so it can no longer be undone.")
    return ""


def _later_claims(change: Change) -> Any:
    """Claims that would name another client or provider than what they refer to, were the change undone."""

    def moved(model: type[Any], field: str) -> Any:
        moves = ChangeMove.objects.filter(step__change=change, step__model=model._meta.label_lower, step__field=field)
        return moves.values("row_id")

    if change.kind == ChangeKind.CLIENT_MERGE:
        later = Claim.objects.filter(membership__in=moved(Membership, "client_id"))
        return later.exclude(pk__in=moved(Claim, "client_id"))
    if change.kind == ChangeKind.PARTNER_MERGE:
        lines = ClaimLine.objects.filter(
            Q(invoice__in=moved(Invoice, "partner_id")) | Q(payment__in=moved(Payment, "partner_id"))
        )
        return lines.exclude(claim__in=moved(Claim, "partner_id"))
    return Claim.objects.none()
