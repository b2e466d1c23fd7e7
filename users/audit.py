"""Writing the audit trail. Service functions call `record`; the actor is an argument."""

from typing import Any

import structlog
from django.db import models, transaction

from users.models import AuditAction, AuditEntry, User
from users.scoping import country_id_of

log = structlog.get_logger(__name__)


def record(
    *,
    actor: User | None,
    action: AuditAction,
    target: models.Model,
    country_id: int | None = None,
    label: str = "",
    success: bool = True,
    data: dict[str, Any] | None = None,
) -> AuditEntry:
    """Append one entry, and log it once the transaction is committed. `data`: ids and counts, never cell values.

    A `target` without an id stands for several objects of its kind: a page of a list, an export. `country_id`: the
    country whose administrators see the entry; the country of the `target` when None.
    """
    if country_id is None and target.pk is not None:
        country_id = country_id_of(target)
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
    fields = {
        "entry": entry.pk,
        "action": str(action),
        "actor": actor.pk if actor else None,
        "country": country_id,
        "object_type": entry.object_type,
        "object_id": entry.object_id,
        "success": success,
        "data": entry.data,
    }
    transaction.on_commit(lambda: log.info("audited", **fields), robust=True)
    return entry


def record_listing(*, actor: User, model: type[models.Model], rows: int, query: dict[str, Any]) -> AuditEntry:
    """Append an entry for a page of a list of `model`: the number of rows and the names of the filters.

    `query`: the parameters of the request. A filter's value is not stored: it may be a person's name.
    """
    page = str(query.get("page", "1"))
    return record(
        actor=actor,
        action=AuditAction.READ,
        target=model(),
        country_id=actor.country_id,
        data={"rows": rows, "page": page if page.isdigit() else "", "filters": filter_names(query)},
    )


def filter_names(query: dict[str, Any]) -> list[str]:
    """The names of the filters in a query."""
    return sorted(name for name, value in query.items() if value and name not in ("page", "page_size", "format"))
