"""Services that create, change, move, activate and deactivate accounts, by hierarchy (DOMAIN §1).

API, admin and import call these functions. The actor is an argument. Every change writes an audit entry in its own
transaction. A change that takes rights away ends the account's tokens and sessions, so it holds from the next request.
"""

from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from common.errors import Invalid, NotAllowed
from users import audit
from users.accounts import deactivations
from users.accounts.fields import choice_errors, cleaned, email_errors, name_errors, username_errors
from users.models import (
    COUNTRY_BOUND,
    COUNTRY_STAFF,
    HIERARCHY,
    AuditAction,
    Country,
    ImportMails,
    Language,
    MailPurpose,
    Role,
    User,
)
from users.sign_in.mails import notify_old_address, queue_mail

_PROFILE = ("first_name", "last_name", "language")
# Nobody else chooses the mails that a person gets.
MAIL_CHOICES = ("mail_imports", "mail_failures_only", "mail_daily")
OWN_PROFILE = (*_PROFILE, *MAIL_CHOICES)
CHANGEABLE = ("username", "email", *_PROFILE, "role")


def assignable_roles(actor: User) -> list[Role]:
    """The roles that `actor` may give to others, all below their own role (DOMAIN §1)."""
    if not actor.is_active:
        return []
    if actor.is_superuser_role():
        return [role for role in HIERARCHY if role != Role.SUPERUSER]
    if actor.is_admin_global():
        return [Role.ADMIN_TERRITORIAL]
    if actor.is_admin_territorial() and actor.working_country_id() is not None:
        return [role for role in HIERARCHY if role in COUNTRY_STAFF]
    return []


def manageable_by(actor: User) -> models.QuerySet[User]:
    """The accounts that `actor` may change: lower roles; for a territorial admin, of the own country only."""
    accounts: models.QuerySet[User] = User.objects.filter(role__in=assignable_roles(actor))
    if actor.is_admin_territorial():
        return accounts.filter(country__in=Country.objects.visible_to(actor))
    return accounts


def may_move(actor: User) -> bool:
    """Whether `actor` may assign countries. Accounts that a territorial admin creates inherit the admin's country."""
    return actor.is_active and (actor.is_superuser_role() or actor.is_admin_global())


def create_account(
    *,
    actor: User,
    role: Role | str,
    email: str,
    username: str = "",
    first_name: str = "",
    last_name: str = "",
    country: Country | None = None,
    language: str = "",
) -> User:
    """Create an account without a password, and queue a mail with a one-time link to choose one.

    `username`: the e-mail address when empty. `language`: the actor's when empty. `country`: accounts that a
    territorial admin creates get the admin's country; a new territorial admin may be without one. Raises NotAllowed for
    a role that is not below the actor's and for another country than a territorial admin's; Invalid with every error
    of the fields.
    """
    email, username = cleaned(email), cleaned(username)
    values = {
        "username": username or email.lower(),
        "email": email,
        "first_name": cleaned(first_name),
        "last_name": cleaned(last_name),
        "language": language or actor.language,
    }
    errors = field_errors(values)
    if username == "" and "email" in errors:
        # The address, from which the user name was made, has the same errors.
        errors.pop("username", None)
    if role not in Role.values:
        errors["role"] = [_role_choices(actor)]
        raise Invalid(errors)
    if role not in assignable_roles(actor):
        raise NotAllowed(_("You may not create accounts of this role."))
    country, reasons = _country_of_new(actor=actor, role=Role(role), country=country)
    if reasons:
        errors["country"] = reasons
    if errors:
        raise Invalid(errors)
    account = User(role=Role(role), country=country, **values)
    account.set_unusable_password()
    with transaction.atomic():
        _save(account)
        audit.record(
            actor=actor,
            action=AuditAction.CREATE,
            target=account,
            label=account.username,
            data={"role": account.role},
        )
        send_password_link(account=account, purpose=MailPurpose.INVITATION, actor=actor)
    return account


