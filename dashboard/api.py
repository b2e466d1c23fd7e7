"""The addresses of the figures (`/api/v1/dashboard/`): their parameters, their answers and who may read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.errors import Invalid
from core.models import Client
from dashboard import answer_shapes as shapes
from dashboard import answers, files, loss_ratio_answers, statistics, watch
from dashboard import renewal as renewals
from dashboard.answers import Answer
from dashboard.asking import PERIOD, choice, collect, number, read, single_values
from dashboard.board import Board
from dashboard.definitions import INDICATORS, Indicator
from dashboard.figure_view import FORMATS, JSON, FigureView, Own, today
from dashboard.findings import CATEGORIES
from dashboard.indicators import loss_ratio, portfolio, rankings, watch_list
from dashboard.indicators.left_out import AGES
from dashboard.left_out_claims import MOST_PAGES, claims_left_out
from dashboard.names import PERSONAL
from dashboard.queries import SCOPES
from users.access.actor import actor_of
from users.access.viewsets import MayImport, MayReadImports, visible_or_refused
from users.serializers import DetailSerializer

ROWS_SHOWN, MOST_ROWS = 200, 1000
TAG = ["dashboard"]
LANGUAGES = ("en", "fr")
YES_OR_NO = ["true", "false"]
_DAY = {"type": "string", "format": "date"}
_ID = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
START = OpenApiParameter("start", _DAY, description="First day of the period; without it the first settlement date")
END = OpenApiParameter("end", _DAY, description="Last day of the period; without it the last settlement date")
COUNTRY = OpenApiParameter(
    "country",
    description="Id or code, for accounts that see several countries; without it all of them. Accounts with a country"
    " of their own always get that one",
)
NARROWED = [
    OpenApiParameter(name, _ID, description="Id. Narrows every figure; one of these parameters at a time")
    for name in SCOPES
]
FORMAT = OpenApiParameter(
    "format", enum=FORMATS, default="json", description="The answer as JSON, or its table as a file"
)
COMMON = [START, END, COUNTRY, *NARROWED]
LIMIT = OpenApiParameter(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": ROWS_SHOWN},
    description="Rows shown of each currency; a file always has all of them",
)


def _described(
    operation: str,
    shape: type[serializers.Serializer[Any]],
    *own: OpenApiParameter,
    common: list[OpenApiParameter] = COMMON,
    not_found: str = "",
) -> Any:
    """The description of an address: its parameters, its JSON and its files. `not_found`: what 404 means there."""
    binary = {(200, kind.partition(";")[0]): OpenApiTypes.BINARY for kind in files.CONTENT_TYPES.values()}
    description = extend_schema(
        tags=TAG,
        operation_id=f"dashboard_{operation}",
        parameters=[*common, *own, FORMAT],
        responses={
            (200, "application/json"): shape,
            **binary,
            507: OpenApiResponse(DetailSerializer, description="No room left to make the file"),
            **({404: OpenApiResponse(DetailSerializer, description=not_found)} if not_found else {}),
        },
    )
    return extend_schema_view(get=description)


@_described("definitions", shapes.DefinitionsSerializer, common=[])
class DefinitionsView(FigureView):
    """Every indicator: what it answers, why it matters and how it is made, in English and in French."""

    name = "definitions"
    common = ()
    is_kept = False

    def answer(self, board: Board, own: Own) -> Answer:
        return answers.definitions([_definition(indicator) for indicator in INDICATORS.values()])


def _definition(indicator: Indicator) -> dict[str, Any]:
    def texts() -> dict[str, str]:
        return {name: str(getattr(indicator, name)) for name in ("title", "question", "why", "definition")}

    in_language = {}
    for language in LANGUAGES:
        with translation.override(language):
            in_language[language] = texts()
    facts = {"unit": indicator.unit, "good": indicator.good, "basis": indicator.basis}
    return {"key": indicator.key, **texts(), **facts, **in_language}


@_described("period", shapes.DefaultPeriodSerializer)
class PeriodView(FigureView):
    """The default period: from the first to the last settlement date of what the account sees."""

    name = "period"

    def answer(self, board: Board, own: Own) -> Answer:
        return answers.period(board)


@_described("portfolio", shapes.PortfolioSerializer)
class PortfolioView(FigureView):
    """Claims, money, insured, clients, policies, providers and operators, against the period before."""

    name = "portfolio"

    def answer(self, board: Board, own: Own) -> Answer:
        return answers.portfolio(board)


@_described(
    "series",
    shapes.SeriesSerializer,
    OpenApiParameter(
        "indicator",
        many=True,
        enum=portfolio.SERIES_KEYS,
        required=True,
        description="Keys of `portfolio/`, `premium_in_force`, `loss_ratio`: several parameters, or one with commas",
    ),
)
class SeriesView(FigureView):
    """Indicators over time, several at once: by day, week, month or quarter, as the length of the period allows."""

    name = "series"
    also = ("indicator",)
    lists = ("indicator",)

    def read_own(self, params: Mapping[str, str]) -> Own:
        words = (word.strip() for word in params.get("indicator", "").split(","))
        keys = list(dict.fromkeys(word for word in words if word))
        if not keys or set(keys) - set(portfolio.SERIES_KEYS):
            known = ", ".join(portfolio.SERIES_KEYS)
            raise Invalid({"indicator": [_("Choose from: %(choices)s.") % {"choices": known}]})
        return {"keys": keys}

    def answer(self, board: Board, own: Own) -> Answer:
        return answers.series(board, own["keys"])


@_described("frequency", shapes.FrequencySerializer)
class FrequencyView(FigureView):
    """Frequency and cost by act category, and what the change of cost comes from."""

    name = "frequency"

    def answer(self, board: Board, own: Own) -> Answer:
        return answers.frequency(board)


@_described(
    "rankings",
    shapes.RankingsSerializer,
    OpenApiParameter("by", enum=rankings.BY, required=True, description="The kind of record that is ranked"),
    LIMIT,
)
class RankingsView(FigureView):
    """Clients, policies, persons, providers, operators or acts by reimbursed amount, the largest first."""

    name = "rankings"
    also = ("by", "limit")

    def read_own(self, params: Mapping[str, str]) -> Own:
        return collect(by=lambda: choice(params, "by", rankings.BY), limit=lambda: _limit(params))

    def answer(self, board: Board, own: Own) -> Answer:
        return answers.rankings(board, own["by"], limit=own["limit"])

    def has_person_rows(self, own: Own) -> bool:
        return own["by"] in PERSONAL


def _limit(params: Mapping[str, str]) -> int:
    return number(params, "limit", default=ROWS_SHOWN, most=MOST_ROWS)


@_described("concentration", shapes.ConcentrationSerializer)
class ConcentrationView(FigureView):
    """The share of the reimbursed amount that few insured account for."""

    name = "concentration"

    def answer(self, board: Board, own: Own) -> Answer:
        return answers.concentration(board)


@_described("delay", shapes.DelaySerializer)
class DelayView(FigureView):
    """Days from incident to settlement."""

    name = "delay"

    def answer(self, board: Board, own: Own) -> Answer:
        return answers.delay(board)


@_described("triangle", shapes.TriangleSerializer)
class TriangleView(FigureView):
    """The run-off triangle by month of incident, and what is still to come."""

    name = "triangle"

    def answer(self, board: Board, own: Own) -> Answer:
        return answers.triangle(board)


@_described(
    "loss_ratio",
    shapes.LossRatioSerializer,
    OpenApiParameter("by", enum=loss_ratio.BY, default="client", description="What has a row"),
    LIMIT,
    common=[START, END, COUNTRY, *NARROWED[:1]],
)
class LossRatioView(FigureView):
    """S/P: what was reimbursed of each unit of earned premium, by client or country, over time and completed."""

    name = "loss-ratio"
    common = (*PERIOD, "country", "client")
    also = ("by", "limit")

    def read_own(self, params: Mapping[str, str]) -> Own:
        return collect(by=lambda: choice(params, "by", loss_ratio.BY, default="client"), limit=lambda: _limit(params))

    def answer(self, board: Board, own: Own) -> Answer:
        return loss_ratio_answers.loss_ratio(board, own["by"], limit=own["limit"])


@_described(
    "renewal",
    shapes.RenewalSerializer,
    common=[OpenApiParameter("client", _ID, required=True, description="Id of the client")],
    not_found="There is no such client",
)
class RenewalView(FigureView):
    """The renewal sheet of a client: its last three premiums, and what its claims are made of."""

    name = "renewal"
    common = ("client",)

    def get(self, request: Request) -> HttpResponseBase:
        user = actor_of(request)
        params = single_values(request.query_params)
        found = collect(
            asked=lambda: read(user, params, also=("format",), common=self.common),
            client=lambda: self._client_id(params),
            kind=lambda: choice(params, "format", FORMATS, default=JSON),
        )
        rows = Client.objects.visible_to(user).select_related("country")
        client: Client = visible_or_refused(rows=rows, pk=found["client"], not_found=NotFound)
        board = renewals.board_of(user, client, today())
        own: Own = {"client": client}
        if found["kind"] != JSON:
            return self._file(board, params, self.answer(board, own), found["kind"])
        return Response(self.payload(board, params, own))

    def answer(self, board: Board, own: Own) -> Answer:
        return renewals.renewal(board, own["client"])

    def has_person_rows(self, own: Own) -> bool:
        # Its large claims are those of single persons, though without their names.
        return True

    def _client_id(self, params: Mapping[str, str]) -> str:
        if not params.get("client", "").strip():
            raise Invalid({"client": [_("Name the client.")]})
        return params["client"].strip()


@_described("prices", shapes.PricesSerializer, LIMIT)
class PricesView(FigureView):
    """Each provider's median claimed amount for each act, against its peers."""

    name = "prices"
    also = ("limit",)

    def read_own(self, params: Mapping[str, str]) -> Own:
        return {"limit": _limit(params)}

    def answer(self, board: Board, own: Own) -> Answer:
        return answers.prices(board, limit=own["limit"])


