"""Deactivating a country by several global administrators, or by one superuser (DOMAIN §14).

A request needs 2 approvals where at most 3 global administrators are active when it is made, else 3; asking is the
first. A vote counts while its voter is an active global administrator: the vote of an account that is deactivated or
loses the role is struck for good. Where the asker is the only active global administrator, nobody else can approve, so
the request waits for a superuser. Every function locks the country before the request.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from common.errors import Conflict, Invalid, NotAllowed
from common.keys import clean_text
from users import audit
from users.accounts.activity import write_activity
from users.models import (
    AuditAction,
    Country,
    CountryDeactivation,
    DeactivationStatus,
    DeactivationVote,
    MailPurpose,
    Role,
    User,
)
from users.sign_in.mails import queue_mail

VALID_FOR = timedelta(days=7)
LONGEST_REASON = 1000
APPROVE, REJECT = "approve", "reject"
VOTES = (APPROVE, REJECT)
_FEW_VOTERS, _NEEDED_OF_FEW, _NEEDED_OF_MANY = 3, 2, 3


def ask(*, actor: User, country: Country, reason: str) -> CountryDeactivation:
    """Ask for the deactivation of an active country; the actor's approval is counted. A superuser's request is approved
    at once.

    Raises NotAllowed; Invalid for an empty or too long reason; Conflict for an inactive country and for one with a
    pending request.
    """
    _refuse_others(actor)
    reason = clean_text(reason)
    if not reason:
        raise Invalid({"reason": [_("Give the reason, for those who decide.")]})
    if len(reason) > LONGEST_REASON:
        raise Invalid({"reason": [_("At most %(limit)d characters.") % {"limit": LONGEST_REASON}]})
    expire_due()
    try:
        with transaction.atomic():
            locked = Country.objects.select_for_update().get(pk=country.pk)
            if not locked.is_active:
                raise Conflict(_("This country is inactive already."))
            now, voters = timezone.now(), len(_active_voters())
            request = CountryDeactivation.objects.create(
                country=locked,
                reason=reason,
                asked_by=actor,
                asked_by_label=actor.display_name(),
                asked_at=now,
                expires_at=now + VALID_FOR,
                voters=voters,
                needed=_NEEDED_OF_FEW if voters <= _FEW_VOTERS else _NEEDED_OF_MANY,
            )
            _store_vote(request, actor, approves=True)
            _record(actor, request, AuditAction.CREATE, voters=voters, needed=request.needed)
            if actor.is_superuser_role():
                _end(request, DeactivationStatus.APPROVED, actor=actor)
            else:
                _mail(request, MailPurpose.DEACTIVATION_ASKED, but=actor)
    except IntegrityError as error:
        raise Conflict(
            _("A request to deactivate this country is pending. Vote on it, or wait until it has ended.")
        ) from error
    return request


def vote(*, actor: User, request: CountryDeactivation, choice: str) -> CountryDeactivation:
    """Approve or reject a pending request, once. A superuser's vote ends it.

    Raises NotAllowed; Invalid for another word than those of VOTES; Conflict for a request that has ended and for a
    second vote.
    """
    _refuse_others(actor)
    if choice not in VOTES:
        raise Invalid({"vote": [_("Choose from: %(values)s.") % {"values": ", ".join(VOTES)}]})
    expire_due()
    try:
        with transaction.atomic():
            locked = _locked_pending(request)
            _store_vote(locked, actor, approves=choice == APPROVE)
            # The account may have been deactivated since the request began.
            if not (actor.is_superuser_role() or actor.pk in _active_voters()):
                _refuse()
            _record(actor, locked, AuditAction.UPDATE, vote=choice)
            if actor.is_superuser_role():
                _end(
                    locked,
                    DeactivationStatus.APPROVED if choice == APPROVE else DeactivationStatus.REJECTED,
                    actor=actor,
                )
            else:
                _count(locked, actor=actor)
    except IntegrityError as error:
        raise Conflict(_("You have voted on this request already.")) from error
    return locked


def withdraw(*, actor: User, request: CountryDeactivation) -> CountryDeactivation:
    """End a pending request that the actor made. Raises NotAllowed, Conflict for a request that has ended."""
    _refuse_others(actor)
    expire_due()
    with transaction.atomic():
        locked = _locked_pending(request)
        if locked.asked_by_id != actor.pk:
            raise NotAllowed(_("Only the account that made the request can withdraw it. You may vote against it."))
        _end(locked, DeactivationStatus.WITHDRAWN, actor=actor)
    return locked


def approve_pending_of(*, actor: User, country: Country) -> None:
    """End the pending request of a country that a superuser has just deactivated, in the same transaction."""
    for request in CountryDeactivation.objects.select_for_update().filter(
        country=country, status=DeactivationStatus.PENDING
    ):
        _end(request, DeactivationStatus.APPROVED, actor=actor)


def strike_votes(account: User) -> None:
    """The votes of an account that is no active global administrator any more do not count again.

    Called in the transaction that changes the account. Requests that can then no longer be approved are rejected after
    it is committed: the transaction has the account locked, and a vote locks its country before the account.
    """
    is_voter = account.is_active and account.is_admin_global()
    if is_voter:
        return
    pending = CountryDeactivation.objects.filter(status=DeactivationStatus.PENDING)
    DeactivationVote.objects.filter(voter=account, request__in=pending).update(is_struck=True)
    if pending.exists():
        transaction.on_commit(_count_pending)


def expire_due(now: datetime | None = None) -> int:
    """End the pending requests whose seven days have passed; → how many. Readers and every worker call this."""
    now = now or timezone.now()
    due = CountryDeactivation.objects.filter(status=DeactivationStatus.PENDING, expires_at__lte=now)
    ended = 0
    for request in list(due):
        with transaction.atomic():
            locked = _locked(request)
            if locked.status == DeactivationStatus.PENDING:
                _end(locked, DeactivationStatus.EXPIRED, actor=None)
                ended += 1
    return ended


def pending_votes(user: User) -> list[CountryDeactivation]:
    """The pending requests on which the account may still vote, the first to expire first."""
    if not user.sees_all_countries():
        return []
    expire_due()
    rows = CountryDeactivation.objects.visible_to(user).filter(status=DeactivationStatus.PENDING)
    return list(rows.exclude(votes__voter=user).select_related("country").order_by("expires_at"))


def may_vote(user: User, request: CountryDeactivation, votes: Iterable[DeactivationVote]) -> bool:
    """Whether the account may still vote. `votes`: of the request."""
    is_open = request.status == DeactivationStatus.PENDING and user.sees_all_countries()
    return is_open and all(vote.voter_id != user.pk for vote in votes)


def may_withdraw(user: User, request: CountryDeactivation) -> bool:
    return request.status == DeactivationStatus.PENDING and request.asked_by_id == user.pk


def approvals(votes: Iterable[DeactivationVote]) -> int:
    """The approvals among the votes of a request that count."""
    return sum(vote.approves and not vote.is_struck for vote in votes)


def rejections(votes: Iterable[DeactivationVote]) -> int:
    """The rejections that count."""
    return sum(not vote.approves and not vote.is_struck for vote in votes)


# ------------------------------------------------------------------------------------------------ inside a transaction


def _refuse() -> None:
    raise NotAllowed(_("You may not manage countries."))


def _refuse_others(actor: User) -> None:
    if not actor.sees_all_countries():
        _refuse()


def _active_voters() -> set[int]:
    return set(User.objects.filter(role=Role.ADMIN_GLOBAL, is_active=True).values_list("pk", flat=True))


def _locked(request: CountryDeactivation) -> CountryDeactivation:
    """The current row of the request, locked after its country."""
    country = Country.objects.select_for_update().get(pk=request.country_id)
    locked = CountryDeactivation.objects.select_for_update().get(pk=request.pk)
    locked.country = country
    return locked


def _locked_pending(request: CountryDeactivation) -> CountryDeactivation:
    locked = _locked(request)
    if locked.status != DeactivationStatus.PENDING:
        raise Conflict(
            _("This request has ended: %(state)s.") % {"state": locked.get_status_display()},
            facts={"status": locked.status},
        )
    return locked


def _store_vote(request: CountryDeactivation, actor: User, *, approves: bool) -> None:
    DeactivationVote.objects.create(request=request, voter=actor, voter_label=actor.display_name(), approves=approves)


def _count(request: CountryDeactivation, *, actor: User | None) -> None:
    """End the request when enough voters approve, or when too few are left who could."""
    active = _active_voters()
    votes = list(request.votes.filter(is_struck=False, voter__in=active))
    approving = sum(vote.approves for vote in votes)
    if actor is not None and approving >= request.needed:
        _end(request, DeactivationStatus.APPROVED, actor=actor)
        return
    open_votes = len(active - set(request.votes.values_list("voter_id", flat=True)))
    if request.voters > 1 and approving + open_votes < request.needed:
        _end(request, DeactivationStatus.REJECTED, actor=actor)


def _count_pending() -> None:
    for request in list(CountryDeactivation.objects.filter(status=DeactivationStatus.PENDING)):
        with transaction.atomic():
            locked = _locked(request)
            if locked.status == DeactivationStatus.PENDING:
                _count(locked, actor=None)


def _end(request: CountryDeactivation, status: DeactivationStatus, *, actor: User | None) -> None:
    request.status = status
    request.decided_at = timezone.now()
    request.decided_by = actor
    request.decided_by_label = actor.display_name() if actor else ""
    request.save(update_fields=["status", "decided_at", "decided_by", "decided_by_label"])
    _record(actor, request, AuditAction.UPDATE, status=str(status))
    if status == DeactivationStatus.APPROVED and actor is not None:
        write_activity(actor=actor, country=request.country, is_active=False)
    _mail(request, MailPurpose.DEACTIVATION_DECIDED)


def _record(actor: User | None, request: CountryDeactivation, action: AuditAction, **facts: object) -> None:
    audit.record(actor=actor, action=action, target=request, label=request.country.name, data=dict(facts))


def _mail(request: CountryDeactivation, purpose: MailPurpose, *, but: User | None = None) -> None:
    """Queue a mail to every account that sees all countries."""
    recipients = User.objects.filter(role__in=(Role.SUPERUSER, Role.ADMIN_GLOBAL), is_active=True)
    for account in recipients.exclude(pk=but.pk) if but else recipients:
        queue_mail(purpose=purpose, account=account, data={"request": request.pk})