def update_account(*, actor: User, account: User, **fields: Any) -> User:
    """Change any of CHANGEABLE; of the own account, of OWN_PROFILE. A new role ends tokens and sessions, and removes
    the country if the role has none. A replaced e-mail address gets a notice.

    Raises NotAllowed for an account that the actor does not manage, for a role not below the actor's, and for the
    actor's own role, user name or address; Invalid with every error of the fields; TypeError for an unknown field.
    """
    unknown = set(fields) - {*CHANGEABLE, *(MAIL_CHOICES if actor.pk == account.pk else ())}
    if unknown:
        raise TypeError(f"unknown fields: {', '.join(sorted(unknown))}")
    if actor.pk == account.pk and set(fields) - set(OWN_PROFILE):
        raise NotAllowed(
            _("You cannot change your own role, user name, e-mail address or country. Ask an administrator.")
        )
    with transaction.atomic():
        locked = _locked(account) if actor.pk == account.pk else _managed(actor, account)
        values = {name: value if name in ("role", *MAIL_CHOICES) else cleaned(value) for name, value in fields.items()}
        if locked.username.casefold() == locked.email.casefold() and "username" not in values and "email" in values:
            values["username"] = values["email"].lower()
        errors = field_errors(values, account=locked)
        if "email" in errors and "username" not in fields:
            errors.pop("username", None)
        role = values.get("role", locked.role)
        if role not in Role.values:
            errors["role"] = [_role_choices(actor)]
        if errors:
            raise Invalid(errors)
        if role != locked.role and role not in assignable_roles(actor):
            raise NotAllowed(_("You may not give this role."))
        changed = sorted(name for name, value in values.items() if getattr(locked, name) != value)
        if not changed:
            return locked
        facts: dict[str, Any] = {"fields": changed}
        if "role" in changed:
            facts |= {"role_before": locked.role, "role": str(role)}
        old_address = locked.email
        for name in changed:
            setattr(locked, name, values[name])
        if locked.role not in COUNTRY_BOUND:
            locked.country = None
        _save(locked)
        if "role" in changed:
            revoke_access(locked)
            deactivations.strike_votes(locked)
        if old_address.casefold() not in ("", locked.email.casefold()):
            notify_old_address(account=locked, address=old_address)
        audit.record(
            actor=actor,
            action=AuditAction.UPDATE,
            target=locked,
            label=locked.username,
            data=facts,
        )
    return locked


def update_own_profile(*, account: User, **fields: Any) -> User:
    """Change any of OWN_PROFILE of one's own account. Raises Invalid."""
    return update_account(actor=account, account=account, **fields)


def set_active(*, actor: User, account: User, is_active: bool) -> User:
    """Activate or deactivate an account. A deactivated one is refused from the next request on; nothing is deleted.

    A superuser may deactivate another superuser, except the last active one. Raises NotAllowed.
    """
    if actor.pk == account.pk:
        raise NotAllowed(_("You cannot activate or deactivate your own account."))
    with transaction.atomic():
        if actor.is_active and actor.is_superuser_role() and account.is_superuser_role():
            # All are locked, so that two superusers who deactivate each other at the same time do not leave none.
            active = list(
                User.objects.select_for_update()
                .filter(role=Role.SUPERUSER, is_active=True)
                .values_list("pk", flat=True)
            )
            if actor.pk not in active or (not is_active and set(active) <= {account.pk}):
                raise NotAllowed(_("The last active superuser cannot be deactivated."))
            locked = _locked(account)
        else:
            locked = _managed(actor, account)
        if locked.is_active == is_active:
            return locked
        locked.is_active = is_active
        locked.save(update_fields=["is_active"])
        revoke_access(locked)
        if not is_active:
            deactivations.strike_votes(locked)
        audit.record(
            actor=actor,
            action=AuditAction.ACTIVATE if is_active else AuditAction.DEACTIVATE,
            target=locked,
            label=locked.username,
        )
    return locked


