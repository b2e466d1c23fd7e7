"""Accounts, countries and the audit trail in the admin, by hierarchy (DOMAIN §1)."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.throttling import UploadThrottle
from users.access.actor import actor_of
from users.access.admin import ScopedModelAdmin
from users.accounts import countries, from_sheet, services
from users.accounts.admin_forms import AccountForm, CountryForm, DecidedForm
from users.accounts.admin_import import AccountSheetForm, pack
from users.models import AuditAction, AuditEntry, Country, MailPurpose, User


class _DecidedAdmin(ScopedModelAdmin):
    """Pages whose changes are made by functions with the actor as argument; the form shows what those refuse."""

    def form_for(self, request: HttpRequest, row: Any, data: Any) -> DecidedForm:
        raise NotImplementedError

    def keep(self, request: HttpRequest, row: Any, form: DecidedForm) -> Any:
        """Raises Invalid, NotAllowed."""
        raise NotImplementedError

    def acts_on(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        """(name, label) of what one may do to the row beside changing it."""
        return []

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._form_page(request, None)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        if not self.has_change_permission(request, row):
            return super().change_view(request, object_id, form_url, extra_context)
        return self._form_page(request, row)

    def _form_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        form = self.form_for(request, row, request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            kept = None
            with form.refusals(), transaction.atomic():
                kept = self.keep(request, row, form)
            if kept is not None:
                messages.success(request, _("“%(name)s” was saved.") % {"name": kept})
                return HttpResponseRedirect(self.address("changelist"))
        if self.audited and row is not None and request.method == "GET":
            self.record_audit(request, AuditAction.READ, row)
        return self.page(
            request,
            "admin/users/form.html",
            title=str(row) if row else _("Add %(name)s") % {"name": self.opts.verbose_name},
            form=form,
            original=row,
            acts=self.acts_on(request, row) if row else [],
        )

    def address(self, name: str, *args: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args)

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_act"
        view = self.admin_site.admin_view(self.act_view)
        return [path("<path:object_id>/act/<slug:act>/", view, name=name), *super().get_urls()]

    def act_view(self, request: HttpRequest, object_id: str, act: str) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        does = dict(self.acts()).get(act)
        if does is None:
            raise Http404
        if request.method == "POST":
            self.carry_out(request, lambda: does(request, row))
        return HttpResponseRedirect(self.address("change", row.pk))

    def acts(self) -> list[tuple[str, Callable[[HttpRequest, Any], None]]]:
        return []


@admin.register(User)
class AccountAdmin(_DecidedAdmin):
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
        # Whose roles one sees is decided by one's own; a choice of them would only be empty lists.
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
        """A sheet is looked at: every row, what would be made of it and what is wrong with it. Then, if that is meant,
        the rows without a problem are created.
        """
        if not self.has_add_permission(request):
            raise PermissionDenied
        actor, is_sent = actor_of(request), request.method == "POST"
        form = AccountSheetForm(request.POST if is_sent else None, request.FILES if is_sent else None, actor=actor)
        people, kept = None, ""
        # The counter is the API's: two doors, one allowance.
        if is_sent and form.is_valid() and not UploadThrottle().allow_request(request, None):  # type: ignore[arg-type]
            form.add_error(None, _("Too many uploads. Wait a while, then try again."))
        elif is_sent and form.is_valid():
            with form.refusals():
                sheet = form.sheet()
                does = from_sheet.create if form.was_looked_at() else from_sheet.preview
                people = does(actor=actor, rows=sheet.rows, country=sheet.country)
                kept = "" if form.was_looked_at() else pack(actor=actor, sheet=sheet)
        return self.page(
            request,
            "admin/users/user/import.html",
            title=_("Import accounts"),
            form=form,
            people=people,
            kept=kept,
            good=sum(not person.problems for person in people or []),
        )

    def form_for(self, request: HttpRequest, row: Any, data: Any) -> DecidedForm:
        return AccountForm(data, actor=actor_of(request), account=row)

    def keep(self, request: HttpRequest, row: Any, form: DecidedForm) -> User:
        actor, values = actor_of(request), dict(form.cleaned_data)
        if row is None:
            return services.create_account(actor=actor, **values)
        country = values.pop("country", row.country)
        account = services.update_account(actor=actor, account=row, **values)
        # A role without a country has just lost it; the form still bears the one from before.
        kept_no_country = account.country_id is None and country == row.country
        if services.may_move(actor) and country != account.country and not kept_no_country:
            account = services.move_account(actor=actor, account=account, country=country)
        return account

    def acts_on(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        toggle = ("deactivate", _("Deactivate")) if row.is_active else ("activate", _("Activate"))
        return [toggle, ("send_link", _("Send a link to choose a password"))]

    def acts(self) -> list[tuple[str, Callable[[HttpRequest, Any], None]]]:
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

    def _each(self, request: HttpRequest, rows: QuerySet[Any], does: Callable[[HttpRequest, User], None]) -> None:
        for account in rows:
            self.carry_out(request, partial(does, request, account), about=str(account))

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
class CountryAdmin(_DecidedAdmin):
    list_display = ("name", "code", "currency_code", "tolerance", "is_active")
    ordering = ("name",)
    fields = ("name", "code", "currency_code", "currency_name", "tolerance", "is_active")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return countries.may_manage_countries(actor_of(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return countries.may_manage_countries(actor_of(request))

    def form_for(self, request: HttpRequest, row: Any, data: Any) -> DecidedForm:
        return CountryForm(data, country=row)

    def keep(self, request: HttpRequest, row: Any, form: DecidedForm) -> Country:
        if row is None:
            return countries.create_country(actor=actor_of(request), **form.cleaned_data)
        return countries.update_country(actor=actor_of(request), country=row, **form.cleaned_data)

    def acts_on(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        return [("close", _("Deactivate, and freeze its accounts")) if row.is_active else ("open", _("Activate"))]

    def acts(self) -> list[tuple[str, Callable[[HttpRequest, Any], None]]]:
        return [("open", self._open), ("close", self._close)]

    def _open(self, request: HttpRequest, country: Country) -> None:
        countries.set_country_active(actor=actor_of(request), country=country, is_active=True)
        messages.success(request, _("“%(name)s” is active.") % {"name": country})

    def _close(self, request: HttpRequest, country: Country) -> None:
        countries.set_country_active(actor=actor_of(request), country=country, is_active=False)
        messages.success(request, _("“%(name)s” is closed; its accounts are frozen.") % {"name": country})


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedModelAdmin):
    """Who did what, when: read by who answers for a country."""

    list_display = ("at", "actor_label", "action", "kind", "object_label", "success")
    list_filter = ("action", "success")
    search_fields = ("actor_label", "object_label")
    date_hierarchy = "at"
    ordering = ("-pk",)
    fields = ("at", "actor_label", "country", "action", "kind", "object_id", "object_label", "success", "data")
    readonly_fields = ("kind",)

    @admin.display(description=gettext_lazy("kind of object"), ordering="object_type")
    def kind(self, entry: AuditEntry) -> str:
        return entry.object_kind()
