"""Setting a password: by a one-time link, or with the current password. Both end all tokens and sessions."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Invalid, NotAllowed
from users import audit
from users.accounts.services import revoke_access
from users.models import LONGEST_PASSWORD, AuditAction, MailPurpose, User
from users.sign_in.links import account_id_of, link_tokens
from users.sign_in.mails import queue_mail


def link_account(*, uid: str, token: str) -> User | None:
    """The account of a valid link; None for every other link, whatever the reason."""
    pk = account_id_of(uid)
    # Query even for an invalid uid: response time must not reveal whether an account exists.
    account = User.objects.select_related("country").filter(pk=pk or 0).first()
    is_valid = link_tokens.check_token(account or User(pk=0), token)
    if account is None or not is_valid or not account.is_active or account.is_frozen():
        return None
    return account


def choose_password(*, uid: str, token: str, new_password: str) -> User:
    """Set the password that the owner of a link chose. The link is invalid afterwards.

    Raises NotAllowed for an invalid or used link, Invalid for a password that is too weak.
    """
    with transaction.atomic():
        # Locked, so that of two simultaneous uses of one link the second finds it used.
        User.objects.select_for_update().filter(pk=account_id_of(uid) or 0).first()
        account = link_account(uid=uid, token=token)
        if account is None:
            raise NotAllowed(_("This link has expired or was already used. Ask for a new one."))
        _set(account, new_password, by_link=True)
    return account


def change_password(*, account: User, current_password: str, new_password: str) -> None:
    """Change one's own password. Raises Invalid for a wrong current one and for a new one that is too weak."""
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=account.pk)
        if not locked.check_password(current_password):
            raise Invalid({"current_password": [_("This is not your current password.")]})
        _set(locked, new_password, by_link=False)
        queue_mail(purpose=MailPurpose.CHANGED, account=locked)


def sign_out_everywhere(*, account: User) -> None:
    """End all tokens and sessions of one's own account."""
    with transaction.atomic():
        revoke_access(account)
        audit.record(
            actor=account,
            action=AuditAction.LOGOUT,
            target=account,
            data={"everywhere": True},
        )


def _set(account: User, new_password: str, *, by_link: bool) -> None:
    if len(new_password) > LONGEST_PASSWORD:
        raise Invalid({"new_password": [_("At most %(limit)d characters.") % {"limit": LONGEST_PASSWORD}]})
    try:
        validate_password(new_password, account)
    except ValidationError as refused:
        raise Invalid({"new_password": refused.messages}) from None
    account.set_password(new_password)
    account.save(update_fields=["password"])
    revoke_access(account)
    audit.record(
        actor=account,
        action=AuditAction.PASSWORD,
        target=account,
        label=account.username,
        data={"by_link": by_link},
    )
