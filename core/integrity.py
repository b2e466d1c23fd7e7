"""Check of the references that have no database constraint (docs/decisions/0005-references-of-bulk-tables.md)."""

from django.apps import apps
from django.db import connection, models


def dangling_references() -> dict[str, int]:
    """ "model.field" → number of rows that point to a missing record; only fields that have such rows."""
    found: dict[str, int] = {}
    for model in apps.get_app_config("core").get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and not field.db_constraint:  # type: ignore[attr-defined]
                count = _dangling(model, field)
                if count:
                    found[f"{model._meta.model_name}.{field.name}"] = count
    return found


def _dangling(model: type[models.Model], field: "models.ForeignKey[models.Model, models.Model]") -> int:
    table, target = model._meta.db_table, field.related_model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM {table} r LEFT JOIN {target} t ON t.id = r.{field.column} "
            f"WHERE r.{field.column} IS NOT NULL AND t.id IS NULL"
        )
        return int(cursor.fetchone()[0])
