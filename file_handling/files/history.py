"""The history of a file: its entries of the audit trail, which stay when the file is deleted."""

from django.db.models import QuerySet

from common.api_errors import AccessDenied, FileNotFound
from common.parsing import positive_int
from file_handling.models import File
from users.models import AuditAction, AuditEntry, User


def history_of(*, pk: str, user: User) -> QuerySet[AuditEntry]:
    """The audit entries of the file with the id `pk`, newest first.

    The history of a deleted file is visible to every account that could see the file: global administrators, the
    country's administrators, the uploader (DOMAIN §1). Raises FileNotFound for an id that no file ever had,
    AccessDenied for a file that `user` may not see.
    """
    wanted = positive_int(pk)
    if wanted is None:
        raise FileNotFound()
    entries = AuditEntry.objects.filter(object_type=File._meta.label_lower, object_id=wanted).order_by("-id")
    if File.objects.visible_to(user).filter(pk=wanted).exists():
        return entries
    if File.objects.filter(pk=wanted).exists():
        raise AccessDenied()
    last = entries.first()
    if last is None:
        raise FileNotFound()
    if not _could_see(user=user, entries=entries, country_id=last.country_id):
        raise AccessDenied()
    return entries


def _could_see(*, user: User, entries: QuerySet[AuditEntry], country_id: int | None) -> bool:
    if user.sees_all_countries():
        return True
    if country_id is None or user.working_country_id() != country_id:
        return False
    uploaded = entries.filter(action=AuditAction.UPLOAD, actor=user)
    return user.is_admin_territorial() or (user.is_chef_dept_tech() and uploaded.exists())
