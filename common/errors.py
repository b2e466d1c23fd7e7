"""The errors by which service functions refuse. The API, the admin and the pages each translate them in one place.

Each message is a sentence for the actor, in the active language. An error never repeats what a database or a library
said.
"""

import errno
from collections.abc import Mapping, Sequence

from django.db import OperationalError

SQLITE_FULL = 13
POSTGRESQL_DISK_FULL = "53100"


class ServiceError(Exception):
    """A service function refuses. `str()` is a sentence for the actor; it may be empty."""


class NotAllowed(ServiceError):
    """The actor may not do this (DOMAIN §1)."""


class Invalid(ServiceError):
    """The values cannot be stored. `errors`: field → every problem of its value, as sentences for the actor."""

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        self.errors = {field: [str(reason) for reason in reasons] for field, reasons in errors.items()}
        # Field names alone: a value may name a person, and this text may reach a log.
        super().__init__(", ".join(self.errors))

    def sentences(self) -> list[str]:
        """Every problem, without its field."""
        return [reason for reasons in self.errors.values() for reason in reasons]


class Conflict(ServiceError):
    """The state of the object does not allow the action."""


class Gone(ServiceError):
    """The object was deleted meanwhile."""


def is_disk_full(error: BaseException) -> bool:
    """Whether the disk under the files or under the database is full."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    if isinstance(error, OperationalError):
        cause = error.__cause__
        return (
            getattr(cause, "sqlite_errorcode", None) == SQLITE_FULL
            or getattr(cause, "sqlstate", None) == POSTGRESQL_DISK_FULL
        )
    return False
