"""Adding and removing aliases of the act catalogue, which all countries share (DOMAIN §1, §6)."""

from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Invalid, NotAllowed
from common.keys import label_key
from core.models import Act, ActAlias
from users import audit
from users.models import AuditAction, User


def may_edit_catalogue(user: User) -> bool:
    return user.sees_all_countries()


def check_alias_name(*, name: str) -> None:
    """Raises Invalid for a name without letters and digits, and for the name of an existing act or alias."""
    key = label_key(name)
    if not any(character.isalnum() for character in key):
        raise Invalid({"name": [_("Give a name with letters or digits.")]})
    if Act.objects.filter(key=key).exists():
        raise Invalid({"name": [_("An act of the catalogue has this name: it cannot stand for another one.")]})
    if ActAlias.objects.filter(key=key).exists():
        raise Invalid({"name": [_("This name is the alias of an act already.")]})


def add_alias(*, actor: User, act: Act, name: str) -> ActAlias:
    """From the next import on, lines with this name (by label key) belong to `act`. Existing lines do not change.

    Raises NotAllowed, Invalid.
    """
    if not may_edit_catalogue(actor):
        raise NotAllowed(_("Only administrators of all countries may change the act catalogue."))
    with transaction.atomic():
        # Locked, because reverting an import deletes unused acts (docs/decisions/0005-references-of-bulk-tables.md).
        if not Act.objects.select_for_update().filter(pk=act.pk).exists():
            raise Invalid({"name": [_("This act is no longer in the catalogue.")]})
        check_alias_name(name=name)
        alias = ActAlias.objects.create(act=act, name=name.strip())
        audit.record(actor=actor, action=AuditAction.CREATE, target=alias, label=alias.name)
    return alias


def remove_alias(*, actor: User, alias: ActAlias) -> None:
    """From the next import on, lines with this name are an act of their own. Raises NotAllowed."""
    if not may_edit_catalogue(actor):
        raise NotAllowed(_("Only administrators of all countries may change the act catalogue."))
    with transaction.atomic():
        audit.record(actor=actor, action=AuditAction.DELETE, target=alias, label=alias.name)
        alias.delete()
