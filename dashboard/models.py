"""What people said of the watch list. All other figures are made from the records."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from users.models import Country, User
from users.scoping import ScopedQuerySet


class WatchMark(models.Model):
    """A row of the watch list that somebody has looked at and explained.

    It takes the row off the list for as long as the row's claims and amounts stay as they were (`fingerprint`).
    """

    country_path = "country_id"

    country = models.ForeignKey(
        Country, verbose_name=_("country"), on_delete=models.CASCADE, related_name="watch_marks", db_index=False
    )
    rule = models.CharField(_("rule"), max_length=40)
    key = models.CharField(_("key of the row"), max_length=255)
    fingerprint = models.CharField(_("fingerprint of the row"), max_length=32)
    note = models.TextField(_("explanation"))
    user = models.ForeignKey(User, verbose_name=_("account"), on_delete=models.SET_NULL, null=True, related_name="+")
    user_name = models.CharField(_("explained by"), max_length=310)
    marked_at = models.DateTimeField(_("explained at"), auto_now=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("explained row of the watch list")
        verbose_name_plural = _("explained rows of the watch list")
        constraints = [models.UniqueConstraint(fields=["country", "rule", "key"], name="watch_mark_once")]

    def __str__(self) -> str:
        return f"{self.rule}/{self.pk}"
