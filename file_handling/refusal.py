"""Everything that is wrong with a form, said at once."""

from dataclasses import dataclass

from django.utils.translation import ngettext
from rest_framework import status
from rest_framework.exceptions import APIException


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
        self.detail = {  # type: ignore[assignment]
            "detail": self._sentence(),
            "errors": [{"field": e.field, "file": e.file, "message": e.message} for e in errors],
        }

    def _sentence(self) -> str:
        if len(self.errors) == 1:
            return self.errors[0].message
        return ngettext(
            "%(number)d thing is wrong; nothing was stored.",
            "%(number)d things are wrong; nothing was stored.",
            len(self.errors),
        ) % {"number": len(self.errors)}
