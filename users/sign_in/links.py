"""One-time links to choose a password: signed, good for 24 hours, dead once one is chosen or the account signs in."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from common.parsing import positive_int
from users.models import User


class LinkTokens(PasswordResetTokenGenerator):
    """Django's: signed with the account's password hash, last sign-in and address, so that a change of any ends it."""

    key_salt = "users.sign_in.links"


link_tokens = LinkTokens()


def make_link(account: User) -> str:
    """The whole address, as a letter bears it. It begins as the settings say, never as some request did."""
    uid = urlsafe_base64_encode(force_bytes(account.pk))
    # In the query, because access logs keep paths.
    query = urlencode({"uid": uid, "token": link_tokens.make_token(account)})
    return f"{settings.PUBLIC_URL}{reverse('password-choose')}?{query}"


def account_of_uid(uid: str) -> int | None:
    """The account's id that a link names; None when it names none."""
    try:
        return positive_int(urlsafe_base64_decode(uid).decode("ascii"))
    except ValueError:
        return None
