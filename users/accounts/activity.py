"""Stores whether a country is active. Services decide who may change it (DOMAIN §14)."""

from users import audit
from users.models import AuditAction, Country, User


def write_activity(*, actor: User, country: Country, is_active: bool) -> None:
    """Write the state with an audit entry, in the caller's transaction, which has the country locked."""
    if country.is_active == is_active:
        return
    country.is_active = is_active
    country.save(update_fields=["is_active"])
    audit.record(
        actor=actor,
        action=AuditAction.ACTIVATE if is_active else AuditAction.DEACTIVATE,
        target=country,
        label=country.name,
    )
