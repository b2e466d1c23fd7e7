"""One-time links to choose a password: signed, valid for 24 hours, and until the next sign-in or change."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from common.parsing import positive_int
from users.models import User


class LinkTokens(PasswordResetTokenGenerator):
    """Django's tokens: signed with password hash, last sign-in and address, so a change of any ends them."""

    key_salt = "users.sign_in.links"


link_tokens = LinkTokens()


def make_link(account: User) -> str:
    """The absolute URL for a mail. It begins with PUBLIC_URL, never with the host name of a request."""
    uid = urlsafe_base64_encode(force_bytes(account.pk))
    # In the query, because access logs contain paths.
    query = urlencode({"uid": uid, "token": link_tokens.make_token(account)})
    return f"{settings.PUBLIC_URL}{reverse('password-choose')}?{query}"


def account_id_of(uid: str) -> int | None:
    """The account id that a link contains; None when it contains none."""
    try:
        return positive_int(urlsafe_base64_decode(uid).decode("ascii"))
    except ValueError:
        return None
