"""Pages of accounts: list, detail, create, change, acts, and the import of a sheet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import django_filters
import django_tables2 as tables
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import NotAllowed
from common.tables import DayColumn, ListTable
from common.throttling import UploadThrottle
from users import audit
from users.access.pages import ListPage, PageView
from users.access.viewsets import MayManageAccounts
from users.accounts import services
from users.accounts.forms import AccountForm
from users.accounts.sheet_form import AccountSheetForm
from users.accounts.views import AccountFilter
from users.models import AuditAction, AuditEntry, MailPurpose, Role, User

HISTORY_SHOWN = 20


def history_of(actor: User, row: Any) -> list[AuditEntry]:
    """The last changes of an account or a country, those that `actor` may see, the newest first."""
    entries = AuditEntry.objects.visible_to(actor).filter(object_type=row._meta.label_lower, object_id=row.pk)
    return list(entries.exclude(action=AuditAction.READ).order_by("-pk")[:HISTORY_SHOWN])


class AccountPageFilter(AccountFilter):
    """The filters of the API, but one role at a time."""

    role = django_filters.ChoiceFilter(choices=Role.choices, label=gettext_lazy("Role"))


class AccountTable(ListTable):
    username = tables.Column(gettext_lazy("User name"), linkify=("page-account", {"pk": tables.A("pk")}))
    name = tables.Column(gettext_lazy("Name"), accessor="get_full_name")
    email = tables.Column(gettext_lazy("E-mail address"))
    role = tables.Column(gettext_lazy("Role"), accessor="get_role_display")
    country = tables.Column(gettext_lazy("Country"), accessor="country__name")
    state = tables.Column(gettext_lazy("State"), accessor="is_active")
    last_login = DayColumn(gettext_lazy("Last sign-in"))

    class Meta(ListTable.Meta):
        pass

    def render_state(self, record: User) -> str:
        tone = "good" if record.is_active and record.has_usable_password() else ""
        return format_html('<span class="badge {}">{}</span>', tone, state_of(record))


def state_of(account: User) -> str:
    """Whether the account can sign in: active, inactive, or without a password yet."""
    if not account.is_active:
        return _("inactive")
    return _("active") if account.has_usable_password() else _("has no password yet")


class AccountsPage(ListPage):
    permission = MayManageAccounts
    template_name = "users/accounts/list.html"
    model = User
    table_class = AccountTable
    filterset_class = AccountPageFilter
    title = gettext_lazy("Accounts")
    lead = gettext_lazy("The people who may sign in, with their roles.")
    main_filters = ("search", "role", "country", "is_active")
    orderings: ClassVar[dict[str, Any]] = {
        "username": gettext_lazy("User name"),
        "last_name": gettext_lazy("Last name"),
        "role": gettext_lazy("Role"),
        "-date_joined": gettext_lazy("Newest first"),
    }
    personal = True

    def rows(self) -> QuerySet[Any]:
        return super().rows().select_related("country")

    def extra(self) -> dict[str, Any]:
        return {"may_create": bool(services.assignable_roles(self.user))}


class _AccountPage(PageView):
    """A page about one account."""

    permission = MayManageAccounts

    def account(self) -> User:
        account: User = self.row(User.objects.visible_to(self.user).select_related("country"), self.kwargs["pk"])
        return account

    def may_change(self, account: User) -> bool:
        return account.pk != self.user.pk and services.manageable_by(self.user).filter(pk=account.pk).exists()


class AccountPage(_AccountPage):
    template_name = "users/accounts/account.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        account = self.account()
        audit.record(actor=self.user, action=AuditAction.READ, target=account)
        return self.page(
            account=account,
            state=state_of(account),
            may_change=self.may_change(account),
            history=history_of(self.user, account),
        )


class AccountFormPage(_AccountPage):
    """Create an account, or change one."""

    template_name = "users/accounts/form.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.shown: User | None = None
        return super().dispatch(request, *args, **kwargs)

    def form(self, data: Any = None) -> AccountForm:
        if "pk" in self.kwargs:
            self.shown = self.account()
            if not self.may_change(self.shown):
                raise PermissionDenied
        return AccountForm(data, actor=self.user, account=self.shown)

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.page(form=self.form(), account=self.shown)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = self.form(request.POST)
        saved = form.saved()
        if saved is None:
            return self.page(form=form, account=self.shown, status=400)
        if self.shown is None:
            told = _("The account was created. A link to choose a password is on its way to %(address)s.")
            messages.success(request, told % {"address": saved.email})
        else:
            messages.success(request, _("“%(name)s” was saved.") % {"name": saved})
        return redirect("page-account", pk=saved.pk)


class AccountActPage(_AccountPage):
    """Deactivate, activate, send a link to choose a password."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, act: str, **kwargs: Any) -> HttpResponse:
        acts: dict[str, Callable[[User], str]] = {
            "activate": self._activate,
            "deactivate": self._deactivate,
            "password-link": self._send_link,
        }
        if act not in acts:
            raise Http404
        account = self.account()
        try:
            messages.success(request, acts[act](account))
        except NotAllowed as refused:
            messages.error(request, str(refused))
        return redirect("page-account", pk=account.pk)

    def _activate(self, account: User) -> str:
        services.set_active(actor=self.user, account=account, is_active=True)
        return _("“%(name)s” is active.") % {"name": account}

    def _deactivate(self, account: User) -> str:
        services.set_active(actor=self.user, account=account, is_active=False)
        return _("“%(name)s” can no longer sign in.") % {"name": account}

    def _send_link(self, account: User) -> str:
        purpose = MailPurpose.RESET if account.has_usable_password() else MailPurpose.INVITATION
        services.send_password_link(actor=self.user, account=account, purpose=purpose)
        return _("A link to choose a password is on its way to “%(name)s”.") % {"name": account}


class AccountImportPage(PageView):
    """A sheet of accounts: first the preview, then, with the signed rows of the preview, the accounts."""

    permission = MayManageAccounts
    template_name = "users/accounts/import.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.page(form=AccountSheetForm(actor=self.user))

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = AccountSheetForm(request.POST, request.FILES, actor=self.user)
        # The counter is that of the API.
        if form.is_valid() and not UploadThrottle().allow_request(request, None):  # type: ignore[arg-type]
            form.add_error(None, _("Too many uploads. Wait a while, then try again."))
            return self.page(form=form, status=429)
        people, signed_rows = form.people()
        if people is None:
            return self.page(form=form, status=400)
        return self.page(
            people=people,
            signed_rows=signed_rows,
            valid_count=sum(not person.problems for person in people),
        )
