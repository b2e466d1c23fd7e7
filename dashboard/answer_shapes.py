"""The JSON of each figure as serializers, for the OpenAPI schema alone: `dashboard.answers` makes the answers.

Amounts and ratios are decimal strings, counts are numbers, dates are ISO (DOMAIN §8).
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from dashboard.indicators import portfolio, rankings, watch_list
from dashboard.indicators.delay import BANDS, NEGATIVE, UNKNOWN
from dashboard.indicators.left_out import AGES
from file_handling.models import SessionStatus

CHANGES = ("up", "down", "same", "new", "none")
UNITS = ("day", "week", "month", "quarter")
STATES = ("estimated", "too_young", "left_out")
BASES = ("settlement_date", "incident_date", "session_date", "upload_date")
GOOD = ("up", "down", "neutral")
BAND_KEYS = (*(key for key, _first, _last in BANDS), NEGATIVE, UNKNOWN)
QUALITY_BY = ("operator", "partner", "month")


class Shape(serializers.Serializer[None]):
    """A part of an answer."""


class Amount(serializers.DecimalField):
    """Currency units, two decimals, as a string."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=20, decimal_places=2, **kwargs)


class Ratio(serializers.DecimalField):
    """Four decimals, as a string."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=20, decimal_places=4, **kwargs)


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string"}], "nullable": True})
class Value(serializers.Field[Any, Any, Any, Any]):
    """A count as a number, an amount or a ratio as a decimal string; null where it has no value."""


def url(what: str = "The list of rows that the figure is made of") -> serializers.CharField:
    return serializers.CharField(help_text=what)


def month(**kwargs: Any) -> serializers.CharField:
    return serializers.CharField(help_text="YYYY-MM", **kwargs)


class PeriodSerializer(Shape):
    start = serializers.DateField()
    end = serializers.DateField()


class EvolutionSerializer(Shape):
    """`new`: nothing before and something now; `none`: nothing in both. `percent` has no sign; null for those two."""

    type = serializers.ChoiceField(choices=CHANGES)
    percent = serializers.DecimalField(max_digits=30, decimal_places=2, allow_null=True)


class NamedSerializer(Shape):
    id = serializers.IntegerField()
    name = serializers.CharField(allow_blank=True)


class About(Shape):
    """What every answer states about itself."""

    definition = serializers.CharField(help_text="A key of `definitions/`")
    basis = serializers.ChoiceField(choices=BASES, help_text="The date by which the period counts")
    period = PeriodSerializer()
    previous_period = PeriodSerializer(allow_null=True, help_text="The period of equal length just before")
    countries = serializers.ListField(child=serializers.IntegerField())
    scope = serializers.DictField(child=serializers.IntegerField(), help_text="The scope and its id; empty: all")
    currencies = serializers.ListField(child=serializers.CharField(allow_blank=True))
    n = serializers.IntegerField(help_text="The number of claims, lines or rows behind the answer")
    left_out = serializers.DictField(help_text="What does not count, by reason")


# ------------------------------------------------------------------------------------------------ definitions, period


class TextsSerializer(Shape):
    title = serializers.CharField()
    question = serializers.CharField()
    why = serializers.CharField()
    definition = serializers.CharField()


class IndicatorSerializer(TextsSerializer):
    """The texts in the language of the request, and in both languages."""

    key = serializers.CharField()
    unit = serializers.ChoiceField(choices=("count", "money", "ratio", "days"))
    good = serializers.ChoiceField(choices=GOOD, help_text="The direction in which a change is welcome")
    basis = serializers.ChoiceField(choices=BASES)
    en = TextsSerializer()
    fr = TextsSerializer()


class DefinitionsSerializer(Shape):
    count = serializers.IntegerField()
    indicators = IndicatorSerializer(many=True)


class DefaultPeriodSerializer(Shape):
    period = PeriodSerializer(allow_null=True, help_text="Null without claims")
    today = serializers.DateField()
    countries = serializers.ListField(child=serializers.IntegerField())


# ------------------------------------------------------------------------------------------------ portfolio, series


class PortfolioFigure(Shape):
    key = serializers.ChoiceField(choices=portfolio.KEYS)
    unit = serializers.CharField(help_text="`count`, `ratio`, `days` or a currency code")
    currency = serializers.CharField(allow_null=True)
    value = Value()
    previous = Value()
    evolution = EvolutionSerializer()
    n = serializers.IntegerField()
    basis = serializers.ChoiceField(choices=BASES)
    url = url()


class RateUsed(Shape):
    """A rate with the claims that it converts. Its field `from`, null for a fixed rate, is the rate's first day."""

    currency = serializers.CharField()
    rate = serializers.CharField(help_text="Units of the currency for one unit of the reporting currency")
    is_fixed = serializers.BooleanField()
    text = serializers.CharField(help_text="The rate as it is written: 1 EUR = 655.957 XOF")
    first_settlement = serializers.DateField()
    last_settlement = serializers.DateField()
    claims = serializers.IntegerField()

    def get_fields(self) -> dict[str, Any]:
        # No name that a class can give to an attribute.
        return super().get_fields() | {"from": serializers.DateField(allow_null=True)}


