"""Checks of the fields of an account. Every check returns all errors of a value."""

import re

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import TextChoices
from django.utils.translation import gettext as _

from common.keys import clean_text
from users.models import User
from users.sign_in.throttling import accounts_named

LONGEST_NAME = 150
LONGEST_EMAIL = 254
# A mail contains the name of its recipient: a web address in it would become a link.
_NOT_IN_NAMES = re.compile(r"[<>@/\\:{}\[\]|#]|www\.", re.IGNORECASE)


def name_errors(name: str) -> list[str]:
    if len(name) > LONGEST_NAME:
        return [_("At most %(limit)d characters.") % {"limit": LONGEST_NAME}]
    if _NOT_IN_NAMES.search(name):
        return [_("This is not a person's name.")]
    return []


def email_errors(email: str, *, account: User | None = None) -> list[str]:
    """`account`: the owner of the address; None for a new account."""
    if not email:
        return [_("Give an e-mail address.")]
    if len(email) > LONGEST_EMAIL:
        return [_("At most %(limit)d characters.") % {"limit": LONGEST_EMAIL}]
    try:
        validate_email(email)
    except ValidationError:
        return [_("This is not an e-mail address.")]
    return _uniqueness_errors(email, account=account)


def username_errors(username: str, *, email: str, account: User | None = None) -> list[str]:
    if len(username) > LONGEST_NAME:
        return [_("At most %(limit)d characters.") % {"limit": LONGEST_NAME}]
    try:
        UnicodeUsernameValidator()(username)
    except ValidationError:
        return [_("A user name has only letters, digits and @ . + - _")]
    if "@" in username and username.casefold() != email.casefold():
        # Otherwise one person's user name could be another person's address, and both would sign in with the same text.
        return [_("A user name with an @ must be the account's own e-mail address.")]
    return _uniqueness_errors(username, account=account)


def choice_errors(value: str, choices: type[TextChoices]) -> list[str]:
    return [] if value in choices.values else [_("Choose from: %(values)s.") % {"values": ", ".join(choices.values)}]


def cleaned(text: str) -> str:
    return clean_text(str(text))


def _uniqueness_errors(name: str, *, account: User | None) -> list[str]:
    # The same sentence for every account: it must not reveal the other account or its country.
    if any(other.pk != (account.pk if account else None) for other in accounts_named(name)):
        return [_("This is already used by another account.")]
    return []
