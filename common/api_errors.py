"""Errors of the API: `{"detail": sentence}`, with further fields for some; `{field: [sentences]}` for invalid values;
for a form with files `{"detail": sentence, "errors": [{"field", "file", "message"}, …]}`; for a list of entries
`{"detail": sentence, "errors": [{"index", "message"}, …]}`; for a filled-in workbook the same, with `sheet` and `row`.

A response never repeats the message of a database or a library, or the content of a file.
"""

from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, PermissionDenied, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler as default_handler
from rest_framework.views import set_rollback

from common.errors import (
    Conflict,
    Gone,
    Invalid,
    InvalidEntries,
    InvalidForm,
    InvalidWorkbook,
    NotAllowed,
    StorageFailure,
    is_disk_full,
)


class AccessDenied(PermissionDenied):
    """403: the object exists, but the account may not see it (DOMAIN §1)."""

    default_detail = _("Access denied")


class FileNotFound(NotFound):
    default_detail = _("File not found")


class SessionNotFound(NotFound):
    default_detail = _("Session not found")


class BadRequest(APIException):
    """400 with one reason that does not belong to a single field."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_detail = _("Bad request")
    default_code = "bad_request"


class ConflictAnswer(APIException):
    """409: the state of the object does not allow the action."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = _("This can no longer be done")
    default_code = "conflict"


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = _("The request is too large")
    default_code = "too_large"


class DiskFull(APIException):
    status_code = status.HTTP_507_INSUFFICIENT_STORAGE
    default_detail = _("The server has no room left to store this. Nothing was kept; try again later.")
    default_code = "disk_full"


class StorageAway(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "storage_failure"


def _with_fields(error: APIException, fields: dict[str, Any]) -> APIException:
    """The same error with further fields in its body. The body is set here, because DRF would make all values text."""
    if fields:
        body: Any = {"detail": error.detail, **fields}
        error.detail = body
    return error


def _as_api_error(error: Exception) -> Exception:
    """The API's error for an error of a service function, of Django or of the disk; any other error as it is."""
    if isinstance(error, NotAllowed):
        return AccessDenied(str(error) or None)
    if isinstance(error, InvalidForm):
        problems = [{"field": one.field, "file": one.file, "message": one.message} for one in error.problems]
        return _with_fields(BadRequest(error.sentence()), {"errors": problems})
    if isinstance(error, InvalidEntries):
        entries = [{"index": one.index, "message": one.message} for one in error.problems]
        return _with_fields(BadRequest(str(error)), {"errors": entries})
    if isinstance(error, InvalidWorkbook):
        places = [
            {"index": index, "message": one.message, "sheet": one.sheet, "row": one.row}
            for index, one in enumerate(error.problems)
        ]
        return _with_fields(BadRequest(str(error)), {"errors": places})
    if isinstance(error, Invalid):
        return ValidationError(error.errors)
    if isinstance(error, StorageFailure):
        return StorageAway(str(error))
    if isinstance(error, Conflict):
        return _with_fields(ConflictAnswer(str(error) or None), error.facts)
    if isinstance(error, Gone):
        return NotFound(str(error) or None)
    if isinstance(error, Http404):
        # Django's own message contains the name of the model.
        return NotFound()
    if isinstance(error, DjangoPermissionDenied):
        return AccessDenied()
    if isinstance(error, RequestDataTooBig):
        return TooLarge()
    if isinstance(error, TooManyFilesSent):
        return BadRequest(_("Too many files in one request"))
    if isinstance(error, TooManyFieldsSent):
        return BadRequest(_("Too many fields in one request"))
    if is_disk_full(error):
        return DiskFull()
    return error


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's handler for the errors of services (`common.errors`), of Django and of a full disk (507) too.

    Any other error becomes a 500 without details, with its traceback in the log.
    """
    api_error = _as_api_error(error)
    response = default_handler(api_error, context)
    if response is not None and api_error is not error:
        set_rollback()
    return response
