"""The accounts that decide whether records are one (DOMAIN §1, §12)."""

from common.errors import NotAllowed
from users.models import User


def may_review(actor: User, country_id: int) -> bool:
    """A superuser; a territorial admin or head of the technical department of the country."""
    if not actor.is_active:
        return False
    if actor.is_superuser_role():
        return True
    in_role = actor.is_admin_territorial() or actor.is_chef_dept_tech()
    return in_role and actor.working_country_id() == country_id


def require_reviewer(actor: User, country_id: int) -> None:
    """Raises NotAllowed for all other accounts."""
    if not may_review(actor, country_id):
        raise NotAllowed