def move_account(*, actor: User, account: User, country: Country | None) -> User:
    """Assign a country, another one, or None. The account's tokens and sessions end (DOMAIN §1).

    Raises NotAllowed if `actor` may not assign countries, and for the actor's own account; Invalid for a role without a
    country and for an inactive country.
    """
    if actor.pk == account.pk or not may_move(actor):
        raise NotAllowed(_("You may not change the country of this account."))
    with transaction.atomic():
        locked = _managed(actor, account)
        if locked.role not in COUNTRY_BOUND:
            raise Invalid({"country": [_("An account of this role has no country.")]})
        if country is not None and not country.is_active:
            raise Invalid({"country": [_("This country is not active.")]})
        before = locked.country_id
        if before == (country.pk if country else None):
            return locked
        locked.country = country
        locked.save(update_fields=["country"])
        revoke_access(locked)
        # An entry for each of the two countries, so that the administrators of both see it.
        for country_id in {before, locked.country_id} - {None} or {None}:
            audit.record(
                actor=actor,
                action=AuditAction.MOVE,
                target=locked,
                country_id=country_id,
                label=locked.username,
                data={"joined": country_id == locked.country_id},
            )
    return locked


def send_password_link(*, account: User, purpose: MailPurpose | str, actor: User | None = None) -> None:
    """Queue a mail with a one-time link to choose a password, valid for 24 hours. An account that may not sign in gets
    none.

    Raises NotAllowed for an `actor` who is not the account and does not manage it.
    """
    if actor is not None and actor.pk != account.pk and not manageable_by(actor).filter(pk=account.pk).exists():
        raise NotAllowed(_("You may not change this account."))
    with transaction.atomic():
        queue_mail(purpose=MailPurpose(purpose), account=account)
        audit.record(
            actor=actor,
            action=AuditAction.LINK,
            target=account,
            label=account.username,
            data={"purpose": str(purpose)},
        )


def revoke_access(account: User) -> None:
    """End all tokens and sessions of the account, in the caller's transaction."""
    account.auth_token_set.all().delete()  # type: ignore[attr-defined]
    User.objects.filter(pk=account.pk).update(access_version=F("access_version") + 1)
    account.refresh_from_db(fields=["access_version"])


def field_errors(values: dict[str, Any], *, account: User | None = None) -> dict[str, list[str]]:
    """Field → errors, for each of `values` that has any. `account`: the owner; None for a new account."""
    email = values.get("email", account.email if account else "")
    found: dict[str, list[str]] = {}
    for name, value in values.items():
        match name:
            case "email":
                found[name] = email_errors(value, account=account)
            case "username":
                found[name] = username_errors(value, email=email, account=account)
            case "first_name" | "last_name":
                found[name] = name_errors(value)
            case "language":
                found[name] = choice_errors(value, Language)
            case "mail_imports":
                found[name] = choice_errors(value, ImportMails)
    return {name: reasons for name, reasons in found.items() if reasons}


def _country_of_new(*, actor: User, role: Role, country: Country | None) -> tuple[Country | None, list[str]]:
    if actor.is_admin_territorial():
        if country is not None and country.pk != actor.working_country_id():
            raise NotAllowed(_("You may create accounts of your own country only."))
        return actor.country, []
    if role not in COUNTRY_BOUND:
        return None, [_("An account of this role has no country.")] if country else []
    if country is None and role in COUNTRY_STAFF:
        return None, [_("Name the country of this account.")]
    if country is not None and not country.is_active:
        return None, [_("This country is not active.")]
    return country, []


def _role_choices(actor: User) -> str:
    return _("Choose from: %(values)s.") % {"values": ", ".join(assignable_roles(actor))}


def _locked(account: User) -> User:
    return User.objects.select_for_update(of=("self",)).select_related("country").get(pk=account.pk)


def _managed(actor: User, account: User) -> User:
    """The current row of the account, locked. Raises NotAllowed if the actor does not manage it."""
    rows = manageable_by(actor).select_for_update(of=("self",)).select_related("country")
    locked = rows.filter(pk=account.pk).first()
    if locked is None or locked.pk == actor.pk:
        raise NotAllowed(_("You may not change this account."))
    return locked


def _save(account: User) -> None:
    try:
        with transaction.atomic():
            account.save()
    except IntegrityError as error:
        # Another account has taken the name or the address since the check.
        raise Invalid({"email": [_("This is already used by another account.")]}) from error
