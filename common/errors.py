"""The errors by which service functions refuse. The API, the admin and the pages each translate them in one place.

Each message is a sentence for the actor, in the active language. An error never repeats the message of a database or
a library.
"""

import errno
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

SQLITE_FULL = 13
POSTGRESQL_DISK_FULL = "53100"
# How many problems of a form its sentence contains; the others are counted.
_REASONS_IN_SENTENCE = 3


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


@dataclass(frozen=True)
class FormError:
    """One problem of a form: its field, a sentence for the actor and, where a file has it, the name of that file."""

    field: str
    message: str
    file: str = ""


class InvalidForm(Invalid):
    """A form with files cannot be accepted, and nothing of it was stored. `problems`: all of them."""

    def __init__(self, problems: Sequence[FormError]) -> None:
        self.problems = list(problems)
        errors: dict[str, list[str]] = {}
        for problem in self.problems:
            errors.setdefault(problem.field, []).append(problem.message)
        super().__init__(errors)

    def sentence(self) -> str:
        """The first problems, and how many more there are, for a reader of one line."""
        messages = list(dict.fromkeys(problem.message for problem in self.problems))
        more = len(messages) - _REASONS_IN_SENTENCE
        if more > 0:
            rest = ngettext("%(number)d more thing is wrong.", "%(number)d more things are wrong.", more)
            messages[_REASONS_IN_SENTENCE:] = [rest % {"number": more}]
        return " ".join(messages)


@dataclass(frozen=True)
class EntryProblem:
    """One problem of an entry of a list that a client sent: the entry's index (0-based), a sentence for the actor."""

    index: int
    message: str


class InvalidEntries(ServiceError):
    """A list that a client sent cannot be accepted, and none of it was stored.

    `problems`: those of all entries, by index. `sentence`: where no single entry is the reason, such as an empty list.
    """

    def __init__(self, problems: Sequence[EntryProblem] = (), sentence: str = "") -> None:
        self.problems = sorted(problems, key=lambda problem: problem.index)
        count = len({problem.index for problem in self.problems})
        counted = ngettext(
            "%(number)d entry cannot be accepted, so nothing was changed.",
            "%(number)d entries cannot be accepted, so nothing was changed.",
            count,
        )
        super().__init__(sentence or counted % {"number": count})


@dataclass(frozen=True)
class WorkbookProblem:
    """One problem of a workbook that a user filled in: a sentence for the actor, and its place.

    `sheet`: "" for the whole workbook. `row`: as a spreadsheet shows it; None for the whole sheet.
    """

    message: str
    sheet: str = ""
    row: int | None = None


class InvalidWorkbook(ServiceError):
    """A workbook that a user filled in cannot be accepted, and nothing of it was stored. `problems`: all of them."""

    def __init__(self, problems: Sequence[WorkbookProblem]) -> None:
        self.problems = list(problems)
        super().__init__(
            self.problems[0].message
            if len(self.problems) == 1
            else ngettext(
                "The workbook has %(number)d problem, so nothing was changed.",
                "The workbook has %(number)d problems, so nothing was changed.",
                len(self.problems),
            )
            % {"number": len(self.problems)}
        )


class Conflict(ServiceError):
    """The state of the object does not allow the action. `facts`: further fields of the API's answer."""

    def __init__(self, sentence: str = "", *, facts: Mapping[str, Any] | None = None) -> None:
        self.facts = dict(facts or {})
        super().__init__(sentence)


class Gone(ServiceError):
    """The object was deleted meanwhile."""


class StorageFailure(ServiceError, OSError):
    """The cloud that has the files did not carry out a request (`common.cloud_storage`)."""


class StorageUnavailable(StorageFailure):
    """It does not answer, or asks to wait. The same request may succeed later."""

    def __init__(self) -> None:
        super().__init__(_("The storage of files does not answer. Nothing was changed; try again in a few minutes."))


class StorageRefused(StorageFailure):
    """It refuses the key, the permissions or the bucket of this installation."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "The storage of files refuses this server: its key, its permissions or the name of its bucket are"
                " wrong. Nothing was changed; ask your administrator to check STORAGE_URL."
            )
        )


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