@_described("left_out", shapes.LeftOutSerializer)
class LeftOutView(FigureView):
    """Claims that were not imported, by category and age, and the reconciliation rate of each month."""

    name = "left-out"

    def answer(self, board: Board, own: Own) -> Answer:
        return answers.left_out_by_age(board)


@_described(
    "left_out_claims",
    shapes.LeftOutClaimsSerializer,
    OpenApiParameter("category", enum=[str(one) for one in CATEGORIES], description="Only claims of this category"),
    OpenApiParameter("age", enum=[key for key, *_days in AGES], description="Only claims of this age in days"),
    OpenApiParameter("currency", {"type": "string", "pattern": "^[A-Za-z]{3}$"}, description="Only this currency"),
    OpenApiParameter("page", {**_ID, "maximum": MOST_PAGES}, description="Pages of 200 claims"),
)
class LeftOutClaimsView(FigureView):
    """The claims left out behind the counts, each with its latest finding."""

    name = "left-out-claims"
    also = ("category", "age", "currency", "page")

    def read_own(self, params: Mapping[str, str]) -> Own:
        return collect(
            category=lambda: _optional(params, "category", [str(one) for one in CATEGORIES]),
            age=lambda: _optional(params, "age", [key for key, *_days in AGES]),
            currency=lambda: _currency(params),
            page=lambda: number(params, "page", default=1, most=MOST_PAGES),
        )

    def answer(self, board: Board, own: Own) -> Answer:
        return claims_left_out(board, **own)

    def has_person_rows(self, own: Own) -> bool:
        return True


