"""Many accounts from one sheet (first_name, last_name, email, role): looked at first, then created."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import IO, Protocol

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from common.errors import Invalid, NotAllowed
from common.keys import header_key
from users.accounts.fields import email_errors, name_errors, username_errors
from users.accounts.services import assignable_roles, create_account
from users.accounts.sheet import SheetRow, read_sheet
from users.models import COUNTRY_BOUND, Country, Language, Role, User

# What people write beside the codes and their names in both languages.
_ALSO_CALLED = {
    "administrateurterritorial": Role.ADMIN_TERRITORIAL,
    "administrateurglobal": Role.ADMIN_GLOBAL,
    "chefdedepartementtechnique": Role.CHEF_DEPT_TECH,
    "chefdudepartementtechnique": Role.CHEF_DEPT_TECH,
    "chefdepartementtechnique": Role.CHEF_DEPT_TECH,
    "chefdepttech": Role.CHEF_DEPT_TECH,
    "responsableoperateur": Role.RESP_OPERATEUR,
    "responsabledesoperateurs": Role.RESP_OPERATEUR,
    "responsableoperateurs": Role.RESP_OPERATEUR,
    "respoperateur": Role.RESP_OPERATEUR,
}


class SheetFile(Protocol):
    """An uploaded file: what it is called, and its content."""

    @property
    def name(self) -> str | None: ...

    @property
    def file(self) -> IO[bytes] | None: ...


@dataclass
class Person:
    """One row of the sheet. `role` is a code, "" when it names none; `country`: where the account is to be; `problems`:
    why no account comes of it.
    """

    row: int
    first_name: str
    last_name: str
    email: str
    role: str
    country: Country | None = None
    problems: list[str] = field(default_factory=list)
    account: User | None = None

    def role_name(self) -> str:
        """The role in the language in use."""
        return str(Role(self.role).label) if self.role else ""


def read(*, actor: User, file: SheetFile) -> list[SheetRow]:
    """The rows of the sheet. Raises Invalid (of "file") when it cannot be read at all, NotAllowed for who may create no
    accounts.
    """
    _refuse_who_creates_nobody(actor)
    if file.file is None:
        raise Invalid({"file": [_("Send a file.")]})
    return read_sheet(name=file.name or "", content=file.file)


def preview(*, actor: User, rows: Iterable[SheetRow], country: Country | None = None) -> list[Person]:
    """Every row with all its problems; nothing is created.

    `country` is meant for all rows; a territorial admin's own when None. Raises Invalid (of "country"), NotAllowed for
    who may create no accounts, or none there.
    """
    _refuse_who_creates_nobody(actor)
    if country is not None and actor.is_admin_territorial() and country.pk != actor.working_country_id():
        raise NotAllowed(_("You may create accounts of your own country only."))
    if country is not None and not country.is_active:
        raise Invalid({"country": [_("This country is not active.")]})
    first_with: dict[str, int] = {}
    return [_judged(row, actor=actor, country=country, first_with=first_with) for row in rows]


def create(*, actor: User, rows: Iterable[SheetRow], country: Country | None = None) -> list[Person]:
    """The same rows; each without a problem now has its `account`, each with one has none. Raises as `preview` does."""
    people = preview(actor=actor, rows=rows, country=country)
    with transaction.atomic():
        for person in people:
            if person.problems:
                continue
            try:
                with transaction.atomic():
                    person.account = create_account(
                        actor=actor,
                        role=person.role,
                        email=person.email,
                        first_name=person.first_name,
                        last_name=person.last_name,
                        country=person.country,
                    )
            except Invalid as refused:
                # Another took the address since it was looked at.
                person.problems += [reason for reasons in refused.errors.values() for reason in reasons]
    return people


def role_called(text: str) -> Role | None:
    """The role that a cell names: by its code, or by its name in English or French."""
    return _role_keys().get(header_key(text))


@cache
def _role_keys() -> dict[str, Role]:
    keys = dict(_ALSO_CALLED)
    for role in Role:
        keys[header_key(role.value)] = role
        for language in Language.values:
            with override(language):
                keys[header_key(str(role.label))] = role
    return keys


def _refuse_who_creates_nobody(actor: User) -> None:
    if not assignable_roles(actor):
        raise NotAllowed(_("You may not create accounts."))


def _country_for(role: Role | None, *, actor: User, country: Country | None) -> Country | None:
    if role not in COUNTRY_BOUND:
        return None
    return country or (actor.country if actor.is_admin_territorial() else None)


def _judged(row: SheetRow, *, actor: User, country: Country | None, first_with: dict[str, int]) -> Person:
    cells = row.cells
    role = role_called(cells["role"])
    person = Person(
        row=row.row,
        first_name=cells["first_name"],
        last_name=cells["last_name"],
        email=cells["email"],
        role=role.value if role else "",
        country=_country_for(role, actor=actor, country=country),
    )
    for label, name in ((_("First name"), person.first_name), (_("Last name"), person.last_name)):
        reasons = name_errors(name) if name else [_("This may not be empty.")]
        person.problems += [_about(label, reason) for reason in reasons]
    person.problems += _email_problems(person.email)
    key = person.email.casefold()
    if key and key in first_with:
        person.problems.append(_("The e-mail address is that of row %(row)d too.") % {"row": first_with[key]})
    first_with.setdefault(key, person.row)
    person.problems += _role_problems(cells["role"], role, actor=actor, country=country)
    return person


def _about(field_name: str, reason: str) -> str:
    # French has a space before the colon.
    return _("%(field)s: %(reason)s") % {"field": field_name, "reason": reason}


def _email_problems(email: str) -> list[str]:
    # The address becomes the user name too.
    reasons = email_errors(email) or username_errors(email.lower(), email=email)
    return [_about(_("E-mail address"), reason) for reason in reasons]


def _role_problems(text: str, role: Role | None, *, actor: User, country: Country | None) -> list[str]:
    allowed = assignable_roles(actor)
    if role not in allowed:
        if not text:
            reason = _("This may not be empty.")
        else:
            reason = _("Not a role that you may give.") if role else _("There is no such role.")
        choices = _("Choose from: %(values)s.") % {"values": ", ".join(allowed)}
        return [_about(_("Role"), f"{reason} {choices}")]
    if role in (Role.CHEF_DEPT_TECH, Role.RESP_OPERATEUR) and country is None and not actor.is_admin_territorial():
        return [_("Name the country of this account.")]
    return []
