"""The database itself prevents changes of append-only tables, by SQL and by the ORM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from common.append_only_tables import KeepAsWritten
from core.models import ClaimRevision, PremiumRevision
from file_handling.models import File, SessionEvent
from tests.support.cast import Cast
from tests.support.records import Records
from users.models import AuditEntry

TRAILS: list[type[models.Model]] = [AuditEntry, ClaimRevision, PremiumRevision, SessionEvent]
KEPT: list[type[models.Model]] = [AuditEntry, ClaimRevision, PremiumRevision]


@pytest.fixture
def rows(cast: Cast, togo: Records) -> dict[type[models.Model], models.Model]:
    """One row of each append-only table. The audit entry is of the operator, who read a claim."""
    cast.client("togo_operator").get(f"/api/v1/claims/{togo.rows['claims'].pk}/")
    ClaimRevision.objects.create(country=cast.togo, claim=togo.rows["claims"], number="1", before={})
    return {model: model._default_manager.order_by("pk").last() for model in TRAILS}  # type: ignore[misc]


def everything(model: type[models.Model]) -> list[dict[str, Any]]:
    return list(model._default_manager.order_by("pk").values())


def refused(act: Callable[[], Any]) -> None:
    reason = "is append-only: its rows are neither changed nor removed"
    with pytest.raises(IntegrityError, match=reason), transaction.atomic():
        act()


def execute(sql: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def plain(model: type[models.Model]) -> models.QuerySet[Any]:
    """A queryset without the checks of AppendOnlyQuerySet, so that only the database can refuse."""
    return models.QuerySet(model)


OTHER: dict[str, str] = {
    "AutoField": "9999999",
    "BigAutoField": "9999999",
    "BigIntegerField": "9999999",
    "PositiveIntegerField": "9999999",
    "PositiveSmallIntegerField": "99",
    "ForeignKey": "9999999",
    "BooleanField": "NOT {column}",
    "DateTimeField": "'2001-01-01 00:00:00'",
    "JSONField": """'{{"another": 1}}'""",
}


@pytest.mark.parametrize("model", TRAILS)
def test_no_column_of_an_append_only_table_can_be_changed_by_sql(
    model: type[models.Model], rows: dict[type[models.Model], models.Model], cast: Cast
) -> None:
    before = everything(model)
    table = model._meta.db_table
    for field in model._meta.concrete_fields:
        kind = field.get_internal_type()
        other = OTHER.get(kind, "'x'").format(column=field.column)
        refused(lambda column=field.column, other=other: execute(f"UPDATE {table} SET {column} = {other}"))
    assert everything(model) == before


@pytest.mark.parametrize("model", TRAILS)
def test_no_row_of_an_append_only_table_can_be_changed_through_the_orm(
    model: type[models.Model], rows: dict[type[models.Model], models.Model]
) -> None:
    before = everything(model)
    row = rows[model]
    changed = {
        AuditEntry: {"success": False},
        ClaimRevision: {"number": "2"},
        PremiumRevision: {"actor_label": "other"},
        SessionEvent: {"code": "other"},
    }[model]
    refused(lambda: plain(model).update(**changed))
    for name, value in changed.items():
        setattr(row, name, value)
    refused(lambda: plain(model).bulk_update([row], list(changed)))
    refused(lambda: models.Model.save_base(row))
    assert everything(model) == before


@pytest.mark.parametrize("model", KEPT)
def test_no_row_of_an_append_only_table_can_be_deleted(
    model: type[models.Model], rows: dict[type[models.Model], models.Model]
) -> None:
    before = everything(model)
    table = model._meta.db_table
    refused(lambda: execute(f"DELETE FROM {table} WHERE id = %s", rows[model].pk))
    refused(lambda: execute(f"DELETE FROM {table}"))
    refused(lambda: plain(model).delete())
    refused(lambda: plain(model)._raw_delete(using="default"))  # type: ignore[attr-defined]
    refused(lambda: models.Model.delete(rows[model]))
    assert everything(model) == before


@pytest.mark.needs("sqlite")
@pytest.mark.parametrize("model", KEPT)
def test_no_row_of_an_append_only_table_can_be_replaced(
    model: type[models.Model], rows: dict[type[models.Model], models.Model]
) -> None:
    before = everything(model)
    refused(lambda: execute(f"INSERT OR REPLACE INTO {model._meta.db_table} SELECT * FROM {model._meta.db_table}"))
    assert everything(model) == before


# PostgreSQL never truncates a table that the same transaction has changed, so the rows must be committed.
@pytest.mark.django_db(transaction=True)
@pytest.mark.needs("postgresql")
@pytest.mark.parametrize("model", KEPT)
def test_no_append_only_table_can_be_truncated(
    model: type[models.Model], rows: dict[type[models.Model], models.Model]
) -> None:
    before = everything(model)
    # Django empties a database with one statement for all tables.
    every = ", ".join(connection.introspection.django_table_names(only_existing=True))
    refused(lambda: execute(f"TRUNCATE {model._meta.db_table} CASCADE"))
    refused(lambda: execute(f"TRUNCATE {every}"))
    assert everything(model) == before


def test_entries_stay_when_their_account_and_object_are_deleted(
    cast: Cast, togo: Records, rows: dict[type[models.Model], models.Model]
) -> None:
    client = cast.client("togo_admin")
    assert client.get(f"/api/v1/files/{togo.file.pk}/").status_code == 200
    entries, revisions = everything(AuditEntry), everything(ClaimRevision)
    assert client.delete(f"/api/v1/files/{togo.file.pk}/?force=true").status_code == 204
    assert client.delete(f"/api/v1/import-sessions/{togo.session.pk}/").status_code == 204
    deleted_id = cast.togo_operator.pk
    cast.togo_operator.delete()
    assert not File.objects.filter(pk=togo.file.pk).exists()
    assert not SessionEvent.objects.filter(session_id=togo.session.pk).exists()
    remaining = everything(AuditEntry)
    assert deleted_id in {entry["actor_id"] for entry in entries}
    without = [entry | {"actor_id": None} if entry["actor_id"] == deleted_id else entry for entry in entries]
    assert remaining[: len(entries)] == without
    assert everything(ClaimRevision) == revisions


def test_an_entry_stays_when_its_country_is_deleted(cast: Cast) -> None:
    entry = AuditEntry.objects.create(country=cast.closed, action="read", object_type="x", object_id=1)
    cast.closed.users.all().delete()  # type: ignore[attr-defined]
    cast.closed.delete()
    entry.refresh_from_db()
    assert (entry.country, entry.object_id) == (None, 1)


def test_a_reference_can_be_emptied_but_nothing_else_with_it(
    rows: dict[type[models.Model], models.Model], cast: Cast
) -> None:
    entry = AuditEntry.objects.get(pk=rows[AuditEntry].pk)
    table = AuditEntry._meta.db_table
    refused(lambda: execute(f"UPDATE {table} SET actor_id = NULL, actor_label = 'x' WHERE id = %s", entry.pk))
    refused(lambda: execute(f"UPDATE {table} SET actor_id = %s WHERE id = %s", cast.togo_admin.pk, entry.pk))
    execute(f"UPDATE {table} SET actor_id = NULL WHERE id = %s", entry.pk)
    # After it was emptied, the reference cannot be set again.
    refused(lambda: execute(f"UPDATE {table} SET actor_id = %s WHERE id = %s", cast.togo_operator.pk, entry.pk))
    after = AuditEntry.objects.get(pk=entry.pk)
    assert (after.actor, after.actor_label, after.data) == (None, entry.actor_label, entry.data)


def steps() -> list[tuple[str, KeepAsWritten]]:
    """The append-only steps of all migrations, each with its app."""
    migrations = MigrationLoader(connection).disk_migrations.values()
    return [
        (migration.app_label, step)
        for migration in migrations
        for step in migration.operations
        if isinstance(step, KeepAsWritten)
    ]


@pytest.mark.django_db(transaction=True)
def test_a_migration_removes_and_restores_the_triggers() -> None:
    def entry() -> int:
        return AuditEntry.objects.create(action="read", object_type="x", object_id=1).pk

    state = ProjectState.from_apps(apps)
    assert {(app, step.model_name) for app, step in steps()} == {
        ("users", "AuditEntry"),
        ("core", "ClaimRevision"),
        ("core", "PremiumRevision"),
        ("file_handling", "SessionEvent"),
    }
    for app, step in steps():
        with connection.schema_editor() as editor:
            step.database_backwards(app, editor, state, state)
    execute(f"DELETE FROM {AuditEntry._meta.db_table} WHERE id = %s", entry())
    for app, step in steps():
        with connection.schema_editor() as editor:
            step.database_forwards(app, editor, state, state)
    pk = entry()
    refused(lambda: execute(f"DELETE FROM {AuditEntry._meta.db_table} WHERE id = %s", pk))
