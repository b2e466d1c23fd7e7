"""The reporting currency and its dated exchange rates (DOMAIN §14)."""

from decimal import Decimal
from typing import Any, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from users.models import User


class GlobalQuerySet(models.QuerySet[Any]):
    """Rows that concern all countries and are read by the accounts that see all of them."""

    def visible_to(self, user: Any) -> Self:
        if isinstance(user, User) and user.sees_all_countries():
            return self.all()
        return self.none()


class ReportingCurrency(models.Model):
    """The currency in which amounts of all countries are added up: one row at most, none where it is not set.

    `token` is a new one after each change of the setting and of any rate: answers are kept under it.
    """

    THE_ONE = 1

    currency = models.CharField(_("currency"), max_length=3)
    token = models.CharField(_("version"), max_length=32, editable=False)
    changed_at = models.DateTimeField(_("changed on"), auto_now=True)

    objects = GlobalQuerySet.as_manager()

    class Meta:
        verbose_name = _("reporting currency")
        verbose_name_plural = _("reporting currency")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="one_reporting_currency")]

    def __str__(self) -> str:
        return self.currency


class ExchangeRate(models.Model):
    """From the day `start` on, one unit of the reporting currency `base` costs `rate` units of `currency`.

    A rate holds until the next one of the same two currencies. Rates of another base stay where the reporting currency
    is changed, and count again when it is changed back.
    """

    base = models.CharField(_("reporting currency"), max_length=3)
    currency = models.CharField(_("currency"), max_length=3)
    start = models.DateField(_("from"))
    rate = models.DecimalField(_("rate"), max_digits=24, decimal_places=12)
    author = models.ForeignKey(
        User, verbose_name=_("entered by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    file_name = models.TextField(_("file"), blank=True)
    row = models.PositiveIntegerField(_("row"), null=True, blank=True)
    changed_at = models.DateTimeField(_("changed on"), auto_now=True)

    objects = GlobalQuerySet.as_manager()

    class Meta:
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        ordering = ["currency", "-start"]
        constraints = [
            models.UniqueConstraint(fields=["base", "currency", "start"], name="one_rate_a_day"),
            models.CheckConstraint(condition=models.Q(rate__gt=Decimal(0)), name="rate_is_positive"),
            models.CheckConstraint(condition=~models.Q(base=models.F("currency")), name="rate_of_two_currencies"),
        ]

    def __str__(self) -> str:
        return f"1 {self.base} = {self.rate.normalize():f} {self.currency} · {self.start:%Y-%m-%d}"
