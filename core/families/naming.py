"""Choosing the name of a person among the known spellings (DOMAIN §12)."""

from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Invalid
from common.keys import name_key
from core.changes import Recorder, lock_countries
from core.families.following import follow
from core.families.rights import require_manager
from core.models import Change, ChangeKind, Insured, InsuredSpelling
from users import audit
from users.models import AuditAction, User


def choose_name(*, actor: User, insured: Insured, name: str) -> Change:
    """The person gets the known spelling `name`; the earlier name becomes a known spelling. Imports leave it so.

    Raises NotAllowed (DOMAIN §12), Invalid with `name` for a text that is no other known spelling.
    """
    with transaction.atomic():
        require_manager(actor, insured.country_id)
        lock_countries([insured.country_id])
        insured = Insured.objects.select_for_update().get(pk=insured.pk)
        spelling = _spelling(insured, name)
        recorder = Recorder(
            kind=ChangeKind.INSURED_NAME,
            actor=actor,
            country_id=insured.country_id,
            subjects=[insured],
            data={"insured": insured.pk, "name": spelling.name, "before": insured.name},
        )
        earlier = InsuredSpelling(
            insured=insured,
            name=insured.name,
            name_key=insured.name_key,
            file_id=insured.file_id,
            import_session_id=insured.import_session_id,
        )
        recorder.remove(spelling)
        if not insured.spellings.filter(name_key=earlier.name_key).exists():
            recorder.create(earlier)
        recorder.update(insured, name=spelling.name, name_key=spelling.name_key, has_chosen_name=True)
        change = recorder.finish()
        follow(change)
        audit.record(actor=actor, action=AuditAction.UPDATE, target=insured, data={"change": change.pk, "name": True})
    return change


def _spelling(insured: Insured, name: str) -> InsuredSpelling:
    """The known spelling as it is written; without one, the known spelling with the same key."""
    if not name.strip():
        raise Invalid({"name": [_("Choose one of the known spellings.")]})
    if name.strip() == insured.name:
        raise Invalid({"name": [_("The person has this name already.")]})
    spellings = list(insured.spellings.order_by("id"))
    same_text = [one for one in spellings if one.name == name.strip()]
    same_key = [one for one in spellings if one.name_key == name_key(name)]
    if not (same_text or same_key):
        raise Invalid({"name": [_("This is none of the known spellings of the person.")]})
    return (same_text or same_key)[0]
