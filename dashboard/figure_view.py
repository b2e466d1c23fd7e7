"""The base of the addresses of figures: read the question, keep the answer, send it as JSON or as a file, audit it."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import date
from typing import Any, ClassVar

from django.conf import settings
from django.core.cache import cache
from django.http import FileResponse, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from common.api_errors import BadRequest
from common.throttling import ExportThrottle
from core.models import Claim
from dashboard import files
from dashboard.answers import Answer, Payload
from dashboard.asking import COMMON, Asked, choice, collect, read, single_values
from dashboard.board import Board
from file_handling.models import ImportSession
from users import audit
from users.access.actor import actor_of
from users.access.viewsets import MayReadRecords
from users.models import AuditAction

CACHE_SECONDS = 300
JSON = "json"
FORMATS = (JSON, *files.CONTENT_TYPES)
# Figures of one of these are those of persons, and reading them is audited as reading their claims is.
PERSONAL_SCOPES = ("insured", "family")

Own = Mapping[str, Any]


def today() -> date:
    return timezone.now().date()


class FigureView(APIView):
    """One address. An address declares these:

    `name`: its part of the address; `common`: the common parameters that it takes; `also`: its own parameters; `lists`:
    those of them that may be repeated; `is_kept`: whether its answers are the same for all accounts of a role, and
    change only with what the key of `kept_answer` has.
    """

    permission_classes = [MayReadRecords]
    http_method_names = ["get", "head", "options"]
    name: ClassVar[str] = ""
    common: ClassVar[tuple[str, ...]] = COMMON
    also: ClassVar[tuple[str, ...]] = ()
    lists: ClassVar[tuple[str, ...]] = ()
    is_kept: ClassVar[bool] = True

    def read_own(self, params: Mapping[str, str]) -> Own:
        """The values of the address's own parameters. Raises Invalid."""
        return {}

    def answer(self, board: Board, own: Own) -> Answer:
        raise NotImplementedError

    def has_person_rows(self, own: Own) -> bool:
        """Whether the rows name persons or concern single ones."""
        return False

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        # `format` is the type of the file, not a renderer, and `Accept` has no effect.
        return super().perform_content_negotiation(request, force=True)

    def get_throttles(self) -> list[BaseThrottle]:
        # Without a request the API is being described.
        request: Request | None = getattr(self, "request", None)
        is_file = request is None or request.query_params.get("format", JSON) != JSON
        return [ExportThrottle()] if is_file else []

    def get(self, request: Request) -> HttpResponseBase:
        user = actor_of(request)
        params = single_values(request.query_params, lists=self.lists)
        found = collect(
            asked=lambda: read(user, params, also=(*self.also, "format"), common=self.common),
            own=lambda: self.read_own(params),
            kind=lambda: choice(params, "format", FORMATS, default=JSON),
        )
        asked: Asked = found["asked"]
        own: Own = found["own"]
        board = Board(user=user, asked=asked, today=today())
        if found["kind"] != JSON:
            return self._file(board, params, self.answer(board, own), found["kind"])
        return Response(self.payload(board, params, own))

    def payload(
        self, board: Board, params: Mapping[str, str], own: Own, *, stamp: Callable[[], Payload] | None = None
    ) -> Payload:
        """The JSON of the address, also for the pages; reading rows of persons writes an audit entry.

        `stamp`: makes that of the board's question (`stamp_of`), where the caller has several answers to it.
        """

        def make() -> Payload:
            return self.answer(board, own).payload

        if self.is_kept:
            payload = kept_answer(self.name, stamp() if stamp else stamp_of(board), params, make)
        else:
            payload = make()
        if self.has_person_rows(own) or board.asked.scope.kind in PERSONAL_SCOPES:
            self._record(board, params, AuditAction.READ, rows=len(payload.get("rows", [])))
        return payload

    def _record(self, board: Board, params: Mapping[str, str], action: AuditAction, **data: Any) -> None:
        """Write the audit entry. The administrators of the country see it where the question is about one country."""
        countries = board.asked.countries
        audit.record(
            actor=board.user,
            action=action,
            target=Claim(),
            country_id=countries[0] if len(countries) == 1 else None,
            data={"part": f"dashboard/{self.name}", "filters": audit.filter_names(dict(params)), **data},
        )

    def _file(self, board: Board, params: Mapping[str, str], answer: Answer, kind: str) -> HttpResponseBase:
        table = answer.table()
        most: int = settings.CONCORD["EXPORT_MAX_ROWS"]
        if len(table.rows) > most:
            raise BadRequest(
                _("This list has %(rows)d rows; at most %(most)d go into one export. Narrow it with filters.")
                % {"rows": len(table.rows), "most": most}
            )
        response: HttpResponseBase
        if kind == files.CSV:
            response = StreamingHttpResponse(files.as_csv(table))
        elif kind == files.PARQUET:
            response = HttpResponse(files.as_parquet(table))
        else:
            with ExitStack() as unfinished:
                workbook = unfinished.enter_context(
                    tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR, suffix=".xlsx")
                )
                files.write_workbook(answer.sheets() if answer.sheets else [table], workbook)
                workbook.seek(0)
                # From here FileResponse owns the temporary file and deletes it when sent.
                unfinished.pop_all()
            response = FileResponse(workbook)
        self._record(board, params, AuditAction.EXPORT, format=kind, rows=len(table.rows))
        response["Content-Type"] = files.CONTENT_TYPES[kind]
        response["Content-Disposition"] = f'attachment; filename="concord-{self.name}-{today():%Y-%m-%d}.{kind}"'
        response["Cache-Control"] = "private, no-store"
        return response


def stamp_of(board: Board, *, of_sessions: bool = True) -> Payload:
    """Everything beside name and parameters that can change an answer: the versions of all data of the countries, their
    imports, currencies, terms of loss ratios and sessions, the exchange rates, the day, the language and the role,
    which decides what of a session an account may read.

    `of_sessions`: False for an answer made of imported claims alone, which the state of no session changes.
    """
    asked = board.asked
    sessions = ImportSession.objects.filter(country_id__in=asked.countries if of_sessions else ()).order_by("pk")
    return {
        "role": board.user.role,
        "countries": [
            (one.pk, one.currency_code, one.data_version, f"{one.target_loss_ratio} {one.pooling_threshold}")
            for one in board.countries
        ],
        "language": translation.get_language(),
        "day": today().isoformat(),
        "versions": board.versions.tokens,
        "rates": None if board.reporting is None else board.reporting.token,
        "sessions": list(sessions.values_list("pk", "status")),
    }


def kept_answer(name: str, stamp: Payload, params: Mapping[str, str], make: Callable[[], Payload]) -> Payload:
    """The answer that was kept for the same question about the same data, or else a new one, which is kept.

    `stamp`: of `stamp_of`. Empty parameters are as good as none.
    """
    named = sorted((key, value.strip()) for key, value in params.items() if key != "country" and value.strip())
    question = json.dumps({"name": name, "params": named, **stamp}, sort_keys=True)
    key = "dashboard:" + hashlib.sha256(question.encode()).hexdigest()
    payload: Payload | None = cache.get(key)
    if payload is None:
        payload = make()
        cache.set(key, payload, CACHE_SECONDS)
    return payload
