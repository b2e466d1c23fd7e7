"""Role checks for views, composable with `|` and `&` (DOMAIN §1). For rows: `users.scoping`."""

from django.contrib.auth.models import AnonymousUser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from users.models import User


class _AccountPermission(BasePermission):
    """Permission for the active accounts for which `holds_for` is true."""

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
    """True also for an account without a country: combine it with HasAccessCountry."""

    def holds_for(self, user: User) -> bool:
        return user.is_admin_territorial()


class IsTerritorialAdminAndAssignedCountry(_AccountPermission):
    def holds_for(self, user: User) -> bool:
        return user.is_admin_territorial() and user.working_country_id() is not None


class IsChefDeptTech(_AccountPermission):
    """True also for an account without a country or with an inactive one: combine it with HasAccessCountry."""

    def holds_for(self, user: User) -> bool:
        return user.is_chef_dept_tech()


class IsResponsableOperateur(_AccountPermission):
    """No view uses this: the role has no right beyond HasAccessCountry. It is for permissions composed elsewhere."""

    def holds_for(self, user: User) -> bool:
        return user.is_responsable_operateur()


class HasAccessCountry(_AccountPermission):
    """The account sees all countries, or has an active country of its own."""

    def holds_for(self, user: User) -> bool:
        return user.sees_all_countries() or user.working_country_id() is not None
