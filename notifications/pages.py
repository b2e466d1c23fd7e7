"""Pages of webhooks: list, one with its messages and their log, register, change, steer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import django_tables2 as tables
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.tables import ListTable, StateColumn
from notifications import services
from notifications.forms import WebhookForm
from notifications.models import EndpointState, WebhookEndpoint, WebhookMessage
from notifications.views import WebhookFilter
from users.access.pages import ListPage, PageView
from users.access.refusals import carry_out
from users.access.viewsets import MayManageWebhooks
from users.accounts.pages import history_of

# The API has all of them.
MESSAGES_SHOWN = 50


class WebhookTable(ListTable):
    name = tables.Column(gettext_lazy("Name"), linkify=("page-webhook", {"pk": tables.A("pk")}))
    url = tables.Column(gettext_lazy("Address"))
    events = tables.Column(gettext_lazy("Events"), accessor="event_labels")
    country = tables.Column(gettext_lazy("Country"), accessor="country__name", default=gettext_lazy("All countries"))
    state = StateColumn(gettext_lazy("State"), accessor="get_state_display")

    class Meta(ListTable.Meta):
        pass

    def render_events(self, value: list[str]) -> str:
        return ", ".join(value)


class WebhooksPage(ListPage):
    permission = MayManageWebhooks
    template_name = "notifications/webhooks.html"
    model = WebhookEndpoint
    table_class = WebhookTable
    filterset_class = WebhookFilter
    title = gettext_lazy("Webhooks")
    lead = gettext_lazy("Addresses of other systems that get a signed message when an import ends.")
    main_filters = ("state", "country")
    orderings: ClassVar[dict[str, Any]] = {"-id": gettext_lazy("Newest first"), "name": gettext_lazy("Name")}

    def rows(self) -> QuerySet[Any]:
        return super().rows().select_related("country")


class _WebhookPage(PageView):
    """A page about one webhook."""

    permission = MayManageWebhooks
    template_name = "notifications/webhook.html"

    def endpoint(self) -> WebhookEndpoint:
        rows = WebhookEndpoint.objects.visible_to(self.user).select_related("country")
        endpoint: WebhookEndpoint = self.row(rows, self.kwargs["pk"])
        return endpoint

    def shown(self, endpoint: WebhookEndpoint, *, secret: str = "") -> HttpResponse:
        sent = WebhookMessage.objects.visible_to(self.user).filter(endpoint=endpoint)
        return self.page(
            _WebhookPage.template_name,
            webhook=endpoint,
            is_active=endpoint.state == EndpointState.ACTIVE,
            secret=secret,
            sent=sent.prefetch_related("log").order_by("-pk")[:MESSAGES_SHOWN],
            history=history_of(self.user, endpoint),
        )


class WebhookPage(_WebhookPage):
    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.shown(self.endpoint())


class WebhookFormPage(_WebhookPage):
    """Register a webhook, or change one. The page after registering shows the secret, once."""

    template_name = "notifications/form.html"

    def form(self, data: Any = None) -> WebhookForm:
        return WebhookForm(data, actor=self.user, endpoint=self.endpoint() if "pk" in self.kwargs else None)

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = self.form()
        return self.page(form=form, webhook=form.endpoint)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = self.form(request.POST)
        saved = form.saved()
        if saved is None:
            return self.page(form=form, webhook=form.endpoint, status=400)
        if form.secret:
            return self.shown(saved, secret=form.secret)
        messages.success(request, _("“%(name)s” was saved.") % {"name": saved})
        return redirect("page-webhook", pk=saved.pk)


class WebhookActPage(_WebhookPage):
    """Enable, disable, send a test message, rotate the secret, delete."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, act: str, **kwargs: Any) -> HttpResponse:
        acts: dict[str, tuple[Callable[..., Any], str]] = {
            "enable": (services.enable, _("The webhook is active.")),
            "disable": (services.disable, _("The webhook is switched off.")),
            "test": (services.send_test, _("A test message is on its way. Open this page again to see the answer.")),
            "delete": (services.delete, _("The webhook was deleted.")),
        }
        endpoint = self.endpoint()
        if act == "rotate":
            endpoint, secret = services.rotate(actor=self.user, endpoint=endpoint)
            return self.shown(endpoint, secret=secret)
        if act not in acts:
            raise Http404
        service, done = acts[act]
        if carry_out(request, lambda: service(actor=self.user, endpoint=endpoint)):
            messages.success(request, done)
        return redirect("page-webhooks") if act == "delete" else redirect("page-webhook", pk=endpoint.pk)


class ReplayPage(_WebhookPage):
    """Deliver a message once more."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, message: int, **kwargs: Any) -> HttpResponse:
        endpoint = self.endpoint()
        row = self.row(WebhookMessage.objects.visible_to(self.user).filter(endpoint=endpoint), message)
        if carry_out(request, lambda: services.replay(actor=self.user, message=row)):
            messages.success(request, _("The message is on its way again."))
        return redirect("page-webhook", pk=endpoint.pk)
