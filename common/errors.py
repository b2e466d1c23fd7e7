"""Refusals of the API, all of the shape `{"detail": …}` or, for a form, `{field: [reasons]}`.

Their words are our own: an answer never repeats what a database, a library or a file said.
"""

import errno
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import OperationalError
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, PermissionDenied
from rest_framework.response import Response
from rest_framework.views import exception_handler as default_handler
from rest_framework.views import set_rollback

SQLITE_FULL = 13
POSTGRESQL_DISK_FULL = "53100"


class AccessDenied(PermissionDenied):
    """403: the object exists, and is not for this account to see (DOMAIN §1)."""

    default_detail = _("Access denied")


class FileNotFound(NotFound):
    default_detail = _("File not found")


class SessionNotFound(NotFound):
    default_detail = _("Session not found")


class BadRequest(APIException):
    """400 with one reason that belongs to no single field."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_detail = _("Bad request")
    default_code = "bad_request"


class Conflict(APIException):
    """409: the object is no longer in a state where this can be done."""

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


def _as_refusal(error: Exception) -> Exception:
    if isinstance(error, Http404):
        # Django's own words name the model.
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
    """DRF's handler, which also turns Django's refusals and a full disk (507) into the API's shape.

    Anything unforeseen is left alone: it is a 500 without words, with its traceback in the log.
    """
    refusal = _as_refusal(error)
    response = default_handler(refusal, context)
    if response is not None and refusal is not error:
        set_rollback()
    return response
