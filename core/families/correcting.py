"""Corrections of a membership: another principal, another role (DOMAIN §12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Conflict, Invalid
from core.changes import Recorder, lock_countries
from core.families.following import follow
from core.families.rights import require_manager
from core.models import Change, ChangeKind, Insured, Membership, MembershipRole
from users import audit
from users.models import AuditAction, User

DEPENDANT_ROLES = tuple(role for role in MembershipRole if role != MembershipRole.PRIMARY)


def attach(*, actor: User, membership: Membership, principal: int | None) -> Change:
    """The dependant's membership names another principal of the policy. `principal`: the id of that insured.

    Raises NotAllowed (DOMAIN §12), Invalid with `principal`, Conflict when the membership is gone.
    """
    with transaction.atomic():
        membership = _locked(actor, membership)
        if membership.role == MembershipRole.PRIMARY:
            raise Invalid({"principal": [_("This person is a principal. Change the role to make them a dependant.")]})
        head = _head(membership, principal)
        if head.insured_id == membership.principal_id:
            raise Invalid({"principal": [_("The person is attached to this principal already.")]})
        _require_no_dependants(membership, "principal")
        return _corrected(actor, membership, ChangeKind.ATTACH, {"principal_id": head.insured_id}, head)


def change_role(*, actor: User, membership: Membership, role: str, principal: int | None = None) -> Change:
    """The membership gets another role. A new principal founds a family; a dependant needs a principal, which stays
    when none is named.

    Raises NotAllowed (DOMAIN §12), Invalid with `role` or `principal`, Conflict when the membership is gone.
    """
    with transaction.atomic():
        membership = _locked(actor, membership)
        if role not in MembershipRole.values:
            raise Invalid({"role": [_("Choose one of these roles: %(roles)s.") % {"roles": ", ".join(MembershipRole)}]})
        if role == membership.role:
            raise Invalid({"role": [_("The person has this role already.")]})
        if role == MembershipRole.PRIMARY:
            if principal is not None:
                raise Invalid({"principal": [_("A principal depends on nobody. Leave the principal out.")]})
            return _corrected(actor, membership, ChangeKind.ROLE, {"role": role, "principal_id": None}, None)
        _require_no_dependants(membership, "role")
        wanted = membership.principal_id if principal is None else principal
        if wanted is None:
            raise Invalid({"principal": [_("A dependant needs a principal. Name one of this policy.")]})
        head = _head(membership, wanted)
        values = {"role": role, "principal_id": head.insured_id}
        return _corrected(actor, membership, ChangeKind.ROLE, values, head)


def principals_of(membership: Membership) -> list[Insured]:
    """The principals of the policy to whom the membership can be attached, by name."""
    heads = Membership.objects.filter(policy=membership.policy_id, role=MembershipRole.PRIMARY)
    others = heads.exclude(insured=membership.insured_id).exclude(insured=membership.principal_id or 0)
    return list(Insured.objects.filter(pk__in=others.values("insured")).order_by("name_key", "pk"))


def _locked(actor: User, membership: Membership) -> Membership:
    country_id = membership.insured.country_id
    require_manager(actor, country_id)
    lock_countries([country_id])
    found = (
        Membership.objects.select_for_update(of=("self",)).select_related("insured").filter(pk=membership.pk).first()
    )
    if found is None:
        raise Conflict(_("This membership was merged or removed meanwhile. Reload the page."))
    return found


def _head(membership: Membership, principal: int | None) -> Membership:
    """The membership of the wanted principal on the policy. Raises Invalid for every other person."""
    if principal is None:
        raise Invalid({"principal": [_("Name the principal.")]})
    if principal == membership.insured_id:
        raise Invalid({"principal": [_("Nobody is their own principal.")]})
    heads = Membership.objects.filter(
        policy=membership.policy_id, insured=principal, role=MembershipRole.PRIMARY
    ).order_by("pk")
    # Of several clients, the one of the dependant first.
    found = heads.filter(client=membership.client_id).first() or heads.first()
    if found is None:
        raise Invalid({"principal": [_("This is no principal of the policy.")]})
    return found


def _require_no_dependants(membership: Membership, field: str) -> None:
    if Membership.objects.filter(policy=membership.policy_id, principal=membership.insured_id).exists():
        sentence = _("This person has dependants on the policy. Attach them to another principal first.")
        raise Invalid({field: [sentence]})


def _corrected(
    actor: User, membership: Membership, kind: ChangeKind, values: Mapping[str, Any], head: Membership | None
) -> Change:
    principals = [one for one in (membership.principal_id, values["principal_id"]) if one is not None]
    people = list(Insured.objects.filter(pk__in=[membership.insured_id, *principals]))
    name_of = {one.pk: one.name for one in people}
    recorder = Recorder(
        kind=kind,
        actor=actor,
        country_id=membership.insured.country_id,
        subjects=[membership, *people, *([head] if head else [])],
        data={
            "membership": membership.pk,
            "insured": membership.insured_id,
            "name": membership.insured.name,
            "policy": membership.policy.number,
            "role_before": membership.role,
            "role": values.get("role", membership.role),
            "principal_before": name_of.get(membership.principal_id or 0, ""),
            "principal": name_of.get(values["principal_id"] or 0, ""),
            "principal_id": values["principal_id"],
            "claims": membership.claims.count(),
        },
    )
    recorder.update(membership, **values, is_corrected=True)
    if head is not None and head.client_id != membership.client_id:
        _enrol(recorder, head, membership)
    change = recorder.finish()
    follow(change)
    audit.record(actor=actor, action=AuditAction.UPDATE, target=membership, data={"change": change.pk})
    return change


def _enrol(recorder: Recorder, head: Membership, dependant: Membership) -> None:
    """A principal has a membership wherever one of their dependants has one (DOMAIN §6). It goes with the import of the
    dependant's.
    """
    there = Membership.objects.filter(
        insured=head.insured_id, policy=dependant.policy_id, client=dependant.client_id
    ).first()
    if there is None:
        there = Membership(
            insured_id=head.insured_id,
            policy_id=dependant.policy_id,
            client_id=dependant.client_id,
            role=MembershipRole.PRIMARY,
            file_id=dependant.file_id,
            import_session_id=dependant.import_session_id,
        )
        recorder.create(there)
        recorder.concern([there])
