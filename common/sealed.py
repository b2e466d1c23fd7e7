"""Secrets that the database stores: encrypted and signed with a key made of SECRET_KEY.

A copy of the database alone does not reveal them. After a change of SECRET_KEY, the former key must be among
SECRET_KEY_FALLBACKS for as long as they are needed.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

# The key is used for nothing else that is made of SECRET_KEY.
_PURPOSE = b"concord.sealed"


class CannotUnseal(Exception):
    """The text was sealed with another SECRET_KEY, or is damaged."""


def seal(text: str) -> str:
    return _keys().encrypt(text.encode()).decode("ascii")


def unseal(sealed: str) -> str:
    """The text that was sealed. Raises CannotUnseal."""
    try:
        return _keys().decrypt(sealed).decode()
    except InvalidToken as error:
        raise CannotUnseal from error


def _keys() -> MultiFernet:
    # The first one seals, all of them unseal.
    return MultiFernet([_key(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str | bytes) -> Fernet:
    material = secret if isinstance(secret, bytes) else secret.encode()
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(material)
    return Fernet(base64.urlsafe_b64encode(derived))