class NoRate(Shape):
    """Claims that have no rate on their settlement date, in their own currency."""

    currency = serializers.CharField()
    claims = serializers.IntegerField()
    claimed = Amount()
    reimbursed = Amount()


class ConsolidatedBlock(Shape):
    """Amounts of all currencies in the reporting currency, each at the rate of its settlement date.

    Accounts of one country have no such block. It is null without a reporting currency.
    """

    currency = serializers.CharField(help_text="The reporting currency")
    rates = RateUsed(many=True, help_text="The rates used")
    without_rate = NoRate(many=True, help_text="What is left out, by currency")


class CountryConsolidated(NamedSerializer):
    claims = serializers.IntegerField()
    claimed = Amount()
    reimbursed = Amount()
    share = Ratio(allow_null=True)


class PortfolioConsolidated(ConsolidatedBlock):
    indicators = PortfolioFigure(many=True)
    countries = CountryConsolidated(many=True, help_text="By reimbursed amount, the largest first")
    previous_rates = RateUsed(many=True, help_text="The rates used in the period before")
    previous_without_rate = NoRate(many=True)


class PortfolioSerializer(About):
    indicators = PortfolioFigure(many=True)
    consolidated = PortfolioConsolidated(required=False, allow_null=True)


class SlotSerializer(Shape):
    start = serializers.DateField()
    end = serializers.DateField()
    is_cut = serializers.BooleanField(help_text="The period covers only a part of it")


class SeriesOfIndicator(Shape):
    key = serializers.ChoiceField(choices=portfolio.SERIES_KEYS)
    unit = serializers.CharField()
    currency = serializers.CharField(allow_null=True)
    values = serializers.ListField(child=Value(), help_text="One for each slot; null: no value")
    url = url()


class SeriesConsolidated(ConsolidatedBlock):
    series = SeriesOfIndicator(many=True)


class SeriesSerializer(About):
    unit = serializers.ChoiceField(choices=UNITS)
    slots = SlotSerializer(many=True)
    series = SeriesOfIndicator(many=True)
    consolidated = SeriesConsolidated(
        required=False, allow_null=True, help_text="Null too where no indicator is of money"
    )


# ------------------------------------------------------------------------------------------------ rankings and cost


class RankingRow(Shape):
    rank = serializers.IntegerField(help_text="Equal amounts share a rank")
    id = serializers.IntegerField()
    name = serializers.CharField(allow_blank=True)
    reimbursed = Amount()
    claimed = Amount()
    share = Ratio(allow_null=True)
    cumulative_share = Ratio(allow_null=True)
    claims = serializers.IntegerField()
    insured = serializers.IntegerField()
    cost_per_insured = Amount(allow_null=True)
    evolution = EvolutionSerializer()
    previous_rank = serializers.IntegerField(allow_null=True)
    url = url()


