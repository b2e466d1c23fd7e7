"""The form of an import in the admin: what it offers, and the answer of the API's own reader to what was sent."""

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

STORED_OFFERED = 100
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
class Sent:
    """What became of a form: the session, or everything that was wrong, by field; "" for what belongs to none."""

    session: ImportSession | None = None
    errors: dict[str, list[str]] = field(default_factory=dict)
    status: int = 200


def send(request: HttpRequest, *, user: User) -> Sent:
    """Read the form as the API does and start the import. Nothing is kept of a form that is refused."""
    # The counter is the API's: two doors, one allowance.
    if not UploadThrottle().allow_request(request, None):  # type: ignore[arg-type]
        return Sent(errors={"": [_("Too many uploads. Wait a while, then try again.")]}, status=429)
    try:
        form = read_form(user=user, data=_as_api_data(request))
        return Sent(session=start_import(user=user, form=form))
    except InvalidForm as invalid:
        errors: dict[str, list[str]] = {}
        for problem in invalid.problems:
            at = problem.field if problem.field in _FIELDS else ""
            errors.setdefault(at, []).append(problem.message)
        return Sent(errors=errors, status=400)
    except APIException as refused:
        return Sent(errors={"": [str(refused.detail)]}, status=refused.status_code)
    except OSError as error:
        if not is_disk_full(error):
            raise
        full = _("The server has no room left to store this. Nothing was kept; try again later.")
        return Sent(errors={"": [full]}, status=507)


def _as_api_data(request: HttpRequest) -> QueryDict:
    data = QueryDict(mutable=True)
    data.update(request.POST)
    data.update(request.FILES)  # type: ignore[arg-type]
    return data


def offer(*, user: User, asked: Any) -> dict[str, Any]:
    """What the form shows: choices, and the values of `asked` (a QueryDict) to fill it with again."""
    stored = File.objects.visible_to(user).filter(first_page=None).order_by("-pk")
    if not user.is_superuser_role():
        # A file of a country can only be imported into that country.
        stored = stored.filter(country=user.country)
    return {
        "countries": Country.objects.filter(is_active=True) if user.is_superuser_role() else [],
        "conflict_choices": OnConflict.choices,
        "stat_files": stored.filter(file_type=FileType.STAT)[:STORED_OFFERED],
        "recap_files": stored.filter(file_type=FileType.RECAP)[:STORED_OFFERED],
        "values": {name: asked.get(name, "") for name in (*_FIELDS, "dry_run")},
    }
