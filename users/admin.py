"""Admin pages of accounts, countries and the audit trail, by hierarchy (DOMAIN §1)."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.throttling import UploadThrottle
from users.access.actor import actor_of
from users.access.admin import ScopedModelAdmin
from users.access.service_admin import ServiceAdmin
from users.accounts import countries, deactivations, services
from users.accounts.forms import AccountForm, CountryForm, DeactivationForm, DeactivationVoteForm, ServiceForm
from users.accounts.sheet_form import AccountSheetForm
from users.models import AuditEntry, Country, CountryDeactivation, DeactivationStatus, MailPurpose, User


@admin.register(User)
class AccountAdmin(ServiceAdmin):
    audited = True
    personal = True
    list_display = ("username", "email", "name", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("username", "email", "first_name", "last_name")
    ordering = ("username",)
    related = ("country",)
    fields = ("username", "email", "first_name", "last_name", "role", "country", "is_active", "last_login")
    actions = ("activate", "deactivate", "send_link")

    @admin.display(description=gettext_lazy("name"), ordering="last_name")
    def name(self, account: User) -> str:
        return account.get_full_name()

    def get_list_filter(self, request: HttpRequest) -> Any:
        # A territorial admin sees the roles below only: most choices of this filter would give empty lists.
        filters = list(super().get_list_filter(request))
        return filters if actor_of(request).sees_all_countries() else [one for one in filters if one != "role"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(services.assignable_roles(actor_of(request)))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        actor = actor_of(request)
        if obj is None:
            return self.has_add_permission(request)
        return obj.pk != actor.pk and services.manageable_by(actor).filter(pk=obj.pk).exists()

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.import_view)
        return [path("import/", view, name="users_user_import"), *super().get_urls()]

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Preview a sheet: every row with its problems. A second POST, with the signed rows of the preview, creates the
        accounts of the rows without a problem.
        """
        if not self.has_add_permission(request):
            raise PermissionDenied
        actor, is_sent = actor_of(request), request.method == "POST"
        form = AccountSheetForm(request.POST if is_sent else None, request.FILES if is_sent else None, actor=actor)
        people, signed_rows = None, ""
        # The throttle shares its counter with the API.
        if is_sent and form.is_valid() and not UploadThrottle().allow_request(request, None):  # type: ignore[arg-type]
            form.add_error(None, _("Too many uploads. Wait a while, then try again."))
        elif is_sent:
            people, signed_rows = form.people()
        return self.page(
            request,
            "admin/users/user/import.html",
            title=_("Import accounts"),
            form=form,
            people=people,
            signed_rows=signed_rows,
            valid_count=sum(not person.problems for person in people or []),
        )

    def form_for(self, request: HttpRequest, row: Any, data: Any) -> ServiceForm:
        return AccountForm(data, actor=actor_of(request), account=row)

    def acts_on(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        toggle = ("deactivate", _("Deactivate")) if row.is_active else ("activate", _("Activate"))
        return [toggle, ("send_link", _("Send a link to choose a password"))]

    def acts(self) -> list[tuple[str, Callable[[HttpRequest, Any], HttpResponse | None]]]:
        return [("activate", self._activate), ("deactivate", self._deactivate), ("send_link", self._send_link)]

    def _activate(self, request: HttpRequest, account: User) -> None:
        services.set_active(actor=actor_of(request), account=account, is_active=True)
        messages.success(request, _("“%(name)s” is active.") % {"name": account})

    def _deactivate(self, request: HttpRequest, account: User) -> None:
        services.set_active(actor=actor_of(request), account=account, is_active=False)
        messages.success(request, _("“%(name)s” can no longer sign in.") % {"name": account})

    def _send_link(self, request: HttpRequest, account: User) -> None:
        purpose = MailPurpose.RESET if account.has_usable_password() else MailPurpose.INVITATION
        services.send_password_link(actor=actor_of(request), account=account, purpose=purpose)
        messages.success(request, _("A link to choose a password is on its way to “%(name)s”.") % {"name": account})

    def _each(self, request: HttpRequest, rows: QuerySet[Any], change: Callable[[HttpRequest, User], None]) -> None:
        for account in rows:
            self.carry_out(request, partial(change, request, account), about=str(account))

    @admin.action(description=gettext_lazy("Activate"))
    def activate(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._each(request, queryset, self._activate)

    @admin.action(description=gettext_lazy("Deactivate"))
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._each(request, queryset, self._deactivate)

    @admin.action(description=gettext_lazy("Send a link to choose a password"))
    def send_link(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._each(request, queryset, self._send_link)


@admin.register(Country)
class CountryAdmin(ServiceAdmin):
    list_display = ("name", "code", "currency_code", "tolerance", "is_active")
    ordering = ("name",)
    fields = (
        "name",
        "code",
        "currency_code",
        "currency_name",
        "tolerance",
        "target_loss_ratio",
        "pooling_threshold",
        "is_active",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return countries.may_manage_countries(actor_of(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return countries.may_manage_countries(actor_of(request))

    def form_for(self, request: HttpRequest, row: Any, data: Any) -> ServiceForm:
        return CountryForm(data, actor=actor_of(request), country=row)

    def acts_on(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        if not row.is_active:
            return [("open", _("Activate"))]
        if actor_of(request).is_superuser_role():
            return [("close", _("Deactivate the country and its accounts"))]
        # Others ask for it: the list of requests has the form.
        return []

    def acts(self) -> list[tuple[str, Callable[[HttpRequest, Any], HttpResponse | None]]]:
        return [("open", self._activate), ("close", self._deactivate)]

    def _activate(self, request: HttpRequest, country: Country) -> None:
        countries.set_country_active(actor=actor_of(request), country=country, is_active=True)
        messages.success(request, _("“%(name)s” is active.") % {"name": country})

    def _deactivate(self, request: HttpRequest, country: Country) -> None:
        countries.set_country_active(actor=actor_of(request), country=country, is_active=False)
        messages.success(request, _("“%(name)s” is inactive; its accounts can no longer sign in.") % {"name": country})


@admin.register(CountryDeactivation)
class CountryDeactivationAdmin(ServiceAdmin):
    """Requests to deactivate a country: ask by the form of a new one, vote and withdraw on the page of one."""

    list_display = ("country", "reason", "status", "asked_by_label", "asked_at", "expires_at", "given", "needed")
    list_filter = ("status",)
    ordering = ("-pk",)
    related = ("country",)
    fields = (
        "country", "reason", "status", "asked_by_label", "asked_at", "expires_at", "voters", "needed", "given",
        "decided_at", "decided_by_label",
    )  # fmt: skip
    readonly_fields = ("given",)

    @admin.display(description=gettext_lazy("approvals"))
    def given(self, row: CountryDeactivation) -> int:
        return deactivations.approvals(row.votes.all())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        deactivations.expire_due()
        return super().get_queryset(request).prefetch_related("votes")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return countries.may_manage_countries(actor_of(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return countries.may_manage_countries(actor_of(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        actor = actor_of(request)
        return countries.may_manage_countries(actor) and (obj is None or obj.status == DeactivationStatus.PENDING)

    def form_for(self, request: HttpRequest, row: Any, data: Any) -> ServiceForm:
        if row is None:
            return DeactivationForm(data, actor=actor_of(request))
        return DeactivationVoteForm(data, actor=actor_of(request), request=row)

    def acts_on(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        return [("withdraw", _("Withdraw the request"))] if deactivations.may_withdraw(actor_of(request), row) else []

    def acts(self) -> list[tuple[str, Callable[[HttpRequest, Any], HttpResponse | None]]]:
        return [("withdraw", self._withdraw)]

    def _withdraw(self, request: HttpRequest, row: CountryDeactivation) -> None:
        deactivations.withdraw(actor=actor_of(request), request=row)
        messages.success(request, _("The request was withdrawn."))


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedModelAdmin):
    """The audit trail, for the administrators of a country."""

    list_display = ("at", "actor_label", "action", "kind", "object_label", "success")
    list_filter = ("action", "success")
    search_fields = ("actor_label", "object_label")
    date_hierarchy = "at"
    ordering = ("-pk",)
    fields = ("at", "actor_label", "country", "action", "kind", "object_id", "object_label", "success", "data")
    readonly_fields = ("kind",)

    @admin.display(description=gettext_lazy("object type"), ordering="object_type")
    def kind(self, entry: AuditEntry) -> str:
        return entry.object_kind()