class RankingTotal(Shape):
    reimbursed = Amount()
    claimed = Amount()
    share = Ratio(allow_null=True)
    claims = serializers.IntegerField()
    insured = serializers.IntegerField()
    cost_per_insured = Amount(allow_null=True)
    evolution = EvolutionSerializer()
    url = url()


class RankingLeftOut(Shape):
    claims = serializers.IntegerField()
    reimbursed = Amount()


class RankingBlock(Shape):
    currency = serializers.CharField(allow_blank=True)
    rows = RankingRow(many=True)
    count = serializers.IntegerField(help_text="All places of the ranking")
    total = RankingTotal()
    left_out = RankingLeftOut(help_text="Claims that belong to no row: no client, no operator")


class RankingConsolidated(ConsolidatedBlock, RankingBlock):
    pass


class RankingsSerializer(About, RankingBlock):
    by = serializers.ChoiceField(choices=rankings.BY)
    blocks = RankingBlock(many=True, required=False, help_text="Each currency, where there are several")
    consolidated = RankingConsolidated(required=False, allow_null=True)
    left_out = RankingLeftOut()  # type: ignore[assignment]


class TopShare(Shape):
    percent = serializers.IntegerField()
    insured = serializers.IntegerField()
    share = Ratio(allow_null=True)


class ConcentrationBlock(Shape):
    currency = serializers.CharField(allow_blank=True)
    insured = serializers.IntegerField(help_text="Insured with a claim in the period")
    known_insured = serializers.IntegerField()
    shares = TopShare(many=True)
    share_without_claim = Ratio(allow_null=True, help_text="Share of the known insured without a claim in the period")
    url = url()


class ConcentrationSerializer(About, ConcentrationBlock):
    blocks = ConcentrationBlock(many=True, required=False)


class EffectsSerializer(Shape):
    """The three add up to the change of the reimbursed amount."""

    exposure = Amount()
    frequency = Amount()
    cost = Amount()


class FrequencyRow(Shape):
    id = serializers.IntegerField()
    name = serializers.CharField(allow_blank=True)
    lines = serializers.IntegerField()
    reimbursed = Amount()
    frequency = Ratio(allow_null=True, help_text="Lines per insured (`exposure`)")
    cost = Amount(allow_null=True, help_text="Reimbursed amount per line")
    previous_lines = serializers.IntegerField()
    previous_reimbursed = Amount()
    change = Amount()
    effects = EffectsSerializer(allow_null=True)
    url = url()


class FrequencyBlock(Shape):
    currency = serializers.CharField(allow_blank=True)
    known_insured = serializers.IntegerField()
    previous_known_insured = serializers.IntegerField()
    exposure = serializers.IntegerField(help_text="The insured by whose number the lines are divided")
    previous_exposure = serializers.IntegerField()
    exposure_basis = serializers.ChoiceField(
        choices=("headcount", "known_insured"),
        help_text="`headcount`: the number typed with the premiums of all clients with claims; else the known insured",
    )
    rows = FrequencyRow(many=True)
    effects = EffectsSerializer(allow_null=True)


class FrequencySerializer(About, FrequencyBlock):
    blocks = FrequencyBlock(many=True, required=False)


class DelayBand(Shape):
    key = serializers.ChoiceField(choices=BAND_KEYS)
    claims = serializers.IntegerField()
    share = Ratio(allow_null=True, help_text="Of the claims with a delay; null for `negative` and `unknown`")
    url = url()


class DelaySerializer(About):
    median = serializers.FloatField(allow_null=True, help_text="Days")
    p90 = serializers.FloatField(allow_null=True, help_text="Days")
    bands = DelayBand(many=True)


class ProjectionRow(Shape):
    month = month()
    claims = serializers.IntegerField()
    paid = Amount()
    ultimate = Amount(allow_null=True)
    outstanding = Amount(allow_null=True)
    state = serializers.ChoiceField(choices=STATES)
    url = url("The claims whose amounts are `paid`")


