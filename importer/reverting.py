"""A revert does what its preview said, or says how the situation has changed (DOMAIN §6, undo).

A preview has a token: its figures, signed. A revert that sends the token back and would do anything else is refused.
"""

from decimal import Decimal
from typing import Any

from django.core import signing
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from common.errors import Conflict, FormError, InvalidForm
from common.formats import format_amount, format_count
from file_handling.lineage import record_kinds
from file_handling.models import ImportSession
from importer.undo import Preview, preview

PREVIEW_FIELD = "preview_token"
_SALT = "importer.reverting"

Facts = dict[str, Any]


def preview_facts(session: ImportSession, found: Preview) -> Facts:
    """A preview as JSON: counts by kind without zeros, amounts as decimal strings, ids of the sessions that rely on it.

    `kept_claims`: claims of earlier sessions that this one replaced; they keep their present lines.
    """
    removed = {kind: found.removed[kind] for kind in _names() if found.removed.get(kind)}
    return {
        "session": session.pk,
        "currency": session.currency,
        "removed": removed,
        "claimed": str(found.claimed),
        "reimbursed": str(found.reimbursed),
        "stays": {kind: found.stays[kind] for kind in _names() if found.stays.get(kind)},
        "stays_claimed": str(found.stays_claimed),
        "stays_reimbursed": str(found.stays_reimbursed),
        "kept_claims": found.removed["kept_claims"],
        "relied_on_by": found.later_sessions,
    }


def with_token(facts: Facts) -> Facts:
    return facts | {PREVIEW_FIELD: signing.Signer(salt=_SALT).sign_object(facts, compress=True)}


def previewed(session: ImportSession, token: str) -> Facts:
    """The facts of the preview that has the token. Raises InvalidForm when it is none of this session."""
    try:
        facts: Facts = signing.Signer(salt=_SALT).unsign_object(token)
    except signing.BadSignature:
        facts = {}
    if facts.get("session") != session.pk:
        sentence = _("This is no preview of this import. Ask for the preview again and send its token as it is.")
        raise InvalidForm([FormError(PREVIEW_FIELD, sentence)])
    return facts


def require_same(*, before: Facts, now: Facts) -> None:
    """Raises Conflict with every figure that has changed since the preview, and with the present preview."""
    if before == now:
        return
    was, is_ = _rows(before), _rows(now)
    changed = [
        f"{label}: {was.get(label, '–')} → {is_.get(label, '–')}"
        for label in dict.fromkeys([*is_, *was])
        if was.get(label) != is_.get(label)
    ]
    raise Conflict(
        "\n".join(
            [
                _("The data of the country has changed since the preview, so nothing was reverted. The differences:"),
                *changed,
                _("Read the new preview, then revert or keep the import."),
            ]
        ),
        facts={"preview": with_token(now)},
    )


def current_preview(session: ImportSession) -> Facts:
    """What a revert would do now, with the token of this preview."""
    return with_token(preview_facts(session, preview(session)))


def shown_preview(session: ImportSession) -> Facts:
    """What a page shows of the preview: `found`, its `token`, and `removed` and `stays`, each (kind, name, count)."""
    found, names = preview(session), _names()
    return {
        "found": found,
        "token": with_token(preview_facts(session, found))[PREVIEW_FIELD],
        "removed": [(kind, names[kind], found.removed[kind]) for kind in names if found.removed.get(kind)],
        "stays": [(kind, names[kind], found.stays[kind]) for kind in names if found.stays.get(kind)],
    }


def _names() -> dict[str, str]:
    """Kind of record → its name, in the order in which they are shown."""
    return {kind.name: str(kind.model._meta.verbose_name_plural) for kind in record_kinds(ImportSession)}


def _rows(facts: Facts) -> dict[str, str]:
    """The figures of a preview as people read them: label → text."""
    rows = {}
    for part, label in (("removed", _("%(kind)s that go")), ("stays", _("%(kind)s that stay"))):
        for kind, name in _names().items():
            if kind in facts[part]:
                rows[label % {"kind": capfirst(name)}] = format_count(facts[part][kind])
    for field, label in (
        ("claimed", _("Claimed, of the claims that go")),
        ("reimbursed", _("Reimbursed, of the claims that go")),
        ("stays_claimed", _("Claimed, of the claims that stay")),
        ("stays_reimbursed", _("Reimbursed, of the claims that stay")),
    ):
        rows[label] = format_amount(Decimal(facts[field]), facts["currency"], with_currency=True)
    rows[_("Claims of earlier imports that keep their present lines")] = format_count(facts["kept_claims"])
    if facts["relied_on_by"]:
        rows[_("Imports that rely on it")] = ", ".join(str(number) for number in facts["relied_on_by"])
    return rows
