"""Services that create many accounts from one sheet (first_name, last_name, email, role), with a preview."""

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

# Header keys of further names of the roles, beside the codes and the names in both languages.
_OTHER_NAMES = {
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
    """An uploaded file: its name and its content."""

    @property
    def name(self) -> str | None: ...

    @property
    def file(self) -> IO[bytes] | None: ...


@dataclass
class Person:
    """One row of the sheet. `role`: its code, "" for an unknown role. `country`: of the future account. `problems`: the
    reasons why no account can be created. `account`: the account, once created.
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
        """The role in the active language."""
        return str(Role(self.role).label) if self.role else ""


def read(*, actor: User, file: SheetFile) -> list[SheetRow]:
    """The rows of the sheet. Raises Invalid for "file" if it cannot be read, NotAllowed if `actor` may not create
    accounts.
    """
    _refuse_others(actor)
    if file.file is None:
        raise Invalid({"file": [_("Send a file.")]})
    return read_sheet(name=file.name or "", content=file.file)


def preview(*, actor: User, rows: Iterable[SheetRow], country: Country | None = None) -> list[Person]:
    """Every row with all its problems. Nothing is created.

    `country`: of all accounts; the territorial admin's own when None. Raises Invalid for "country", NotAllowed if
    `actor` may not create accounts, or not in this country.
    """
    _refuse_others(actor)
    if country is not None and actor.is_admin_territorial() and country.pk != actor.working_country_id():
        raise NotAllowed(_("You may create accounts of your own country only."))
    if country is not None and not country.is_active:
        raise Invalid({"country": [_("This country is not active.")]})
    first_with: dict[str, int] = {}
    return [_person(row, actor=actor, country=country, first_with=first_with) for row in rows]


def create(*, actor: User, rows: Iterable[SheetRow], country: Country | None = None) -> list[Person]:
    """Create an account for every row without a problem; → the rows. Raises the errors of `preview`."""
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
                # Another account has taken the address since the preview.
                person.problems += refused.sentences()
    return people


def role_named(text: str) -> Role | None:
    """The role with this code, or with this name in English or French."""
    return _role_keys().get(header_key(text))


@cache
def _role_keys() -> dict[str, Role]:
    keys = dict(_OTHER_NAMES)
    for role in Role:
        keys[header_key(role.value)] = role
        for language in Language.values:
            with override(language):
                keys[header_key(str(role.label))] = role
    return keys


def _refuse_others(actor: User) -> None:
    if not assignable_roles(actor):
        raise NotAllowed(_("You may not create accounts."))


def _country_for(role: Role | None, *, actor: User, country: Country | None) -> Country | None:
    if role not in COUNTRY_BOUND:
        return None
    return country or (actor.country if actor.is_admin_territorial() else None)


def _person(row: SheetRow, *, actor: User, country: Country | None, first_with: dict[str, int]) -> Person:
    cells = row.cells
    role = role_named(cells["role"])
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
        person.problems += [_with_field(label, reason) for reason in reasons]
    person.problems += _email_problems(person.email)
    key = person.email.casefold()
    if key and key in first_with:
        person.problems.append(_("Row %(row)d has the same e-mail address.") % {"row": first_with[key]})
    first_with.setdefault(key, person.row)
    person.problems += _role_problems(cells["role"], role, actor=actor, country=country)
    return person


def _with_field(field_name: str, reason: str) -> str:
    # French has a space before the colon.
    return _("%(field)s: %(reason)s") % {"field": field_name, "reason": reason}


def _email_problems(email: str) -> list[str]:
    # The address becomes the user name too.
    reasons = email_errors(email) or username_errors(email.lower(), email=email)
    return [_with_field(_("E-mail address"), reason) for reason in reasons]


def _role_problems(text: str, role: Role | None, *, actor: User, country: Country | None) -> list[str]:
    allowed = assignable_roles(actor)
    if role not in allowed:
        if not text:
            reason = _("This may not be empty.")
        else:
            reason = _("You may not give this role.") if role else _("There is no such role.")
        choices = _("Choose from: %(values)s.") % {"values": ", ".join(allowed)}
        return [_with_field(_("Role"), f"{reason} {choices}")]
    if role in (Role.CHEF_DEPT_TECH, Role.RESP_OPERATEUR) and country is None and not actor.is_admin_territorial():
        return [_("Name the country of this account.")]
    return []