class BackTestRow(Shape):
    month = month()
    expected = Amount()
    came = Amount()


class BackTestSerializer(Shape):
    """What the method said 6 months ago, and what came."""

    as_of = month()
    rows = BackTestRow(many=True)
    expected = Amount()
    came = Amount()


class TriangleBlock(Shape):
    currency = serializers.CharField(allow_blank=True)
    months = serializers.ListField(child=month())
    cumulative = serializers.ListField(
        child=serializers.ListField(child=Amount(allow_null=True)), help_text="A row for each month, by age in months"
    )
    link_ratios = serializers.ListField(child=Ratio(allow_null=True))
    completion = serializers.ListField(child=Ratio())
    projection = ProjectionRow(many=True)
    back_test = BackTestSerializer(allow_null=True)


class TriangleSerializer(About, TriangleBlock):
    blocks = TriangleBlock(many=True, required=False)


class LossRatioRow(Shape):
    id = serializers.IntegerField(allow_null=True, help_text="Of the client or country; null for the total")
    name = serializers.CharField(allow_blank=True)
    currency = serializers.CharField(allow_blank=True)
    reimbursed_covered = Amount(help_text="S of the period on days that a premium covers")
    earned_premium = Amount(help_text="The part of the premiums that the days of the period earn")
    loss_ratio = Ratio(allow_null=True, help_text="S/P")
    consumed_share = Ratio(allow_null=True, help_text="S since the start of the premiums / their whole amount")
    reimbursed_outside = Amount(help_text="S of the period on days that no premium of these clients covers")
    url = url("The claims whose sum is `reimbursed_covered`")


class LossRatioDetails(Shape):
    """More about the row at the same place."""

    id = serializers.IntegerField(allow_null=True)
    target = Ratio(allow_null=True, help_text="Of the country")
    excess = Amount(help_text="S − target × earned premium")
    time_passed = Ratio(allow_null=True, help_text="The earned part of the premiums at the end of the period")
    pooled = Amount(allow_null=True, help_text="S, each insured up to the threshold; null without a threshold")
    pooled_loss_ratio = Ratio(allow_null=True)
    previous_loss_ratio = Ratio(allow_null=True)
    evolution = EvolutionSerializer()
    clients = serializers.IntegerField()
    premiums = serializers.IntegerField()
    premiums_before_data = serializers.IntegerField(help_text="Premiums that start before the first settlement")
    n = serializers.IntegerField(help_text="Claims behind S")
    outside_url = url("The claims whose sum is `reimbursed_outside`")


class WithoutPremium(Shape):
    clients = serializers.IntegerField(help_text="Clients with claims and no premium with a day in the period")
    reimbursed = Amount()


class WithoutClient(Shape):
    claims = serializers.IntegerField()
    reimbursed = Amount()


class LossRatioPlace(Shape):
    rank = serializers.IntegerField()
    id = serializers.IntegerField()
    name = serializers.CharField(allow_blank=True)
    excess = Amount(help_text="S − target × earned premium")
    target = Ratio(allow_null=True)
    loss_ratio = Ratio(allow_null=True)
    url = url()


class RollingPoint(Shape):
    """Twelve months. `loss_ratio` is null where they begin before the data, or earn no premium."""

    start = serializers.DateField()
    end = serializers.DateField()
    reimbursed_covered = Amount()
    earned_premium = Amount()
    loss_ratio = Ratio(allow_null=True)
    is_whole = serializers.BooleanField(help_text="The data has all of these months")
    url = url()


class IncidentMonthRow(Shape):
    country = serializers.IntegerField()
    month = month()
    reimbursed = Amount()
    completion = Ratio(allow_null=True, help_text="The share of it that is settled by now; null: no number")
    completed = Amount(allow_null=True)
    earned_premium = Amount()
    url = url("The claims whose sum is `reimbursed`")


