"""Undo: removes what a session created and nothing later relies on (DOMAIN §6), inside the caller's transaction."""

from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from core import models as core
from core.data_versions import MEMBERSHIPS, claims_of, renew
from file_handling.models import ImportSession, SessionStatus
from importer.sql import INTEGER, values_table


def undo_session(*, session_id: int, country_id: int) -> dict[str, int]:
    """Remove the session's claims with their lines, then its records that nothing refers to; → how many of each.

    Records that sessions reverted earlier had to leave, because others relied on them, are removed once nothing does.
    `kept_claims`: claims of other sessions whose lines this session replaced; they keep their present lines.
    `relied_on`: claims of this session whose lines a later session replaced; they stay as that session wrote them.
    """
    reverted = ImportSession.objects.filter(country_id=country_id, status=SessionStatus.REVERTED)
    sessions = sorted({session_id, *reverted.values_list("pk", flat=True)})
    created = core.Claim.objects.filter(import_session_id__in=sessions)
    lines_of_others = core.ClaimLine.objects.filter(claim=OuterRef("pk")).exclude(import_session_id__in=sessions)
    to_remove = created.filter(~Exists(lines_of_others))
    # Figures are kept by month: those of the months that lose claims are outdated.
    renew(country_id, [MEMBERSHIPS, *map(claims_of, to_remove.dates("settlement_date", "month"))])
    removed = {
        "relied_on": created.filter(Exists(lines_of_others), import_session_id=session_id).count(),
        "claim_lines": _delete(core.ClaimLine.objects.filter(claim__in=to_remove)),
        "kept_claims": core.ClaimRevision.objects.filter(replaced_by_session_id=session_id, claim__isnull=False)
        .exclude(claim__in=to_remove)
        .count(),
    }
    core.ClaimRevision.objects.filter(claim__in=to_remove).update(claim=None)
    touched = list(core.Membership.objects.filter(claims__in=to_remove).values_list("pk", flat=True).distinct())
    removed["claims"] = _delete(to_remove)
    removed["invoices"] = _delete(_unused(core.Invoice, sessions, core.ClaimLine, "invoice"))
    removed["payments"] = _delete(_unused(core.Payment, sessions, core.ClaimLine, "payment"))
    removed["operators"] = _delete(_unused(core.Operator, sessions, core.ClaimLine, "operator"))
    removed["memberships"] = _remove_memberships(sessions)
    # A later session may have found its people by a spelling that this one added.
    later_claims = core.Claim.objects.filter(
        insured=OuterRef("insured"), import_session_id__gt=OuterRef("import_session_id")
    )
    removed["insured_spellings"] = _delete(
        core.InsuredSpelling.objects.filter(~Exists(later_claims), import_session_id__in=sessions)
    )
    insured = _unused(core.Insured, sessions, core.Membership, "insured")
    insured = insured.filter(
        ~Exists(core.Membership.objects.filter(principal=OuterRef("pk"))),
        ~Exists(core.Claim.objects.filter(insured=OuterRef("pk"))),
    )
    core.InsuredSpelling.objects.filter(insured__in=insured)._raw_delete(using=connection.alias)
    removed["insured"] = _delete(insured)
    removed["plans"] = _delete(_unused(core.Plan, sessions, core.Membership, "plan"))
    policies = _unused(core.Policy, sessions, core.Membership, "policy")
    removed["policies"] = _delete(
        policies.filter(
            ~Exists(core.Claim.objects.filter(policy=OuterRef("pk"))),
            ~Exists(core.Plan.objects.filter(policy=OuterRef("pk"))),
        )
    )
    clients = _unused(core.Client, sessions, core.Membership, "client")
    removed["clients"] = _delete(clients.filter(~Exists(core.Claim.objects.filter(client=OuterRef("pk")))))
    partners = _unused(core.Partner, sessions, core.Claim, "partner")
    removed["partners"] = _delete(
        partners.filter(
            ~Exists(core.Invoice.objects.filter(partner=OuterRef("pk"))),
            ~Exists(core.Payment.objects.filter(partner=OuterRef("pk"))),
        )
    )
    _lock_catalogue(sessions)
    acts = _unused(core.Act, sessions, core.ClaimLine, "act")
    removed["acts"] = _delete(acts.filter(~Exists(core.ActAlias.objects.filter(act=OuterRef("pk")))))
    categories = _unused(core.ActCategory, sessions, core.ClaimLine, "category")
    removed["act_categories"] = _delete(categories.filter(~Exists(core.Act.objects.filter(category=OuterRef("pk")))))
    _renew_settlement_dates(touched)
    return removed


def _lock_catalogue(sessions: list[int]) -> None:
    """Lock the acts: imports of other countries that are about to use them end first, and their acts count as used."""
    for model in (core.Act, core.ActCategory):
        list(model.objects.filter(import_session_id__in=sessions).select_for_update().order_by("pk").values_list("pk"))


def _unused(model: Any, sessions: list[int], referrer: Any, field: str) -> Any:
    return model.objects.filter(
        ~Exists(referrer.objects.filter(**{field: OuterRef("pk")})), import_session_id__in=sessions
    )


def _delete(rows: Any) -> int:
    # What could refer to these rows was removed or excluded before, so no cascade must be collected row by row.
    return int(rows._raw_delete(using=connection.alias))


def _remove_memberships(sessions: list[int]) -> int:
    """Remove memberships without claims; those of principals once no dependant is left. Dependants come first."""
    dependants = core.Membership.objects.filter(policy=OuterRef("policy"), principal=OuterRef("insured"))
    removed = 0
    while True:
        count = _delete(
            core.Membership.objects.filter(
                ~Exists(core.Claim.objects.filter(membership=OuterRef("pk"))),
                ~Exists(dependants.filter(client=OuterRef("client"))),
                ~(Q(client__isnull=True) & Exists(dependants.filter(client__isnull=True))),
                import_session_id__in=sessions,
            )
        )
        if not count:
            return removed
        removed += count


def _renew_settlement_dates(memberships: list[int]) -> None:
    """Set first and last settlement dates of memberships that lost claims, from their remaining claims."""
    if not memberships:
        return
    source, parameters = values_table("touched", {"id": (INTEGER, memberships)})
    claims, table = core.Claim._meta.db_table, core.Membership._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET "
            f"first_settlement_date = (SELECT min(settlement_date) FROM {claims} WHERE membership_id = {table}.id), "
            f"last_settlement_date = (SELECT max(settlement_date) FROM {claims} WHERE membership_id = {table}.id) "
            f"WHERE id IN (SELECT touched.id FROM {source})",
            parameters,
        )
