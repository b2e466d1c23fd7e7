"""The figures over the API (`/api/v1/dashboard/`): read the question, ask `dashboard.answers`, keep the answer."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import date
from typing import Any, ClassVar

from django.conf import settings
from django.core.cache import cache
from django.http import FileResponse, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from common.api_errors import BadRequest
from common.errors import Invalid
from common.throttling import ExportThrottle
from core.data_versions import tokens_of
from core.models import Claim
from dashboard import answers, files, statistics, watch
from dashboard.answers import Answer, Payload
from dashboard.asking import Asked, choice, number, read
from dashboard.board import Board
from dashboard.definitions import INDICATORS
from dashboard.indicators import portfolio, rankings, watch_list
from dashboard.left_out_claims import claims_left_out
from dashboard.names import PERSONAL
from file_handling.models import ImportSession
from users import audit
from users.access.actor import actor_of
from users.access.viewsets import MayReadImports, MayReadRecords
from users.models import AuditAction

CACHE_SECONDS = 300
ROWS_SHOWN, MOST_ROWS = 200, 1000
TAG = ["dashboard"]
_DAY = {"type": "string", "format": "date"}
_ID = {"type": "integer", "minimum": 1}
COMMON = [
    OpenApiParameter("start", _DAY, description="First day of the period; the first settlement date unless given"),
    OpenApiParameter("end", _DAY, description="Last day of the period; the last settlement date unless given"),
    OpenApiParameter("country", description="Id or code, for accounts that see several; all of them unless given"),
    *(
        OpenApiParameter(name, _ID, description="Narrows every figure; one of these at a time")
        for name in ("client", "policy", "insured", "family", "partner", "operator", "act", "act_category")
    ),
    OpenApiParameter("format", enum=["json", *files.CONTENT_TYPES], description="A file of the same table"),
]
LIMIT = OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST_ROWS}, description="Rows shown")


def today() -> date:
    return timezone.now().date()


class DashboardView(APIView):
    """One address. `also`: its own parameters; `person_rows`: whether its rows name or concern persons."""

    permission_classes = [MayReadRecords]
    http_method_names = ["get", "head", "options"]
    also: ClassVar[tuple[str, ...]] = ()
    name: ClassVar[str] = ""

    def answer(self, board: Board, params: Mapping[str, str]) -> Answer:
        raise NotImplementedError

    def person_rows(self, params: Mapping[str, str]) -> bool:
        return False

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        # `format` names the file that comes, not a renderer of the framework.
        return super().perform_content_negotiation(request, force=True)

    def get_throttles(self) -> list[BaseThrottle]:
        return [ExportThrottle()] if self.request.query_params.get("format", "json") != "json" else []

    def get(self, request: Request) -> HttpResponseBase:
        params = self.params(request)
        user = actor_of(request)
        kind = choice(params, "format", ("json", *files.CONTENT_TYPES), default="json")
        asked = read(user, params, also=self.also)
        board = Board(user=user, asked=asked, today=today())
        if kind != "json":
            return self.file(request, self.answer(board, params), kind)
        payload = kept_answer(self.name, asked, params, lambda: self.answer(board, params).payload)
        if self.person_rows(params):
            self.note(request, AuditAction.READ, rows=len(payload.get("rows", [])))
        return Response(payload)

    def params(self, request: Request) -> dict[str, str]:
        return request.query_params.dict()

    def note(self, request: Request, action: AuditAction, **data: Any) -> None:
        user = actor_of(request)
        audit.record(
            actor=user,
            action=action,
            target=Claim(),
            country_id=user.country_id,
            data={"part": f"dashboard/{self.name}", "filters": audit.filter_names(self.params(request)), **data},
        )

    def file(self, request: Request, answer: Answer, kind: str) -> HttpResponseBase:
        table = answer.table()
        most: int = settings.CONCORD["EXPORT_MAX_ROWS"]
        if len(table.rows) > most:
            raise BadRequest(
                _("This list has %(rows)d rows; at most %(most)d go into one export. Narrow it with filters.")
                % {"rows": len(table.rows), "most": most}
            )
        self.note(request, AuditAction.EXPORT, format=kind, rows=len(table.rows))
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
                files.write_workbook(table, workbook)
                workbook.seek(0)
                # From here FileResponse owns the temporary file and deletes it when sent.
                unfinished.pop_all()
            response = FileResponse(workbook)
        response["Content-Type"] = files.CONTENT_TYPES[kind]
        response["Content-Disposition"] = f'attachment; filename="concord-{self.name}-{today():%Y-%m-%d}.{kind}"'
        response["Cache-Control"] = "private, no-store"
        return response


def kept_answer(name: str, asked: Asked, params: Mapping[str, str], make: Any) -> Payload:
    """The answer as it was kept for the same question about the same data, else made and kept.

    The key has the versions of all data of the countries, their sessions and the day, so an answer is never stale.
    """
    stamp = {
        "name": name,
        "countries": asked.countries,
        "params": sorted((key, value) for key, value in params.items() if key != "country"),
        "language": translation.get_language(),
        "day": today().isoformat(),
        "versions": tokens_of(asked.countries),
        "sessions": list(
            ImportSession.objects.filter(country_id__in=asked.countries).order_by("pk").values_list("pk", "status")
        ),
    }
    key = "dashboard:" + hashlib.sha256(json.dumps(stamp, sort_keys=True).encode()).hexdigest()
    payload: Payload | None = cache.get(key)
    if payload is None:
        payload = make()
        cache.set(key, payload, CACHE_SECONDS)
    return payload


# ------------------------------------------------------------------------------------------------ addresses


class DefinitionsView(APIView):
    """Every indicator: what it answers, why it matters and how it is made, in English and in French."""

    permission_classes = [MayReadRecords]

    @extend_schema(tags=TAG, operation_id="dashboard_definitions", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        rows = []
        for indicator in INDICATORS.values():
            texts = {}
            for language in ("en", "fr"):
                with translation.override(language):
                    texts[language] = {
                        name: str(getattr(indicator, name)) for name in ("title", "question", "why", "definition")
                    }
            own = {name: str(getattr(indicator, name)) for name in ("title", "question", "why", "definition")}
            rows.append(
                {
                    "key": indicator.key,
                    **own,
                    "unit": indicator.unit,
                    "good": indicator.good,
                    "basis": indicator.basis,
                    **texts,
                }
            )
        return Response({"count": len(rows), "indicators": rows})


def _described(operation: str, *more: OpenApiParameter) -> Any:
    return extend_schema(
        tags=TAG,
        operation_id=f"dashboard_{operation}",
        parameters=[*COMMON, *more],
        responses={200: OpenApiResponse(OpenApiTypes.OBJECT, description="See the documentation of the figures")},
    )


@_described("period")
class PeriodView(DashboardView):
    """The default period: from the first to the last settlement date of what the account sees."""

    name = "period"

    def answer(self, board: Board, params: Mapping[str, str]) -> Answer:
        return answers.period(board)


@_described("portfolio")
class PortfolioView(DashboardView):
    """Claims, money, insured, clients, policies, providers and operators, against the period before."""

    name = "portfolio"

    def answer(self, board: Board, params: Mapping[str, str]) -> Answer:
        return answers.portfolio(board)


@_described("series", OpenApiParameter("indicator", many=True, enum=portfolio.KEYS, required=True))
class SeriesView(DashboardView):
    """Indicators over time, several at once: by day, week, month or quarter, whichever suits the period."""

    name = "series"
    also = ("indicator",)

    def params(self, request: Request) -> dict[str, str]:
        keys = [key for value in request.query_params.getlist("indicator") for key in value.split(",") if key]
        return super().params(request) | {"indicator": ",".join(dict.fromkeys(keys))}

    def answer(self, board: Board, params: Mapping[str, str]) -> Answer:
        keys = [key for key in params["indicator"].split(",") if key]
        unknown = [key for key in keys if key not in portfolio.KEYS]
        if unknown or not keys:
            known = ", ".join(portfolio.KEYS)
            raise Invalid({"indicator": [_("Choose from: %(choices)s.") % {"choices": known}]})
        return answers.series(board, keys)


@_described("frequency")
class FrequencyView(DashboardView):
    """Frequency and cost by act category, and what the change of cost comes from."""

    name = "frequency"

    def answer(self, board: Board, params: Mapping[str, str]) -> Answer:
        return answers.frequency(board)


@_described("rankings", OpenApiParameter("by", enum=rankings.BY, required=True), LIMIT)
class RankingsView(DashboardView):
    """Who accounts for the reimbursed amount, the largest first."""

    name = "rankings"
    also = ("by", "limit")

    def answer(self, board: Board, params: Mapping[str, str]) -> Answer:
        by: Any = choice(params, "by", rankings.BY)
        return answers.rankings(board, by, limit=number(params, "limit", default=ROWS_SHOWN, most=MOST_ROWS))

    def person_rows(self, params: Mapping[str, str]) -> bool:
        return params.get("by") in PERSONAL


@_described("concentration")
class ConcentrationView(DashboardView):
    """How much of the reimbursed amount few insured account for."""

    name = "concentration"

    def answer(self, board: Board, params: Mapping[str, str]) -> Answer:
        return answers.concentration(board)


@_described("delay")
class DelayView(DashboardView):
    """Days from incident to settlement."""

    name = "delay"

    def answer(self, board: Board, params: Mapping[str, str]) -> Answer:
        return answers.delay(board)


@_described("triangle")
class TriangleView(DashboardView):
    """The run-off triangle by month of incident, and what is still to come."""

    name = "triangle"

    def answer(self, board: Board, params: Mapping[str, str]) -> Answer:
        return answers.triangle(board)


@_described("prices", LIMIT)
class PricesView(DashboardView):
    """Each provider's median claimed amount for each act, against its peers."""

    name = "prices"
    also = ("limit",)

    def answer(self, board: Board, params: Mapping[str, str]) -> Answer:
        return answers.prices(board, limit=number(params, "limit", default=ROWS_SHOWN, most=MOST_ROWS))