class ByIncidentSerializer(Shape):
    """By incident date: only the months with a number count."""

    reimbursed = Amount()
    completed = Amount()
    earned_premium = Amount()
    loss_ratio = Ratio(allow_null=True)
    months_left_out = serializers.IntegerField()
    claims_left_out = serializers.IntegerField(help_text="No incident date, or settled before it")
    rows = IncidentMonthRow(many=True)


class LossRatioBlock(Shape):
    currency = serializers.CharField(allow_blank=True)
    rows = LossRatioRow(many=True)
    count = serializers.IntegerField()
    total = LossRatioRow()
    without_premium = WithoutPremium()
    without_premium_url = url("The claims of these clients")
    no_client = WithoutClient(help_text="Claims of individual policies, which have no client")
    details = LossRatioDetails(many=True)
    total_details = LossRatioDetails()
    ranking = LossRatioPlace(many=True, help_text="By S − target × earned premium, the highest first")
    rolling = RollingPoint(many=True, help_text="The twelve months that end with each month of the period")
    by_incident = ByIncidentSerializer()


class LossRatioSerializer(About, LossRatioBlock):
    by = serializers.ChoiceField(choices=("client", "country"))
    blocks = LossRatioBlock(many=True, required=False)


class RenewalPremium(Shape):
    """A premium of the client up to the last day of the data."""

    premium = serializers.IntegerField()
    start = serializers.DateField()
    end = serializers.DateField()
    currency = serializers.CharField()
    amount = Amount()
    insured_count = serializers.IntegerField(allow_null=True)
    earned_premium = Amount()
    reimbursed = Amount()
    loss_ratio = Ratio(allow_null=True)
    consumed_share = Ratio(allow_null=True)
    time_passed = Ratio(allow_null=True)
    pooled = Amount(allow_null=True)
    pooled_loss_ratio = Ratio(allow_null=True)
    excess = Amount(allow_null=True)
    completed = ByIncidentSerializer(allow_null=True)
    insured_who_consumed = serializers.IntegerField()
    known_insured = serializers.IntegerField()
    claims = serializers.IntegerField()
    is_whole = serializers.BooleanField(help_text="The data has all of its days so far")
    url = serializers.CharField(allow_null=True)


class RenewalCategories(Shape):
    rows = FrequencyRow(many=True)
    effects = EffectsSerializer(allow_null=True)
    exposure = serializers.IntegerField()
    previous_exposure = serializers.IntegerField()
    exposure_basis = serializers.ChoiceField(choices=("headcount", "known_insured"))
    known_insured = serializers.IntegerField()
    previous_known_insured = serializers.IntegerField()


class RenewalPlace(Shape):
    rank = serializers.IntegerField()
    id = serializers.IntegerField()
    name = serializers.CharField(allow_blank=True)
    reimbursed = Amount()
    share = Ratio(allow_null=True)
    claims = serializers.IntegerField()
    evolution = EvolutionSerializer()
    url = url()


class LargeClaim(Shape):
    """Without name or number."""

    settled = serializers.DateField()
    incident = serializers.DateField(allow_null=True)
    category = serializers.CharField(allow_blank=True)
    reimbursed = Amount()
    share = Ratio(allow_null=True)
    above_threshold = serializers.BooleanField()


class RenewalDelay(Shape):
    n = serializers.IntegerField()
    median = serializers.FloatField(allow_null=True)
    p90 = serializers.FloatField(allow_null=True)
    bands = DelayBand(many=True)


class RenewalSerializer(About):
    client = NamedSerializer()
    country = NamedSerializer()
    currency = serializers.CharField()
    as_of = serializers.DateField(help_text="The last settlement of the data")
    target = Ratio()
    pooling_threshold = Amount(allow_null=True)
    premiums = RenewalPremium(many=True, help_text="The last three, the newest first")
    reimbursed = Amount(help_text="Of the period, in the currency")
    categories = RenewalCategories()
    top_categories = RenewalPlace(many=True)
    top_partners = RenewalPlace(many=True)
    large_claims = LargeClaim(many=True)
    delay = RenewalDelay()


