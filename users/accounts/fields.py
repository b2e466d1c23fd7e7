"""What the fields of an account may hold. Every check returns all its reasons to refuse."""

import re

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from common.keys import clean_text
from users.models import Language, User
from users.sign_in.throttling import accounts_called

LONGEST_NAME = 150
LONGEST_EMAIL = 254
# Names go into letters to their owners: an address in one would be a link of somebody else's.
_NO_NAME = re.compile(r"[<>@/\\:{}\[\]|#]|www\.", re.IGNORECASE)


def name_errors(name: str) -> list[str]:
    if len(name) > LONGEST_NAME:
        return [_("At most %(limit)d characters.") % {"limit": LONGEST_NAME}]
    if _NO_NAME.search(name):
        return [_("This is not a person's name.")]
    return []


def email_errors(email: str, *, account: User | None = None) -> list[str]:
    """`account`: whose address it is to be; None for a new one."""
    if not email:
        return [_("An e-mail address is needed.")]
    if len(email) > LONGEST_EMAIL:
        return [_("At most %(limit)d characters.") % {"limit": LONGEST_EMAIL}]
    try:
        validate_email(email)
    except ValidationError:
        return [_("This is not an e-mail address.")]
    return _taken_errors(email, account=account)


def username_errors(username: str, *, email: str, account: User | None = None) -> list[str]:
    if len(username) > LONGEST_NAME:
        return [_("At most %(limit)d characters.") % {"limit": LONGEST_NAME}]
    try:
        UnicodeUsernameValidator()(username)
    except ValidationError:
        return [_("Only letters, digits and @ . + - _ may be in a user name.")]
    if "@" in username and username.casefold() != email.casefold():
        # Or one person's name could be another's address, and two people would sign in by one word.
        return [_("A user name with an @ must be the account's own e-mail address.")]
    return _taken_errors(username, account=account)


def language_errors(language: str) -> list[str]:
    return (
        [] if language in Language.values else [_("Choose from: %(values)s.") % {"values": ", ".join(Language.values)}]
    )


def cleaned(text: str) -> str:
    return clean_text(str(text))


def _taken_errors(name: str, *, account: User | None) -> list[str]:
    # One sentence wherever the other account is: whose it is, and in which country, is not told.
    if any(other.pk != (account.pk if account else None) for other in accounts_called(name)):
        return [_("This cannot be used: it is taken.")]
    return []