def _optional(params: Mapping[str, str], name: str, choices: list[str]) -> str:
    return choice(params, name, choices) if params.get(name, "").strip() else ""


def _currency(params: Mapping[str, str]) -> str:
    code = params.get("currency", "").strip().upper()
    if code and not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise Invalid({"currency": [_("Give a currency code of three letters, such as XOF.")]})
    return code


@_described(
    "quality",
    shapes.QualitySerializer,
    OpenApiParameter("by", enum=shapes.QUALITY_BY, required=True, description="Whose entries are compared"),
)
class QualityView(FigureView):
    """Lines entered and the share of them in claims left out, by operator, provider or month."""

    name = "quality"
    also = ("by",)

    def read_own(self, params: Mapping[str, str]) -> Own:
        return {"by": choice(params, "by", shapes.QUALITY_BY)}

    def answer(self, board: Board, own: Own) -> Answer:
        return answers.quality(board, own["by"])

    def has_person_rows(self, own: Own) -> bool:
        return own["by"] in PERSONAL


@_described(
    "watch_list",
    shapes.WatchListSerializer,
    OpenApiParameter("rule", enum=list(watch_list.RULES), description="Shows the rows of this rule"),
    OpenApiParameter(
        "explained", enum=YES_OR_NO, description="`true`, with `rule`: the rows that people have explained"
    ),
    LIMIT,
)
class WatchListView(FigureView):
    """What deserves a look: every rule with its count and amount, or with `rule` its rows."""

    name = "watch-list"
    also = ("rule", "explained", "limit")

    def read_own(self, params: Mapping[str, str]) -> Own:
        return collect(
            rule=lambda: _optional(params, "rule", list(watch_list.RULES)),
            explained=lambda: _optional(params, "explained", YES_OR_NO) == "true",
            limit=lambda: _limit(params),
        )

    def answer(self, board: Board, own: Own) -> Answer:
        if not own["rule"]:
            return watch.summary(board)
        return watch.rows_of(board, own["rule"], limit=own["limit"], explained=own["explained"])

    def has_person_rows(self, own: Own) -> bool:
        return bool(own["rule"])


