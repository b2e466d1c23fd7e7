"""Any filtered list as a file: `…/export/?format=csv|xlsx|parquet&…`, with the list's own filters and orderings."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db.models import QuerySet
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from common.api_errors import BadRequest
from common.exports import CONTENT_TYPES, CSV, PARQUET, XLSX, Column, csv_lines, write_list_parquet, write_xlsx, written
from common.throttling import ExportThrottle
from users import audit
from users.access.actor import actor_of
from users.access.viewsets import ScopedViewSet
from users.models import AuditAction

_CHUNK_ROWS = 2000

if TYPE_CHECKING:
    _Base = ScopedViewSet
else:
    _Base = object


class ExportMixin(_Base):
    """Adds `export/` to a scoped list. The view has `export_columns`; the rows are those of the list."""

    export_columns: ClassVar[Sequence[Column]]

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        # In an export, `format` is the type of the file, not a renderer, and `Accept` has no effect.
        return super().perform_content_negotiation(request, force=force or self.action == "export")

    @extend_schema(
        parameters=[OpenApiParameter("format", enum=[CSV, XLSX, PARQUET], default=CSV, description="Type of the file")],
        responses={
            (200, "text/csv"): OpenApiTypes.BINARY,
            (200, CONTENT_TYPES[XLSX]): OpenApiTypes.BINARY,
            (200, CONTENT_TYPES[PARQUET]): OpenApiTypes.BINARY,
            400: OpenApiResponse(description="An invalid filter, or more rows than an export may have"),
        },
        filters=True,
    )
    @action(detail=False, throttle_classes=[ExportThrottle], pagination_class=None)
    def export(self, request: Request, **kwargs: Any) -> HttpResponseBase:
        """The whole list as one file. CSV is UTF-8 with semicolons; Parquet has decimals, dates and names for programs.

        Text is never a formula.
        """
        kind = request.query_params.get("format", CSV)
        if kind not in CONTENT_TYPES:
            raise ValidationError({"format": [_("Choose from: %(choices)s.") % {"choices": ", ".join(CONTENT_TYPES)}]})
        rows = self.filter_queryset(self.get_queryset())
        limit: int = settings.CONCORD["EXPORT_MAX_ROWS"]
        count = rows.count()
        if count > limit:
            raise BadRequest(
                _("This list has %(rows)d rows; at most %(most)d go into one export. Narrow it with filters.")
                % {"rows": count, "most": limit}
            )
        values = self._values(rows, limit)
        name = f"concord-{self.basename!s}-{timezone.now():%Y-%m-%d}.{kind}"
        words = (_("yes"), _("no"))
        response: HttpResponseBase
        if kind == CSV:
            self.record_export(kind=kind, rows=count)
            response = StreamingHttpResponse(csv_lines(columns=self.export_columns, rows=values, words=words))
            response["Content-Disposition"] = f'attachment; filename="{name}"'
        else:
            with ExitStack() as unfinished:
                target = unfinished.enter_context(
                    tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR, suffix=f".{kind}")
                )
                if kind == XLSX:
                    title = str(self.model._meta.verbose_name_plural).capitalize()
                    write_xlsx(target=target, title=title, columns=self.export_columns, rows=values, words=words)
                else:
                    write_list_parquet(target=target, columns=self.export_columns, rows=values)
                target.seek(0)
                self.record_export(kind=kind, rows=count)
                # From here FileResponse owns the temporary file and deletes it when sent.
                unfinished.pop_all()
            response = FileResponse(target, as_attachment=True, filename=name)
        response["Content-Type"] = CONTENT_TYPES[kind]
        response["Cache-Control"] = "private, no-store"
        return response

    def record_export(self, *, kind: str, rows: int) -> None:
        """Write the audit entry. A list of one object's rows overrides this, to name the object."""
        actor = actor_of(self.request)
        query = self.request.query_params.dict()
        audit.record(
            actor=actor,
            action=AuditAction.EXPORT,
            target=self.model(),
            country_id=actor.country_id,
            data={"format": kind, "rows": rows, "filters": audit.filter_names(query)},
        )

    def _values(self, rows: QuerySet[Any], limit: int) -> Iterator[Sequence[Any]]:
        # Limited again: rows may have been added since the count.
        paths = [path for column in self.export_columns for path in column.sources]
        values = rows.prefetch_related(None).values_list(*paths)[:limit].iterator(chunk_size=_CHUNK_ROWS)
        if not any(column.text for column in self.export_columns):
            return values
        return written(self.export_columns, values, language=get_language() or settings.LANGUAGE_CODE)
