"""The forms of rates and subscribers on the page of a policy, and the lists of what is to complete (DOMAIN §10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import django_tables2 as tables
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.tables import ListTable
from core import filters
from core.coverage import services, texts
from core.coverage.conditions import POLICY_TO_COMPLETE, RATE_DIFFERS
from core.models import Plan, Policy
from core.pages.lists import RecordsPage
from core.pages.tables import CountryColumn, RateColumn, link_to
from users.access.pages import PageView
from users.access.refusals import carry_out
from users.access.viewsets import MayTypeRates

_BACK = "give_back"


class _Typing(PageView):
    """A form of the page of a policy: it types something or gives it back, then shows the policy again."""

    permission = MayTypeRates
    http_method_names = ["post", "options"]

    def _typed(self, policy_id: int, change: Callable[[], object], *, typed: str, given_back: str) -> HttpResponse:
        if carry_out(self.request, change):
            messages.success(self.request, given_back if _BACK in self.request.POST else typed)
        return redirect(f"{reverse('page-policy', args=[policy_id])}#coverage")

    def _type_rate(self, record: Any, policy_id: int) -> HttpResponse:
        def change() -> None:
            rate = None if _BACK in self.request.POST else texts.read_percent(self.request.POST.get("rate", ""))
            services.type_rate(actor=self.user, record=record, rate=rate)

        return self._typed(
            policy_id,
            change,
            typed=_("The rate is typed. No import replaces it."),
            given_back=_("The observed rate is in force again."),
        )


class PolicyRatePage(_Typing):
    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._type_rate(self.row(Policy.objects.visible_to(self.user), pk), pk)


class PlanRatePage(_Typing):
    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        plan = self.row(Plan.objects.visible_to(self.user).select_related("policy"), pk)
        return self._type_rate(plan, plan.policy_id)


class PolicySubscriberPage(_Typing):
    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        policy = self.row(Policy.objects.visible_to(self.user), pk)
        name = "" if _BACK in request.POST else request.POST.get("subscriber", "")
        return self._typed(
            pk,
            lambda: services.type_subscriber(actor=self.user, policy=policy, name=name),
            typed=_("The subscriber is typed. No import replaces it."),
            given_back=_("The deduced subscriber is in force again."),
        )


class PolicyToCompleteTable(ListTable):
    number = link_to("page-policy", gettext_lazy("Policy"), "number")
    missing = tables.Column(gettext_lazy("To complete"), accessor="pk")
    subscriber = tables.Column(gettext_lazy("Subscriber"))
    typed_rate = RateColumn(gettext_lazy("Typed rate"))
    observed_rate = RateColumn(gettext_lazy("Observed rate"))
    country = CountryColumn()

    class Meta(ListTable.Meta):
        pass

    def render_missing(self, record: Policy) -> str:
        return ", ".join(texts.missing(record))


class PlanToCompleteTable(ListTable):
    policy = link_to("page-policy", gettext_lazy("Policy"), "policy__number")
    name = tables.Column(gettext_lazy("Plan"))
    typed_rate = RateColumn(gettext_lazy("Typed rate"))
    observed_rate = RateColumn(gettext_lazy("Observed rate"))
    country = CountryColumn("policy__country__name")

    class Meta(ListTable.Meta):
        pass


class PoliciesToCompletePage(RecordsPage):
    model = Policy
    table_class = PolicyToCompleteTable
    filterset_class = filters.PolicyFilter
    title = gettext_lazy("Policies to complete")
    lead = gettext_lazy(
        "Policies without subscriber or coverage rate, and typed rates that differ from the observed ones. Open a"
        " policy to type them."
    )
    main_filters = ("search", "without_subscriber", "without_rate", "rate_differs", "country")
    more_filters = ()
    orderings: ClassVar[Any] = {"number": gettext_lazy("Number"), "-id": gettext_lazy("Newest first")}
    personal = True

    def rows(self) -> Any:
        return super().rows().filter(POLICY_TO_COMPLETE)

    def extra(self) -> dict[str, Any]:
        return {
            "see_also": [
                (_("Plans to complete"), reverse("page-plans-to-complete")),
                (_("All policies"), reverse("page-policies")),
            ]
        }


class PlansToCompletePage(RecordsPage):
    model = Plan
    table_class = PlanToCompleteTable
    filterset_class = filters.PlanFilter
    title = gettext_lazy("Plans to complete")
    lead = gettext_lazy("Plans whose typed coverage rate differs from the observed one.")
    main_filters = ("search", "country")
    more_filters = ()
    orderings: ClassVar[Any] = {"name": gettext_lazy("Name"), "-id": gettext_lazy("Newest first")}
    related = ("policy__country",)

    def rows(self) -> Any:
        return super().rows().filter(RATE_DIFFERS)

    def extra(self) -> dict[str, Any]:
        return {"see_also": [(_("Policies to complete"), reverse("page-policies-to-complete"))]}
