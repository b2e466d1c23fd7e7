"""Everything that is wrong with a form, said at once."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import ngettext
from rest_framework import status
from rest_framework.exceptions import APIException

_REASONS_IN_DETAIL = 3


@dataclass(frozen=True)
class FormError:
    """One thing wrong: with `field`, and with the `file` of that name where one is concerned."""

    field: str
    message: str
    file: str = ""


class RefusedForm(APIException):
    """400 `{"detail": sentence, "errors": [{"field", "file", "message"}, …]}`. Nothing was stored."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "refused"

    def __init__(self, errors: list[FormError]) -> None:
        self.errors = errors
        super().__init__()
        body: Any = {
            "detail": self._sentence(),
            "errors": [{"field": e.field, "file": e.file, "message": e.message} for e in errors],
        }
        self.detail = body

    def _sentence(self) -> str:
        """The first reasons, for who reads nothing but `detail`."""
        messages = list(dict.fromkeys(error.message for error in self.errors))
        more = len(messages) - _REASONS_IN_DETAIL
        if more > 0:
            rest = ngettext("%(number)d more thing is wrong.", "%(number)d more things are wrong.", more)
            messages[_REASONS_IN_DETAIL:] = [rest % {"number": more}]
        return " ".join(messages)
