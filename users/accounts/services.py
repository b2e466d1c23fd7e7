"""Creating, changing, moving, freezing accounts, by hierarchy (DOMAIN §1). API, admin and import call these functions.

Who acts is an argument; every change leaves an audit entry, in the transaction of the change. What takes access away
ends the account's tokens and sessions, so that it holds from the next request on.
"""

from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from common.errors import Invalid, NotAllowed
from users import audit
from users.accounts.fields import cleaned, email_errors, language_errors, name_errors, username_errors
from users.models import COUNTRY_BOUND, COUNTRY_STAFF, HIERARCHY, AuditAction, Country, MailPurpose, Role, User
from users.sign_in.mails import notify_old_address, queue_mail

OWN_PROFILE = ("first_name", "last_name", "language")
CHANGEABLE = ("username", "email", *OWN_PROFILE, "role")


def assignable_roles(actor: User) -> list[Role]:
    """The roles that `actor` may give to others, all of them below their own (DOMAIN §1)."""
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
    """The accounts that `actor` may change: of the roles below, and for a territorial admin of the own country."""
    accounts: models.QuerySet[User] = User.objects.filter(role__in=assignable_roles(actor))
    if actor.is_admin_territorial():
        return accounts.filter(country__in=Country.objects.visible_to(actor))
    return accounts


def may_move(actor: User) -> bool:
    """Whether `actor` assigns countries; the accounts of a territorial admin inherit theirs."""
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
    """A new account without a password, and a letter with a one-time link to choose one.

    `username`: the e-mail address when empty. `country`: a territorial admin's own, always; for who has none, the one
    named, which may be None for a territorial administrator who gets theirs later. `language`: the actor's when empty.
    Raises NotAllowed for a role that is not below the actor's or a country not theirs to give, Invalid with all that is
    wrong with the fields.
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
        # Said of the address already.
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
    """Change any of CHANGEABLE; a new role takes tokens and sessions away, and the country where the role has none.
    The address that another one replaces gets a letter that says so.

    Raises NotAllowed for an account that the actor does not manage, for a role not below the actor's, and for who would
    change their own; Invalid with all that is wrong with the fields; TypeError for a field that is not changed here.
    """
    unknown = set(fields) - set(CHANGEABLE)
    if unknown:
        raise TypeError(f"not changed here: {', '.join(sorted(unknown))}")
    if actor.pk == account.pk and set(fields) - set(OWN_PROFILE):
        raise NotAllowed(
            _("Nobody changes their own role, name of sign-in or country. Ask an administrator above you.")
        )
    with transaction.atomic():
        locked = _locked(account) if actor.pk == account.pk else _managed(actor, account)
        values = {name: value if name == "role" else cleaned(value) for name, value in fields.items()}
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
        told: dict[str, Any] = {"fields": changed}
        if "role" in changed:
            told |= {"role_before": locked.role, "role": str(role)}
        address = locked.email
        for name in changed:
            setattr(locked, name, values[name])
        if locked.role not in COUNTRY_BOUND:
            locked.country = None
        _save(locked)
        if "role" in changed:
            revoke_access(locked)
        if address.casefold() not in ("", locked.email.casefold()):
            notify_old_address(account=locked, address=address)
        audit.record(
            actor=actor,
            action=AuditAction.UPDATE,
            target=locked,
            label=locked.username,
            data=told,
        )
    return locked


def update_own_profile(*, account: User, **fields: Any) -> User:
    """Change one's own first name, last name or language. Raises Invalid."""
    return update_account(actor=account, account=account, **fields)


def set_active(*, actor: User, account: User, is_active: bool) -> User:
    """Open or close an account; a closed one is refused at the very next request. Nothing of it is deleted.

    A superuser may close another superuser, never the last one. Raises NotAllowed.
    """
    if actor.pk == account.pk:
        raise NotAllowed(_("Nobody activates or deactivates their own account."))
    with transaction.atomic():
        if actor.is_active and actor.is_superuser_role() and account.is_superuser_role():
            # Locked together, so that two superusers who close each other at once do not leave none.
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
        audit.record(
            actor=actor,
            action=AuditAction.ACTIVATE if is_active else AuditAction.DEACTIVATE,
            target=locked,
            label=locked.username,
        )
    return locked


def move_account(*, actor: User, account: User, country: Country | None) -> User:
    """Assign a country, another one, or none; tokens and sessions of the place before end (DOMAIN §1).

    Raises NotAllowed for who does not assign countries and for one's own account, Invalid for a role that has no
    country and for a country that is not active.
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
        # Both countries' trails tell it.
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
    """Send the account a one-time link to choose a password, good for 24 hours, unless it may not sign in.

    With an `actor` who is not the account: raises NotAllowed unless they manage it.
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
    """End all tokens and sessions of the account, within the caller's transaction."""
    account.auth_token_set.all().delete()  # type: ignore[attr-defined]
    User.objects.filter(pk=account.pk).update(access_version=F("access_version") + 1)
    account.refresh_from_db(fields=["access_version"])


def field_errors(values: dict[str, Any], *, account: User | None = None) -> dict[str, list[str]]:
    """Field → reasons to refuse, for those of `values` that have any. `account`: whose they are to be."""
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
                found[name] = language_errors(value)
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
    """The account as it now stands, locked. Raises NotAllowed when the actor does not manage it."""
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
        # Somebody took the name or the address between the check and now.
        raise Invalid({"email": [_("This cannot be used: it is taken.")]}) from error
