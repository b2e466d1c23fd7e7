"""What people say of the act catalogue beside acts and categories themselves (DOMAIN §11)."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from common.keys import label_key, shortened_key
from core.models.records import KEY_LENGTH, ActCategory, CatalogueQuerySet
from users.models import User


class ActCategoryAlias(models.Model):
    """Another name of an act category: lines with this name belong to the category."""

    name = models.TextField(_("name"))
    key = models.CharField(_("key for comparison"), max_length=KEY_LENGTH, unique=True)
    category = models.ForeignKey(
        ActCategory, verbose_name=_("act category"), on_delete=models.CASCADE, related_name="aliases"
    )

    objects = CatalogueQuerySet.as_manager()

    class Meta:
        verbose_name = _("act category alias")
        verbose_name_plural = _("act category aliases")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.key = self.key or shortened_key(label_key(self.name))
        super().save(*args, **kwargs)


class CatalogueKind(models.TextChoices):
    ACT = "act", _("act")
    CATEGORY = "act_category", _("act category")


class CatalogueDifference(models.Model):
    """Two names of the catalogue that are nearly the same, but are two things: they are offered for merging no more.

    By their keys, the smaller one first: so the answer survives a new name, whose old one is an alias, and the revert
    of the import that created the act.
    """

    kind = models.CharField(_("kind"), max_length=12, choices=CatalogueKind.choices)
    first_key = models.CharField(_("first key"), max_length=KEY_LENGTH)
    second_key = models.CharField(_("second key"), max_length=KEY_LENGTH)
    actor = models.ForeignKey(User, verbose_name=_("account"), on_delete=models.SET_NULL, null=True, related_name="+")
    actor_label = models.CharField(_("who"), max_length=254)
    at = models.DateTimeField(_("time"), auto_now_add=True)

    objects = CatalogueQuerySet.as_manager()

    class Meta:
        verbose_name = _("names that are different things")
        verbose_name_plural = _("names that are different things")
        constraints = [
            models.UniqueConstraint(fields=["kind", "first_key", "second_key"], name="catalogue_difference_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
