"""Files and sessions in numbers (DOMAIN §8, Files and sessions). The database counts them, since they are few."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from dashboard import links
from dashboard.answers import Answer, shown
from dashboard.asking import Asked
from dashboard.findings import amounts_left_out
from dashboard.numbers import money, ratio
from dashboard.tables import Table, TableColumn
from file_handling.models import File, FileType, Finding, ImportSession, SessionEvent, SessionStatus
from file_handling.wording import message
from users.models import AuditAction, AuditEntry, User

RECENT_DAYS = 7
MOST_READ = 10
# Times, findings and rates are those of the latest sessions, which show how imports are now.
LATEST_SESSIONS = 200
_READ_OF_SESSIONS = ("country_id", "started_at", "completed_at", "summary")
READS = (AuditAction.READ, AuditAction.PREVIEW, AuditAction.DOWNLOAD)
STEPS = ("read", "reconcile", "plan", "write", "done", "review")


def files(user: User, asked: Asked) -> Answer:
    """Uploaded files that the account may see, of the days asked for; a recap of several pages is one."""
    days = _days("uploaded_at", asked)
    visible = File.objects.visible_to(user).filter(country_id__in=asked.countries, **days)
    first_pages = visible.filter(first_page=None)
    recent = Q(uploaded_at__gte=timezone.now() - timedelta(days=RECENT_DAYS))
    counts = first_pages.aggregate(
        total_files=Count("pk"),
        stat_files=Count("pk", filter=Q(file_type=FileType.STAT)),
        recap_files=Count("pk", filter=Q(file_type=FileType.RECAP)),
        recent_uploads=Count("pk", filter=recent),
    )
    size = visible.aggregate(size=Sum("size"))["size"] or 0
    payload = {
        **counts,
        "bytes": size,
        "most_read": _most_read(first_pages),
        "by_uploader": _by_uploader(first_pages),
        "definition": "files",
        "basis": "upload_date",
        "n": counts["total_files"],
        "countries": list(asked.countries),
        "url": _list("files", asked, "uploaded"),
    }
    rows = [(str(_FILE_LABELS[name]()), counts[name]) for name in counts] + [(_("Bytes"), size)]
    return Answer(payload, lambda: _figures(_("Files"), rows))


def _most_read(visible: QuerySet[File]) -> list[dict[str, Any]]:
    read = (
        AuditEntry.objects.filter(
            object_type=File._meta.label_lower, action__in=READS, success=True, object_id__in=visible.values("pk")
        )
        .values("object_id")
        .annotate(reads=Count("pk"))
        .order_by("-reads", "object_id")[:MOST_READ]
    )
    names = dict(visible.filter(pk__in=[one["object_id"] for one in read]).values_list("pk", "name"))
    return [
        {
            "id": one["object_id"],
            "name": names[one["object_id"]],
            "reads": one["reads"],
            "url": f"{links.API}/files/{one['object_id']}/",
        }
        for one in read
    ]


def _by_uploader(rows: QuerySet[Any]) -> list[dict[str, Any]]:
    counted = (
        rows.order_by().values("user_id", "uploaded_by_name").annotate(count=Count("pk")).order_by("-count", "user_id")
    )
    return [{"user": one["user_id"], "name": one["uploaded_by_name"], "count": one["count"]} for one in counted]


def sessions(user: User, asked: Asked) -> Answer:
    """Import sessions that the account may see, of the days asked for: how they ended, how long they took, what they
    found most.
    """
    days = _days("created_at", asked)
    visible = ImportSession.objects.visible_to(user).filter(country_id__in=asked.countries, **days)
    by_status = dict(visible.order_by().values_list("status").annotate(count=Count("pk")))
    counts = {
        "total_sessions": sum(by_status.values()),
        "successful_imports": by_status.get(SessionStatus.DONE, 0) + by_status.get(SessionStatus.DONE_WITH_ERRORS, 0),
        "failed_imports": by_status.get(SessionStatus.ERROR, 0),
    }
    latest = list(visible.only(*_READ_OF_SESSIONS).order_by("-pk")[:LATEST_SESSIONS])
    payload = {
        **counts,
        "by_status": [
            {
                "status": status,
                "count": by_status.get(status, 0),
                "url": _list("import-sessions", asked, "created", status=status),
            }
            for status in SessionStatus.values
        ],
        **_times(latest),
        "findings": _most_found(latest),
        "errors": _errors(visible),
        "by_uploader": _by_uploader(visible),
        "reconciliation": _reconciliation(latest),
        "definition": "import_sessions",
        "basis": "session_date",
        "n": counts["total_sessions"],
        "countries": list(asked.countries),
        "url": _list("import-sessions", asked, "created"),
    }
    rows: list[tuple[str, Any]] = [(str(_SESSION_LABELS[name]()), counts[name]) for name in counts]
    rows += [(str(dict(SessionStatus.choices)[status]), count) for status, count in sorted(by_status.items())]
    return Answer(payload, lambda: _figures(_("Import sessions"), rows))


def _times(latest: Sequence[ImportSession]) -> dict[str, Any]:
    """Seconds from start to end, in all and by step, of the sessions that ended; stat lines per second."""
    seconds: list[float] = []
    lines = 0
    ids = []
    for session in latest:
        if session.started_at is None or session.completed_at is None:
            continue
        ids.append(session.pk)
        seconds.append((session.completed_at - session.started_at).total_seconds())
        lines += (session.summary or {}).get("stat", {}).get("lines", 0)
    # A step may have several events: its time in a session is the sum.
    of_step: dict[str, dict[int, float]] = {step: {} for step in STEPS}
    last: dict[int, Any] = {}
    events = SessionEvent.objects.filter(session_id__in=ids).order_by("session_id", "sequence")
    for session_id, step, at in events.values_list("session_id", "step", "at"):
        if session_id in last and step in of_step:
            passed = (at - last[session_id]).total_seconds()
            of_step[step][session_id] = of_step[step].get(session_id, 0.0) + passed
        last[session_id] = at
    whole = sum(seconds)
    return {
        "processing_seconds": _spread(seconds),
        "steps": [{"step": step, **_spread(list(times.values()))} for step, times in of_step.items() if times],
        "lines_per_second": round(lines / whole, 1) if whole else None,
    }


def _spread(seconds: list[float]) -> dict[str, Any]:
    ordered = sorted(seconds)
    return {"n": len(ordered), "median": _percentile(ordered, 0.5), "p90": _percentile(ordered, 0.9)}


def _percentile(ordered: list[float], share: float) -> float | None:
    """Interpolated, as elsewhere (DOMAIN §8)."""
    if not ordered:
        return None
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return round(ordered[low] + (ordered[high] - ordered[low]) * (at - low), 3)


def _most_found(latest: Sequence[ImportSession]) -> list[dict[str, Any]]:
    counted = (
        Finding.objects.filter(session_id__in=[session.pk for session in latest])
        .order_by()
        .values("category")
        .annotate(count=Count("pk"))
        .order_by("-count", "category")
    )
    return [{"category": one["category"], "count": one["count"]} for one in counted]


def _errors(visible: QuerySet[ImportSession]) -> list[dict[str, Any]]:
    counted = (
        visible.filter(status=SessionStatus.ERROR)
        .order_by()
        .values("message_parts")
        .annotate(count=Count("pk"))
        .order_by("-count", "message_parts")
    )
    return [{"message": message(one["message_parts"]), "count": one["count"]} for one in counted[:MOST_READ]]


def _reconciliation(latest: Sequence[ImportSession]) -> list[dict[str, Any]]:
    """Imported / (imported + left out) of each session that was reconciled, in claims and in reimbursed amounts.

    Cancelled claims count on neither side. The amounts of left-out claims are those of the session's findings.
    """
    reconciled = [(session, session.summary) for session in latest if session.summary]
    amounts = amounts_left_out([session for session, _summary in reconciled])
    rows = []
    for session, summary in reconciled:
        claims = summary.get("claims", {})
        by_category = claims.get("by_category", {})
        imported = by_category.get("conform", 0)
        left_out = claims.get("total", 0) - imported - by_category.get("cancelled", 0)
        imported_amount = Decimal(summary.get("importable", {}).get("reimbursed", "0.00"))
        left_out_amount = money(amounts.get(session.pk, 0))
        rows.append(
            {
                "id": session.pk,
                "imported": imported,
                "left_out": left_out,
                "imported_amount": shown(imported_amount),
                "left_out_amount": shown(left_out_amount),
                "rate_claims": shown(ratio(imported, imported + left_out)),
                "rate_amount": shown(ratio(imported_amount, imported_amount + left_out_amount)),
                "url": f"{links.API}/import-sessions/{session.pk}/",
            }
        )
    return rows


def _days(field: str, asked: Asked) -> dict[str, date]:
    """The conditions that a moment lies in the days asked for, whose ends may be missing."""
    ends = {"gte": asked.start, "lte": asked.end}
    return {f"{field}__date__{lookup}": day for lookup, day in ends.items() if day is not None}


def _list(records: str, asked: Asked, day: str, **filters: object) -> str:
    """The list behind a number. `day`: what its filter by day is called."""
    named: dict[str, object] = {"country": asked.countries[0]} if len(asked.countries) == 1 else {}
    ends = {f"{day}_after": asked.start, f"{day}_before": asked.end}
    named |= {name: value.isoformat() for name, value in ends.items() if value is not None} | filters
    return f"{links.API}/{records}/" + (f"?{urlencode(named)}" if named else "")


def _figures(title: str, rows: list[tuple[str, Any]]) -> Table:
    columns = [TableColumn("figure", _("Figure")), TableColumn("value", _("Value"), "integer")]
    return Table(title, columns, rows)


_FILE_LABELS = {
    "total_files": lambda: _("Files"),
    "stat_files": lambda: _("Stat files"),
    "recap_files": lambda: _("Recap files"),
    "recent_uploads": lambda: _("Uploaded in the last 7 days"),
}
_SESSION_LABELS = {
    "total_sessions": lambda: _("Import sessions"),
    "successful_imports": lambda: _("Successful imports"),
    "failed_imports": lambda: _("Failed imports"),
}
