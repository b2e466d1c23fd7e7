"""Answers to the pairs of the review list (DOMAIN §12)."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from common.errors import Conflict, Invalid
from core.changes import lock_countries
from core.families.merging import merge_people
from core.families.rights import require_manager
from core.merge.services import merge_clients, merge_operators, merge_partners
from core.models import Change, ReviewDecision, ReviewKind, ReviewPair, ReviewState
from core.review.facts import claim_counts
from users import audit
from users.models import AuditAction, User

MERGES: dict[ReviewKind, Any] = {
    ReviewKind.INSURED: merge_people,
    ReviewKind.CLIENT: merge_clients,
    ReviewKind.PARTNER: merge_partners,
    ReviewKind.OPERATOR: merge_operators,
}


class Decided(NamedTuple):
    """`change`: the merge, for the answer "the same"; without an id in a preview."""

    pair: ReviewPair
    change: Change | None


def decide(*, actor: User, pair: ReviewPair, decision: str, keep: int | None = None) -> Decided:
    """Answer a pair. "The same" merges its records, "different" is remembered and never asked again.

    `keep`: the id of the record that stays. Without it, the one with more claims (of operators, lines) stays; of two
    with equally many, the older. A pair answered with "different" can still be answered with "the same".

    Raises NotAllowed (DOMAIN §1), Invalid (`decision`, `keep`, and every reason against the merge), and Conflict when
    the records were merged before or one of them is not there.
    """
    with transaction.atomic():
        require_manager(actor, pair.country_id)
        lock_countries([pair.country_id])
        pair = ReviewPair.objects.with_state().get(pk=pair.pk)
        _require_open(pair, decision, keep)
        if decision == ReviewDecision.DIFFERENT == pair.decision:
            return Decided(pair, None)
        change = _merge(actor, pair, keep) if decision == ReviewDecision.SAME else None
        pair.decision, pair.change = decision, change
        pair.decided_at, pair.decided_by, pair.decided_label = timezone.now(), actor, actor.display_name()
        pair.save(update_fields=["decision", "change", "decided_at", "decided_by", "decided_label"])
        pair.state = decision  # type: ignore[attr-defined]
        data = {"decision": str(decision), "change": change.pk if change else None}
        audit.record(actor=actor, action=AuditAction.UPDATE, target=pair, data=data)
    return Decided(pair, change)


def preview_decision(*, actor: User, pair: ReviewPair, decision: str, keep: int | None = None) -> Decided:
    """What `decide` would do, with the same refusals. Nothing of it stays; the change has no id."""
    with transaction.atomic():
        decided = decide(actor=actor, pair=pair, decision=decision, keep=keep)
        transaction.set_rollback(True)
    if decided.change is not None:
        decided.change.pk = None
    return decided


def _require_open(pair: Any, decision: str, keep: int | None) -> None:
    problems: dict[str, list[str]] = {}
    if decision not in ReviewDecision.values:
        problems["decision"] = [_("Choose from: %(choices)s.") % {"choices": ", ".join(ReviewDecision.values)}]
    if keep is not None and keep not in (pair.one_id, pair.other_id):
        problems["keep"] = [_("This is none of the two records of the pair.")]
    if problems:
        raise Invalid(problems)
    if pair.state == ReviewState.SAME:
        raise Conflict(_("These records were merged already. Undo the merge first."))
    records = pair.model._default_manager.filter(pk__in=(pair.one_id, pair.other_id), country=pair.country_id)
    if pair.state == ReviewState.GONE or (decision == ReviewDecision.SAME and records.count() < 2):
        raise Conflict(_("One of these records is not there any more, so there is nothing to decide."))


def _merge(actor: User, pair: ReviewPair, keep: int | None) -> Change:
    ids = (pair.one_id, pair.other_id)
    kept_id = suggested(pair) if keep is None else keep
    records = pair.model._default_manager.in_bulk(ids)
    absorbed = records[ids[0] if kept_id == ids[1] else ids[1]]
    change: Change = MERGES[ReviewKind(pair.kind)](actor=actor, kept=records[kept_id], absorbed=[absorbed])
    return change


def suggested(pair: ReviewPair, counts: dict[int, int] | None = None) -> int:
    """The id of the record that stays unless one is named: that with more claims, else the older."""
    counts = claim_counts(ReviewKind(pair.kind), (pair.one_id, pair.other_id)) if counts is None else counts
    return min((pair.one_id, pair.other_id), key=lambda id_: (-counts.get(id_, 0), id_))
