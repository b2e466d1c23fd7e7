"""The audit trail is written by the functions that do the thing; the actor is an argument."""

from typing import Any

import structlog
from django.db import models, transaction

from users.models import AuditAction, AuditEntry, User

log = structlog.get_logger(__name__)


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
    """Append one entry. `data` carries ids and counts, never cell values: the log says it too, once it is committed.

    A `target` without an id stands for several of its kind: a page of a list, an export.
    """
    entry = AuditEntry.objects.create(
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
    # Neither the actor's name nor the label: a file may be named after a person.
    told = {
        "entry": entry.pk,
        "action": str(action),
        "actor": actor.pk if actor else None,
        "country": country_id,
        "object_type": entry.object_type,
        "object_id": entry.object_id,
        "success": success,
        "data": entry.data,
    }
    transaction.on_commit(lambda: log.info("audited", **told), robust=True)
    return entry


def record_listing(*, actor: User, model: type[models.Model], rows: int, asked: dict[str, Any]) -> AuditEntry:
    """Append that a page of a list of `model` was read: how many rows, narrowed by the filters of which names.

    `asked`: the query; of a filter only the name is kept, since its value may be a person's.
    """
    page = str(asked.get("page", "1"))
    return record(
        actor=actor,
        action=AuditAction.READ,
        target=model(),
        country_id=actor.country_id,
        data={"rows": rows, "page": page if page.isdigit() else "", "filters": filter_names(asked)},
    )


def filter_names(asked: dict[str, Any]) -> list[str]:
    """The names under which a query narrows a list."""
    return sorted(name for name, value in asked.items() if value and name not in ("page", "page_size", "format"))
