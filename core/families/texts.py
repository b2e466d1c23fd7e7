"""What a correction moves, as people read it: for previews, the list of changes and its pages."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.formats import format_count
from core.merge.texts import moved_words
from core.models import Change, ChangeKind, MembershipRole


def summary_of(change: Change) -> str:
    """One line: the person or record, and what becomes of it."""
    data = change.data
    if change.kind == ChangeKind.INSURED_MERGE:
        return _("%(others)s → %(name)s") % {"others": _names(data["absorbed"]), "name": data["name"]}
    if change.kind == ChangeKind.INSURED_SPLIT:
        return _("%(name)s: %(others)s split off") % {"others": _names(data["split"]), "name": data["name"]}
    if change.kind == ChangeKind.INSURED_NAME:
        return f"{data['before']} → {data['name']}"
    if change.kind == ChangeKind.ATTACH:
        return _("%(name)s, policy %(policy)s: %(before)s → %(after)s") % {
            "name": data["name"],
            "policy": data["policy"],
            "before": data["principal_before"] or "–",
            "after": data["principal"],
        }
    if change.kind == ChangeKind.ROLE:
        return _("%(name)s, policy %(policy)s: %(before)s → %(after)s") % {
            "name": data["name"],
            "policy": data["policy"],
            "before": _role(data["role_before"]),
            "after": _role(data["role"]),
        }
    # Merges of clients, providers and operators.
    others = data.get("absorbed")
    names = _names(others) if isinstance(others, list) and all(isinstance(one, dict) for one in others) else ""
    return " → ".join(part for part in (names, str(data.get("name", ""))) if part)


def facts_of(change: Change) -> list[tuple[str, str]]:
    """(label, text) of what moves, for a preview or the page of a change."""
    data = change.data
    if change.kind in (ChangeKind.INSURED_MERGE, ChangeKind.INSURED_SPLIT):
        label = _("Merged") if change.kind == ChangeKind.INSURED_MERGE else _("Split off")
        parts = data["absorbed" if change.kind == ChangeKind.INSURED_MERGE else "split"]
        return [(_("Person"), data["name"]), *((label, _part(one)) for one in parts)]
    if change.kind == ChangeKind.INSURED_NAME:
        return [(_("Name before"), data["before"]), (_("Name"), data["name"])]
    if change.kind in (ChangeKind.ATTACH, ChangeKind.ROLE):
        nobody = "–"
        rows = [
            (_("Person"), data["name"]),
            (_("Policy"), data["policy"]),
            (_("Role"), _from_to(_role(data["role_before"]), _role(data["role"]))),
            (_("Principal"), _from_to(data["principal_before"] or nobody, data["principal"] or nobody)),
        ]
        return [*rows, (_("Claims that follow"), format_count(data["claims"]))]
    facts = [(_("Record"), summary_of(change))]
    moved = ", ".join(moved_words(change))
    return [*facts, (_("Moved"), moved)] if moved else facts


def _part(part: dict[str, Any]) -> str:
    claims = ngettext("%(count)s claim", "%(count)s claims", part["claims"]) % {"count": format_count(part["claims"])}
    memberships = ngettext("%(count)s membership", "%(count)s memberships", part["memberships"]) % {
        "count": format_count(part["memberships"])
    }
    dependants = ngettext("%(count)s dependant", "%(count)s dependants", part["dependants"]) % {
        "count": format_count(part["dependants"])
    }
    return f"{part['name']} ({claims}, {memberships}, {dependants})"


def _from_to(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"


def _role(value: str) -> str:
    return str(MembershipRole(value).label)


def _names(parts: list[dict[str, Any]]) -> str:
    return ", ".join(str(part["name"]) for part in parts)