@_described("left_out")
class LeftOutView(DashboardView):
    """Claims that were not imported, by category and age, and the reconciliation rate of each month."""

    name = "left-out"

    def answer(self, board: Board, params: Mapping[str, str]) -> Answer:
        return answers.left_out_by_age(board)


@_described(
    "left_out_claims",
    OpenApiParameter("category"),
    OpenApiParameter("age"),
    OpenApiParameter("currency"),
    OpenApiParameter("page", _ID),
)
class LeftOutClaimsView(DashboardView):
    """The claims left out behind the counts, each with its latest finding."""

    name = "left-out-claims"
    also = ("category", "age", "currency", "page")

    def answer(self, board: Board, params: Mapping[str, str]) -> Answer:
        return claims_left_out(board, params)

    def person_rows(self, params: Mapping[str, str]) -> bool:
        return True


@_described("quality", OpenApiParameter("by", enum=["operator", "partner", "month"], required=True))
class QualityView(DashboardView):
    """Lines entered and the share of them in claims left out, by operator, provider or month."""

    name = "quality"
    also = ("by",)

    def answer(self, board: Board, params: Mapping[str, str]) -> Answer:
        by: Any = choice(params, "by", ("operator", "partner", "month"))
        return answers.quality(board, by)

    def person_rows(self, params: Mapping[str, str]) -> bool:
        return params.get("by") == "operator"