class PriceRow(Shape):
    act = NamedSerializer()
    partner = NamedSerializer()
    n = serializers.IntegerField(help_text="Lines")
    median = Amount()
    country_median = Amount()
    index = Ratio(allow_null=True)
    to_look_at = serializers.BooleanField()
    potential = Amount(help_text="What is claimed above the median of the country")
    url = url()


class PricesBlock(Shape):
    currency = serializers.CharField(allow_blank=True)
    count = serializers.IntegerField()
    lines = serializers.IntegerField()
    compared_lines = serializers.IntegerField()
    rows = PriceRow(many=True)


class PricesSerializer(About, PricesBlock):
    blocks = PricesBlock(many=True, required=False)


# ------------------------------------------------------------------------------------------------ left out, quality


class AgedRow(Shape):
    category = serializers.CharField(help_text="A category of findings")
    age = serializers.ChoiceField(choices=[key for key, _first, _last in AGES], help_text="Days since the session")
    claims = serializers.IntegerField()
    amount = Amount()
    url = url()


class ReconciliationMonth(Shape):
    month = month()
    imported = serializers.IntegerField()
    left_out = serializers.IntegerField()
    imported_amount = Amount()
    left_out_amount = Amount()
    rate_claims = Ratio(allow_null=True)
    rate_amount = Ratio(allow_null=True)
    url = url("The imported claims")


class LeftOutBlock(Shape):
    currency = serializers.CharField(allow_blank=True)
    rows = AgedRow(many=True)
    reconciliation = ReconciliationMonth(many=True)


class LeftOutSerializer(About, LeftOutBlock):
    as_of = serializers.DateField()
    blocks = LeftOutBlock(many=True, required=False)


class LeftOutClaim(Shape):
    claim_number = serializers.CharField()
    category = serializers.CharField()
    age = serializers.ChoiceField(choices=[key for key, _first, _last in AGES])
    settlement_date = serializers.DateField(allow_null=True)
    amount = Amount()
    currency = serializers.CharField()
    session = serializers.IntegerField()
    finding = serializers.IntegerField()
    observation = serializers.CharField(allow_blank=True, help_text="Empty for accounts that may not read sessions")
    url = url("The findings of the session")


class LeftOutClaimsSerializer(About):
    as_of = serializers.DateField()
    count = serializers.IntegerField()
    page = serializers.IntegerField()
    pages = serializers.IntegerField()
    amounts = serializers.DictField(child=Amount(), help_text="Of all pages, by currency")
    rows = LeftOutClaim(many=True)


class QualityRow(Shape):
    id = serializers.IntegerField(allow_null=True, help_text="Null for a month, and for a name of findings alone")
    name = serializers.CharField()
    lines = serializers.IntegerField()
    claims = serializers.IntegerField()
    lines_left_out = serializers.IntegerField()
    claims_left_out = serializers.IntegerField()
    share_left_out = Ratio(allow_null=True)
    by_category = serializers.DictField(child=serializers.IntegerField(), help_text="Lines left out, by category")
    url = serializers.CharField(allow_null=True, help_text="The imported lines; null for a name of findings alone")


class QualitySerializer(About):
    by = serializers.ChoiceField(choices=QUALITY_BY)
    rows = QualityRow(many=True)


# ------------------------------------------------------------------------------------------------ watch list


class WatchRule(Shape):
    rule = serializers.ChoiceField(choices=list(watch_list.RULES))
    title = serializers.CharField()
    definition = serializers.CharField()
    count = serializers.IntegerField()
    amounts = serializers.DictField(child=Amount(), help_text="Reimbursed amount, by currency")
    explained = serializers.IntegerField(help_text="Rows that people explained and that have not changed since")
    url = url("The rows of the rule")


