"""How many settled lines have which rate: what the observed rates of DOMAIN §10 are found from."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models.records import NO_CONSTRAINT, Plan, Policy
from users.scoping import ScopedQuerySet


class RateCount(models.Model):
    """The number of lines with the rate `hundredths` / 100 (reimbursed / claimed, both > 0, of settled claims).

    `core.rates` keeps these rows by the lines that an import or an undo adds and removes, so that the observed rate is
    known without reading the other lines of the country. No request shows them.
    """

    hundredths = models.BigIntegerField(_("rate in hundredths"))
    lines = models.IntegerField(_("lines"))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        abstract = True


class PolicyRateCount(RateCount):
    country_path = "policy__country_id"

    # Without a check by the database: a policy without lines has no row here, and only such a policy is ever removed.
    policy = models.ForeignKey(
        Policy,
        verbose_name=_("policy"),
        on_delete=models.CASCADE,
        related_name="rate_counts",
        db_index=False,
        db_constraint=NO_CONSTRAINT,
    )

    class Meta:
        verbose_name = _("number of lines with a rate, by policy")
        verbose_name_plural = _("numbers of lines with a rate, by policy")
        constraints = [models.UniqueConstraint(fields=["policy", "hundredths"], name="policy_rate_once")]

    def __str__(self) -> str:
        return f"{self.policy_id}: {self.hundredths} {self.lines}"


class PlanRateCount(RateCount):
    country_path = "plan__policy__country_id"

    plan = models.ForeignKey(
        Plan,
        verbose_name=_("plan"),
        on_delete=models.CASCADE,
        related_name="rate_counts",
        db_index=False,
        db_constraint=NO_CONSTRAINT,
    )

    class Meta:
        verbose_name = _("number of lines with a rate, by plan")
        verbose_name_plural = _("numbers of lines with a rate, by plan")
        constraints = [models.UniqueConstraint(fields=["plan", "hundredths"], name="plan_rate_once")]

    def __str__(self) -> str:
        return f"{self.plan_id}: {self.hundredths} {self.lines}"
