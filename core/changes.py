"""Changes of records by hand, in steps that can be undone (DOMAIN §11, §12).

A service opens a `Recorder` inside its transaction and changes rows only through it. Each step stores what it replaced,
so `undo` carries the steps out backwards. Rows by the thousand are moved by one statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from django.apps import apps
from django.core import serializers
from django.db import connection
from django.db.models import SET_NULL, Exists, F, Model, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from common.errors import Conflict
from core.data_versions import MEMBERSHIPS, PREMIUMS, claims_of, renew
from core.models import (
    Change,
    ChangeAction,
    ChangeKind,
    ChangeMove,
    ChangeStep,
    ChangeSubject,
    Claim,
    ClaimLine,
    Client,
    Insured,
    Membership,
)
from core.rates import recompute
from users.models import Country, User


def lock_countries(country_ids: Iterable[int] | None = None) -> list[Country]:
    """Lock the countries until the end of the transaction, in one order; None: all, for changes of the catalogue.

    An import holds the lock of its country while it writes, so it never sees half a change. A service takes this lock
    before it reads what it will change.
    """
    countries = Country.objects.select_for_update(no_key=True).order_by("pk")
    return list(countries if country_ids is None else countries.filter(pk__in=list(country_ids)))


class Recorder:
    """One change: its steps, in the order in which they are carried out. `subjects`: the records that it concerns."""

    def __init__(
        self,
        *,
        kind: ChangeKind,
        actor: User,
        country_id: int | None,
        subjects: Iterable[Model],
        data: Mapping[str, Any] | None = None,
    ) -> None:
        self.change = Change.objects.create(
            kind=kind, actor=actor, actor_label=actor.display_name(), country_id=country_id, data=dict(data or {})
        )
        self._sequence = 0
        self.concern(subjects)

    @property
    def steps(self) -> int:
        """How many steps there are so far; the number of the last one."""
        return self._sequence

    def concern(self, records: Iterable[Model]) -> None:
        """A later change of these records keeps this one from being undone."""
        ChangeSubject.objects.bulk_create(
            [ChangeSubject(change=self.change, model=one._meta.label_lower, row_id=one.pk) for one in records],
            ignore_conflicts=True,
        )

    def create(self, row: Model) -> None:
        """Insert a new row."""
        row.save(force_insert=True)
        self._step(ChangeAction.CREATED, row._meta.label_lower, row.pk, after=values_of(row))

    def update(self, row: Model, **values: Any) -> None:
        """Set fields of a row, named by their attributes (`principal_id`). Without a difference, no step."""
        before = {name: getattr(row, name) for name in values}
        changed = [name for name in values if before[name] != values[name]]
        if not changed:
            return
        old = values_of(row)
        for name in changed:
            setattr(row, name, values[name])
        row.save(update_fields=[row._meta.get_field(name).name for name in changed])
        new = values_of(row)
        self._step(
            ChangeAction.UPDATED, row._meta.label_lower, row.pk,
            before={name: old[name] for name in changed}, after={name: new[name] for name in changed},
        )  # fmt: skip

    def remove(self, row: Model) -> None:
        """Delete a row to which nothing refers any more."""
        self._step(ChangeAction.REMOVED, row._meta.label_lower, row.pk, before=values_of(row))
        type(row)._default_manager.filter(pk=row.pk)._raw_delete(using=connection.alias)

    def move(self, rows: QuerySet[Any], field: str, to: int | None) -> int:
        """Set the reference `field` (`act_id`) of all `rows`; → how many there were. Without any, no step."""
        model = rows.model
        if not rows.exists():
            return 0
        step = self._step(ChangeAction.MOVED, model._meta.label_lower, None, field=field, after={"id": to})
        sql, parameters = rows.order_by().values("pk", field).query.sql_with_params()
        column, moves = column_of(model, field), ChangeMove._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {moves} (step_id, row_id, before) SELECT %s, t.* FROM ({sql}) AS t",
                [step.pk, *parameters],
            )
            cursor.execute(
                f"UPDATE {model._meta.db_table} SET {column} = %s"
                f" WHERE id IN (SELECT row_id FROM {moves} WHERE step_id = %s)",
                [to, step.pk],
            )
            return int(cursor.rowcount)

    def replace(self, kept: Model, absorbed: Iterable[int]) -> None:
        """Let everything follow that names the `absorbed` records by id and that no reference of the database has.

        Call it before they are removed. `follow` registers what follows.
        """
        ids = sorted(set(absorbed))
        for follower in _followers:
            follower(self, type(kept), kept.pk, ids)

    def finish(self, **data: Any) -> Change:
        """Store `data` with the change, and renew the versions of everything that its steps changed."""
        self.change.data |= data
        self.change.save(update_fields=["data"])
        recompute_rates(self.change)
        renew_versions(self.change)
        return self.change

    def _step(self, action: ChangeAction, model: str, row_id: int | None, **values: Any) -> ChangeStep:
        self._sequence += 1
        return ChangeStep.objects.create(
            change=self.change, sequence=self._sequence, action=action, model=model, row_id=row_id, **values
        )


Follower = Callable[[Recorder, type[Model], int, list[int]], None]
_followers: list[Follower] = []


def follow(follower: Follower) -> None:
    """Call `follower` with the recorder, the model, the kept id and the absorbed ids of each merge.

    It changes rows by the recorder alone, so that an undo brings them back.
    """
    _followers.append(follower)


def undo(change: Change, *, actor: User) -> Change:
    """Carry the steps of a change out backwards, inside the caller's transaction, which has its countries locked.

    Raises Conflict when the change was undone before, when a later change concerns one of its subjects, when a row
    that it changed is no longer as it left it, or when a record is gone to which a row would refer again.
    """
    change = Change.objects.select_for_update().get(pk=change.pk)
    objection = objection_to_undo(change)
    if objection:
        raise Conflict(objection)
    steps = change.steps.order_by("-sequence")
    for (action, _model_name, _field), run in groupby(steps, key=lambda step: (step.action, step.model, step.field)):
        _undo_run(ChangeAction(action), list(run))
    change.undone_at, change.undone_by = timezone.now(), actor
    change.save(update_fields=["undone_at", "undone_by"])
    renew_versions(change)
    return change


def objection_to_undo(change: Change) -> str:
    """Why the change cannot be undone now, as a sentence; empty when it can. Rows are compared by `undo` itself."""
    if change.undone_at is not None:
        return _("This change was undone already.")
    later = later_changes(change).order_by("pk").first()
    if later is not None:
        return str(_depends_on_this(later.pk))
    return next(filter(None, (objection(change) for objection in _objections)), "")


Objection = Callable[[Change], str]
_objections: list[Objection] = []


def object_to_undo(objection: Objection) -> None:
    """Call `objection` before a change is undone: it returns why it cannot be, as a sentence, or an empty text."""
    _objections.append(objection)


def later_changes(change: Change) -> QuerySet[Change]:
    """Later changes, not undone, that concern one of its subjects."""
    later_subjects = ChangeSubject.objects.filter(change__gt=change.pk, change__undone_at__isnull=True)
    if change.kind in _OF_ONE_MEMBERSHIP:
        # Its own membership, and that of the principal where it made one.
        made = change.steps.filter(action=ChangeAction.CREATED).values_list("row_id", flat=True)
        subjects = later_subjects.filter(model="core.membership", row_id__in=[change.data["membership"], *made])
    else:
        same = change.subjects.filter(model=OuterRef("model"), row_id=OuterRef("row_id"))
        subjects = later_subjects.filter(Exists(same))
    later = Change.objects.filter(pk__in=subjects.values("change"))
    # A family takes no part of the name.
    return later.exclude(kind__in=_OF_ONE_MEMBERSHIP) if change.kind == ChangeKind.INSURED_NAME else later


# They change one membership, and only use the other records that they concern: the persons and the head of the family.
_OF_ONE_MEMBERSHIP = (ChangeKind.ATTACH, ChangeKind.ROLE)


def renew_versions(change: Change) -> None:
    """Make everything outdated that was kept from rows which the steps of the change name: figures, plans, counts."""
    months = _changed_months(change)
    countries = set(months) | ({change.country_id} if change.country_id is not None else set())
    # In order, so that two changes never wait for each other.
    for country_id in sorted(countries):
        renew(country_id, [MEMBERSHIPS, PREMIUMS, *map(claims_of, months.get(country_id, ()))])
    # A change of the catalogue concerns the next import of every country.
    changed = Country.objects.all() if change.country_id is None else Country.objects.filter(pk__in=countries)
    changed.update(data_version=F("data_version") + 1)


def recompute_rates(change: Change) -> None:
    """Find the observed rates and subscribers again of the policies whose memberships the change concerns (DOMAIN §10):
    those of its persons and clients too, whose names may be that of a subscriber.
    """
    if change.country_id is None:
        return
    steps = change.steps.filter(model=Membership._meta.label_lower)
    concerned = Q(pk__in=steps.filter(row_id__isnull=False).values("row_id"))
    concerned |= Q(pk__in=ChangeMove.objects.filter(step__in=steps).values("row_id"))
    for model, path in ((Insured, "insured__in"), (Client, "client__in")):
        concerned |= Q(**{path: change.subjects.filter(model=model._meta.label_lower).values("row_id")})
    policies = set(Membership.objects.filter(concerned).values_list("policy_id", flat=True))
    policies |= {step.before["policy_id"] for step in steps if step.before and "policy_id" in step.before}
    recompute(policies)


def _changed_months(change: Change) -> dict[int, list[Any]]:
    """Country id → the first days of the months in which claims were settled that the change moved."""
    found: dict[int, set[Any]] = {}
    for model, path in ((Claim, "pk"), (ClaimLine, "lines")):
        moves = ChangeMove.objects.filter(step__change=change, step__model=model._meta.label_lower)
        # One statement for all countries: some ten thousand lines are joined once.
        claims = Claim.objects.filter(**{f"{path}__in": moves.values("row_id")})
        for country_id, day in claims.order_by().values_list("country_id", "settlement_date").distinct():
            found.setdefault(country_id, set()).add(day.replace(day=1))
    return {country_id: sorted(days) for country_id, days in found.items()}


# ------------------------------------------------------------------------------------------------ backwards


def _undo_created(step: ChangeStep) -> None:
    rows = _model(step)._default_manager.filter(pk=step.row_id)
    row = rows.first()
    if row is None:
        return
    if values_of(row) != step.after or _is_referred_to(row):
        raise _changed_since(row)
    rows._raw_delete(using=connection.alias)


def _undo_updated(step: ChangeStep) -> None:
    row = _model(step)._default_manager.filter(pk=step.row_id).first()
    if row is None:
        return
    before = _to_restore(step, row)
    if before:
        _require_targets(_model(step), before)
        values = {"id": row.pk, **values_of(row), **before}
        _restored(_model(step), values).save(update_fields=[row._meta.get_field(name).name for name in before])


def _to_restore(step: ChangeStep, row: Model) -> dict[str, Any]:
    """The values that the row gets back. Raises Conflict when it is no longer as the step left it."""
    now = values_of(row)
    # Imports set some fields too: what a later one set stays.
    of_imports = [name for name in _SET_BY_IMPORTS.get(step.model, ()) if now[name] != step.after.get(name)]
    before = {name: value for name, value in step.before.items() if name not in of_imports}
    if any(now[name] != step.after[name] for name in before):
        raise _changed_since(row)
    return before


def _undo_removed(step: ChangeStep) -> None:
    restored_row(step).save(force_insert=True)


def restored_row(step: ChangeStep, **values: Any) -> Any:
    """The row that the step removed, not saved; with other `values` by attribute. Raises Conflict when a record to
    which it refers is gone.
    """
    values = {"id": step.row_id, **step.before, **values}
    model = _model(step)
    _require_targets(model, values)
    return _restored(model, values)


def _require_targets(model: type[Model], values: dict[str, Any]) -> None:
    """Empty the references of `values` to files and sessions that were deleted since, as everywhere else.

    Raises Conflict when another record is gone to which the row would refer.
    """
    for field in model._meta.concrete_fields:
        target, value = field.related_model, values.get(field.attname)
        if not isinstance(target, type) or value is None or target._default_manager.filter(pk=value).exists():
            continue
        if field.null and getattr(field.remote_field, "on_delete", None) is SET_NULL:
            values[field.attname] = None
            continue
        raise _gone(target, value)


def _gone(target: type[Model], row_id: int) -> Conflict:
    removal = ChangeStep.objects.filter(
        action=ChangeAction.REMOVED, model=target._meta.label_lower, row_id=row_id, change__undone_at__isnull=True
    ).last()
    if removal is not None:
        return _depends_on_this(removal.change_id)
    return Conflict(
        _("%(kind)s %(number)d is gone, so this change can no longer be undone.")
        % {"kind": str(target._meta.verbose_name).capitalize(), "number": row_id}
    )


def _undo_moved(step: ChangeStep) -> None:
    model = _model(step)
    table, column, moves = model._meta.db_table, column_of(model, step.field), ChangeMove._meta.db_table
    to = step.after["id"]
    target: Any = model._meta.get_field(step.field).related_model
    sources = step.moves.filter(before__isnull=False).exclude(before__in=target._default_manager.values("pk"))
    lost = sources.values_list("before", flat=True).first()
    if lost is not None:
        raise _gone(target, lost)
    # A row that was moved on since belongs where it is now.
    still = f"{column} IS NULL" if to is None else f"{column} = %s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {column} = m.before FROM {moves} m"
            f" WHERE m.step_id = %s AND m.row_id = {table}.id AND {still}",
            [step.pk, *([] if to is None else [to])],
        )


_UNDONE: dict[ChangeAction, Callable[[ChangeStep], None]] = {
    ChangeAction.CREATED: _undo_created,
    ChangeAction.UPDATED: _undo_updated,
    ChangeAction.REMOVED: _undo_removed,
    ChangeAction.MOVED: _undo_moved,
}


# So many steps of one kind in a row are undone together, by a number of statements that does not grow with them.
MANY_STEPS = 20
# A statement takes so many rows on every database.
ROWS_AT_ONCE = 2_000


def _undo_run(action: ChangeAction, steps: list[ChangeStep]) -> None:
    """Undo steps of one action, model and field, which follow each other."""
    together = _UNDONE_TOGETHER.get(action)
    if together is None or len(steps) < MANY_STEPS or not together(steps):
        for step in steps:
            _UNDONE[action](step)


def _undo_all_updated(steps: list[ChangeStep]) -> bool:
    rows: dict[int, Any] = {}
    for part in in_parts([step.row_id for step in steps]):
        rows |= _model(steps[0])._default_manager.in_bulk(part)
    if len({step.row_id for step in steps}) < len(steps):
        return False
    changed: list[tuple[Any, dict[str, Any]]] = []
    for step in steps:
        row = rows.get(step.row_id or 0)
        if row is not None and (before := _to_restore(step, row)):
            changed.append((row, before))
    _require_all_targets(_model(steps[0]), [before for _row, before in changed])
    names: set[str] = set()
    for row, before in changed:
        restored = _restored(type(row), before)
        for name in before:
            setattr(row, name, getattr(restored, name))
            names.add(row._meta.get_field(name).name)
    if changed:
        found = [row for row, _before in changed]
        type(found[0])._default_manager.bulk_update(found, sorted(names), batch_size=ROWS_AT_ONCE)
    return True


def _undo_all_removed(steps: list[ChangeStep]) -> bool:
    model = _model(steps[0])
    rows = [{"id": step.row_id, **step.before} for step in steps]
    _require_all_targets(model, rows)
    model._default_manager.bulk_create([_restored(model, row) for row in rows], batch_size=ROWS_AT_ONCE)
    return True


def _undo_all_moved(steps: list[ChangeStep]) -> bool:
    model, to = _model(steps[0]), [step.after["id"] for step in steps]
    table, column, moves = model._meta.db_table, column_of(model, steps[0].field), ChangeMove._meta.db_table
    target: Any = model._meta.get_field(steps[0].field).related_model
    for part in in_parts(steps):
        rows = ChangeMove.objects.filter(step__in=[step.pk for step in part])
        if None in to or rows.filter(before__in=to).exists():
            # A row may have been moved twice: then the order counts.
            return False
        lost = rows.filter(before__isnull=False).exclude(before__in=target._default_manager.values("pk"))
        if (gone := lost.values_list("before", flat=True).first()) is not None:
            raise _gone(target, gone)
    for part in in_parts(steps):
        places = ", ".join(["(%s, %s)"] * len(part))
        with connection.cursor() as cursor:
            # Both databases call the columns of VALUES column1 and column2.
            cursor.execute(
                f"UPDATE {table} SET {column} = m.before FROM {moves} m"
                f" JOIN (VALUES {places}) AS v ON v.column1 = m.step_id"
                f" WHERE m.row_id = {table}.id AND {table}.{column} = v.column2",
                [value for step in part for value in (step.pk, step.after["id"])],
            )
    return True


# Each returns False, with nothing done, where the steps must be undone one by one.
_UNDONE_TOGETHER: dict[ChangeAction, Callable[[list[ChangeStep]], bool]] = {
    ChangeAction.UPDATED: _undo_all_updated,
    ChangeAction.REMOVED: _undo_all_removed,
    ChangeAction.MOVED: _undo_all_moved,
}


def _require_all_targets(model: type[Model], rows: Sequence[dict[str, Any]]) -> None:
    """`_require_targets` for many rows."""
    for field in model._meta.concrete_fields:
        target, name = field.related_model, field.attname
        if not isinstance(target, type):
            continue
        wanted = sorted({row[name] for row in rows if row.get(name) is not None})
        found: set[int] = set()
        for part in in_parts(wanted):
            found |= set(target._default_manager.filter(pk__in=part).values_list("pk", flat=True))
        for row in rows:
            if row.get(name) is not None and row[name] not in found:
                _require_targets(model, row)


def in_parts(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for at in range(0, len(rows), ROWS_AT_ONCE):
        yield rows[at : at + ROWS_AT_ONCE]


# Model → the fields that imports set beside these changes.
_SET_BY_IMPORTS = {"core.membership": ("first_settlement_date", "last_settlement_date", "plan_id")}


def _is_referred_to(row: Model) -> bool:
    """Whether a row refers to this one, which it must outlive."""
    return any(
        relation.related_model._default_manager.filter(**{relation.field.name: row.pk}).exists()
        for relation in row._meta.related_objects
    )


def _changed_since(row: Model) -> Conflict:
    return Conflict(
        _("%(kind)s %(number)d has changed since, so this change can no longer be undone.")
        % {"kind": str(row._meta.verbose_name).capitalize(), "number": row.pk}
    )


def _depends_on_this(number: int) -> Conflict:
    return Conflict(_("Change %(number)d depends on this one. Undo that one first.") % {"number": number})


def _model(step: ChangeStep) -> type[Model]:
    return apps.get_model(step.model)


def column_of(model: type[Model], field: str) -> str:
    return str(model._meta.get_field(field).column)  # type: ignore[union-attr]


def values_of(row: Model) -> dict[str, Any]:
    """The values of all fields but the id, by attribute, as JSON has them."""
    serialized = serializers.serialize("python", [row])[0]["fields"]
    by_attribute = {field.attname: serialized[field.name] for field in row._meta.concrete_fields if field.name != "id"}
    return {name: _plain(value) for name, value in by_attribute.items()}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | str | list | dict) else str(value)


def _restored(model: type[Model], values: Mapping[str, Any]) -> Any:
    """The row that `values_of` described."""
    row = model()
    for field in model._meta.concrete_fields:
        if field.attname in values:
            setattr(row, field.attname, field.to_python(values[field.attname]))
    return row
