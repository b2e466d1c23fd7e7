"""The home page: what waits for the account, the key figures of its countries, the last imports (DOMAIN §1, §8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlencode

import polars as pl
from django.db.models import Case, Count, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from rest_framework.permissions import IsAuthenticated

from common.formats import NO_BREAK_SPACE, format_amount, format_count
from common.money import minor_units
from core.coverage.conditions import POLICY_TO_COMPLETE, RATE_DIFFERS
from core.models import Claim, Plan, Policy, ReviewKind, ReviewPair
from dashboard import answers
from dashboard.answers import Payload
from dashboard.asking import Asked
from dashboard.board import Board
from dashboard.definitions import INDICATORS
from dashboard.figure_view import kept_answer, stamp_of, today
from dashboard.indicators.portfolio import portfolio_series
from dashboard.periods import Period
from dashboard.queries import Scope
from file_handling.models import ImportSession, SessionStatus
from users import audit
from users.access.pages import PageView, holds
from users.access.viewsets import MayImport, MayReadImports, MayReadReview, MayTypeRates
from users.accounts.deactivations import pending_votes
from users.models import AuditAction, Country, User

KEY_FIGURES = (
    "claims",
    "claimed",
    "reimbursed",
    "reimbursement_rate",
    "cost_per_claim",
    "insured_who_consumed",
    "loss_ratio",
)
WAITING = (SessionStatus.REVIEW, SessionStatus.AWAITING_SHEET, SessionStatus.ERROR)
WAITING_SHOWN, IMPORTS_SHOWN, OPERATORS_SHOWN = 5, 5, 8
# A failed import that nobody has repeated for so long needs nobody any more.
FAILED_FOR = timedelta(days=30)
_ARROWS = {"up": "▲", "down": "▼", "same": "="}


@dataclass(frozen=True)
class Figure:
    """One key figure as it is shown. `tone`: whether its change is "good", "bad" or neither (""). `address`: its page,
    empty for a figure without a page of its own.
    """

    name: str
    value: str
    change: str
    tone: str
    definition: str
    address: str = ""


class CountryLine(NamedTuple):
    country: Country
    figures: Payload
    waiting: int


class HomePage(PageView):
    """For every account, also for one without a country, which reads whom to ask."""

    permission = IsAuthenticated
    http_method_names = ["get", "head", "options"]
    template_name = "dashboard/home.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        user = self.user
        countries = user.visible_countries
        reads_imports, imports = holds(MayReadImports, request), holds(MayImport, request)
        if not countries:
            return self.page(countries=[])
        asked = Asked(tuple(sorted(country.pk for country in countries)), Scope(), None, None)
        board = Board(user=user, asked=asked, today=today())
        figures = kept_answer("home", stamp_of(board), {}, lambda: _figures(board))
        sessions = ImportSession.objects.visible_to(user).select_related("country")
        waiting = _waiting(user, sessions) if reads_imports else []
        last = list(sessions.order_by("-id")[:IMPORTS_SHOWN]) if reads_imports else []
        if figures["operators"]:
            self._record_persons(asked, len(figures["operators"]))
        query = urlencode(figures["period"] or {})
        losses = f"{reverse('page-figures-part', args=['loss-ratio'])}?{query}"
        return self.page(
            countries=countries,
            is_empty=not figures["claims"],
            may_import=imports,
            reads_imports=reads_imports,
            steers=not user.is_admin_global(),
            is_last_year=figures["is_last_year"],
            period=_period(figures["period"]),
            previous=_period(figures["previous_period"]),
            blocks=[(code, key_figures(block, losses=losses)) for code, block in figures["blocks"].items()],
            query=query,
            left_out=figures["left_out"],
            left_out_count=sum(one["claims"] for one in figures["left_out"]),
            lines=_country_lines(countries, figures, waiting) if user.sees_all_countries() else [],
            operators=figures["operators"],
            waiting=waiting[:WAITING_SHOWN],
            waiting_count=len(waiting),
            alike=_alike(user) if holds(MayReadReview, request) else [],
            to_complete=_to_complete(user) if holds(MayTypeRates, request) else 0,
            votes=pending_votes(user),
            imports=last,
        )

    def _record_persons(self, asked: Asked, rows: int) -> None:
        audit.record(
            actor=self.user,
            action=AuditAction.READ,
            target=Claim(),
            country_id=asked.countries[0] if len(asked.countries) == 1 else None,
            data={"part": "dashboard/home", "filters": [], "rows": rows},
        )


def _waiting(user: User, sessions: QuerySet[ImportSession]) -> list[ImportSession]:
    """The sessions that wait for a person, those that the account may steer: of a head of department the own ones."""
    rows = sessions.filter(status__in=WAITING).exclude(
        status=SessionStatus.ERROR, created_at__lt=timezone.now() - FAILED_FOR
    )
    if user.is_chef_dept_tech():
        rows = rows.filter(user=user)
    place = Case(
        *(When(status=status, then=Value(number)) for number, status in enumerate(WAITING)), output_field=IntegerField()
    )
    return list(rows.order_by(place, "-id").defer("summary", "outcome"))


def _alike(user: User) -> list[tuple[ReviewKind, int]]:
    """(kind, how many pairs of the review list wait for an answer) of the kinds that have any (DOMAIN §12)."""
    rows = ReviewPair.objects.visible_to(user).waiting().order_by()
    found = dict(rows.values("kind").annotate(pairs=Count("pk")).values_list("kind", "pairs"))
    return [(kind, found[kind]) for kind in ReviewKind if kind in found]


def _to_complete(user: User) -> int:
    """Policies and plans of which a rate or subscriber needs a person (DOMAIN §10), in one statement."""
    policies = Policy.objects.visible_to(user).filter(POLICY_TO_COMPLETE).order_by().values("pk")
    plans = Plan.objects.visible_to(user).filter(RATE_DIFFERS).order_by().values("pk")
    return policies.union(plans, all=True).count()


# ------------------------------------------------------------------------------------------------ the kept figures


def _figures(all_data: Board) -> Payload:
    """The figures of the page: of the last twelve months of the data, or of all data where there is less.

    `is_last_year`: the data has days before these. `blocks`: currency → indicators of the portfolio. `left_out`:
    currency, claims, amount. `by_country`: id → claims, reimbursed, claims left out. `operators`: for data-entry
    managers, the entries with the most lines left out.
    """
    board, user = _of_last_year(all_data), all_data.user
    portfolio = answers.portfolio(board, KEY_FIGURES).payload
    missing = answers.left_out_by_age(board).payload
    return {
        "period": portfolio["period"],
        "previous_period": portfolio["previous_period"],
        "is_last_year": board.span is not None and board.period != board.span,
        "claims": board.columns.claims.height,
        "blocks": {
            currency: [one for one in portfolio["indicators"] if one["currency"] in (None, currency)]
            for currency in portfolio["currencies"]
        },
        "left_out": [
            {
                "currency": block["currency"],
                "claims": sum(row["claims"] for row in block["rows"]),
                "amount": str(sum((Decimal(row["amount"]) for row in block["rows"]), Decimal(0))),
            }
            for block in missing.get("blocks", [missing])
            if block["rows"]
        ],
        "by_country": _by_country(board) if user.sees_all_countries() else {},
        "operators": _operators(board) if user.is_responsable_operateur() else [],
    }


def _of_last_year(board: Board) -> Board:
    if board.span is None:
        return board
    first = max(board.span.start, _year_before(board.span.end))
    return board.narrowed(board.asked.countries, first, board.span.end)


def _year_before(day: date) -> date:
    """The first day of the twelve months that end with `day`."""
    after = day + timedelta(days=1)
    try:
        return after.replace(year=after.year - 1)
    except ValueError:
        # 29 February.
        return after.replace(year=after.year - 1, day=28)


def _by_country(board: Board) -> dict[str, Payload]:
    found = {}
    left_out, _lines = board.left_out
    for pk in board.asked.countries:
        own = board.narrowed((pk,), board.period.start, board.period.end)
        series = portfolio_series(own.data, [board.period], keys=("claims", "reimbursed"), currencies=own.currencies)
        amounts = {one.currency: str(one.values[0]) for one in series if one.key == "reimbursed"}
        claims = next(one.values[0] for one in series if one.key == "claims")
        found[str(pk)] = {
            "claims": claims,
            "reimbursed": amounts,
            "left_out": left_out.filter(pl.col("country") == pk).height,
        }
    return found


def _operators(board: Board) -> list[Payload]:
    rows = answers.quality(board, "operator").payload["rows"]
    rows = sorted(rows, key=lambda row: (-row["lines_left_out"], row["name"]))[:OPERATORS_SHOWN]
    return [{name: row[name] for name in ("id", "name", "lines", "lines_left_out", "share_left_out")} for row in rows]


# ------------------------------------------------------------------------------------------------ how they are shown


def key_figures(indicators: Sequence[Payload], *, losses: str) -> list[Figure]:
    """Indicators of the portfolio's answer → the key figures, in the order of KEY_FIGURES.

    S/P is left out where no premium is earned. `losses`: the address of its page.
    """
    found = {one["key"]: one for one in indicators}
    if found.get("loss_ratio", {}).get("value") is None:
        found.pop("loss_ratio", None)
    addresses = {"loss_ratio": losses}
    return [_figure(found[key], addresses.get(key, "")) for key in KEY_FIGURES if key in found]


def _figure(one: Payload, address: str) -> Figure:
    indicator = INDICATORS[one["key"]]
    change = one["evolution"]["type"]
    tone = ""
    if indicator.good != "neutral" and change in ("up", "down"):
        tone = "good" if change == indicator.good else "bad"
    value = _written(one["value"], indicator.unit, one["currency"] or "", is_mean=one["key"].startswith("cost_per_"))
    return Figure(str(indicator.title), value, _change(one), tone, str(indicator.definition), address)


def _written(value: Any, unit: str, currency: str, *, is_mean: bool) -> str:
    if value is None:
        return "–"
    if unit == "money":
        # A mean has more decimals than its currency; those of a sum are exact.
        amount = round(Decimal(value), minor_units(currency)) if is_mean else Decimal(value)
        return format_amount(amount, currency, with_currency=True)
    return percent(value) if unit == "ratio" else format_count(int(value))


def percent(ratio: Any) -> str:
    """A ratio → its text: 0.8034 → `80.3 %`."""
    return f"{number_format(Decimal(ratio) * 100, decimal_pos=1, use_l10n=True)}{NO_BREAK_SPACE}%"


def _change(one: Payload) -> str:
    evolution = one["evolution"]
    match evolution["type"]:
        case "new":
            # Of the key figures, only S/P can lack a premium.
            lacks_premium = one["key"] == "loss_ratio" and one["previous"] is None
            return _("no premium in the period before") if lacks_premium else _("no claim in the period before")
        case "same":
            return _("unchanged")
        case "none":
            return ""
    size = number_format(Decimal(evolution["percent"]), decimal_pos=1, use_l10n=True, force_grouping=True)
    return f"{_ARROWS[evolution['type']]} {size}{NO_BREAK_SPACE}%"


def _period(days: dict[str, str] | None) -> Period | None:
    return None if days is None else Period(date.fromisoformat(days["start"]), date.fromisoformat(days["end"]))


def _country_lines(
    countries: Sequence[Country], figures: Payload, waiting: Sequence[ImportSession]
) -> list[CountryLine]:
    counts = {country.pk: 0 for country in countries}
    for session in waiting:
        counts[session.country_id] += 1
    return [
        CountryLine(country, figures["by_country"].get(str(country.pk), {}), counts[country.pk])
        for country in countries
    ]
