"""Who did what to a file, from the audit trail, which outlives it."""

from django.db.models import QuerySet

from common.api_errors import AccessDenied, FileNotFound
from common.parsing import positive_int
from file_handling.models import File
from users.models import AuditAction, AuditEntry, User


def history_of(*, pk: str, user: User) -> QuerySet[AuditEntry]:
    """The entries of the file whose id is `pk`, newest first, as far as `user` may see that file (DOMAIN §1).

    Of a deleted file, who saw it sees its history: all countries' and the country's administrators, and the uploader.
    Raises FileNotFound for a file that never was, AccessDenied for one beyond sight.
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
    if not _saw(user=user, entries=entries, country_id=last.country_id):
        raise AccessDenied()
    return entries


def _saw(*, user: User, entries: QuerySet[AuditEntry], country_id: int | None) -> bool:
    if user.sees_all_countries():
        return True
    if country_id is None or user.working_country_id() != country_id:
        return False
    uploaded = entries.filter(action=AuditAction.UPLOAD, actor=user)
    return user.is_admin_territorial() or (user.is_chef_dept_tech() and uploaded.exists())
