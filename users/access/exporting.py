"""Any filtered list as a file: `…/export/?format=csv|xlsx&…`, with the filters and the ordering of the list itself."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db.models import QuerySet
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from common.api_errors import BadRequest
from common.exports import Column, csv_lines, write_xlsx
from common.throttling import ExportThrottle
from users import audit
from users.access.actor import actor_of
from users.access.viewsets import ScopedViewSet
from users.models import AuditAction

CSV, XLSX = "csv", "xlsx"
_CONTENT_TYPES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_CHUNK_ROWS = 2000

if TYPE_CHECKING:
    _Base = ScopedViewSet
else:
    _Base = object


class ExportMixin(_Base):
    """Adds `export/` to a scoped list. The view names its columns; rows come from the list's own queryset."""

    export_columns: ClassVar[Sequence[Column]]

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        # Here `format` names the file that comes, not the renderer, and any `Accept` is as good as another.
        return super().perform_content_negotiation(request, force=force or self.action == "export")

    @extend_schema(
        parameters=[OpenApiParameter("format", enum=[CSV, XLSX], default=CSV, description="The kind of file")],
        responses={
            (200, "text/csv"): OpenApiTypes.BINARY,
            (200, _CONTENT_TYPES[XLSX]): OpenApiTypes.BINARY,
            400: OpenApiResponse(description="A filter that is not understood, or more rows than one export may hold"),
        },
        filters=True,
    )
    @action(detail=False, throttle_classes=[ExportThrottle], pagination_class=None)
    def export(self, request: Request, **kwargs: Any) -> HttpResponseBase:
        """The list as a file, all pages in one. CSV is UTF-8, separated by semicolons; text never is a formula."""
        kind = request.query_params.get("format", CSV)
        if kind not in _CONTENT_TYPES:
            raise ValidationError({"format": [_("Choose from: %(choices)s.") % {"choices": f"{CSV}, {XLSX}"}]})
        rows = self.filter_queryset(self.get_queryset())
        most: int = settings.CONCORD["EXPORT_MAX_ROWS"]
        count = rows.count()
        if count > most:
            raise BadRequest(
                _("This list has %(rows)d rows; at most %(most)d go into one export. Narrow it with filters.")
                % {"rows": count, "most": most}
            )
        values = self._values(rows, most)
        name = f"concord-{self.basename!s}-{timezone.now():%Y-%m-%d}.{kind}"
        words = (_("yes"), _("no"))
        response: HttpResponseBase
        if kind == CSV:
            self.record_export(kind=kind, rows=count)
            response = StreamingHttpResponse(csv_lines(columns=self.export_columns, rows=values, words=words))
            response["Content-Disposition"] = f'attachment; filename="{name}"'
        else:
            title = str(self.model._meta.verbose_name_plural).capitalize()
            with ExitStack() as unfinished:
                workbook = unfinished.enter_context(
                    tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR, suffix=".xlsx")
                )
                write_xlsx(target=workbook, title=title, columns=self.export_columns, rows=values, words=words)
                workbook.seek(0)
                self.record_export(kind=kind, rows=count)
                # From here on it is closed, and with that removed, when the last byte is sent.
                unfinished.pop_all()
            response = FileResponse(workbook, as_attachment=True, filename=name)
        response["Content-Type"] = _CONTENT_TYPES[kind]
        response["Cache-Control"] = "private, no-store"
        return response

    def record_export(self, *, kind: str, rows: int) -> None:
        """Write the audit entry; a list that belongs to one object names it."""
        actor = actor_of(self.request)
        query = self.request.query_params.dict()
        audit.record(
            actor=actor,
            action=AuditAction.EXPORT,
            target=self.model(),
            country_id=actor.country_id,
            data={"format": kind, "rows": rows, "filters": audit.filter_names(query)},
        )

    def _values(self, rows: QuerySet[Any], most: int) -> Iterator[Sequence[Any]]:
        # Rows that come between the count and the reading do not lift the cap.
        paths = [column.path for column in self.export_columns]
        return rows.prefetch_related(None).values_list(*paths)[:most].iterator(chunk_size=_CHUNK_ROWS)
