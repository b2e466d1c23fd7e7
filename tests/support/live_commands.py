"""Commands of `remote_commands` for tests of live progress: accounts, sessions, events, ways to lose access."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from secrets import token_hex
from typing import Any

from django.conf import settings
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

from file_handling.models import ImportSession, SessionStatus
from importer import events
from users.accounts import services
from users.models import Country, Role, User
from users.sign_in.passwords import change_password, sign_out_everywhere

PASSWORD = "Baobab-tree-1960"


def account(role: str = Role.ADMIN_TERRITORIAL, country: str = "TG", language: str = "en") -> dict[str, Any]:
    """A new account; → its id, a token, and the cookie of a web session."""
    name = f"watcher-{token_hex(6)}"
    place = None if role in (Role.SUPERUSER, Role.ADMIN_GLOBAL) else _country(country)
    user = User.objects.create_user(
        username=name, email=f"{name}@example.org", password=PASSWORD, role=role, country=place, language=language
    )
    browser = Client()
    browser.force_login(user)
    return {
        "id": user.pk,
        "token": AuthToken.objects.create(user=user)[1],
        "cookie": f"sessionid={browser.cookies['sessionid'].value}",
    }


def running_session(country: str = "TG") -> int:
    """A session that a run seems to work on; no worker touches it while its lease lasts."""
    # A lease that ends later than ten times its length is no lease.
    lease_ends = timezone.now() + timedelta(seconds=9 * settings.CONCORD["LEASE_SECONDS"])
    return ImportSession.objects.create(
        country=_country(country), status=SessionStatus.PROCESSING, lease_expires_at=lease_ends
    ).pk


def add_events(session: int, number: int = 1, size: int = 4) -> list[int]:
    """Append events with `size` characters of data; → their sequences."""
    data = {"pages": 1, "filling": "x" * size}
    return [events.append(session, step="read", code="reading", data=data).sequence for _ in range(number)]


def set_status(session: int, status: str) -> None:
    ImportSession.objects.filter(pk=session).update(status=status)


def delete_session(session: int) -> None:
    ImportSession.objects.filter(pk=session).delete()


def end_access(account: int, way: str) -> None:
    """Take from an account what it needs to watch, as people do it."""
    user = User.objects.get(pk=account)
    actor = User.objects.filter(role=Role.SUPERUSER).first() or User.objects.create_superuser(
        "root", "root@example.org"
    )
    match way:
        case "deactivated":
            services.set_active(actor=actor, account=user, is_active=False)
        case "signed out":
            sign_out_everywhere(account=user)
        case "new password":
            change_password(account=user, current_password=PASSWORD, new_password="Iroko-tree-1974-x")
        case "new role":
            services.update_account(actor=actor, account=user, role=Role.RESP_OPERATEUR)
        case "moved":
            services.move_account(actor=actor, account=user, country=_country("BJ"))
        case "country closed":
            Country.objects.filter(pk=user.country_id).update(is_active=False)
        case "moved in the database":
            # Without an end of its tokens: the scope alone must stop it.
            User.objects.filter(pk=user.pk).update(country=_country("BJ"))


def _country(code: str) -> Country:
    return Country.objects.get_or_create(code=code, defaults={"name": f"Country {code}"})[0]


COMMANDS: dict[str, Callable[..., Any]] = {
    command.__name__: command
    for command in (account, running_session, add_events, set_status, delete_session, end_access)
}
