"""The page of the renewal sheet of a client (`/clients/{id}/renewal/`), which prints on two A4 sheets."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from core.models import Client
from dashboard.api import RenewalView
from dashboard.definitions import INDICATORS
from dashboard.figure_view import today
from dashboard.presenters import losses
from dashboard.renewal import board_of
from users.access.pages import PageView


class RenewalPage(PageView):
    template_name = "dashboard/renewal.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        client: Client = self.row(Client.objects.visible_to(self.user).select_related("country"), pk)
        params = {"client": str(client.pk)}
        payload = RenewalView().payload(board_of(self.user, client, today()), params, {"client": client})
        return self.page(
            client=client,
            payload=payload,
            indicator=INDICATORS["renewal"],
            premiums=losses.premium_rows(payload) if payload["premiums"] else None,
            has_gaps=any(not one["is_whole"] for one in payload["premiums"]),
            facts=losses.renewal_facts(payload),
            has_large=any(one["above_threshold"] for one in payload["large_claims"]),
            downloads=losses.renewal_downloads(client.pk),
            **losses.renewal_tables(payload),
        )
