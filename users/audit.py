"""The audit trail is written by the functions that do the thing; the actor is an argument."""

from typing import Any

from django.db import models

from users.models import AuditAction, AuditEntry, User


def record(
    *,
    actor: User | None,
    action: AuditAction,
    target: models.Model,
    country_id: int | None,
    label: str = "",
    success: bool = True,
    data: dict[str, Any] | None = None,
) -> AuditEntry:
    """Append one entry. `data` carries ids and counts, never cell values."""
    return AuditEntry.objects.create(
        actor=actor,
        actor_label=actor.display_name() if actor else "",
        country_id=country_id,
        action=action,
        object_type=target._meta.label_lower,
        object_id=target.pk,
        object_label=label[:255],
        success=success,
        data=data or {},
    )
