"""A recorder of changes for many rows at once: its number of statements does not grow with the number of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Model

from core.changes import ROWS_AT_ONCE, Recorder, column_of, in_parts, values_of
from core.models import ChangeAction, ChangeMove, ChangeStep


class BulkRecorder(Recorder):
    """`Recorder`, with its steps for many rows at once. In the undo, each is a step of its own."""

    def move_each(self, model: type[Model], field: str, targets: Mapping[int, int]) -> int:
        """Set the reference `field` of all rows that refer to a key of `targets` to its value; → how many rows."""
        steps = self._steps(
            {"action": ChangeAction.MOVED, "model": model._meta.label_lower, "field": field, "after": {"id": to}}
            for to in dict.fromkeys(targets.values())
        )
        step_to = {step.after["id"]: step.pk for step in steps}
        table, column, moves = model._meta.db_table, column_of(model, field), ChangeMove._meta.db_table
        count = 0
        with connection.cursor() as cursor:
            for part in in_parts(list(targets.items())):
                places = ", ".join(["(%s, %s)"] * len(part))
                values = [value for old, to in part for value in (old, step_to[to])]
                # Both databases call the columns of VALUES column1 and column2.
                cursor.execute(
                    f"INSERT INTO {moves} (step_id, row_id, before) SELECT v.column2, t.id, t.{column} FROM {table} t"
                    f" JOIN (VALUES {places}) AS v ON v.column1 = t.{column}",
                    values,
                )
                cursor.execute(
                    f"UPDATE {table} SET {column} = v.column2 FROM (VALUES {places}) AS v"
                    f" WHERE {table}.{column} = v.column1",
                    [value for pair in part for value in pair],
                )
                count += int(cursor.rowcount)
        return count

    def update_each(self, changes: Sequence[tuple[Any, Mapping[str, Any]]]) -> None:
        """Set fields of rows of one model, each once: (row, attribute → value). Without a difference, no step."""
        steps, rows, names = [], [], set[str]()
        for row, values in changes:
            changed = [name for name, value in values.items() if getattr(row, name) != value]
            if not changed:
                continue
            old = values_of(row)
            for name in changed:
                setattr(row, name, values[name])
            new = values_of(row)
            steps.append(
                {
                    "action": ChangeAction.UPDATED,
                    "model": row._meta.label_lower,
                    "row_id": row.pk,
                    "before": {name: old[name] for name in changed},
                    "after": {name: new[name] for name in changed},
                }
            )
            rows.append(row)
            names.update(row._meta.get_field(name).name for name in changed)
        if rows:
            self._steps(steps)
            type(rows[0])._default_manager.bulk_update(rows, sorted(names), batch_size=ROWS_AT_ONCE)

    def remove_each(self, rows: Sequence[Model]) -> None:
        """Delete rows of one model to which nothing refers any more."""
        self._steps(
            {
                "action": ChangeAction.REMOVED,
                "model": row._meta.label_lower,
                "row_id": row.pk,
                "before": values_of(row),
            }
            for row in rows
        )
        for part in in_parts(rows):
            found = type(part[0])._default_manager.filter(pk__in=[row.pk for row in part])
            found._raw_delete(using=connection.alias)

    def _steps(self, values: Any) -> list[ChangeStep]:
        steps = []
        for one in values:
            self._sequence += 1
            steps.append(ChangeStep(change=self.change, sequence=self._sequence, **one))
        return ChangeStep.objects.bulk_create(steps, batch_size=ROWS_AT_ONCE)
