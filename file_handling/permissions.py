"""The right to change a file or a session (DOMAIN §1). `visible_to` decides which of them an account can see at all."""

from file_handling.models import File, ImportSession
from users.models import User


def _may_change(*, user: User, country_id: int, owner_id: int | None) -> bool:
    if not user.is_active:
        return False
    if user.is_superuser_role():
        return True
    if user.working_country_id() != country_id:
        return False
    return user.is_admin_territorial() or (user.is_chef_dept_tech() and owner_id == user.pk)


def may_delete_file(*, user: User, file: File) -> bool:
    """A territorial admin may delete any file of the country, a head of department only their own."""
    return _may_change(user=user, country_id=file.country_id, owner_id=file.user_id)


def may_steer(*, user: User, session: ImportSession) -> bool:
    """Steer or delete: a territorial admin any session of the country, a head of department only their own."""
    return _may_change(user=user, country_id=session.country_id, owner_id=session.user_id)
