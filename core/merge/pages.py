"""The pages on which clients, care providers and operators are merged (DOMAIN §12)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext_lazy

from common.filters import has_all
from common.keys import label_key
from common.parsing import positive_int
from core.merge import services
from core.models import Change, Client, Operator, Partner
from core.pages.corrections import MOST_CANDIDATES, CorrectionPage
from users.access.viewsets import MayReview


class RecordMergePage(CorrectionPage):
    """The other records are looked for by name among those of the country. `page`: the page of a record."""

    permission = MayReview
    title = gettext_lazy("Merge records")
    lead = gettext_lazy(
        "Choose the other records of the same one. What refers to them moves here, and later imports find this record"
        " by their names. No total changes."
    )
    button = gettext_lazy("Merge the records")
    form = "core/corrections/merge_records.html"
    page_name: ClassVar[str] = ""
    merge: ClassVar[Callable[..., Change]]

    def service(self, row: Any) -> Callable[[], Change]:
        ids = [pk for value in self.request.POST.getlist("records") if (pk := positive_int(value))]
        found = self.rows().in_bulk(ids[: services.MOST_AT_ONCE + 1])
        others = [found[pk] for pk in ids if pk in found]
        return lambda: type(self).merge(actor=self.user, kept=row, absorbed=others)

    def choices(self, row: Any) -> dict[str, Any]:
        typed = self.request.GET.get("q", "").strip()[:255]
        wanted = has_all(field="key", typed=typed or row.name.split()[0], key=label_key)
        others = self.rows().filter(country=row.country_id).exclude(pk=row.pk)
        found = list(others.filter(wanted).order_by("key")[: MOST_CANDIDATES + 1]) if wanted else []
        return {
            "candidates": found[:MOST_CANDIDATES],
            "has_more": len(found) > MOST_CANDIDATES,
            "typed": typed,
        }

    def back(self, row: Any) -> str:
        return reverse(self.page_name, args=[row.pk])


class ClientMergePage(RecordMergePage):
    model = Client
    page_name = "page-client"
    merge = staticmethod(services.merge_clients)


class PartnerMergePage(RecordMergePage):
    model = Partner
    page_name = "page-partner"
    merge = staticmethod(services.merge_partners)


class OperatorMergePage(RecordMergePage):
    model = Operator
    page_name = "page-operator"
    merge = staticmethod(services.merge_operators)
