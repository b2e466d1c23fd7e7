"""Creating, changing, closing countries. For who sees all of them (DOMAIN §1)."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from common.errors import Invalid, NotAllowed
from common.keys import clean_text, label_key
from users import audit
from users.models import AuditAction, Country, User

CHANGEABLE = ("name", "code", "currency_code", "currency_name", "tolerance")
_LONGEST = {"name": 100, "currency_name": 50}
_CODE = re.compile(r"[A-Z]{2,3}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_LARGEST_TOLERANCE = Decimal("999999999")


def may_manage_countries(actor: User) -> bool:
    return actor.sees_all_countries()


def create_country(*, actor: User, name: str, code: str, **fields: Any) -> Country:
    """A new, active country. `fields`: currency_code, currency_name, tolerance (currency units, above zero).

    Raises NotAllowed, and Invalid with all that is wrong; TypeError for a field that a country is not given.
    """
    return _write(actor, Country(), {"name": name, "code": code, **fields}, AuditAction.CREATE)


def update_country(*, actor: User, country: Country, **fields: Any) -> Country:
    """Change any of CHANGEABLE. Raises as `create_country` does."""
    with transaction.atomic():
        locked = Country.objects.select_for_update().get(pk=country.pk)
        return _write(actor, locked, fields, AuditAction.UPDATE)


def set_country_active(*, actor: User, country: Country, is_active: bool) -> Country:
    """Open or close a country. Closing freezes its accounts from the next request on, tokens included; nothing is
    deleted, so opening it again gives all of it back (DOMAIN §1). Raises NotAllowed."""
    _allowed(actor)
    with transaction.atomic():
        locked = Country.objects.select_for_update().get(pk=country.pk)
        if locked.is_active != is_active:
            locked.is_active = is_active
            locked.save(update_fields=["is_active"])
            audit.record(
                actor=actor,
                action=AuditAction.ACTIVATE if is_active else AuditAction.DEACTIVATE,
                target=locked,
                label=locked.name,
            )
    return locked


def _allowed(actor: User) -> None:
    if not may_manage_countries(actor):
        raise NotAllowed(_("You may not manage countries."))


def _write(actor: User, country: Country, fields: dict[str, Any], action: AuditAction) -> Country:
    _allowed(actor)
    unknown = set(fields) - set(CHANGEABLE)
    if unknown:
        raise TypeError(f"not changed here: {', '.join(sorted(unknown))}")
    errors: dict[str, list[str]] = {}
    values: dict[str, Any] = {}
    for field, given in fields.items():
        if field == "tolerance":
            values[field] = _tolerance(given, errors)
        else:
            values[field] = clean_text(str(given))
            if field.endswith("code"):
                values[field] = values[field].upper()
            if reason := _text_error(field, values[field]):
                errors[field] = [reason]
    _refuse_taken(country, values, errors)
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
        raise Invalid({"code": [_("There is another country of this name or code.")]}) from error
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


def _tolerance(given: Any, errors: dict[str, list[str]]) -> Decimal:
    try:
        amount = Decimal(str(given))
        fits = amount.is_finite() and amount == amount.quantize(Decimal("0.01")) and 0 < amount <= _LARGEST_TOLERANCE
    except InvalidOperation:
        amount, fits = Decimal(0), False
    if not fits:
        errors["tolerance"] = [_("Give an amount above zero, with at most two decimals.")]
    return amount


def _refuse_taken(country: Country, values: dict[str, Any], errors: dict[str, list[str]]) -> None:
    others = list(Country.objects.exclude(pk=country.pk).values_list("name", "code"))
    if "name" in values and label_key(values["name"]) in {label_key(name) for name, _code in others}:
        errors.setdefault("name", []).append(_("There is another country of this name."))
    if "code" in values and values["code"] in {code.upper() for _name, code in others}:
        errors.setdefault("code", []).append(_("There is another country of this code."))
