"""The act catalogue, which all countries share: its aliases are kept by people (DOMAIN §1, §6)."""

from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Invalid, NotAllowed
from common.keys import label_key
from core.models import Act, ActAlias
from users import audit
from users.models import AuditAction, User


def may_keep_catalogue(user: User) -> bool:
    return user.sees_all_countries()


def refuse_unfit(*, name: str) -> None:
    """Raises Invalid for a name without a letter or digit, and for one that is an act's or an alias's already."""
    key = label_key(name)
    if not any(character.isalnum() for character in key):
        raise Invalid({"name": [_("Give a name with letters or digits.")]})
    if Act.objects.filter(key=key).exists():
        raise Invalid({"name": [_("An act of the catalogue has this name: it cannot stand for another one.")]})
    if ActAlias.objects.filter(key=key).exists():
        raise Invalid({"name": [_("This name is the alias of an act already.")]})


def add_alias(*, actor: User, act: Act, name: str) -> ActAlias:
    """From the next import on, lines that bear `name` (by label key) lead to `act`; those already written stay.

    Raises NotAllowed, Invalid.
    """
    if not may_keep_catalogue(actor):
        raise NotAllowed(_("Only administrators of all countries may change the act catalogue."))
    with transaction.atomic():
        # Held, because a reverted import takes unused acts with it (docs/decisions/0005-references-of-bulk-tables.md).
        if not Act.objects.select_for_update().filter(pk=act.pk).exists():
            raise Invalid({"name": [_("This act is no longer in the catalogue.")]})
        refuse_unfit(name=name)
        alias = ActAlias.objects.create(act=act, name=name.strip())
        audit.record(actor=actor, action=AuditAction.CREATE, target=alias, label=alias.name)
    return alias


def remove_alias(*, actor: User, alias: ActAlias) -> None:
    """From the next import on, lines that bear its name are an act of their own. Raises NotAllowed."""
    if not may_keep_catalogue(actor):
        raise NotAllowed(_("Only administrators of all countries may change the act catalogue."))
    with transaction.atomic():
        audit.record(actor=actor, action=AuditAction.DELETE, target=alias, label=alias.name)
        alias.delete()
