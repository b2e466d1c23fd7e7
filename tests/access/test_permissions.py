"""The accounts for which each permission of the API is true (DOMAIN §1)."""

from __future__ import annotations

import inspect

import pytest
from django.contrib.auth.models import AnonymousUser
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from tests.support.cast import ACCOUNTS, SHUT_OUT, Cast
from users import permissions

EVERYONE = {name for name, _role, _country in ACCOUNTS}


def named(ending: str) -> set[str]:
    return {name for name in EVERYONE if name.endswith(ending)}


TABLE_OF_ROLES = {
    "IsSuperUser": {"superuser"},
    "IsGlobalAdmin": {"global_admin"},
    "IsTerritorialAdmin": named("_admin") - {"global_admin"},
    "IsTerritorialAdminAndAssignedCountry": {"togo_admin", "benin_admin"},
    "IsChefDeptTech": named("_head"),
    "IsResponsableOperateur": named("_operator"),
    "HasAccessCountry": EVERYONE - set(SHUT_OUT),
}


def test_the_table_names_every_permission() -> None:
    found = {
        name
        for name, cls in inspect.getmembers(permissions, inspect.isclass)
        if cls.__module__ == permissions.__name__ and not name.startswith("_")
    }
    assert found == set(TABLE_OF_ROLES)


@pytest.mark.parametrize("permission", TABLE_OF_ROLES)
def test_a_permission_holds_for_the_accounts_that_it_is_named_after_and_no_other(permission: str, cast: Cast) -> None:
    request = APIRequestFactory().get("/")
    holds = set()
    for name, user in [*cast.users.items(), ("anonymous", AnonymousUser())]:
        request.user = user  # type: ignore[attr-defined]
        if getattr(permissions, permission)().has_permission(request, APIView()):
            holds.add(name)
    assert holds == TABLE_OF_ROLES[permission]
