"""Premiums of clients (DOMAIN §9)."""

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.append_only import AppendOnlyModel
from core.models.records import Client, amount
from users.models import Country, User
from users.scoping import ScopedQuerySet


class Premium(models.Model):
    """What a client pays for the cover of some time, `start` and `end` included. Those of a client never overlap.

    `sheet`, `row`, `file_name`: where it was read from; empty for a premium that was typed. `insured_count`: how many
    people it covers, where the client said so.
    """

    country_path = "country_id"

    country = models.ForeignKey(
        Country, verbose_name=_("country"), on_delete=models.PROTECT, related_name="premiums", db_index=False
    )
    client = models.ForeignKey(Client, verbose_name=_("client"), on_delete=models.PROTECT, related_name="premiums")
    amount = amount(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    start = models.DateField(_("start"))
    end = models.DateField(_("end"))
    insured_count = models.PositiveIntegerField(
        _("number of insured"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    note = models.TextField(_("note"), blank=True)
    file_name = models.TextField(_("file"), blank=True)
    sheet = models.TextField(_("sheet"), blank=True)
    row = models.PositiveIntegerField(_("row"), null=True, blank=True)
    author = models.ForeignKey(
        User, verbose_name=_("entered by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("entered on"), auto_now_add=True)
    changed_at = models.DateTimeField(_("changed on"), auto_now=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("premium")
        verbose_name_plural = _("premiums")
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gt=Decimal(0)), name="premium_is_positive"),
            models.CheckConstraint(condition=models.Q(end__gte=models.F("start")), name="premium_ends_after_start"),
        ]
        indexes = [models.Index(fields=["country", "start"]), models.Index(fields=["client", "start"])]

    def __str__(self) -> str:
        return f"{self.client_id} {self.start:%Y-%m-%d}–{self.end:%Y-%m-%d}"


class PremiumRevision(AppendOnlyModel):
    """A premium before or after one change of it. Append-only; it stays when the premium is deleted.

    `before` is empty for a new premium, `after` for a deleted one.
    """

    country_path = "country_id"

    country = models.ForeignKey(Country, on_delete=models.PROTECT, related_name="+", verbose_name=_("country"))
    premium_id = models.BigIntegerField(_("premium"), db_index=True)
    # No reference: the history of a deleted premium must not keep a client that a revert removes.
    client_id = models.BigIntegerField(_("client"), db_index=True)
    at = models.DateTimeField(_("time"), auto_now_add=True)
    actor = models.ForeignKey(User, verbose_name=_("account"), on_delete=models.SET_NULL, null=True, related_name="+")
    actor_label = models.CharField(_("who"), max_length=254)
    before = models.JSONField(_("before"), null=True)
    after = models.JSONField(_("after"), null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("change of a premium")
        verbose_name_plural = _("changes of premiums")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.premium_id} {self.at:%Y-%m-%d}"
