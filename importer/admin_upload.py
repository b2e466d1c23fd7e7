"""The upload form of the admin: its choices, and the start of an import by the same functions as in the API."""

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException

from common.errors import InvalidForm, is_disk_full
from common.throttling import UploadThrottle
from file_handling.models import File, FileType, ImportSession, OnConflict
from importer.uploads import read_form, start_import
from users.models import Country, User

STORED_FILES_SHOWN = 100
_FIELDS = (
    "stat_file",
    "recap_file",
    "stat_file_id",
    "recap_file_id",
    "stat_sheet",
    "country",
    "currency",
    "on_conflict",
)


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
        form = read_form(user=user, data=_as_api_data(request))
        return UploadResult(session=start_import(user=user, form=form))
    except InvalidForm as invalid:
        errors: dict[str, list[str]] = {}
        for problem in invalid.problems:
            at = problem.field if problem.field in _FIELDS else ""
            errors.setdefault(at, []).append(problem.message)
        return UploadResult(errors=errors, status=400)
    except APIException as refused:
        return UploadResult(errors={"": [str(refused.detail)]}, status=refused.status_code)
    except OSError as error:
        if not is_disk_full(error):
            raise
        full = _("The server has no room left to store this. Nothing was stored; try again later.")
        return UploadResult(errors={"": [full]}, status=507)


def _as_api_data(request: HttpRequest) -> QueryDict:
    data = QueryDict(mutable=True)
    data.update(request.POST)
    data.update(request.FILES)  # type: ignore[arg-type]
    return data


def form_context(*, user: User, values: Any) -> dict[str, Any]:
    """The context of the form: its choices, and `values` (a QueryDict) to fill it with."""
    stored = File.objects.visible_to(user).filter(first_page=None).order_by("-pk")
    if not user.is_superuser_role():
        # A file of a country can only be imported into that country.
        stored = stored.filter(country=user.country)
    return {
        "countries": Country.objects.filter(is_active=True) if user.is_superuser_role() else [],
        "conflict_choices": OnConflict.choices,
        "stat_files": stored.filter(file_type=FileType.STAT)[:STORED_FILES_SHOWN],
        "recap_files": stored.filter(file_type=FileType.RECAP)[:STORED_FILES_SHOWN],
        "values": {name: values.get(name, "") for name in (*_FIELDS, "dry_run")},
    }
