"""What a file or a session created. The records stand above this app, so they are found by the way they point here."""

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.models import F, Func, IntegerField, Subquery

from file_handling.models import File, ImportSession

# The names that every record gives to its origin (DOMAIN §6: every record bears the file and the session).
_ORIGIN_FIELDS = {File: "file", ImportSession: "import_session"}
_SETTLED_FIELD = "recap_file"


def created_by_file(file: File, *, pages: Sequence[File] = ()) -> dict[str, int]:
    """How many records of each kind came from the file and its later pages; `settled_claims`: those its rows settle."""
    return _counts(File, origin=file.pk, ids=[file.pk, *(page.pk for page in pages)])


def created_by_session(session: ImportSession) -> dict[str, int]:
    """How many records of each kind, still there, the session created."""
    return _counts(ImportSession, origin=session.pk, ids=[session.pk])


def kinds(model: type[File] | type[ImportSession]) -> list[str]:
    """The kinds of record that a file or a session may have created, as the counts name them."""
    return sorted(_relations(model))


def _relations(model: type[Any]) -> dict[str, tuple[type[models.Model], str]]:
    found: dict[str, tuple[type[models.Model], str]] = {}
    for relation in model._meta.related_objects:
        target: Any = relation.related_model
        if relation.field.name == _ORIGIN_FIELDS[model]:
            found[_plural(relation.get_accessor_name() or "")] = (target, relation.field.name)
        elif model is File and relation.field.name == _SETTLED_FIELD and target is not ImportSession:
            found["settled_claims"] = (target, relation.field.name)
    return found


def _plural(accessor: str) -> str:
    return accessor.removeprefix("imported_")


def _counts(model: type[Any], *, origin: int, ids: list[int]) -> dict[str, int]:
    # One query whatever the number of kinds: each count stands on its own foreign key's index.
    relations = _relations(model)
    if not relations:
        return {}
    asked = {
        f"from_{name}": Subquery(
            target._default_manager.filter(**{f"{field}__in": ids})
            .order_by()
            .annotate(found_rows=Func(F("pk"), function="COUNT", output_field=IntegerField()))
            .values("found_rows")
        )
        for name, (target, field) in relations.items()
    }
    counted = model._default_manager.filter(pk=origin).values(**asked).get()
    return {name: counted[f"from_{name}"] for name in sorted(relations)}
