"""The accounts that may correct persons and families (DOMAIN §12), and the preview of a correction."""

from collections.abc import Callable

from django.db import transaction

from common.errors import NotAllowed
from core.models import Change
from users.models import User


def may_manage_families(actor: User, country_id: int) -> bool:
    """A superuser; a territorial admin or head of the technical department of the country."""
    if not actor.is_active:
        return False
    if actor.is_superuser_role():
        return True
    in_role = actor.is_admin_territorial() or actor.is_chef_dept_tech()
    return in_role and actor.working_country_id() == country_id


def require_manager(actor: User, country_id: int) -> None:
    """Raises NotAllowed for all other accounts."""
    if not may_manage_families(actor, country_id):
        raise NotAllowed


def preview(service: Callable[[], Change]) -> Change:
    """The change that the service would make, with the same refusals. Nothing of it stays; it has no id."""
    with transaction.atomic():
        change = service()
        transaction.set_rollback(True)
    change.pk = None
    return change
