"""The cast: two countries that must not see each other, a closed one, and an account for each role and country."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from knox.models import AuthToken
from rest_framework.test import APIClient

from users.models import Country, Role, User

PASSWORD = "Baobab-tree-1960"


@dataclass
class Cast:
    """Countries and accounts by their names in tests. `anonymous` has no account."""

    togo: Country
    benin: Country
    closed: Country
    users: dict[str, User] = field(default_factory=dict)

    def __getattr__(self, name: str) -> User:
        try:
            return self.__dict__["users"][name]
        except KeyError:
            raise AttributeError(name) from None

    def client(self, name: str) -> APIClient:
        """An API client with a real token of the account."""
        client = APIClient()
        if name != "anonymous":
            _token, secret = AuthToken.objects.create(user=self.users[name])
            client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
        return client


# Name, role and country of every account. `rival_head` is a second head of department of the same country.
ACCOUNTS: list[tuple[str, Role, str | None]] = [
    ("superuser", Role.SUPERUSER, None),
    ("global_admin", Role.ADMIN_GLOBAL, None),
    ("togo_admin", Role.ADMIN_TERRITORIAL, "togo"),
    ("togo_head", Role.CHEF_DEPT_TECH, "togo"),
    ("rival_head", Role.CHEF_DEPT_TECH, "togo"),
    ("togo_operator", Role.RESP_OPERATEUR, "togo"),
    ("benin_admin", Role.ADMIN_TERRITORIAL, "benin"),
    ("benin_head", Role.CHEF_DEPT_TECH, "benin"),
    ("benin_operator", Role.RESP_OPERATEUR, "benin"),
    ("closed_admin", Role.ADMIN_TERRITORIAL, "closed"),
    ("closed_head", Role.CHEF_DEPT_TECH, "closed"),
    ("closed_operator", Role.RESP_OPERATEUR, "closed"),
    ("homeless_admin", Role.ADMIN_TERRITORIAL, None),
    ("homeless_head", Role.CHEF_DEPT_TECH, None),
    ("homeless_operator", Role.RESP_OPERATEUR, None),
]
# Accounts without access to any data: their country is closed, or they have none.
SHUT_OUT = [name for name, _role, _country in ACCOUNTS if name.startswith(("closed_", "homeless_"))]


@pytest.fixture
def cast(db: None) -> Cast:
    cast = Cast(
        togo=Country.objects.create(name="Togo", code="TG"),
        benin=Country.objects.create(name="Bénin", code="BJ"),
        closed=Country.objects.create(name="Closed", code="CL", is_active=False),
    )
    for name, role, country in ACCOUNTS:
        cast.users[name] = User.objects.create_user(
            username=name,
            email=f"{name}@example.org",
            password=PASSWORD,
            role=role,
            country=None if country is None else getattr(cast, country),
        )
    cast.users["inactive"] = User.objects.create_user(
        username="inactive",
        email="inactive@example.org",
        password=PASSWORD,
        role=Role.ADMIN_TERRITORIAL,
        country=cast.togo,
        is_active=False,
    )
    return cast