class SeenSerializer(serializers.Serializer[None]):
    rule = serializers.ChoiceField(choices=list(watch_list.RULES))
    key = serializers.CharField(max_length=255, help_text="The `key` of the row")
    note = serializers.CharField(max_length=watch.LONGEST_NOTE, help_text="Why the row is in order")


class SeenView(APIView):
    """Mark a row of the watch list as seen and explained: it leaves the list until it changes.

    The parameters are those with which the row was read. For the accounts that may import.
    """

    permission_classes = [MayImport]

    @extend_schema(
        tags=TAG,
        operation_id="dashboard_watch_list_seen",
        parameters=COMMON,
        request=SeenSerializer,
        responses={
            200: shapes.WatchMarkSerializer,
            404: OpenApiResponse(DetailSerializer, description="The watch list has no such row; it may have changed"),
        },
    )
    def post(self, request: Request) -> Response:
        user = actor_of(request)
        asked = read(user, single_values(request.query_params))
        form = SeenSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        mark = watch.mark_seen(Board(user=user, asked=asked, today=today()), **form.validated_data)
        return Response({"rule": mark.rule, "key": mark.key, "note": mark.note, "marked_at": mark.marked_at})


_OF_UPLOADS = [
    OpenApiParameter("start", _DAY, description="First day of the period; without it there is no first day"),
    OpenApiParameter("end", _DAY, description="Last day of the period; without it there is no last day"),
    COUNTRY,
]


@_described("files", shapes.FileStatisticsSerializer, common=_OF_UPLOADS)
class FilesView(FigureView):
    """Uploaded files in numbers, as far as the account may see them. `start`, `end`: by day of upload."""

    permission_classes = [MayReadImports]
    name = "files"
    common = (*PERIOD, "country")
    # An answer depends on which files the account may see, and every upload and every reading changes it.
    is_kept = False

    def answer(self, board: Board, own: Own) -> Answer:
        return statistics.files(board.user, board.asked)


@_described("import_sessions", shapes.ImportStatisticsSerializer, common=_OF_UPLOADS)
class SessionsView(FigureView):
    """Import sessions in numbers: how they end, how long they take, what they find. `start`, `end`: days of start."""

    permission_classes = [MayReadImports]
    name = "import-sessions"
    common = (*PERIOD, "country")
    is_kept = False

    def answer(self, board: Board, own: Own) -> Answer:
        return statistics.sessions(board.user, board.asked)
