"""The parameters of a dashboard address → a question, or everything that is wrong with them at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from common.errors import Invalid
from common.parsing import positive_int
from dashboard.periods import Period
from dashboard.queries import SCOPES, Query, Scope
from users.models import User

PERIOD = ("start", "end")
COMMON = (*PERIOD, "country", *SCOPES)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class Asked:
    """A question before its period is known: a missing `start` or `end` is the first or last day of the data."""

    countries: tuple[int, ...]
    scope: Scope
    start: date | None
    end: date | None

    def query(self, span: Period | None, today: date) -> Query:
        """With the days that were not named taken from `span`, the settlement dates of the data.

        Raises Invalid for an end before the start.
        """
        start = self.start or (span.start if span else min(today, self.end or today))
        end = self.end or (span.end if span else today)
        if self.end is None:
            end = max(start, end)
        if self.start is None:
            start = min(start, end)
        if end < start:
            raise Invalid({"end": [_("The period ends before it starts.")]})
        return Query(self.countries, Period(start, end), self.scope)


def single_values(query: QueryDict, *, lists: Sequence[str] = ()) -> dict[str, str]:
    """Name → value of the parameters; those of `lists` may be repeated, and their values are joined by commas.

    Raises Invalid for any other parameter with several values: one of them would be ignored.
    """
    repeated = sorted(name for name, values in query.lists() if len(values) > 1 and name not in lists)
    if repeated:
        raise Invalid({name: [_("Give this parameter once.")] for name in repeated})
    return {name: ",".join(values) for name, values in query.lists()}


def collect(**readers: Callable[[], Any]) -> dict[str, Any]:
    """What each reader returns. Raises one Invalid with the errors of all of them."""
    found: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for name, reader in readers.items():
        try:
            found[name] = reader()
        except Invalid as error:
            for field, reasons in error.errors.items():
                errors.setdefault(field, []).extend(reasons)
    if errors:
        raise Invalid(errors)
    return found


def read(user: User, params: Mapping[str, str], *, also: Sequence[str] = (), common: Sequence[str] = COMMON) -> Asked:
    """The question that the common parameters ask. `also`: the names of the address's own parameters.

    The question of an account that is bound to a country is about that country, whatever `country` says. Raises Invalid
    with everything that is wrong.
    """
    errors: dict[str, list[str]] = {}
    known = {*common, *also}
    for name in sorted(set(params) - known):
        errors[name] = [
            _("This address has no such parameter. Choose from: %(names)s.") % {"names": ", ".join(sorted(known))}
        ]
    start, end = _period(params, errors)
    scope = _scope(params, errors)
    countries = _countries(user, params.get("country", "").strip(), errors)
    if errors:
        raise Invalid(errors)
    return Asked(countries, scope, start, end)


def read_about(countries: tuple[int, ...], scope: Scope, params: Mapping[str, str]) -> Asked:
    """The question of the page of one record, which names no scope. Raises Invalid with everything that is wrong."""
    errors: dict[str, list[str]] = {}
    for name in sorted(set(params) - set(PERIOD)):
        errors[name] = [_("This address has no such parameter. Choose from: %(names)s.") % {"names": ", ".join(PERIOD)}]
    start, end = _period(params, errors)
    if errors:
        raise Invalid(errors)
    return Asked(countries, scope, start, end)


def choice(params: Mapping[str, str], name: str, choices: Sequence[str], *, default: str = "") -> str:
    """One of `choices`. Raises Invalid for another word, and for none where there is no default."""
    word = params.get(name, "").strip() or default
    if word not in choices:
        raise Invalid({name: [_("Choose from: %(choices)s.") % {"choices": ", ".join(choices)}]})
    return word


def number(params: Mapping[str, str], name: str, *, default: int, most: int) -> int:
    """A whole number from 1 to `most`."""
    text = params.get(name, "").strip()
    value = positive_int(text) if text else default
    if value is None or value > most:
        raise Invalid({name: [_("Give a whole number from 1 to %(most)d.") % {"most": most}]})
    return value


def _period(params: Mapping[str, str], errors: dict[str, list[str]]) -> tuple[date | None, date | None]:
    start, end = (_day(params, name, errors) for name in PERIOD)
    if start and end and end < start:
        errors.setdefault("end", []).append(_("The period ends before it starts."))
    return start, end


def _day(params: Mapping[str, str], name: str, errors: dict[str, list[str]]) -> date | None:
    text = params.get(name, "").strip()
    if not text:
        return None
    try:
        if not _DAY.fullmatch(text):
            # Python reads other forms too, such as the week 2024-W01-1.
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        errors[name] = [_("Give a day as YYYY-MM-DD.")]
        return None


def _scope(params: Mapping[str, str], errors: dict[str, list[str]]) -> Scope:
    named = [kind for kind in SCOPES if params.get(kind, "").strip() and kind not in errors]
    if not named:
        return Scope()
    if len(named) > 1:
        for kind in named:
            errors[kind] = [_("Name one of these at a time: %(names)s.") % {"names": ", ".join(named)}]
        return Scope()
    id_ = positive_int(params[named[0]].strip())
    if id_ is None:
        errors[named[0]] = [_("Give a whole number from 1 on.")]
        return Scope()
    return Scope(named[0], id_)  # type: ignore[arg-type]


def _countries(user: User, named: str, errors: dict[str, list[str]]) -> tuple[int, ...]:
    countries = user.visible_countries
    if user.sees_all_countries() and named:
        pk = positive_int(named)
        countries = [one for one in countries if one.pk == pk or one.code.upper() == named.upper()]
        if not countries:
            errors["country"] = [_("There is no country with this id or code.")]
    return tuple(sorted(one.pk for one in countries))
