"""Role checks for views, composable with `|` and `&` (DOMAIN §1). Which rows one sees is not decided here: see
scoping.
"""

from django.contrib.auth.models import AnonymousUser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from users.models import User


class _AccountPermission(BasePermission):
    """Grants an active, signed-in account that `holds_for` accepts."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        user: User | AnonymousUser = request.user
        return isinstance(user, User) and user.is_active and self.holds_for(user)

    def holds_for(self, user: User) -> bool:
        raise NotImplementedError


class IsSuperUser(_AccountPermission):
    def holds_for(self, user: User) -> bool:
        return user.is_superuser_role()


class IsGlobalAdmin(_AccountPermission):
    def holds_for(self, user: User) -> bool:
        return user.is_admin_global()


class IsTerritorialAdmin(_AccountPermission):
    """Also while they have no country: on its own it opens nothing, see IsTerritorialAdminAndAssignedCountry."""

    def holds_for(self, user: User) -> bool:
        return user.is_admin_territorial()


class IsTerritorialAdminAndAssignedCountry(_AccountPermission):
    def holds_for(self, user: User) -> bool:
        return user.is_admin_territorial() and user.working_country_id() is not None


class IsChefDeptTech(_AccountPermission):
    """Also while they have no country, or a closed one: together with HasAccessCountry."""

    def holds_for(self, user: User) -> bool:
        return user.is_chef_dept_tech()


class IsResponsableOperateur(_AccountPermission):
    """No view asks for this role by name, as it may nothing that not all may who have a country (HasAccessCountry).

    It is for code that composes permissions of its own, as the other roles' are.
    """

    def holds_for(self, user: User) -> bool:
        return user.is_responsable_operateur()


class HasAccessCountry(_AccountPermission):
    """Has some country's data to see: all of them, or an active one of their own."""

    def holds_for(self, user: User) -> bool:
        return user.sees_all_countries() or user.working_country_id() is not None
