"""Services that change the reporting currency and its rates, for the accounts that see all countries (DOMAIN §14).

Each locks the setting, and gives it a new token, under which no answer has been kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from common.dates import parse_date
from common.errors import Conflict, Invalid, NotAllowed
from core.currencies.values import code_of, currency_problems, day_problems, parse_rate, rate_problems
from core.models import ExchangeRate, ReportingCurrency
from users import audit
from users.accounts.sheet import SheetRow
from users.models import AuditAction, User

NEW, UPDATE, SAME, REJECTED = "new", "update", "same", "rejected"
OUTCOMES = (NEW, UPDATE, SAME, REJECTED)


@dataclass
class RateRow:
    """One row of a sheet of rates. `before`: the stored rate of that day, where there is one. `reasons`: of a rejected
    row.
    """

    row: int
    currency: str
    start: date | None
    rate: Decimal | None
    outcome: str = NEW
    before: Decimal | None = None
    reasons: list[str] = field(default_factory=list)

    @property
    def shown_rate(self) -> str:
        return "" if self.rate is None else f"{self.rate.normalize():f}"

    @property
    def shown_before(self) -> str:
        return "" if self.before is None else f"{self.before.normalize():f}"


def may_manage_rates(actor: User) -> bool:
    return actor.sees_all_countries()


def set_reporting_currency(*, actor: User, currency: str | None) -> str | None:
    """Set the reporting currency, or remove it with None or an empty text; → the new one. Rates stay as they are.

    Raises NotAllowed; Invalid for another text than an ISO 4217 code.
    """
    _refuse_others(actor)
    code = code_of(currency or "")
    if code and (problems := currency_problems(code)):
        raise Invalid({"currency": problems})
    with transaction.atomic():
        setting = ReportingCurrency.objects.select_for_update().first()
        before = setting.currency if setting else ""
        if before == code:
            return code or None
        if not code:
            assert setting is not None
            setting.delete()
            setting.pk = ReportingCurrency.THE_ONE
        else:
            setting, _made = ReportingCurrency.objects.update_or_create(
                pk=ReportingCurrency.THE_ONE, defaults={"currency": code, "token": uuid4().hex}
            )
        audit.record(
            actor=actor,
            action=AuditAction.UPDATE,
            target=setting,
            label=code,
            data={"before": before, "after": code},
        )
    return code or None


def create_rate(*, actor: User, currency: str, start: date, rate: Decimal) -> ExchangeRate:
    """Add a rate of the present reporting currency: from `start` on, one unit of it costs `rate` units of `currency`.

    Raises NotAllowed; Conflict without a reporting currency; Invalid with everything that is wrong.
    """
    _refuse_others(actor)
    with transaction.atomic():
        setting = _locked_setting()
        row = ExchangeRate(base=setting.currency, currency=code_of(currency), start=start, rate=rate, author=actor)
        _save(row)
        _renew(setting)
        audit.record(actor=actor, action=AuditAction.CREATE, target=row, label=row.currency)
    return row


def update_rate(*, actor: User, row: ExchangeRate, **fields: Any) -> ExchangeRate:
    """Change `currency`, `start` or `rate`. Raises the errors of `create_rate`."""
    _refuse_others(actor)
    unknown = set(fields) - {"currency", "start", "rate"}
    if unknown:
        raise TypeError(f"unknown fields: {', '.join(sorted(unknown))}")
    with transaction.atomic():
        setting = _locked_setting()
        row = ExchangeRate.objects.select_for_update().get(pk=row.pk)
        values = {name: code_of(value) if name == "currency" else value for name, value in fields.items()}
        changed = sorted(name for name, value in values.items() if getattr(row, name) != value)
        if not changed:
            return row
        for name in changed:
            setattr(row, name, values[name])
        row.author = actor
        _save(row)
        _renew(setting)
        audit.record(actor=actor, action=AuditAction.UPDATE, target=row, label=row.currency, data={"fields": changed})
    return row


def delete_rate(*, actor: User, rate: ExchangeRate) -> None:
    """Raises NotAllowed."""
    _refuse_others(actor)
    with transaction.atomic():
        setting = ReportingCurrency.objects.select_for_update().first()
        audit.record(actor=actor, action=AuditAction.DELETE, target=rate, label=rate.currency)
        ExchangeRate.objects.filter(pk=rate.pk).delete()
        if setting is not None:
            _renew(setting)


def preview(*, actor: User, rows: Sequence[SheetRow]) -> list[RateRow]:
    """Every row of a sheet with its outcome; nothing is stored. Raises NotAllowed, Conflict without a reporting
    currency.
    """
    _refuse_others(actor)
    setting = ReportingCurrency.objects.first()
    if setting is None:
        raise _no_setting()
    return _judged(setting.currency, rows)


def import_rows(*, actor: User, rows: Sequence[SheetRow], file_name: str = "") -> list[RateRow]:
    """Store the new and changed rates of a sheet in one transaction; → every row. Raises the errors of `preview`."""
    _refuse_others(actor)
    with transaction.atomic():
        setting = _locked_setting()
        judged = _judged(setting.currency, rows)
        stored = [
            ExchangeRate(
                base=setting.currency,
                currency=one.currency,
                start=one.start,
                rate=one.rate,  # type: ignore[misc]
                author=actor,
                file_name=file_name,
                row=one.row,
            )
            for one in judged
            if one.outcome in (NEW, UPDATE)
        ]
        if stored:
            ExchangeRate.objects.bulk_create(
                stored,
                update_conflicts=True,
                unique_fields=["base", "currency", "start"],
                update_fields=["rate", "author", "file_name", "row", "changed_at"],
            )
            _renew(setting)
        counts = {outcome: sum(one.outcome == outcome for one in judged) for outcome in OUTCOMES}
        audit.record(actor=actor, action=AuditAction.IMPORT, target=ExchangeRate(), data=counts)
    return judged


def _judged(base: str, rows: Sequence[SheetRow]) -> list[RateRow]:
    stored = {(one.currency, one.start): one.rate for one in ExchangeRate.objects.filter(base=base)}
    first_with: dict[tuple[str, date], int] = {}
    found = []
    for row in rows:
        one = RateRow(row.row, code_of(row.cells["currency"]), parse_date(row.cells["from"]), None)
        one.rate = parse_rate(row.cells["rate"])
        problems = _problems(base, one.currency, one.start, one.rate)
        one.reasons = [
            _("%(field)s: %(reason)s") % {"field": _FIELDS[name](), "reason": reason}
            for name, reasons in problems.items()
            for reason in reasons
        ]
        if one.start is not None and not one.reasons:
            key = (one.currency, one.start)
            if key in first_with:
                one.reasons = [_("Row %(row)d has the same currency and day.") % {"row": first_with[key]}]
            first_with.setdefault(key, one.row)
            one.before = stored.get(key)
        one.outcome = (
            REJECTED if one.reasons else NEW if one.before is None else SAME if one.before == one.rate else UPDATE
        )
        found.append(one)
    return found


_FIELDS = {"currency": lambda: _("Currency"), "from": lambda: _("From"), "rate": lambda: _("Rate")}


def _problems(base: str, currency: str, start: date | None, rate: Decimal | None) -> dict[str, list[str]]:
    """Field → everything that is wrong with it."""
    problems = {
        "currency": currency_problems(currency),
        "from": day_problems(start),
        "rate": rate_problems(base, currency, rate),
    }
    return {name: reasons for name, reasons in problems.items() if reasons}


def _save(row: ExchangeRate) -> None:
    problems = _problems(row.base, row.currency, row.start, row.rate)
    others = ExchangeRate.objects.filter(base=row.base, currency=row.currency, start=row.start).exclude(pk=row.pk)
    if not problems and others.exists():
        problems["from"] = [_("There is a rate of this currency and day already. Change that one.")]
    if problems:
        raise Invalid(problems)
    row.save()


def _locked_setting() -> ReportingCurrency:
    setting = ReportingCurrency.objects.select_for_update().first()
    if setting is None:
        raise _no_setting()
    return setting


def _no_setting() -> Conflict:
    return Conflict(_("Set the reporting currency first: a rate is a number of units for one unit of it."))


def _renew(setting: ReportingCurrency) -> None:
    setting.token = uuid4().hex
    setting.save(update_fields=["token", "changed_at"])


def _refuse_others(actor: User) -> None:
    if not may_manage_rates(actor):
        raise NotAllowed(_("You may not manage currencies."))
