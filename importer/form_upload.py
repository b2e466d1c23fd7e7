"""Starting an import from a form of a page or of the admin, by the same functions as in the API."""

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException

from common.errors import InvalidForm, ServiceError, StorageFailure, is_disk_full
from common.throttling import UploadThrottle
from file_handling.converters.registered import converters_by_extension
from file_handling.models import ImportSession
from importer.idempotency import read_key
from importer.uploads import read_form, start_form_once, start_import
from users.models import User

FIELDS = (
    "stat_file",
    "recap_file",
    "stat_file_id",
    "recap_file_id",
    "stat_sheet",
    "country",
    "currency",
    "on_conflict",
)
# The field in which a form has its idempotency key: a form that is sent twice starts one import.
KEY_FIELD = "idempotency_key"


@dataclass
class UploadResult:
    """The session that was started, or the problems by field; those of the whole form are under ""."""

    session: ImportSession | None = None
    errors: dict[str, list[str]] = field(default_factory=dict)
    status: int = 200


def start_upload(request: HttpRequest, *, user: User) -> UploadResult:
    """Read the form as the API does and start the import. Nothing of a refused form is stored."""
    # The counter of the API: uploads of both count together.
    if not UploadThrottle().allow_request(request, None):  # type: ignore[arg-type]
        return UploadResult(errors={"": [_("Too many uploads. Wait a while, then try again.")]}, status=429)
    try:
        key = read_key(request.POST.get(KEY_FIELD) or None)
        form = read_form(user=user, data=_as_api_data(request))
        if key:
            return UploadResult(session=start_form_once(user=user, form=form, key=key)[0])
        return UploadResult(session=start_import(user=user, form=form))
    except InvalidForm as invalid:
        errors: dict[str, list[str]] = {}
        for problem in invalid.problems:
            at = problem.field if problem.field in FIELDS else ""
            errors.setdefault(at, []).append(problem.message)
        return UploadResult(errors=errors, status=400)
    except StorageFailure as failure:
        return UploadResult(errors={"": [str(failure)]}, status=503)
    except ServiceError as refused:
        return UploadResult(errors={"": [str(refused)]}, status=409)
    except APIException as refused:
        return UploadResult(errors={"": [str(refused.detail)]}, status=refused.status_code)
    except OSError as error:
        if not is_disk_full(error):
            raise
        full = _("The server has no room left to store this. Nothing was stored; try again later.")
        return UploadResult(errors={"": [full]}, status=507)


def converted_formats() -> dict[str, Any]:
    """The context of a form: the extensions that active converters read, and the same for the input of files."""
    endings = sorted(f".{extension}" for extension in converters_by_extension())
    return {"converted": endings, "converted_accept": "".join(f",{ending}" for ending in endings)}


def _as_api_data(request: HttpRequest) -> QueryDict:
    data = QueryDict(mutable=True)
    data.update(request.POST)
    data.update(request.FILES)  # type: ignore[arg-type]
    return data
