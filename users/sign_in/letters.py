"""Mails to account owners: asked for in the database, sent by a worker, so that neither a slow mail server nor a
broker that is away keeps a request waiting, and no answer's time tells whether an account exists."""

import threading
from datetime import timedelta
from typing import Any

import structlog
from anymail.exceptions import AnymailError
from celery import current_app
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import connection, transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import override

from users import audit
from users.models import AuditAction, Letter, LetterPurpose, User
from users.sign_in.links import make_link

log = structlog.get_logger(__name__)

SEND_TASK = "users.send_letters"
# How long a request may wait to learn whether the bell sounded; whatever it was, the sweeper rings again.
PATIENCE_SECONDS = 1.0
MOST_ATTEMPTS = 8
MOST_FAILURES = 3
# A letter taken and not sent is taken again after this, doubled at each attempt: more than 4 hours in all.
_FIRST_WAIT = timedelta(minutes=1)
_LINKED = (LetterPurpose.INVITATION, LetterPurpose.RESET)
# How mail servers (theirs is an OSError too), services and the network between fail.
_NOT_SENT = (OSError, AnymailError)


def write_letter(*, purpose: LetterPurpose, account: User) -> None:
    """Have a letter sent to an account once the caller's transaction is committed."""
    Letter.objects.create(purpose=purpose, account=account)
    ring_after_commit()


def tell_old_address(*, account: User, address: str) -> None:
    """Have the address that was the account's until now told that it no longer is."""
    Letter.objects.create(purpose=LetterPurpose.ADDRESS, account=account, address=address)
    ring_after_commit()


def ask_for_reset(*, address: str) -> None:
    """Have a link sent to the account of this address if there is one. The same work, and no answer, whoever it is."""
    Letter.objects.create(purpose=LetterPurpose.RESET, address=address)
    ring_after_commit()


def ring_after_commit() -> None:
    """Ring once for all letters of the caller's transaction."""
    if not any(waiting[1] is ring for waiting in connection.run_on_commit):
        transaction.on_commit(ring)


def ring(*, patience: float = PATIENCE_SECONDS) -> None:
    """Ask for a worker that sends what is due. The database remembers it when no broker hears."""
    bell = threading.Thread(target=_publish, daemon=True, name="ring-letters")
    bell.start()
    bell.join(patience)


def ring_if_due() -> bool:
    """Ring when a letter waits: called again and again by whoever sweeps."""
    due = Letter.objects.filter(due_at__lte=timezone.now()).exists()
    if due:
        ring(patience=0.2)
    return due


def send_due() -> int:
    """Send every letter that is due, each once also when several workers do; → how many were sent."""
    sent = failed = 0
    for pk in list(Letter.objects.filter(due_at__lte=timezone.now()).values_list("pk", flat=True)):
        letter = _taken(pk)
        if letter is None:
            continue
        outcome = _deliver(letter)
        sent += outcome is True
        failed += outcome is False
        if failed == MOST_FAILURES:
            # The server is away, and each attempt waits for it: the others stay due.
            break
    return sent


def _publish() -> None:
    try:
        current_app.send_task(SEND_TASK)
    except Exception as error:  # noqa: BLE001  (every broker fails in words of its own; the sweeper rings again)
        log.warning("broker_unreachable", error=type(error).__name__)


def _taken(pk: int) -> Letter | None:
    """The letter, when nobody else took it meanwhile; not due again before its sending must have ended."""
    now = timezone.now()
    letter = Letter.objects.select_related("account__country").filter(pk=pk, due_at__lte=now).first()
    if letter is None:
        return None
    wait = _FIRST_WAIT * 2**letter.attempts
    taken = Letter.objects.filter(pk=pk, attempts=letter.attempts, due_at__lte=now).update(
        attempts=letter.attempts + 1, due_at=now + wait
    )
    letter.attempts += 1
    return letter if taken else None


def _deliver(letter: Letter) -> bool | None:
    """Whether it was sent; None when nobody is to get it."""
    account = letter.account or User.objects.select_related("country").filter(email__iexact=letter.address).first()
    # Whose address was replaced learns it whatever became of the account. No other letter leaves the account's own.
    told = letter.address if letter.purpose == LetterPurpose.ADDRESS else ""
    if account is None or not (told or (account.is_active and not account.is_frozen())):
        letter.delete()
        return None
    try:
        compose(purpose=LetterPurpose(letter.purpose), account=account, address=told).send()
    except _NOT_SENT as error:
        # The server's words may repeat the address.
        log.warning("letter_not_sent", letter=letter.pk, attempts=letter.attempts, error=type(error).__name__)
        if letter.attempts >= MOST_ATTEMPTS:
            _record(letter, account, success=False)
            letter.delete()
        return False
    if letter.account is None:
        _record(letter, account, success=True)
    letter.delete()
    return True


def _record(letter: Letter, account: User, *, success: bool) -> None:
    audit.record(
        actor=None,
        action=AuditAction.LINK,
        target=account,
        label=account.username,
        success=success,
        data={"purpose": letter.purpose},
    )


def compose(*, purpose: LetterPurpose, account: User, address: str = "") -> EmailMultiAlternatives:
    """The mail in the account's language: plain text, and the same words as simple HTML. `address`: not their own."""
    context: dict[str, Any] = {
        "name": account.get_full_name(),
        "username": account.username,
        "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
        "site": settings.PUBLIC_URL,
        "link": make_link(account) if purpose in _LINKED else "",
    }
    with override(account.language):
        words = render_to_string(f"users/letters/{purpose}.{account.language}.txt", context)
        # The first line of the words is the subject.
        subject, _separator, text = words.strip().partition("\n")
        html = render_to_string(
            "users/letters/letter.html",
            context | {"language": account.language, "subject": subject, "text": text.strip()},
        )
    mail = EmailMultiAlternatives(subject=subject, body=text.strip() + "\n", to=[address or account.email])
    mail.attach_alternative(html, "text/html")
    # Robots that are away do not answer it.
    mail.extra_headers["Auto-Submitted"] = "auto-generated"
    return mail
