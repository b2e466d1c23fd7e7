"""The mails about requests to deactivate a country: counts and a link, neither the reason nor a name of a person."""

from typing import Any

from django.conf import settings
from django.urls import reverse

from users.accounts import deactivations
from users.models import CountryDeactivation, DeactivationStatus, User
from users.sign_in.mails import Content


def _facts(account: User, data: dict[str, Any]) -> dict[str, Any] | None:
    """`data`: the id of the request. None for an account that may not see requests any more."""
    rows = CountryDeactivation.objects.visible_to(account).select_related("country")
    request = rows.filter(pk=data["request"]).first()
    if request is None:
        return None
    votes = list(request.votes.all())
    return {
        "country": request.country.name,
        "status": request.status,
        "state": request.get_status_display(),
        "needed": request.needed,
        "approvals": deactivations.approvals(votes),
        "rejections": deactivations.rejections(votes),
        "expires_at": request.expires_at,
        "is_superuser": account.is_superuser_role(),
        "link": settings.PUBLIC_URL + reverse("page-country", kwargs={"pk": request.country_id}),
    }


def _asked(account: User, data: dict[str, Any]) -> dict[str, Any] | None:
    """None once the request has ended: another mail reports the outcome."""
    facts = _facts(account, data)
    return facts if facts and facts["status"] == DeactivationStatus.PENDING else None


ASKED = Content("users/mails/deactivation_asked", _asked)
DECIDED = Content("users/mails/deactivation_decided", _facts)
