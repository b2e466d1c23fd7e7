"""The records in the admin. All pages are read only, except the aliases of the act catalogue and the currencies."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from common.errors import Invalid
from common.formats import format_amount, format_day
from common.keys import claim_number, label_key, name_key, reference_key
from core import revisions
from core.admin_changes import ChangeAdmin
from core.catalogue import services
from core.currencies.admin import ExchangeRateAdmin, ReportingCurrencyAdmin
from core.models import (
    Act,
    ActAlias,
    ActCategory,
    ActCategoryAlias,
    Change,
    Claim,
    ClaimLine,
    ClaimRevision,
    Client,
    ExchangeRate,
    Insured,
    InsuredSpelling,
    Invoice,
    Membership,
    Operator,
    Partner,
    Payment,
    Plan,
    Policy,
    Premium,
    ReportingCurrency,
    ReviewPair,
)
from users.access.actor import actor_of
from users.access.admin import ScopedInline, ScopedModelAdmin
from users.models import User

admin.site.register(Change, ChangeAdmin)
admin.site.register(ExchangeRate, ExchangeRateAdmin)
admin.site.register(ReportingCurrency, ReportingCurrencyAdmin)

ORIGIN = ("file", "import_session")
REVISIONS_SHOWN = 20


class RecordAdmin(ScopedModelAdmin):
    """A record of a country, with its origin and links to the lists of related records.

    `related_lists`: (model, the lookup from that model to this record).
    """

    audited = True
    lookups: ClassVar[tuple[str, ...]] = ORIGIN
    related_lists: ClassVar[tuple[tuple[type[Model], str], ...]] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        # The page of one record shows its country and origin; a list names the tables that it needs in `related`.
        return rows if self.is_list(request) else rows.select_related(*self.related, *ORIGIN)

    @staticmethod
    def is_list(request: HttpRequest) -> bool:
        match = request.resolver_match
        return match is not None and str(match.url_name).endswith("_changelist")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        own = [*super().get_fields(request, obj)]
        # The catalogue is shared by all countries, so its rows must not show the file of one country.
        origin = [name for name in ORIGIN if self._country_field() and name not in own]
        return [*own, *origin, *(["list_links"] if self.related_lists else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), *(["list_links"] if self.related_lists else [])]

    @admin.display(description=_("lists"))
    def list_links(self, record: Model) -> SafeString:
        """Links without counts, so that a record with ten thousand claims opens as fast as one with two."""
        links = [
            (f"{reverse(f'admin:core_{model._meta.model_name}_changelist')}?{lookup}={record.pk}", model._meta)
            for model, lookup in self.related_lists
        ]
        return format_html_join(
            " · ", '<a href="{}">{}</a>', ((address, meta.verbose_name_plural) for address, meta in links)
        )


class _NamedAdmin(RecordAdmin):
    """Records that are identified by a name."""

    list_display: Any = ("name",)
    ordering = ("key",)
    key_search = {"key": label_key}
    search_fields = ("key",)


@admin.register(Client)
class ClientAdmin(_NamedAdmin):
    fields = ("name", "country")
    related_lists = ((Claim, "client"), (Membership, "client"), (Premium, "client"))


@admin.register(Premium)
class PremiumAdmin(ScopedModelAdmin):
    """Premiums, read only: they are changed on their own pages."""

    audited = True
    list_display = ("client", "start", "end", "amount_written", "insured_count")
    ordering = ("-start", "-pk")
    date_hierarchy = "start"
    key_search = {"client__key": label_key}
    search_fields = ("client__key",)
    related = ("client",)
    lookups = ("client",)
    fields = (
        "client", "amount_written", "start", "end", "insured_count", "note", "file_name", "sheet", "row",
        "author", "created_at", "changed_at", "country",
    )  # fmt: skip
    readonly_fields = ("amount_written",)

    @admin.display(description=_("amount"), ordering="amount")
    def amount_written(self, premium: Premium) -> str:
        return format_amount(premium.amount, premium.currency, with_currency=True)


@admin.register(Policy)
class PolicyAdmin(RecordAdmin):
    list_display = ("number",)
    ordering = ("key",)
    key_search = {"key": reference_key}
    search_fields = ("key",)
    fields = ("number", ("observed_rate", "typed_rate"), ("deduced_subscriber", "typed_subscriber"), "country")
    related_lists = ((Claim, "policy"), (Membership, "policy"), (Plan, "policy"))


@admin.register(Plan)
class PlanAdmin(RecordAdmin):
    list_display = ("name", "policy")
    ordering = ("key", "pk")
    key_search = {"key": label_key, "policy__key": reference_key}
    search_fields = ("key",)
    related = ("policy",)
    lookups = (*ORIGIN, "policy")
    fields = ("name", "policy", ("observed_rate", "typed_rate"))
    related_lists = ((Membership, "plan"),)


class SpellingInline(ScopedInline):
    model = InsuredSpelling
    fields = ("name", "file", "import_session")
    related = ("file", "import_session")


class MembershipInline(ScopedInline):
    model = Membership
    fk_name = "insured"
    fields = ("policy", "client", "role", "principal", "plan", "first_settlement_date", "last_settlement_date")
    related = ("policy", "client", "principal", "plan")


@admin.register(Insured)
class InsuredAdmin(RecordAdmin):
    personal = True
    list_display = ("name", "card_number", "is_deduced")
    list_filter = ("is_deduced",)
    ordering = ("name_key", "pk")
    key_search = {"name_key": name_key, "card_key": reference_key}
    search_fields = ("name_key",)
    fields = ("name", "card_number", "is_deduced", "country")
    inlines = (MembershipInline, SpellingInline)
    related_lists = ((Claim, "insured"), (Membership, "principal"))


@admin.register(Membership)
class MembershipAdmin(RecordAdmin):
    personal = True
    list_display = ("insured", "role", "policy", "client", "plan", "first_settled_on", "last_settled_on")
    list_filter = ("role",)
    ordering = ("insured__name_key", "pk")
    key_search = {"insured__name_key": name_key, "policy__key": reference_key}
    search_fields = ("insured__name_key",)
    related = ("insured", "principal", "policy", "client", "plan")
    lookups = (*ORIGIN, "client", "policy", "plan", "principal")
    fields = (
        "insured",
        "role",
        "principal",
        "policy",
        "client",
        "plan",
        "first_settlement_date",
        "last_settlement_date",
    )
    related_lists = ((Claim, "membership"),)

    @admin.display(description=_("first settlement date"), ordering="first_settlement_date")
    def first_settled_on(self, membership: Membership) -> str:
        return format_day(membership.first_settlement_date) if membership.first_settlement_date else ""

    @admin.display(description=_("last settlement date"), ordering="last_settlement_date")
    def last_settled_on(self, membership: Membership) -> str:
        return format_day(membership.last_settlement_date) if membership.last_settlement_date else ""


@admin.register(Partner)
class PartnerAdmin(_NamedAdmin):
    list_display = ("name", "address", "partner_country")
    fields = ("name", "address", "partner_country", "country")
    related_lists = ((Claim, "partner"), (Invoice, "partner"), (Payment, "partner"))


@admin.register(Operator)
class OperatorAdmin(_NamedAdmin):
    personal = True
    fields = ("name", "country")


class _ProviderNumberAdmin(RecordAdmin):
    """Shared admin of invoices and payments, which have a number and a provider."""

    list_display = ("number", "partner")
    ordering = ("key", "pk")
    key_search = {"key": reference_key, "partner__key": label_key}
    search_fields = ("key",)
    related = ("partner",)
    lookups = (*ORIGIN, "partner")
    fields = ("number", "partner")


@admin.register(Invoice)
class InvoiceAdmin(_ProviderNumberAdmin):
    related_lists = ((Claim, "lines__invoice"),)


@admin.register(Payment)
class PaymentAdmin(_ProviderNumberAdmin):
    related_lists = ((Claim, "lines__payment"),)


class _AmountsMixin:
    """The columns `claimed` and `reimbursed`: the amounts of a row, with the currency of its claim."""

    @admin.display(description=_("claimed amount"), ordering="claimed_amount")
    def claimed(self, row: Claim | ClaimLine) -> str:
        return format_amount(row.claimed_amount, _currency_of(row), with_currency=True)

    @admin.display(description=_("reimbursed amount"), ordering="reimbursed_amount")
    def reimbursed(self, row: Claim | ClaimLine) -> str:
        return format_amount(row.reimbursed_amount, _currency_of(row), with_currency=True)


def _currency_of(row: Claim | ClaimLine) -> str:
    return row.currency if isinstance(row, Claim) else row.claim.currency


_AMOUNT_COLUMNS = {"claimed_amount": "claimed", "reimbursed_amount": "reimbursed"}


class ClaimLineInline(_AmountsMixin, ScopedInline):
    """The acts of a claim, each with the file, sheet and row from which it was read."""

    model = ClaimLine
    ordering = ("position",)
    fields = tuple(_AMOUNT_COLUMNS.get(name, name) for name in revisions.LINE_FIELDS)
    readonly_fields = tuple(_AMOUNT_COLUMNS.values())
    related = ("claim", "act", "category", "invoice", "payment", "operator", "file")


@admin.register(Claim)
class ClaimAdmin(_AmountsMixin, RecordAdmin):
    personal = True
    list_display = (
        "number",
        "status",
        "settled_on",
        "claimed",
        "reimbursed",
        "insured",
        "client",
        "partner",
    )
    list_filter = ("status",)
    date_hierarchy = "settlement_date"
    ordering = ("-settlement_date", "-pk")
    key_search = {"number": claim_number, "insured__name_key": name_key, "policy__key": reference_key}
    search_fields = ("number",)
    related = ("insured", "client", "policy", "partner")
    lookups = (
        *ORIGIN,
        "client",
        "policy",
        "insured",
        "partner",
        "membership",
        "recap_file",
        "lines__invoice",
        "lines__payment",
    )
    fieldsets: ClassVar[Any] = (
        (
            None,
            {
                "fields": (
                    ("number", "status"),
                    ("settlement_date", "incident_date"),
                    ("claimed", "reimbursed", "currency"),
                    "country",
                )
            },
        ),
        (_("Parties"), {"fields": ("insured", "membership_link", ("policy", "client"), "partner")}),
        (
            _("Where it came from"),
            {"fields": (("file", "import_session"), ("recap_file", "recap_sheet", "recap_row"))},
        ),
    )
    inlines = (ClaimLineInline,)
    readonly_fields = ("membership_link", *_AMOUNT_COLUMNS.values())
    change_form_template = "admin/core/claim.html"

    @admin.display(description=_("settlement date"), ordering="settlement_date")
    def settled_on(self, claim: Claim) -> str:
        return format_day(claim.settlement_date)

    @admin.display(description=_("membership"))
    def membership_link(self, claim: Claim) -> SafeString:
        address = reverse("admin:core_membership_change", args=[claim.membership_id])
        return format_html('<a href="{}">{}</a>', address, claim.membership.get_role_display())

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        claim = kwargs.get("obj")
        rows = ClaimRevision.objects.visible_to(actor_of(request)).filter(claim=claim).order_by("-pk")
        newest = list(rows.select_related("replaced_by_session")[: REVISIONS_SHOWN + 1])
        context["revisions"] = [(row, revisions.revision_view(row)) for row in newest[:REVISIONS_SHOWN]]
        context["has_more_revisions"] = len(newest) > REVISIONS_SHOWN
        return super().render_change_form(request, context, *args, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        # A claim may have several lines with the invoice or payment by which the list is filtered.
        return rows.distinct() if any(name.startswith("lines__") for name in request.GET) else rows


@admin.register(ClaimRevision)
class ClaimRevisionAdmin(ScopedModelAdmin):
    """Earlier versions of claims. They stay when the claim itself is removed by reverting its session."""

    audited = True
    personal = True
    list_display = ("number", "replaced_at", "replaced_by_session")
    ordering = ("-pk",)
    date_hierarchy = "replaced_at"
    key_search = {"number": claim_number}
    search_fields = ("number",)
    related = ("replaced_by_session",)
    lookups = ("claim", "replaced_by_session")
    fields = ("number", "claim", "replaced_at", "replaced_by_session", "country")
    change_form_template = "admin/core/revision.html"

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        context["view"] = revisions.revision_view(kwargs["obj"])
        return super().render_change_form(request, context, *args, **kwargs)


class AliasInline(ScopedInline):
    model = ActAlias
    fields = ("name",)


class CategoryAliasInline(ScopedInline):
    model = ActCategoryAlias
    fields = ("name",)


@admin.register(ReviewPair)
class ReviewPairAdmin(ScopedModelAdmin):
    """The review list. The page of a pair answers it; here it is only read."""

    audited = True
    personal = True
    list_display = ("one_name", "other_name", "kind", "decision", "decided_label")
    list_filter = ("kind", "decision")
    ordering = ("-pk",)
    key_search = {"one_key": name_key, "other_key": name_key}
    search_fields = ("one_key",)
    related = ("country",)
    fields = (
        "kind", "one_name", "other_name", "policy_key", "decision", "decided_label", "decided_at", "found_at",
        "import_session", "country",
    )  # fmt: skip
    readonly_fields = ("found_at",)


@admin.register(ActCategory)
class ActCategoryAdmin(_NamedAdmin):
    audited = False
    lookups = ()
    fields = ("name",)
    inlines = (CategoryAliasInline,)
    related_lists = ((Act, "category"),)


@admin.register(Act)
class ActAdmin(RecordAdmin):
    audited = False
    lookups = ("category",)
    list_display = ("name", "category")
    ordering = ("key",)
    key_search = {"key": label_key, "aliases__key": label_key}
    search_fields = ("key",)
    related = ("category",)
    fields = ("name", "category")
    inlines = (AliasInline,)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        rows, _may_repeat = super().get_search_results(request, queryset, search_term)
        return rows, True


class AliasForm(forms.ModelForm):
    actor: ClassVar[User]

    def clean(self) -> Any:
        values = super().clean()
        act, name = self.cleaned_data.get("act"), self.cleaned_data.get("name")
        if act is not None and name:
            try:
                services.add_alias(actor=self.actor, row=act, name=str(name), dry_run=True)
            except Invalid as invalid:
                raise forms.ValidationError(invalid.sentences()) from invalid
        return values


@admin.register(ActAlias)
class ActAliasAdmin(ScopedModelAdmin):
    """Further names of acts. Administrators of all countries add and remove them; an alias is never edited."""

    form = AliasForm
    list_display = ("name", "act")
    ordering = ("key",)
    key_search = {"key": label_key, "act__key": label_key}
    search_fields = ("key",)
    related = ("act",)
    fields = ("name", "act")
    autocomplete_fields = ("act",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"actor": actor_of(request)})

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "name":
            kwargs["widget"] = forms.TextInput(attrs={"class": "vTextField", "maxlength": 255})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return services.may_edit_catalogue(actor_of(request))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return services.may_edit_catalogue(actor_of(request))

    def save_model(self, request: HttpRequest, obj: ActAlias, form: Any, change: bool) -> None:
        services.add_alias(actor=actor_of(request), row=obj.act, name=obj.name)
        obj.pk = ActAlias.objects.values_list("pk", flat=True).get(key=services.key_of(obj.name))

    def delete_model(self, request: HttpRequest, obj: ActAlias) -> None:
        services.remove_alias(actor=actor_of(request), alias=obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        names = [str(alias) for alias in objs]
        return names, {self.opts.verbose_name_plural: len(names)}, set(), []
