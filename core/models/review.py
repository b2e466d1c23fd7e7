"""Records that may be one: pairs that wait for an answer, and the names of records that were merged (DOMAIN §12)."""

from typing import Any, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from core.models.changes import Change
from core.models.records import KEY_LENGTH, Client, Insured, Operator, Partner, session_origin
from users.models import Country, User
from users.scoping import ScopedQuerySet


class _Alias(models.Model):
    """Another name of a record, from a merge: an import that names it finds the record.

    `followed_by`: ids of the import sessions that found the record by this name. Without the name their claims would
    belong to another record, so the merge is not undone before these imports are.
    """

    country_path = "country_id"
    # The reference to the record that has the name.
    record_field = ""

    country = models.ForeignKey(
        Country, verbose_name=_("country"), on_delete=models.PROTECT, related_name="+", db_index=False
    )
    name = models.TextField(_("name"))
    key = models.CharField(_("key for comparison"), max_length=KEY_LENGTH)
    followed_by: Any = models.JSONField(_("import sessions that used it"), default=list, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class ClientAlias(_Alias):
    """Another name of a client."""

    record_field = "client"

    client = models.ForeignKey(Client, verbose_name=_("client"), on_delete=models.PROTECT, related_name="aliases")

    class Meta:
        verbose_name = _("other name of a client")
        verbose_name_plural = _("other names of clients")
        constraints = [models.UniqueConstraint(fields=["country", "key"], name="client_alias_once")]


class PartnerAlias(_Alias):
    """Another name of a care provider."""

    record_field = "partner"

    partner = models.ForeignKey(Partner, verbose_name=_("provider"), on_delete=models.PROTECT, related_name="aliases")

    class Meta:
        verbose_name = _("other name of a provider")
        verbose_name_plural = _("other names of providers")
        constraints = [models.UniqueConstraint(fields=["country", "key"], name="partner_alias_once")]


class OperatorAlias(_Alias):
    """Another name of an operator."""

    record_field = "operator"

    operator = models.ForeignKey(Operator, verbose_name=_("operator"), on_delete=models.PROTECT, related_name="aliases")

    class Meta:
        verbose_name = _("other name of an operator")
        verbose_name_plural = _("other names of operators")
        constraints = [models.UniqueConstraint(fields=["country", "key"], name="operator_alias_once")]


class ReviewKind(models.TextChoices):
    INSURED = "insured", _("persons")
    CLIENT = "client", _("clients")
    PARTNER = "partner", _("providers")
    OPERATOR = "operator", _("operators")


class ReviewState(models.TextChoices):
    """`gone`: a record of the pair is not there at present, so nothing is to be decided."""

    WAITING = "waiting", _("waits for an answer")
    SAME = "same", _("same: merged")
    DIFFERENT = "different", _("different")
    GONE = "gone", _("one of them is not there")


class ReviewDecision(models.TextChoices):
    SAME = "same", _("the same")
    DIFFERENT = "different", _("different")


REVIEWED_MODELS: dict[ReviewKind, type[models.Model]] = {
    ReviewKind.INSURED: Insured,
    ReviewKind.CLIENT: Client,
    ReviewKind.PARTNER: Partner,
    ReviewKind.OPERATOR: Operator,
}


class ReviewPairQuerySet(ScopedQuerySet):
    def within_country(self, user: User) -> Self:
        # Data-entry managers have no access to the review list (DOMAIN §1).
        return self.none() if user.is_responsable_operateur() else self

    def with_state(self) -> Self:
        """The pairs with `state` (ReviewState): the answer "the same" counts until the records are parted."""
        there = Q()
        for kind, model in REVIEWED_MODELS.items():
            one, other = (
                Exists(model._default_manager.filter(pk=OuterRef(side), country=OuterRef("country")))
                for side in ("one_id", "other_id")
            )
            there |= Q(Q(kind=kind), one, other)
        merged = Q(decision=ReviewDecision.SAME, change__undone_at__isnull=True)
        states = [
            (Q(decision=ReviewDecision.DIFFERENT), ReviewState.DIFFERENT),
            # Also records that were merged and parted again.
            (there, ReviewState.WAITING),
            (merged, ReviewState.SAME),
        ]
        return self.annotate(
            state=models.Case(
                *(models.When(condition, then=models.Value(state.value)) for condition, state in states),
                default=models.Value(ReviewState.GONE.value),
                output_field=models.CharField(),
            )
        )

    def waiting(self) -> Self:
        return self.exclude(decision=ReviewDecision.DIFFERENT).with_state().filter(state=ReviewState.WAITING)


class ReviewPair(models.Model):
    """Two records of a country whose names are nearly the same. People answer whether they are one (DOMAIN §12).

    The keys, in alphabetical order, identify the pair: a pair is listed once, and its answer counts for all later
    imports. `policy_key`: of two persons, the policy that both have; of other records, empty. `one_id`, `other_id`:
    the records that had the keys when an import last listed the pair. No references: a revert or a merge removes a
    record, and the pair waits until the record is back.
    """

    country_path = "country_id"

    country = models.ForeignKey(
        Country, verbose_name=_("country"), on_delete=models.PROTECT, related_name="review_pairs", db_index=False
    )
    kind = models.CharField(_("kind"), max_length=8, choices=ReviewKind.choices)
    policy_key = models.CharField(_("policy"), max_length=KEY_LENGTH, blank=True)
    one_key = models.CharField(_("first key"), max_length=KEY_LENGTH)
    other_key = models.CharField(_("second key"), max_length=KEY_LENGTH)
    one_id = models.BigIntegerField(_("first record"))
    other_id = models.BigIntegerField(_("second record"))
    one_name = models.TextField(_("name of the first record"))
    other_name = models.TextField(_("name of the second record"))
    found_at = models.DateTimeField(_("listed on"), auto_now_add=True)
    import_session = session_origin("review_pairs")
    decision = models.CharField(_("answer"), max_length=9, choices=ReviewDecision.choices, blank=True)
    decided_at = models.DateTimeField(_("answered on"), null=True, blank=True)
    decided_by = models.ForeignKey(
        User, verbose_name=_("answered by"), on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_label = models.CharField(_("who answered"), max_length=254, blank=True)
    change = models.ForeignKey(
        Change, verbose_name=_("change"), on_delete=models.SET_NULL, null=True, blank=True, related_name="review_pairs"
    )

    objects = ReviewPairQuerySet.as_manager()

    class Meta:
        verbose_name = _("pair of the review list")
        verbose_name_plural = _("review list")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["country", "kind", "policy_key", "one_key", "other_key"], name="review_pair_once"
            )
        ]
        indexes = [
            models.Index(fields=["country", "decision"]),
            models.Index(fields=["kind", "one_id"]),
            models.Index(fields=["kind", "other_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.one_id}/{self.other_id}"

    @property
    def model(self) -> type[models.Model]:
        return REVIEWED_MODELS[ReviewKind(self.kind)]
