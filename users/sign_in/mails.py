"""Mails to account owners. A request stores a row (`QueuedMail`); a worker writes and sends the mail.

So no request waits for a mail server or for the broker, and no response time tells whether an account exists.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from anymail.exceptions import AnymailError
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import connection, transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import override

from common.task_queue import send_task_within
from users import audit
from users.models import AuditAction, MailPurpose, QueuedMail, User
from users.sign_in.links import make_link

log = structlog.get_logger(__name__)

SEND_TASK = "users.send_mails"
# Seconds that a request waits for the broker. The sweeper sends the task again when the broker did not get it.
REQUEST_PATIENCE_SECONDS = 1.0
SWEEPER_PATIENCE_SECONDS = 0.2
MAX_ATTEMPTS = 8
MAX_FAILURES_IN_A_ROUND = 3
# Wait before the second attempt, doubled at each further one: more than 4 hours in all.
_FIRST_WAIT = timedelta(minutes=1)
_PURPOSES_WITH_LINK = (MailPurpose.INVITATION, MailPurpose.RESET)
# Errors of mail servers (a subclass of OSError), of mail services and of the network.
_SEND_ERRORS = (OSError, AnymailError)


@dataclass(frozen=True)
class Content:
    """How the mails of a purpose that a higher app has registered are written.

    `template`: the path of the text without language and ending. `context`: account and `data` of the queued mail → the
    values of the template; None when the account is not to get the mail any more.
    """

    template: str
    context: Callable[[User, dict[str, Any]], dict[str, Any] | None]


_contents: dict[str, Content] = {}


def register_content(purpose: MailPurpose, content: Content) -> None:
    """Called by an app above this one when it starts."""
    _contents[purpose] = content


def queue_mail(*, purpose: MailPurpose, account: User, data: dict[str, Any] | None = None) -> None:
    """Queue a mail to an account. A worker sends it once the caller's transaction is committed.

    `data`: ids, counts and codes for the content of a registered purpose.
    """
    QueuedMail.objects.create(purpose=purpose, account=account, data=data or {})
    request_sending_after_commit()


def notify_old_address(*, account: User, address: str) -> None:
    """Queue a mail to `address`, until now the account's, that another address has replaced it."""
    QueuedMail.objects.create(purpose=MailPurpose.ADDRESS, account=account, address=address)
    request_sending_after_commit()


def queue_reset_mail(*, address: str) -> None:
    """Queue a mail with a link to the account of this address, if there is one.

    Does the same work and returns nothing, whether or not the account exists.
    """
    QueuedMail.objects.create(purpose=MailPurpose.RESET, address=address)
    request_sending_after_commit()


def request_sending_after_commit() -> None:
    """Send one task for all mails of the caller's transaction."""
    if not any(waiting[1] is request_sending for waiting in connection.run_on_commit):
        transaction.on_commit(request_sending)


def request_sending(*, patience: float = REQUEST_PATIENCE_SECONDS) -> None:
    """Ask a worker to send the mails that are due. Never raises."""
    send_task_within(patience, SEND_TASK)


def request_sending_if_due() -> bool:
    """Ask a worker when a mail is due; → whether one is. The sweeper calls this repeatedly."""
    due = QueuedMail.objects.filter(due_at__lte=timezone.now()).exists()
    if due:
        request_sending(patience=SWEEPER_PATIENCE_SECONDS)
    return due


def send_due() -> int:
    """Send every mail that is due, once even if several workers run this; → the number of mails sent."""
    sent = failed = 0
    for pk in list(QueuedMail.objects.filter(due_at__lte=timezone.now()).values_list("pk", flat=True)):
        queued = _claim(pk)
        if queued is None:
            continue
        outcome = _deliver(queued)
        sent += outcome is True
        failed += outcome is False
        if failed == MAX_FAILURES_IN_A_ROUND:
            # The server is away, and each attempt waits for it. The other mails stay due.
            break
    return sent


def _claim(pk: int) -> QueuedMail | None:
    """The mail, unless another worker has claimed it. It is due again only after this attempt must have ended."""
    now = timezone.now()
    queued = QueuedMail.objects.select_related("account__country").filter(pk=pk, due_at__lte=now).first()
    if queued is None:
        return None
    wait = _FIRST_WAIT * 2**queued.attempts
    claimed = QueuedMail.objects.filter(pk=pk, attempts=queued.attempts, due_at__lte=now).update(
        attempts=queued.attempts + 1, due_at=now + wait
    )
    queued.attempts += 1
    return queued if claimed else None


def _deliver(queued: QueuedMail) -> bool | None:
    """Whether the mail was sent; None when no account may receive it."""
    account = queued.account or User.objects.select_related("country").filter(email__iexact=queued.address).first()
    # The notice to a replaced address is sent even if the account is inactive. Every other mail goes to the account's
    # current address, and only if the account may sign in.
    old_address = queued.address if queued.purpose == MailPurpose.ADDRESS else ""
    if account is None or not (old_address or (account.is_active and not account.is_frozen())):
        queued.delete()
        return None
    mail = compose(purpose=MailPurpose(queued.purpose), account=account, address=old_address, data=queued.data)
    if mail is None:
        queued.delete()
        return None
    try:
        mail.send()
    except _SEND_ERRORS as error:
        # Only the class: the server's message may repeat the address.
        log.warning("mail_not_sent", mail=queued.pk, attempts=queued.attempts, error=type(error).__name__)
        if queued.attempts >= MAX_ATTEMPTS:
            if queued.purpose not in _contents:
                _record(queued, account, success=False)
            queued.delete()
        return False
    if queued.account is None:
        _record(queued, account, success=True)
    queued.delete()
    return True


def _record(queued: QueuedMail, account: User, *, success: bool) -> None:
    audit.record(
        actor=None,
        action=AuditAction.LINK,
        target=account,
        label=account.username,
        success=success,
        data={"purpose": queued.purpose},
    )


def compose(
    *, purpose: MailPurpose, account: User, address: str = "", data: dict[str, Any] | None = None
) -> EmailMultiAlternatives | None:
    """The mail in the account's language, as plain text and as HTML; None when the account is not to get it any more.

    `address`: the recipient, if it is not the account's own address. `data`: see `QueuedMail`.
    """
    content = _contents.get(purpose)
    with override(account.language):
        context = _own_context(purpose, account) if content is None else content.context(account, data or {})
        if context is None:
            return None
        template = f"users/mails/{purpose}" if content is None else content.template
        written = render_to_string(f"{template}.{account.language}.txt", context)
        # The first line of the template is the subject.
        subject, _separator, text = written.strip().partition("\n")
        html = render_to_string(
            "users/mails/mail.html",
            context | {"language": account.language, "subject": subject, "text": text.strip()},
        )
    mail = EmailMultiAlternatives(subject=subject, body=text.strip() + "\n", to=[address or account.email])
    mail.attach_alternative(html, "text/html")
    # Tells automatic repliers not to answer.
    mail.extra_headers["Auto-Submitted"] = "auto-generated"
    return mail


def _own_context(purpose: MailPurpose, account: User) -> dict[str, Any]:
    return {
        "name": account.get_full_name(),
        "username": account.username,
        "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
        "site": settings.PUBLIC_URL,
        "link": make_link(account) if purpose in _PURPOSES_WITH_LINK else "",
    }
