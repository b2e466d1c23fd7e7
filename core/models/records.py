"""The records that imports create (DOMAIN §6). All belong to a country, except the act catalogue, which all share.

Every record points to the file and the session that created it. When these are deleted, the record stays and the
reference becomes empty. Names keep the spelling of the file; keys (DOMAIN §4) decide which spellings are the same.
"""

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Exists, Q, Subquery
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.keys import label_key, shortened_key
from file_handling.models import Correction, File, ImportSession
from users.models import Country
from users.scoping import ScopedQuerySet

KEY_LENGTH = 255


# The value of `db_constraint` for references that the database does not check. On the tables to which an import adds
# tens of thousands of rows, it checks only the essential references; the writer checks the others
# (docs/decisions/0005-references-of-bulk-tables.md).
NO_CONSTRAINT = False


def file_origin(related_name: str, *, constraint: bool = True) -> Any:
    return models.ForeignKey(
        File,
        verbose_name=_("file"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name=related_name,
        db_constraint=constraint,
    )


def session_origin(related_name: str, *, constraint: bool = True) -> Any:
    return models.ForeignKey(
        ImportSession,
        verbose_name=_("import session"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name=related_name,
        db_constraint=constraint,
    )


def amount(label: Any) -> Any:
    return models.DecimalField(label, max_digits=18, decimal_places=2)


class Client(models.Model):
    """An employer that has policies for its employees."""

    country_path = "country_id"

    country = models.ForeignKey(
        Country, verbose_name=_("country"), on_delete=models.PROTECT, related_name="clients", db_index=False
    )
    name = models.TextField(_("name"))
    key = models.CharField(_("key for comparison"), max_length=KEY_LENGTH)
    file = file_origin("clients")
    import_session = session_origin("imported_clients")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        constraints = [models.UniqueConstraint(fields=["country", "key"], name="client_once")]

    def __str__(self) -> str:
        return self.name


def observed_rate() -> Any:
    return models.DecimalField(_("observed rate"), max_digits=18, decimal_places=2, null=True, blank=True)


def typed_rate() -> Any:
    return models.DecimalField(_("typed rate"), max_digits=3, decimal_places=2, null=True, blank=True)


def _rate_is_a_share(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(typed_rate__gt=0, typed_rate__lte=1), name=name)


class RateSource(models.TextChoices):
    """Where the rate in force comes from; `""` where there is none."""

    TYPED = "typed", _("typed")
    OBSERVED = "observed", _("observed")
    POLICY_TYPED = "policy_typed", _("of the policy, typed")
    POLICY_OBSERVED = "policy_observed", _("of the policy, observed")


class SubscriberSource(models.TextChoices):
    TYPED = "typed", _("typed")
    DEDUCED = "deduced", _("deduced")


class Policy(models.Model):
    """A contract; it may cover several clients.

    `observed_rate`: the most frequent reimbursed / claimed of its lines, kept by `core.rates`; `typed_rate` stands
    before it. `deduced_subscriber`: the person or employer that took the policy out, as far as its memberships show it;
    `typed_subscriber` stands before it (DOMAIN §10).
    """

    country_path = "country_id"

    country = models.ForeignKey(
        Country, verbose_name=_("country"), on_delete=models.PROTECT, related_name="policies", db_index=False
    )
    number = models.TextField(_("number"))
    key = models.CharField(_("key for comparison"), max_length=KEY_LENGTH)
    observed_rate = observed_rate()
    typed_rate = typed_rate()
    deduced_subscriber = models.TextField(_("deduced subscriber"), blank=True, default="", db_default="")
    typed_subscriber = models.TextField(_("typed subscriber"), blank=True, default="", db_default="")
    file = file_origin("policies")
    import_session = session_origin("imported_policies")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("policy")
        verbose_name_plural = _("policies")
        constraints = [
            models.UniqueConstraint(fields=["country", "key"], name="policy_once"),
            _rate_is_a_share("policy_rate_is_a_share"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def rate(self) -> Decimal | None:
        return self.observed_rate if self.typed_rate is None else self.typed_rate

    @property
    def rate_source(self) -> str:
        if self.typed_rate is not None:
            return RateSource.TYPED.value
        return "" if self.observed_rate is None else RateSource.OBSERVED.value

    @property
    def subscriber(self) -> str:
        return self.typed_subscriber or self.deduced_subscriber

    @property
    def subscriber_source(self) -> str:
        if self.typed_subscriber:
            return SubscriberSource.TYPED.value
        return SubscriberSource.DEDUCED.value if self.deduced_subscriber else ""


class Plan(models.Model):
    """The cover that a policy grants to some of its members. Its rate stands before that of its policy (DOMAIN §10)."""

    country_path = "policy__country_id"

    policy = models.ForeignKey(
        Policy, verbose_name=_("policy"), on_delete=models.PROTECT, related_name="plans", db_index=False
    )
    name = models.TextField(_("name"))
    key = models.CharField(_("key for comparison"), max_length=KEY_LENGTH)
    observed_rate = observed_rate()
    typed_rate = typed_rate()
    file = file_origin("plans")
    import_session = session_origin("imported_plans")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        constraints = [
            models.UniqueConstraint(fields=["policy", "key"], name="plan_once"),
            _rate_is_a_share("plan_rate_is_a_share"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def rate(self) -> Decimal | None:
        own = self.observed_rate if self.typed_rate is None else self.typed_rate
        return self.policy.rate if own is None else own

    @property
    def rate_source(self) -> str:
        if self.typed_rate is not None:
            return RateSource.TYPED.value
        if self.observed_rate is not None:
            return RateSource.OBSERVED.value
        return self.policy.rate_source and f"policy_{self.policy.rate_source}"


class Insured(models.Model):
    """A covered person. `is_deduced`: known so far only as the principal of a dependant."""

    country_path = "country_id"

    country = models.ForeignKey(
        Country, verbose_name=_("country"), on_delete=models.PROTECT, related_name="insured", db_index=False
    )
    name = models.TextField(_("name"))
    name_key = models.CharField(_("key of the name"), max_length=KEY_LENGTH)
    card_number = models.TextField(_("card number"), blank=True)
    card_key = models.CharField(_("key of the card number"), max_length=KEY_LENGTH, blank=True)
    is_deduced = models.BooleanField(_("deduced"), default=False)
    # An import that completes the person leaves a chosen name as it is (DOMAIN §12).
    has_chosen_name = models.BooleanField(_("name chosen"), default=False, db_default=False)
    file = file_origin("insured")
    import_session = session_origin("imported_insured")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("insured")
        verbose_name_plural = pgettext_lazy("several", "insured")
        constraints = [
            models.UniqueConstraint(fields=["country", "card_key"], condition=~Q(card_key=""), name="insured_card_once")
        ]
        indexes = [models.Index(fields=["country", "name_key"])]

    def __str__(self) -> str:
        return self.name


class InsuredSpelling(models.Model):
    """Another spelling of a person's name, from lines that have the person's card number or from a merged record."""

    country_path = "insured__country_id"

    insured = models.ForeignKey(
        Insured, verbose_name=_("insured"), on_delete=models.CASCADE, related_name="spellings", db_index=False
    )
    name = models.TextField(_("name"))
    name_key = models.CharField(_("key of the name"), max_length=KEY_LENGTH)
    file = file_origin("insured_spellings")
    import_session = session_origin("imported_insured_spellings")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("known spelling")
        verbose_name_plural = _("known spellings")
        constraints = [models.UniqueConstraint(fields=["insured", "name_key"], name="insured_spelling_once")]

    def __str__(self) -> str:
        return self.name


class MembershipRole(models.TextChoices):
    PRIMARY = "primary", _("principal")
    SPOUSE = "spouse", _("spouse")
    CHILD = "child", _("child")
    OTHER = "other", _("other")


class Membership(models.Model):
    """An insured under a policy, for a client or for none (individual policy)."""

    country_path = "insured__country_id"

    insured = models.ForeignKey(
        Insured, verbose_name=_("insured"), on_delete=models.PROTECT, related_name="memberships", db_index=False
    )
    policy = models.ForeignKey(Policy, verbose_name=_("policy"), on_delete=models.PROTECT, related_name="memberships")
    client = models.ForeignKey(
        Client, verbose_name=_("client"), on_delete=models.PROTECT, null=True, blank=True, related_name="memberships"
    )
    role = models.CharField(_("role"), max_length=7, choices=MembershipRole.choices)
    principal = models.ForeignKey(
        Insured,
        verbose_name=_("principal"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="dependant_memberships",
    )
    plan = models.ForeignKey(
        Plan, verbose_name=_("plan"), on_delete=models.PROTECT, null=True, blank=True, related_name="memberships"
    )
    first_settlement_date = models.DateField(_("first settlement date"), null=True)
    last_settlement_date = models.DateField(_("last settlement date"), null=True)
    # Role and principal of a corrected membership stay as they are, whatever an import says (DOMAIN §12).
    is_corrected = models.BooleanField(_("corrected"), default=False, db_default=False)
    file = file_origin("memberships")
    import_session = session_origin("imported_memberships")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        # NULLs are never equal in SQL, so memberships without a client need a constraint of their own.
        constraints = [
            models.UniqueConstraint(
                fields=["insured", "policy", "client"], condition=Q(client__isnull=False), name="membership_once"
            ),
            models.UniqueConstraint(
                fields=["insured", "policy"], condition=Q(client__isnull=True), name="individual_membership_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.insured_id}/{self.policy_id}/{self.client_id or '-'}"


class Partner(models.Model):
    """A care provider."""

    country_path = "country_id"

    country = models.ForeignKey(
        Country, verbose_name=_("country"), on_delete=models.PROTECT, related_name="partners", db_index=False
    )
    name = models.TextField(_("name"))
    key = models.CharField(_("key for comparison"), max_length=KEY_LENGTH)
    address = models.TextField(_("address"), blank=True)
    partner_country = models.TextField(_("country of the provider"), blank=True)
    file = file_origin("partners")
    import_session = session_origin("imported_partners")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("provider")
        verbose_name_plural = _("providers")
        constraints = [models.UniqueConstraint(fields=["country", "key"], name="partner_once")]

    def __str__(self) -> str:
        return self.name


class Operator(models.Model):
    """A person who entered claims into the claims system."""

    country_path = "country_id"

    country = models.ForeignKey(
        Country, verbose_name=_("country"), on_delete=models.PROTECT, related_name="operators", db_index=False
    )
    name = models.TextField(_("name"))
    key = models.CharField(_("key for comparison"), max_length=KEY_LENGTH)
    file = file_origin("operators")
    import_session = session_origin("imported_operators")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("operator")
        verbose_name_plural = _("operators")
        constraints = [models.UniqueConstraint(fields=["country", "key"], name="operator_once")]

    def __str__(self) -> str:
        return self.name


class Invoice(models.Model):
    """A provider's invoice."""

    country_path = "partner__country_id"

    partner = models.ForeignKey(
        Partner, verbose_name=_("provider"), on_delete=models.PROTECT, related_name="invoices", db_index=False
    )
    number = models.TextField(_("number"))
    key = models.CharField(_("key for comparison"), max_length=KEY_LENGTH)
    file = file_origin("invoices", constraint=NO_CONSTRAINT)
    import_session = session_origin("imported_invoices", constraint=NO_CONSTRAINT)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        constraints = [models.UniqueConstraint(fields=["partner", "key"], name="invoice_once")]

    def __str__(self) -> str:
        return self.number


class Payment(models.Model):
    """A cheque or transfer to a provider."""

    country_path = "partner__country_id"

    partner = models.ForeignKey(
        Partner, verbose_name=_("provider"), on_delete=models.PROTECT, related_name="payments", db_index=False
    )
    number = models.TextField(_("reference"))
    key = models.CharField(_("key for comparison"), max_length=KEY_LENGTH)
    file = file_origin("payments", constraint=NO_CONSTRAINT)
    import_session = session_origin("imported_payments", constraint=NO_CONSTRAINT)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints = [models.UniqueConstraint(fields=["partner", "key"], name="payment_once")]

    def __str__(self) -> str:
        return self.number


class CatalogueQuerySet(models.QuerySet[Any]):
    """The act catalogue is shared: an account that may see records of any country may read all of it."""

    def visible_to(self, user: Any) -> Any:
        may_read = getattr(user, "is_active", False) and (
            user.sees_all_countries() or user.working_country_id() is not None
        )
        return self.all() if may_read else self.none()


class ActCategory(models.Model):
    """A category of the act catalogue."""

    name = models.TextField(_("name"))
    key = models.CharField(_("key for comparison"), max_length=KEY_LENGTH, unique=True)
    file = file_origin("act_categories")
    import_session = session_origin("imported_act_categories")

    objects = CatalogueQuerySet.as_manager()

    class Meta:
        verbose_name = _("act category")
        verbose_name_plural = _("act categories")

    def __str__(self) -> str:
        return self.name


class Act(models.Model):
    """A medical act of the catalogue, in the category of most of its first lines."""

    name = models.TextField(_("name"))
    key = models.CharField(_("key for comparison"), max_length=KEY_LENGTH, unique=True)
    category = models.ForeignKey(
        ActCategory, verbose_name=_("act category"), on_delete=models.PROTECT, related_name="acts"
    )
    file = file_origin("acts")
    import_session = session_origin("imported_acts")

    objects = CatalogueQuerySet.as_manager()

    class Meta:
        verbose_name = _("act")
        verbose_name_plural = _("acts")

    def __str__(self) -> str:
        return self.name


class ActAlias(models.Model):
    """Another name of an act, added by an administrator: lines with this name belong to the act."""

    name = models.TextField(_("name"))
    key = models.CharField(_("key for comparison"), max_length=KEY_LENGTH, unique=True)
    act = models.ForeignKey(Act, verbose_name=_("act"), on_delete=models.CASCADE, related_name="aliases")
    file = file_origin("act_aliases")
    import_session = session_origin("imported_act_aliases")

    objects = CatalogueQuerySet.as_manager()

    class Meta:
        verbose_name = _("act alias")
        verbose_name_plural = _("act aliases")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.key = self.key or shortened_key(label_key(self.name))
        super().save(*args, **kwargs)


class ClaimStatus(models.TextChoices):
    SETTLED = "settled", _("settled")
    CANCELLED = "cancelled", _("cancelled")


class ClaimQuerySet(ScopedQuerySet):
    def with_corrected_recap(self) -> Any:
        """The claims with `recap_corrected`: as `ClaimLineQuerySet.with_corrected`, of the recap row."""
        applied = Correction.objects.of_outer_row(
            country="country_id", file="recap_file", sheet="recap_sheet", row="recap_row"
        )
        return self.annotate(recap_corrected=Exists(applied))


class Claim(models.Model):
    """A claim on which stat and recap agree. Its amounts are the sums of its lines, in units of `currency`.

    `fingerprint` is a digest of its lines (keys, dates, amounts): equal digests mean the same lines (DOMAIN §6,
    re-import).
    """

    country_path = "country_id"

    country = models.ForeignKey(
        Country, verbose_name=_("country"), on_delete=models.PROTECT, related_name="claims", db_index=False
    )
    number = models.CharField(_("number"), max_length=KEY_LENGTH)
    status = models.CharField(_("status"), max_length=9, choices=ClaimStatus.choices)
    membership = models.ForeignKey(
        Membership, verbose_name=_("membership"), on_delete=models.PROTECT, related_name="claims"
    )
    # These three repeat values of the membership, for filters and figures.
    insured = models.ForeignKey(
        Insured, verbose_name=_("insured"), on_delete=models.PROTECT, related_name="claims", db_constraint=NO_CONSTRAINT
    )
    policy = models.ForeignKey(
        Policy, verbose_name=_("policy"), on_delete=models.PROTECT, related_name="claims", db_constraint=NO_CONSTRAINT
    )
    client = models.ForeignKey(
        Client,
        verbose_name=_("client"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="claims",
        db_constraint=NO_CONSTRAINT,
    )
    partner = models.ForeignKey(Partner, verbose_name=_("provider"), on_delete=models.PROTECT, related_name="claims")
    settlement_date = models.DateField(_("settlement date"))
    incident_date = models.DateField(_("incident date"), null=True, blank=True)
    claimed_amount = amount(_("claimed amount"))
    reimbursed_amount = amount(_("reimbursed amount"))
    currency = models.CharField(_("currency"), max_length=3)
    line_count = models.PositiveIntegerField(_("lines"))
    fingerprint = models.CharField(_("fingerprint of its lines"), max_length=32)
    recap_file = models.ForeignKey(
        File,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="recap_claims",
        verbose_name=_("recap file"),
    )
    recap_sheet = models.TextField(_("recap sheet"), blank=True)
    recap_row = models.PositiveIntegerField(_("recap row"), null=True, blank=True)
    file = file_origin("claims")
    import_session = session_origin("imported_claims")

    objects = ClaimQuerySet.as_manager()

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        constraints = [models.UniqueConstraint(fields=["country", "number"], name="claim_once")]
        # Each serves an order of the claims of one country: by date, by amount, as they were created.
        indexes = [
            models.Index(fields=["country", "settlement_date"]),
            models.Index(fields=["country", "claimed_amount"]),
            models.Index(fields=["country", "id"]),
        ]

    def __str__(self) -> str:
        return self.number


class ClaimLineQuerySet(ScopedQuerySet):
    """Claim lines, whose country is that of their claim."""

    def of_country(self, country_id: int) -> Any:
        # True for all of them: the database starts to read at the first claim of the country, not at the first of all.
        first = Claim.objects.filter(country=country_id).order_by("pk").values("pk")[:1]
        return super().of_country(country_id).filter(claim__gte=Subquery(first))

    def with_corrected(self) -> Any:
        """The lines with `corrected`: whether cells of the row were corrected before it was imported (DOMAIN §13)."""
        applied = Correction.objects.of_outer_row(country="claim__country_id", file="file", sheet="sheet", row="row")
        return self.annotate(corrected=Exists(applied))


class ClaimLine(models.Model):
    """One medical act of a claim, with the row from which it was read."""

    country_path = "claim__country_id"

    claim = models.ForeignKey(
        Claim, verbose_name=_("claim"), on_delete=models.CASCADE, related_name="lines", db_index=False
    )
    position = models.PositiveIntegerField(_("order in the file"))
    status = models.CharField(_("status"), max_length=9, choices=ClaimStatus.choices)
    act = models.ForeignKey(
        Act,
        verbose_name=_("act"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="claim_lines",
        db_constraint=NO_CONSTRAINT,
        db_index=False,
    )
    category = models.ForeignKey(
        ActCategory,
        verbose_name=_("act category"),
        on_delete=models.PROTECT,
        related_name="claim_lines",
        db_constraint=NO_CONSTRAINT,
        db_index=False,
    )
    guarantee = models.TextField(_("guarantee"), blank=True)
    operator = models.ForeignKey(
        Operator,
        verbose_name=_("operator"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="claim_lines",
        db_constraint=NO_CONSTRAINT,
        db_index=False,
    )
    invoice = models.ForeignKey(
        Invoice,
        verbose_name=_("invoice"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="claim_lines",
        db_constraint=NO_CONSTRAINT,
    )
    payment = models.ForeignKey(
        Payment,
        verbose_name=_("payment"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="claim_lines",
        db_constraint=NO_CONSTRAINT,
    )
    incident_date = models.DateField(_("incident date"), null=True, blank=True)
    settlement_date = models.DateField(_("settlement date"))
    claimed_amount = amount(_("claimed amount"))
    reimbursed_amount = amount(_("reimbursed amount"))
    note = models.TextField(_("note"), blank=True)
    sheet = models.TextField(_("sheet"), blank=True)
    row = models.PositiveIntegerField(_("row"))
    file = file_origin("claim_lines", constraint=NO_CONSTRAINT)
    import_session = session_origin("imported_claim_lines", constraint=NO_CONSTRAINT)

    objects = ClaimLineQuerySet.as_manager()

    class Meta:
        verbose_name = _("claim line")
        verbose_name_plural = _("claim lines")
        constraints = [models.UniqueConstraint(fields=["claim", "position"], name="claim_line_once")]
        # With the claim: the claims of an act are read from the index alone, in the order of the list.
        indexes = [models.Index(fields=[name, "claim"]) for name in ("act", "category", "operator")]

    def __str__(self) -> str:
        return f"{self.claim_id}/{self.position}"


class ClaimRevision(models.Model):
    """A claim and its lines before an import replaced them. Append-only."""

    country_path = "country_id"

    country = models.ForeignKey(
        Country, verbose_name=_("country"), on_delete=models.PROTECT, related_name="claim_revisions"
    )
    claim = models.ForeignKey(
        Claim, verbose_name=_("claim"), on_delete=models.SET_NULL, null=True, related_name="revisions"
    )
    number = models.CharField(_("claim number"), max_length=KEY_LENGTH)
    replaced_at = models.DateTimeField(_("replaced on"), auto_now_add=True)
    replaced_by_session = models.ForeignKey(
        ImportSession,
        verbose_name=_("replaced by"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="replaced_claims",
    )
    before = models.JSONField(_("earlier values"))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("earlier version of a claim")
        verbose_name_plural = _("earlier versions of claims")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.number


class DataVersion(models.Model):
    """The version of one part of a country's records: the claims of a month, the memberships, the findings.

    Whatever changes the part gives it a new token in the same transaction (`core.data_versions`). Figures made from the
    part are kept under its token, so they are never stale. No request shows or names a version, so versions have no
    scope by account: `core.data_versions` reads those of given countries.
    """

    country = models.ForeignKey(
        Country, verbose_name=_("country"), on_delete=models.CASCADE, related_name="data_versions", db_index=False
    )
    part = models.CharField(_("part"), max_length=20)
    token = models.CharField(_("token"), max_length=32)

    class Meta:
        verbose_name = _("version of data")
        verbose_name_plural = _("versions of data")
        constraints = [models.UniqueConstraint(fields=["country", "part"], name="data_version_once")]

    def __str__(self) -> str:
        return f"{self.country_id}/{self.part}"
