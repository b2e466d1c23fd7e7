"""Renaming, merging and ordering the act catalogue (DOMAIN §11), for API, pages and admin.

Only superusers and global administrators change it. Each function takes `dry_run`: then it checks everything, counts,
and changes nothing. A change holds the locks of all countries: it waits for the imports that are writing, and the next
ones wait for it. They plan again, because every country's data has a new version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from common.errors import Conflict, Gone, Invalid, NotAllowed
from common.keys import label_key, shortened_key
from core import changes
from core.catalogue.kinds import ACTS, CATEGORIES, KINDS, Kind, kind_of, name_and_key, require_free
from core.changes import Recorder, lock_countries
from core.models import Act, ActAlias, ActCategory, ActCategoryAlias, Change, ChangeKind
from users import audit
from users.models import AuditAction, User

# Each absorbed record takes a few statements of its own.
MOST_AT_ONCE = 200

Entry = Act | ActCategory
Alias = ActAlias | ActCategoryAlias


@dataclass(frozen=True)
class Outcome:
    """`change`: its record, None for a preview. `moved`: how many rows it concerns.

    `lines`: claim lines that another act or category gets, or that show the new name, of so many `countries`;
    `aliases`: aliases that move, come or go; `acts`: acts that are absorbed or get another category; `categories`:
    categories that are absorbed.
    """

    change: Change | None
    moved: dict[str, int]


def may_edit_catalogue(user: User) -> bool:
    return user.sees_all_countries()


def key_of(name: str) -> str:
    """The key by which acts, categories and aliases are stored."""
    return shortened_key(label_key(name))


# ------------------------------------------------------------------------------------------------ names


def rename(*, actor: User, row: Entry, name: str, dry_run: bool = False) -> Outcome:
    """Give an act or a category another name; the old one becomes an alias.

    Raises NotAllowed, Gone, and Invalid for the name or an alias of another one.
    """
    kind = kind_of(row)
    with _changing(actor, dry_run):
        row = _current(kind, [row.pk], lock=not dry_run)[0]
        text, key = name_and_key(name)
        if text == row.name:
            raise Invalid({"name": [_("It has this name already.")]})
        require_free(kind, key, besides=row.pk)
        own_alias = kind.aliases([row.pk]).filter(key=key).first()
        keeps_key = key == row.key
        moved = _counts(kind, [row.pk], aliases=0 if keeps_key else 1 + (own_alias is not None))
        if dry_run:
            return Outcome(None, moved)
        recorder = _recorder(kind.rename, actor, [row], name=text, before=row.name, after=text)
        old_name, old_key = row.name, row.key
        if own_alias is not None:
            recorder.remove(own_alias)
        recorder.update(row, name=text, key=key)
        if not keeps_key:
            recorder.create(kind.new_alias(row, name=old_name, key=old_key))
        return _done(recorder, row, moved)


def add_alias(*, actor: User, row: Entry, name: str, dry_run: bool = False) -> Outcome:
    """From the next import on, lines with this name (by label key) belong to `row`. Existing lines do not change.

    Raises NotAllowed, Gone, and Invalid for the name or an alias of an act (or category).
    """
    kind = kind_of(row)
    with _changing(actor, dry_run):
        row = _current(kind, [row.pk], lock=not dry_run)[0]
        text, key = name_and_key(name)
        if key == row.key or kind.aliases([row.pk]).filter(key=key).exists():
            raise Invalid({"name": [_("It has this name or alias already.")]})
        require_free(kind, key)
        moved = _no_lines(aliases=1)
        if dry_run:
            return Outcome(None, moved)
        recorder = _recorder(kind.alias_add, actor, [row], name=row.name, alias=text)
        alias = kind.new_alias(row, name=text, key=key)
        recorder.create(alias)
        return _done(recorder, alias, moved, action=AuditAction.CREATE, label=text)


def remove_alias(*, actor: User, alias: Alias, dry_run: bool = False) -> Outcome:
    """From the next import on, lines with this name are an act or a category of their own. Raises NotAllowed, Gone."""
    kind = kind_of(alias)
    with _changing(actor, dry_run):
        row = _current(kind, [getattr(alias, f"{kind.owner}_id")], lock=not dry_run)[0]
        current = kind.aliases([row.pk]).filter(pk=alias.pk).first()
        if current is None:
            raise Gone(_("This alias was removed meanwhile."))
        moved = _no_lines(aliases=1)
        if dry_run:
            return Outcome(None, moved)
        recorder = _recorder(kind.alias_remove, actor, [row], name=row.name, alias=current.name)
        recorder.remove(current)
        return _done(recorder, current, moved, action=AuditAction.DELETE, label=current.name)


# ------------------------------------------------------------------------------------------------ categories of acts


def set_category(*, actor: User, act: Act, category: ActCategory, dry_run: bool = False) -> Outcome:
    """Put an act into another category. Its lines keep the categories that their files give. Raises NotAllowed, Gone,
    and Invalid where it is the act's category already.
    """
    with _changing(actor, dry_run):
        act = _current(ACTS, [act.pk], lock=not dry_run)[0]
        category = _current(CATEGORIES, [category.pk], lock=not dry_run)[0]
        if act.category_id == category.pk:
            raise Invalid({"category": [_("The act is in this category already.")]})
        moved = _no_lines(acts=1)
        if dry_run:
            return Outcome(None, moved)
        before = {"id": act.category_id, "name": act.category.name}
        recorder = _recorder(
            ChangeKind.ACT_CATEGORY, actor, [act],
            name=act.name, before=before, after={"id": category.pk, "name": category.name},
        )  # fmt: skip
        recorder.update(act, category_id=category.pk)
        return _done(recorder, act, moved)


# ------------------------------------------------------------------------------------------------ merging


def merge(*, actor: User, kept: Entry, absorbed: Iterable[int], dry_run: bool = False) -> Outcome:
    """Merge other acts (or categories) into `kept`: their lines, aliases and history move, their names become aliases,
    and they are removed. Of categories, their acts move too.

    `absorbed`: their ids. Raises NotAllowed, Gone for `kept`, and Invalid for ids that are none, or that of `kept`.
    """
    kind, ids = kind_of(kept), sorted(set(absorbed))
    with _changing(actor, dry_run):
        if not ids or len(ids) > MOST_AT_ONCE:
            raise Invalid({kind.others: [_("Name 1 to %(most)d to merge.") % {"most": MOST_AT_ONCE}]})
        if kept.pk in ids:
            raise Invalid({kind.others: [_("Number %(number)d cannot be merged into itself.") % {"number": kept.pk}]})
        rows = _current(kind, [kept.pk, *ids], must_exist=kept.pk, lock=not dry_run)
        found = {row.pk: row for row in rows}
        missing = [str(id_) for id_ in ids if id_ not in found]
        if missing:
            raise Invalid({kind.others: [_("There is no number %(numbers)s.") % {"numbers": ", ".join(missing)}]})
        kept = found.pop(kept.pk)
        acts = Act.objects.filter(category__in=ids) if kind is CATEGORIES else Act.objects.none()
        counts = {"acts": len(ids)} if kind is ACTS else {"categories": len(ids), "acts": acts.count()}
        moved = _counts(kind, ids, aliases=kind.aliases(ids).count() + len(ids), **counts)
        if dry_run:
            return Outcome(None, moved)
        recorder = _recorder(
            kind.merge, actor, [kept, *found.values()],
            name=kept.name, absorbed=[{"id": row.pk, "name": row.name} for row in found.values()],
        )  # fmt: skip
        recorder.move(kind.lines(ids), kind.reference, kept.pk)
        recorder.move(kind.aliases(ids), f"{kind.owner}_id", kept.pk)
        if kind is CATEGORIES:
            recorder.move(acts, "category_id", kept.pk)
        recorder.replace(kept, ids)
        for row in found.values():
            recorder.create(kind.new_alias(kept, name=row.name, key=row.key))
            recorder.remove(row)
        return _done(recorder, kept, moved)


# ------------------------------------------------------------------------------------------------ undo


def undo(*, actor: User, change: Change, dry_run: bool = False) -> Change:
    """Undo a change of the catalogue. Lines that were imported after it stay where the import put them.

    Raises NotAllowed, and Conflict when something later depends on the change.
    """
    with _changing(actor, dry_run):
        if dry_run:
            objection = changes.objection_to_undo(change)
            if objection:
                raise Conflict(objection)
            return change
        try:
            with transaction.atomic():
                change = changes.undo(change, actor=actor)
        except IntegrityError as taken:
            raise _name_taken() from taken
        for kind in KINDS:
            if kind.rows().filter(key__in=kind.alias_model._default_manager.values("key")).exists():
                raise _name_taken()
        audit.record(actor=actor, action=AuditAction.UPDATE, target=change, data={"undone": change.kind})
        return change


def _name_taken() -> Conflict:
    return Conflict(
        _("A name that this would bring back belongs to another act, category or alias now. Rename or merge it first.")
    )


# ------------------------------------------------------------------------------------------------ shared


@contextmanager
def _changing(actor: User, dry_run: bool) -> Iterator[None]:
    """A transaction that has locked every country; a preview locks nothing. Raises NotAllowed."""
    if not may_edit_catalogue(actor):
        raise NotAllowed(_("Only administrators of all countries may change the act catalogue."))
    with transaction.atomic():
        if not dry_run:
            lock_countries()
        yield


def _current(kind: Kind, ids: Iterable[int], *, lock: bool, must_exist: int | None = None) -> list[Any]:
    """The rows as they are now, in the order of their ids. `lock`: the first import of a new country could use them.

    Raises Gone when one is missing, or only for `must_exist`.
    """
    wanted = sorted(set(ids))
    current = kind.rows().filter(pk__in=wanted).order_by("pk")
    rows = list(current.select_for_update() if lock else current)
    missing = {*wanted} - {row.pk for row in rows}
    if missing if must_exist is None else must_exist in missing:
        raise Gone(_("It is no longer in the catalogue."))
    return rows


def _no_lines(**counts: int) -> dict[str, int]:
    return {"lines": 0, "countries": 0, "aliases": 0, "acts": 0, "categories": 0} | counts


def _counts(kind: Kind, ids: Iterable[int], **counts: int) -> dict[str, int]:
    """With the lines of these acts or categories, and in how many countries they are."""
    lines: QuerySet[Any] = kind.lines(ids).order_by()
    countries = lines.values("claim__country_id").distinct().count()
    return _no_lines(**counts) | {"lines": lines.count(), "countries": countries}


def _recorder(kind: ChangeKind, actor: User, subjects: list[Model], **data: Any) -> Recorder:
    return Recorder(
        kind=kind, actor=actor, country_id=None, subjects=subjects, data={"subject": subjects[0].pk, **data}
    )


def _done(
    recorder: Recorder,
    target: Model,
    moved: dict[str, int],
    *,
    action: AuditAction = AuditAction.UPDATE,
    label: str = "",
) -> Outcome:
    change = recorder.finish(moved=moved)
    data = {"change": change.pk, "kind": change.kind, **moved}
    audit.record(actor=change.actor, action=action, target=target, label=label, data=data)
    return Outcome(change, moved)
