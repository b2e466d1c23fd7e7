"""What people change in the records by hand, in steps that can be undone (DOMAIN §11, §12)."""

from typing import Any, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from users.models import Country, User
from users.scoping import ScopedQuerySet


class ChangeKind(models.TextChoices):
    """One kind of change. Those of the catalogue concern all countries, the others one."""

    ACT_RENAME = "act_rename", _("act renamed")
    ACT_MERGE = "act_merge", _("acts merged")
    ACT_CATEGORY = "act_category", _("category of an act changed")
    ACT_ALIAS_ADD = "act_alias_add", _("alias of an act added")
    ACT_ALIAS_REMOVE = "act_alias_remove", _("alias of an act removed")
    CATEGORY_RENAME = "category_rename", _("act category renamed")
    CATEGORY_MERGE = "category_merge", _("act categories merged")
    CATEGORY_ALIAS_ADD = "category_alias_add", _("alias of an act category added")
    CATEGORY_ALIAS_REMOVE = "category_alias_remove", _("alias of an act category removed")
    INSURED_MERGE = "insured_merge", _("records of a person merged")
    INSURED_SPLIT = "insured_split", _("records of a person split")
    INSURED_NAME = "insured_name", _("name of a person chosen")
    ATTACH = "attach", _("dependant attached to another principal")
    ROLE = "role", _("role changed")
    CLIENT_MERGE = "client_merge", _("clients merged")
    PARTNER_MERGE = "partner_merge", _("providers merged")
    OPERATOR_MERGE = "operator_merge", _("operators merged")


CATALOGUE_KINDS = tuple(kind for kind in ChangeKind if kind.value.startswith(("act_", "category_")))
RECORD_KINDS = tuple(kind for kind in ChangeKind if kind not in CATALOGUE_KINDS)


class ChangeQuerySet(ScopedQuerySet):
    """Changes of a country's records are those of the country; changes of the catalogue have no country and are read by
    the accounts that see all countries.
    """

    def of_catalogue(self) -> Self:
        return self.filter(country__isnull=True)

    def of_records(self) -> Self:
        return self.filter(country__isnull=False)


class Change(models.Model):
    """One change, made in one transaction. `data`: names and counts for people who read the history, by kind.

    A change is undone as a whole, by its steps in reverse, while no later change concerns one of its subjects.
    """

    country_path = "country_id"

    country = models.ForeignKey(
        Country, verbose_name=_("country"), on_delete=models.PROTECT, null=True, blank=True, related_name="changes"
    )
    kind = models.CharField(_("kind"), max_length=30, choices=ChangeKind.choices)
    actor = models.ForeignKey(User, verbose_name=_("account"), on_delete=models.SET_NULL, null=True, related_name="+")
    actor_label = models.CharField(_("who"), max_length=254)
    at = models.DateTimeField(_("time"), auto_now_add=True)
    undone_at = models.DateTimeField(_("undone on"), null=True, blank=True)
    undone_by = models.ForeignKey(
        User, verbose_name=_("undone by"), on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    data = models.JSONField(_("details"), default=dict, blank=True)

    objects = ChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.pk} {self.get_kind_display()}"


class ChangeSubject(models.Model):
    """A record that a change concerns. `model`: its label, such as `core.act`."""

    country_path = "change__country_id"

    change = models.ForeignKey(
        Change, verbose_name=_("change"), on_delete=models.CASCADE, related_name="subjects", db_index=False
    )
    model = models.CharField(_("kind of record"), max_length=40)
    row_id = models.BigIntegerField(_("number of the record"))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("record of a change")
        verbose_name_plural = _("records of changes")
        constraints = [models.UniqueConstraint(fields=["change", "model", "row_id"], name="change_subject_once")]
        indexes = [models.Index(fields=["model", "row_id"])]

    def __str__(self) -> str:
        return f"{self.change_id}: {self.model} {self.row_id}"


class ChangeAction(models.TextChoices):
    CREATED = "created"
    UPDATED = "updated"
    REMOVED = "removed"
    MOVED = "moved"


class ChangeStep(models.Model):
    """One step of a change, in the order in which it was carried out.

    `created`: `after` has the row. `updated`: `before` and `after` have the fields that changed. `removed`: `before`
    has the whole row. `moved`: the reference `field` of many rows (`ChangeMove`) was set to `after["id"]`.
    Values are as Django's serializers write them.
    """

    country_path = "change__country_id"

    change = models.ForeignKey(
        Change, verbose_name=_("change"), on_delete=models.CASCADE, related_name="steps", db_index=False
    )
    sequence = models.PositiveIntegerField(_("sequence"))
    action = models.CharField(_("action"), max_length=8, choices=ChangeAction.choices)
    model = models.CharField(_("kind of record"), max_length=40)
    row_id = models.BigIntegerField(_("number of the record"), null=True)
    field = models.CharField(_("field"), max_length=40, blank=True)
    before: Any = models.JSONField(_("before"), null=True)
    after: Any = models.JSONField(_("after"), null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("step of a change")
        verbose_name_plural = _("steps of changes")
        constraints = [models.UniqueConstraint(fields=["change", "sequence"], name="change_step_once")]

    def __str__(self) -> str:
        return f"{self.change_id}/{self.sequence}"


class ChangeMove(models.Model):
    """One row whose reference was set by a step; `before`: the id to which it referred."""

    country_path = "step__change__country_id"

    step = models.ForeignKey(
        ChangeStep, verbose_name=_("step"), on_delete=models.CASCADE, related_name="moves", db_index=False
    )
    row_id = models.BigIntegerField(_("number of the record"))
    before = models.BigIntegerField(_("before"), null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("moved record")
        verbose_name_plural = _("moved records")
        constraints = [models.UniqueConstraint(fields=["step", "row_id"], name="change_move_once")]

    def __str__(self) -> str:
        return f"{self.step_id}: {self.row_id}"
