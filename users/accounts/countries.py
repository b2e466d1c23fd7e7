"""Services that create, change, activate and deactivate countries. For global roles only (DOMAIN §1, §14)."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from common.errors import Invalid, NotAllowed
from common.keys import clean_text, label_key
from users import audit
from users.accounts import deactivations
from users.accounts.activity import write_activity
from users.models import AuditAction, Country, User

CHANGEABLE = (
    "name", "code", "currency_code", "currency_name", "tolerance", "target_loss_ratio", "pooling_threshold",
)  # fmt: skip
_LONGEST = {"name": 100, "currency_name": 50}
_CODE = re.compile(r"[A-Z]{2,3}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_LARGEST_TOLERANCE = Decimal("999999999")
_LARGEST_THRESHOLD = Decimal("999999999999")
_LARGEST_RATIO = Decimal(10)


def may_manage_countries(actor: User) -> bool:
    return actor.sees_all_countries()


def create_country(*, actor: User, name: str, code: str, **fields: Any) -> Country:
    """Create an active country. `fields`: currency_code, currency_name, tolerance (currency units, above zero),
    target_loss_ratio (above 0, at most 10, four decimals), pooling_threshold (currency units above zero, or None).

    Raises NotAllowed, Invalid with every error of the values, TypeError for an unknown field.
    """
    return _write(actor, Country(), {"name": name, "code": code, **fields}, AuditAction.CREATE)


def update_country(*, actor: User, country: Country, **fields: Any) -> Country:
    """Change any of CHANGEABLE. Raises the errors of `create_country`."""
    with transaction.atomic():
        locked = Country.objects.select_for_update().get(pk=country.pk)
        return _write(actor, locked, fields, AuditAction.UPDATE)


def set_country_active(*, actor: User, country: Country, is_active: bool) -> Country:
    """Activate or deactivate a country. Raises NotAllowed.

    A global administrator activates alone; deactivating takes several of them (`users.accounts.deactivations`) or one
    superuser, which ends a pending request. Deactivation refuses the country's accounts and their tokens from the next
    request on. Nothing is deleted, so activation restores everything (DOMAIN §14).
    """
    _refuse_others(actor)
    if not is_active and not actor.is_superuser_role():
        raise NotAllowed(
            _(
                "One global administrator alone cannot deactivate a country. Ask for it with a reason: it is"
                " deactivated when enough global administrators approve, or a superuser does."
            )
        )
    with transaction.atomic():
        locked = Country.objects.select_for_update().get(pk=country.pk)
        write_activity(actor=actor, country=locked, is_active=is_active)
        if not is_active:
            deactivations.approve_pending_of(actor=actor, country=locked)
    return locked


def _refuse_others(actor: User) -> None:
    if not may_manage_countries(actor):
        raise NotAllowed(_("You may not manage countries."))


def _write(actor: User, country: Country, fields: dict[str, Any], action: AuditAction) -> Country:
    _refuse_others(actor)
    unknown = set(fields) - set(CHANGEABLE)
    if unknown:
        raise TypeError(f"unknown fields: {', '.join(sorted(unknown))}")
    errors: dict[str, list[str]] = {}
    values: dict[str, Any] = {}
    for field, value in fields.items():
        if field == "tolerance":
            values[field] = _tolerance(value, errors)
        elif field == "target_loss_ratio":
            values[field] = _target(value, errors)
        elif field == "pooling_threshold":
            values[field] = None if value in (None, "") else _threshold(value, errors)
        else:
            values[field] = clean_text(str(value))
            if field.endswith("code"):
                values[field] = values[field].upper()
            if reason := _text_error(field, values[field]):
                errors[field] = [reason]
    _check_unique(country, values, errors)
    if errors:
        raise Invalid(errors)
    changed = sorted(field for field, value in values.items() if getattr(country, field) != value)
    if country.pk is not None and not changed:
        return country
    for field, value in values.items():
        setattr(country, field, value)
    try:
        with transaction.atomic():
            country.save()
            audit.record(
                actor=actor,
                action=action,
                target=country,
                label=country.name,
                data={"fields": changed},
            )
    except IntegrityError as error:
        raise Invalid({"code": [_("Another country has this name or code.")]}) from error
    return country


def _text_error(field: str, value: str) -> str:
    match field:
        case "code" if not _CODE.fullmatch(value):
            return _("Give the ISO 3166 code: two or three letters, such as TG.")
        case "currency_code" if not _CURRENCY.fullmatch(value):
            return _("Give the ISO 4217 code: three letters, such as XOF.")
        case "name" | "currency_name" if not value:
            return _("This may not be empty.")
        case "name" | "currency_name" if len(value) > _LONGEST[field]:
            return _("At most %(limit)d characters.") % {"limit": _LONGEST[field]}
    return ""


def _tolerance(value: Any, errors: dict[str, list[str]]) -> Decimal:
    amount = _positive(value, places=2, most=_LARGEST_TOLERANCE)
    if amount is None:
        errors["tolerance"] = [_("Give an amount above zero, with at most two decimals.")]
    return amount or Decimal(0)


def _threshold(value: Any, errors: dict[str, list[str]]) -> Decimal:
    amount = _positive(value, places=2, most=_LARGEST_THRESHOLD)
    if amount is None:
        errors["pooling_threshold"] = [_("Give an amount above zero, with at most two decimals.")]
    return amount or Decimal(0)


def _target(value: Any, errors: dict[str, list[str]]) -> Decimal:
    ratio = _positive(value, places=4, most=_LARGEST_RATIO)
    if ratio is None:
        errors["target_loss_ratio"] = [_("Give a ratio above 0 and up to 10, with at most four decimals: 0.8 is 80 %.")]
    return ratio or Decimal(0)


def _positive(value: Any, *, places: int, most: Decimal) -> Decimal | None:
    """A number above zero and up to `most`, with at most so many decimals; None for anything else."""
    try:
        number = Decimal(str(value))
        is_valid = number.is_finite() and number == number.quantize(Decimal(1).scaleb(-places)) and 0 < number <= most
    except InvalidOperation:
        return None
    return number if is_valid else None


def _check_unique(country: Country, values: dict[str, Any], errors: dict[str, list[str]]) -> None:
    others = list(Country.objects.exclude(pk=country.pk).values_list("name", "code"))
    if "name" in values and label_key(values["name"]) in {label_key(name) for name, _code in others}:
        errors.setdefault("name", []).append(_("Another country has this name."))
    if "code" in values and values["code"] in {code.upper() for _name, code in others}:
        errors.setdefault("code", []).append(_("Another country has this code."))