class SeenSerializer(serializers.Serializer[None]):
    rule = serializers.ChoiceField(choices=list(watch_list.RULES))
    key = serializers.CharField(max_length=255, help_text="The `key` of the row")
    note = serializers.CharField(max_length=watch.LONGEST_NOTE, help_text="Why the row is in order")


@_described("watch_list", OpenApiParameter("rule", enum=list(watch_list.RULES)), LIMIT)
class WatchListView(DashboardView):
    """What deserves a look: every rule with its count and amount, or with `rule` its rows."""

    name = "watch-list"
    also = ("rule", "limit")

    def answer(self, board: Board, params: Mapping[str, str]) -> Answer:
        limit = number(params, "limit", default=ROWS_SHOWN, most=MOST_ROWS)
        if not params.get("rule"):
            return watch.summary(board)
        return watch.rows_of(board, choice(params, "rule", list(watch_list.RULES)), limit=limit)

    def person_rows(self, params: Mapping[str, str]) -> bool:
        return bool(params.get("rule"))


class SeenView(APIView):
    """Mark a row of the watch list as seen and explained: it leaves the list until it changes."""

    permission_classes = [MayReadRecords]

    @extend_schema(
        tags=TAG, operation_id="dashboard_watch_list_seen", parameters=COMMON[:-1], request=SeenSerializer,
        responses={200: OpenApiResponse(OpenApiTypes.OBJECT, description="The mark")},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        form = SeenSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = actor_of(request)
        board = Board(user=user, asked=read(user, request.query_params.dict()), today=today())
        mark = watch.mark_seen(board, **form.validated_data)
        return Response({"rule": mark.rule, "key": mark.key, "note": mark.note, "marked_at": mark.marked_at})


@_described("files")
class FilesView(DashboardView):
    """Uploaded files in numbers."""

    permission_classes = [MayReadImports]
    name = "files"

    def answer(self, board: Board, params: Mapping[str, str]) -> Answer:
        return statistics.files(board.user, board.asked.countries)

    def get(self, request: Request) -> HttpResponseBase:
        return _not_kept(self, request)


@_described("import_sessions")
class SessionsView(DashboardView):
    """Import sessions in numbers: how they end, how long they take, what they find."""

    permission_classes = [MayReadImports]
    name = "import-sessions"

    def answer(self, board: Board, params: Mapping[str, str]) -> Answer:
        return statistics.sessions(board.user, board.asked.countries)

    def get(self, request: Request) -> HttpResponseBase:
        return _not_kept(self, request)


def _not_kept(view: DashboardView, request: Request) -> HttpResponseBase:
    """An answer that depends on whose files the account sees, and changes with every upload: made anew each time."""
    params = view.params(request)
    user = actor_of(request)
    kind = choice(params, "format", ("json", *files.CONTENT_TYPES), default="json")
    answer = view.answer(Board(user=user, asked=read(user, params), today=today()), params)
    return Response(answer.payload) if kind == "json" else view.file(request, answer, kind)
