"""Undoing a correction of a country's records, while nothing later depends on it (DOMAIN §12)."""

from collections.abc import Callable

from django.db import transaction

from core.changes import lock_countries, objection_to_undo, recompute_rates, undo
from core.families import following
from core.families.rights import require_manager
from core.models import Change, ChangeKind
from users import audit
from users.models import AuditAction, User

# Kind → what must follow its undo, in the same transaction.
_FOLLOWING: dict[str, Callable[[Change], None]] = {
    ChangeKind.INSURED_MERGE: following.part,
    ChangeKind.ATTACH: following.require_family,
    ChangeKind.ROLE: following.require_family,
}


def undo_change(*, actor: User, change: Change) -> Change:
    """Undo a change that has a country. Raises NotAllowed (DOMAIN §12), Conflict when something later relies on it."""
    assert change.country_id is not None
    with transaction.atomic():
        require_manager(actor, change.country_id)
        lock_countries([change.country_id])
        change = undo(change, actor=actor)
        if change.kind in _FOLLOWING:
            _FOLLOWING[change.kind](change)
        recompute_rates(change)
        following.follow(change)
        audit.record(actor=actor, action=AuditAction.UPDATE, target=change, data={"kind": change.kind, "undone": True})
    return change


__all__ = ["objection_to_undo", "undo_change"]