class WatchRow(Shape):
    key = serializers.CharField(help_text="Names the row for good")
    fingerprint = serializers.CharField(help_text="Changes with the row's claims and amounts")
    about = serializers.DictField(help_text="By kind: a record with id and name, a date or an amount")
    lines = serializers.IntegerField()
    claims = serializers.ListField(child=serializers.IntegerField(), help_text="Ids of the first claims")
    claim_count = serializers.IntegerField()
    amount = Amount()
    currency = serializers.CharField()
    measure = Ratio(allow_null=True, help_text="The number that the rule compares")
    note = serializers.CharField(required=False, help_text="Of an explained row: why it is in order")
    explained_by = serializers.CharField(required=False)
    explained_at = serializers.DateTimeField(required=False)
    url = url()


class WatchListSerializer(About):
    """Without `rule` the answer has `rules`; with it the other fields."""

    rules = WatchRule(many=True, required=False)
    rule = serializers.ChoiceField(choices=list(watch_list.RULES), required=False)
    title = serializers.CharField(required=False)
    count = serializers.IntegerField(required=False)
    amounts = serializers.DictField(child=Amount(), required=False)
    explained = serializers.IntegerField(required=False)
    rows = WatchRow(many=True, required=False)


class WatchMarkSerializer(Shape):
    rule = serializers.ChoiceField(choices=list(watch_list.RULES))
    key = serializers.CharField()
    note = serializers.CharField()
    marked_at = serializers.DateTimeField()


# ------------------------------------------------------------------------------------------------ files and sessions


class StatisticsSerializer(Shape):
    definition = serializers.CharField()
    basis = serializers.ChoiceField(choices=BASES)
    n = serializers.IntegerField()
    countries = serializers.ListField(child=serializers.IntegerField())
    url = url()


class UploaderSerializer(Shape):
    user = serializers.IntegerField(allow_null=True)
    name = serializers.CharField(allow_blank=True)
    count = serializers.IntegerField()


class MostReadFile(Shape):
    id = serializers.IntegerField()
    name = serializers.CharField()
    reads = serializers.IntegerField()
    url = url("The file")


class FileStatisticsSerializer(StatisticsSerializer):
    total_files = serializers.IntegerField(help_text="A recap of several pages is one file")
    stat_files = serializers.IntegerField()
    recap_files = serializers.IntegerField()
    recent_uploads = serializers.IntegerField(help_text="Of the last 7 days")
    bytes = serializers.IntegerField()
    most_read = MostReadFile(many=True)
    by_uploader = UploaderSerializer(many=True)


class StatusCount(Shape):
    status = serializers.ChoiceField(choices=SessionStatus.choices)
    count = serializers.IntegerField()
    url = url()


class SpreadSerializer(Shape):
    """Seconds."""

    n = serializers.IntegerField()
    median = serializers.FloatField(allow_null=True)
    p90 = serializers.FloatField(allow_null=True)


class StepSpread(SpreadSerializer):
    step = serializers.CharField()


class FindingCount(Shape):
    category = serializers.CharField()
    count = serializers.IntegerField()


class ErrorCount(Shape):
    message = serializers.CharField(allow_blank=True)
    count = serializers.IntegerField()


class SessionRate(Shape):
    id = serializers.IntegerField()
    imported = serializers.IntegerField()
    left_out = serializers.IntegerField()
    imported_amount = Amount(help_text="Reimbursed")
    left_out_amount = Amount()
    rate_claims = Ratio(allow_null=True)
    rate_amount = Ratio(allow_null=True)
    url = url("The session")


class ImportStatisticsSerializer(StatisticsSerializer):
    total_sessions = serializers.IntegerField()
    successful_imports = serializers.IntegerField()
    failed_imports = serializers.IntegerField()
    by_status = StatusCount(many=True)
    processing_seconds = SpreadSerializer()
    steps = StepSpread(many=True)
    lines_per_second = serializers.FloatField(allow_null=True)
    findings = FindingCount(many=True)
    errors = ErrorCount(many=True)  # type: ignore[assignment]
    by_uploader = UploaderSerializer(many=True)
    reconciliation = SessionRate(many=True)
