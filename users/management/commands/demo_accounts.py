"""Accounts for the demo: one of each role."""

import json
import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.translation import gettext as _

from users.models import Country, Role, User

COUNTRY = {"name": "Togo", "currency_code": "XOF", "currency_name": "Franc CFA (BCEAO)"}
COUNTRY_CODE = "TG"
PREFIX = "demo-"
PEOPLE = (
    (Role.SUPERUSER, "superuser", "Sena", "Agbeko", False),
    (Role.ADMIN_GLOBAL, "global", "Mawuli", "Dossou", False),
    (Role.ADMIN_TERRITORIAL, "territorial", "Akouvi", "Mensah", True),
    (Role.CHEF_DEPT_TECH, "technical", "Kossi", "Amegan", True),
    (Role.RESP_OPERATEUR, "operator", "Yawa", "Tsikata", True),
)


class Command(BaseCommand):
    """Each run sets and prints new random passwords. No password is stored, and none is known in advance."""

    help = "One account of each role, with new passwords, in a database without other accounts"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help=_("print a JSON list instead of lines for people"))

    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.exclude(username__startswith=PREFIX).exists():
            raise CommandError(
                _("This database has accounts of real people. Demo accounts would have access to their data.")
            )
        accounts = self._make()
        if options["json"]:
            self.stdout.write(json.dumps(accounts))
            return
        for account in accounts:
            self.stdout.write(f"{account['role_name']:<28} {account['username']:<18} {account['password']}")

    @transaction.atomic
    def _make(self) -> list[dict[str, str]]:
        country, _created = Country.objects.get_or_create(code=COUNTRY_CODE, defaults=COUNTRY)
        accounts = []
        for role, name, first_name, last_name, in_country in PEOPLE:
            username, password = PREFIX + name, secrets.token_urlsafe(12)
            user = User.objects.filter(username=username).first() or User(
                username=username, email=f"{username}@concord.example", first_name=first_name, last_name=last_name
            )
            user.role = role
            user.country = country if in_country else None
            user.is_active = True
            user.set_password(password)
            user.save()
            accounts.append(
                {
                    "role": role.value,
                    "role_name": str(role.label),
                    "username": username,
                    "password": password,
                    "country": country.code if in_country else "",
                }
            )
        return accounts
