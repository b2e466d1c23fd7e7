"""Triggers that make a table append-only, also for SQL that does not go through `common.append_only`.

They prevent mistakes of code, shells and scripts. The owner of the tables can still drop them
(docs/decisions/0010-append-only-by-triggers.md).
"""

from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation

# Prefix of every trigger, by which tests find and drop them temporarily.
TRIGGER_PREFIX = "append_only_"
REASON = "is append-only: its rows are neither changed nor removed"


class KeepAsWritten(Operation):
    """Migration operation: UPDATE and DELETE of the model's rows raise IntegrityError.

    A reference with SET_NULL may still be set to NULL. `goes_with_its_owner`: the rows may be deleted, for instance
    with the row that they belong to. On SQLite, a later migration that rebuilds the table must repeat this operation.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, model_name: str, *, goes_with_its_owner: bool = False) -> None:
        self.model_name = model_name
        self.goes_with_its_owner = goes_with_its_owner

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        more = {"goes_with_its_owner": True} if self.goes_with_its_owner else {}
        return type(self).__name__, [self.model_name], more

    def state_forwards(self, app_label: str, state: Any) -> None:
        # Triggers are not part of Django's model state.
        return None

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        for statement in self._statements(schema_editor)(model):
            schema_editor.execute(statement, params=None)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        table = to_state.apps.get_model(app_label, self.model_name)._meta.db_table
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP FUNCTION {TRIGGER_PREFIX}{table}() CASCADE", params=None)
            return
        for event in ("insert", "update", "delete"):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {TRIGGER_PREFIX}{event}_{table}", params=None)

    def describe(self) -> str:
        return f"Keep the rows of {self.model_name} as they were written"

    @property
    def migration_name_fragment(self) -> str:
        return f"keep_{self.model_name.lower()}_as_written"

    def _statements(self, schema_editor: BaseDatabaseSchemaEditor) -> Any:
        return {"postgresql": self._postgresql, "sqlite": self._sqlite}[schema_editor.connection.vendor]

    def _postgresql(self, model: type[models.Model]) -> list[str]:
        table = model._meta.db_table
        name = f"{TRIGGER_PREFIX}{table}"
        refused = "UPDATE" if self.goes_with_its_owner else "UPDATE OR DELETE"
        emptied = ", ".join(f"'{column}'" for column in _references(model))
        statements = [
            f"""
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    emptied text[] := ARRAY[{emptied}]::text[];
    old_row jsonb;
    new_row jsonb;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        old_row := to_jsonb(OLD);
        new_row := to_jsonb(NEW);
        IF new_row - emptied = old_row - emptied AND NOT EXISTS (
            SELECT 1 FROM unnest(emptied) AS field
            WHERE new_row ->> field IS NOT NULL AND new_row ->> field IS DISTINCT FROM old_row ->> field
        ) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% {REASON}', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$
""",  # noqa: S608
            f"CREATE TRIGGER {TRIGGER_PREFIX}row BEFORE {refused} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
        ]
        if not self.goes_with_its_owner:
            statements.append(
                f"CREATE TRIGGER {TRIGGER_PREFIX}table BEFORE TRUNCATE ON {table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
            )
        return statements

    def _sqlite(self, model: type[models.Model]) -> list[str]:
        table = model._meta.db_table
        emptied = _references(model)
        unchanged = [f"NEW.{column} IS OLD.{column}" for column in _columns(model) if column not in emptied]
        unchanged += [f"(NEW.{column} IS NULL OR NEW.{column} IS OLD.{column})" for column in emptied]

        def refuse(event: str, when: str = "") -> str:
            return (
                f"CREATE TRIGGER {TRIGGER_PREFIX}{event}_{table} BEFORE {event} ON {table} FOR EACH ROW {when} "
                f"BEGIN SELECT RAISE(ABORT, '{table} {REASON}'); END"
            )

        statements = [refuse("update", f"WHEN NOT ({' AND '.join(unchanged)})")]
        if not self.goes_with_its_owner:
            # INSERT OR REPLACE deletes the old row without firing the DELETE trigger.
            known = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"  # noqa: S608
            statements += [refuse("delete"), refuse("insert", known)]
        return statements


def _columns(model: type[models.Model]) -> list[str]:
    return [str(field.column) for field in model._meta.concrete_fields]


def _references(model: type[models.Model]) -> list[str]:
    """The columns that are set to NULL when the row that they reference is deleted."""
    return [
        str(field.column)
        for field in model._meta.concrete_fields
        if field.remote_field is not None and getattr(field.remote_field, "on_delete", None) is models.SET_NULL
    ]
