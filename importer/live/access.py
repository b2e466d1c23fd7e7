"""Who may watch a session: at the start by the rules of the API, and again while the connection is open."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Value
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException, NotAuthenticated

from common.api_errors import AccessDenied, SessionNotFound
from file_handling.models import ImportSession
from users.access.viewsets import visible_or_refused
from users.models import User
from users.sign_in.credentials import Credential, current_accounts


class SignedOut(NotAuthenticated):
    default_detail = _("You are no longer signed in. Sign in again.")


@dataclass(frozen=True, slots=True)
class Watch:
    """A session that is watched with a credential. Watchers of one account in one browser share it."""

    credential: Credential
    session_id: int


def visible_session(*, user: User, pk: str) -> int:
    """The id of a session that the account may see. Raises SessionNotFound, AccessDenied."""
    rows = ImportSession.objects.visible_to(user).only("pk")
    return int(visible_or_refused(rows=rows, pk=pk, not_found=SessionNotFound).pk)


def refusals(watches: Collection[Watch]) -> dict[Watch, type[APIException]]:
    """Those of `watches` that may not go on: the account is no longer signed in or no longer sees the session, or the
    session was deleted. At most five statements, whatever the number of watchers.
    """
    accounts = current_accounts({watch.credential for watch in watches})
    visible = _visible(accounts.values(), {watch.session_id for watch in watches})
    refused: dict[Watch, type[APIException]] = {}
    for watch in watches:
        user = accounts.get(watch.credential)
        if user is None:
            refused[watch] = SignedOut
        elif (_scope(user), watch.session_id) not in visible:
            refused[watch] = AccessDenied
    hidden = {watch.session_id for watch, reason in refused.items() if reason is AccessDenied}
    if hidden:
        existing = set(ImportSession.objects.filter(pk__in=hidden).values_list("pk", flat=True))
        gone = [watch for watch in refused if watch.session_id in hidden - existing]
        refused |= dict.fromkeys(gone, SessionNotFound)
    return refused


# Role and country decide which sessions an account sees (SessionQuerySet.within_country).
Scope = tuple[str, int | None]


def _scope(user: User) -> Scope:
    return user.role, user.country_id


def _visible(users: Collection[User], session_ids: set[int]) -> set[tuple[Scope, int]]:
    """Which scope sees which of the sessions, by `visible_to` of one account of each scope, in one statement."""
    examples = list({_scope(user): user for user in users}.values())
    parts = [
        ImportSession.objects.visible_to(user)
        .filter(pk__in=session_ids)
        .order_by()
        .annotate(example=Value(number))
        .values_list("example", "pk")
        for number, user in enumerate(examples)
    ]
    if not parts:
        return set()
    return {(_scope(examples[number]), pk) for number, pk in parts[0].union(*parts[1:], all=True)}
