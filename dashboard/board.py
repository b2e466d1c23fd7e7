"""What an answer needs: the question with its period, the data in scope, and the names of what it is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import cached_property

import polars as pl

from core.models import ReportingCurrency
from dashboard.asking import Asked
from dashboard.columns import Columns, Versions, load
from dashboard.exchange import rates_of, setting_of
from dashboard.findings import left_out
from dashboard.indicators.consolidated import Rates
from dashboard.names import names_of
from dashboard.periods import Period
from dashboard.premiums import premiums_of
from dashboard.queries import Data, Query, currencies_of, span_of
from users.models import Country, User


class Board:
    """One question of one account. `today` is the day from which ages and recent days count."""

    def __init__(self, *, user: User, asked: Asked, today: date) -> None:
        self.user = user
        self.asked = asked
        self.today = today

    @cached_property
    def versions(self) -> Versions:
        """What every part of the answer is made of, and under which it is kept."""
        return Versions(self.asked.countries)

    @cached_property
    def reporting(self) -> ReportingCurrency | None:
        """The setting under whose token answers are kept; None for accounts that see one country alone."""
        return setting_of(self.user)

    @cached_property
    def rates(self) -> Rates | None:
        """The rates of the consolidated block; None where the answer has none."""
        return None if self.reporting is None else rates_of(self.user, self.reporting)

    @property
    def countries(self) -> list[Country]:
        """Those of the question, by id."""
        visible = sorted(self.user.visible_countries, key=lambda one: one.pk)
        return [one for one in visible if one.pk in self.asked.countries]

    @cached_property
    def columns(self) -> Columns:
        return load(self.asked.countries, self.versions)

    def narrowed(self, countries: tuple[int, ...], start: date, end: date) -> Board:
        """The same question about some of the countries and other days, of the same versions."""
        board = Board(
            user=self.user, asked=replace(self.asked, countries=countries, start=start, end=end), today=self.today
        )
        board.versions = self.versions
        board.reporting = self.reporting
        if countries == self.asked.countries:
            board.columns = self.columns
        if "premiums" in self.__dict__:
            board.premiums = self.premiums.filter(pl.col("country").is_in(list(countries)))
        return board

    @cached_property
    def data(self) -> Data:
        return Data(self.columns, self.asked.scope, lambda: self.premiums)

    @cached_property
    def premiums(self) -> pl.DataFrame:
        """The premiums of the countries of the question, whatever its scope (`dashboard.premiums`)."""
        return premiums_of(self.user, self.asked.countries)

    @cached_property
    def span(self) -> Period | None:
        """From the first to the last settlement date of what the account sees; None without claims."""
        return span_of(self.columns.claims)

    @cached_property
    def query(self) -> Query:
        return self.asked.query(self.span, self.today)

    @cached_property
    def left_out(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The claims of the scope that are left out now, and their stat lines (`dashboard.findings.left_out`).

        Raises Invalid for the scope of a person or family.
        """
        return left_out(self.columns, self.query.countries, self.query.scope, self.versions)

    @property
    def period(self) -> Period:
        return self.query.period

    @cached_property
    def previous(self) -> Period | None:
        return self.period.previous()

    @cached_property
    def currencies(self) -> list[str]:
        """Of the claims in the period and the period before, the one with the most claims first."""
        found = currencies_of(self.data.claims_in(self.period, "currency"))
        if self.previous:
            found += [one for one in currencies_of(self.data.claims_in(self.previous, "currency")) if one not in found]
        # An account that sees all countries may see none yet: amounts are then of no currency.
        return found or self._own_currencies() or [""]

    def _own_currencies(self) -> list[str]:
        return list(dict.fromkeys(one.currency_code for one in self.countries))

    def names(self, kind: str, ids: Iterable[int]) -> dict[int, str]:
        return names_of(kind, ids, user=self.user)
