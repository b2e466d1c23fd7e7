"""The summary of a day: once for each account that chose it, in the morning after."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, Sum
from django.utils import timezone

from file_handling.models import ImportSession, SessionStatus
from users.models import MailPurpose, User
from users.sign_in.mails import queue_mail

_WAITING = (SessionStatus.REVIEW, SessionStatus.AWAITING_SHEET)


@dataclass(frozen=True)
class DayCounts:
    """`by_status`: (label, sessions that ended on the day). `waiting`: sessions that wait for a person now."""

    by_status: list[tuple[str, int]]
    claims_created: int
    waiting: int

    @property
    def ended(self) -> int:
        return sum(number for _label, number in self.by_status)


def counts_of_day(account: User, day: date) -> DayCounts:
    """The sessions that the account may see, on a day in UTC."""
    sessions = ImportSession.objects.visible_to(account).order_by()
    start = datetime.combine(day, time(), tzinfo=UTC)
    ended = sessions.filter(completed_at__gte=start, completed_at__lt=start + timedelta(days=1))
    rows = ended.values_list("status").annotate(number=Count("pk"), claims=Sum("claims_created_count"))
    found = {status: (number, claims) for status, number, claims in rows}
    return DayCounts(
        by_status=[(str(status.label), found[status][0]) for status in SessionStatus if status in found],
        claims_created=sum(claims for _number, claims in found.values()),
        waiting=sessions.filter(status__in=_WAITING).count(),
    )


def queue_due() -> int:
    """Queue the summaries of yesterday that are due, each once; → how many. The sweeper calls this repeatedly."""
    now = timezone.now()
    if now.hour < settings.SUMMARY_HOUR:
        return 0
    today, yesterday = now.date(), now.date() - timedelta(days=1)
    not_yet = Q(summary_queued_on=None) | Q(summary_queued_on__lt=today)
    queued = 0
    for account in User.objects.filter(not_yet, mail_daily=True, is_active=True):
        with transaction.atomic():
            # One of several sweepers succeeds.
            if User.objects.filter(not_yet, pk=account.pk).update(summary_queued_on=today):
                queue_mail(purpose=MailPurpose.SUMMARY, account=account, data={"day": yesterday.isoformat()})
                queued += 1
    return queued
