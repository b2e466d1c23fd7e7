"""The choices of the upload form of the admin."""

from typing import Any

from file_handling.models import File, FileType, OnConflict
from importer.form_upload import FIELDS, converted_formats
from users.models import Country, User

STORED_FILES_SHOWN = 100


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
        "values": {name: values.get(name, "") for name in (*FIELDS, "dry_run")},
        **converted_formats(),
    }
