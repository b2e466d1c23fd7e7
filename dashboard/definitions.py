"""Every indicator as data: what it answers, why it matters, how it is made (DOMAIN §8). Read by API, pages and help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

Unit = Literal["count", "money", "ratio", "days"]
Good = Literal["up", "down", "neutral"]
Basis = Literal["settlement_date", "incident_date", "session_date", "upload_date"]


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """`good`: the direction in which a change is welcome. `basis`: the date by which the period counts."""

    key: str
    title: str | Promise
    question: str | Promise
    why: str | Promise
    definition: str | Promise
    unit: Unit
    good: Good = "neutral"
    basis: Basis = "settlement_date"


SIZE = _("Every other figure is read against the size of the business.")
PEOPLE = _("Cost follows the people who are covered and those who seek care.")
PATTERNS = _("Errors and abuse hide in patterns; a pattern is a reason to look and never an accusation.")
ROLE_NOTES = {
    "primary": _("Only principals count."),
    "spouse": _("Only spouses count."),
    "child": _("Only children count."),
    "other": _("Only insured in another role count."),
}
ROLES = {"primary": _("principals"), "spouse": _("spouses"), "child": _("children"), "other": _("others")}

_PORTFOLIO = (
    Indicator(
        key="claims", title=_("Claims"), question=_("How many claims were settled?"), why=SIZE, unit="count",
        definition=_("Number of settled claims whose settlement date is in the period. Cancelled claims never count."),
    ),
    Indicator(
        key="lines", title=_("Claim lines"), unit="count", why=SIZE,
        question=_("How many medical acts do the settled claims have?"),
        definition=_("Number of lines of the settled claims of the period; each line is one act."),
    ),
    Indicator(
        key="claimed", title=_("Claimed"), question=_("How much was claimed?"), why=SIZE, unit="money",
        definition=_("Sum of the claimed amounts of the settled claims of the period."),
    ),
    Indicator(
        key="reimbursed", title=_("Reimbursed"), question=_("How much was reimbursed?"), unit="money", good="down",
        why=_("The insurer pays this amount: it is the numerator of the loss ratio."),
        definition=_("Sum of the reimbursed amounts of the settled claims of the period."),
    ),
    Indicator(
        key="reimbursement_rate", title=_("Reimbursement rate"), unit="ratio",
        question=_("Which share of the claimed amount is reimbursed?"),
        why=_("A rate above the contract's coverage points to errors of entry or to a contract applied wrongly."),
        definition=_("Reimbursed amount divided by claimed amount."),
    ),
    Indicator(
        key="cost_per_claim", title=_("Cost per claim"), question=_("What does a claim cost?"), unit="money",
        good="down", why=_("Prices rise or care becomes heavier: the mean cost shows it before the total does."),
        definition=_("Reimbursed amount divided by the number of claims."),
    ),
    Indicator(
        key="cost_per_insured", title=_("Cost per insured"), unit="money", good="down",
        question=_("What does an insured person who sought care cost?"),
        why=_("This amount makes clients and periods of different sizes comparable."),
        definition=_("Reimbursed amount divided by the number of insured with a claim in the period."),
    ),
    Indicator(
        key="insured_who_consumed", title=_("Insured with a claim"), question=_("How many insured sought care?"),
        why=PEOPLE, unit="count",
        definition=_("Number of different insured persons with a settled claim in the period."),
    ),
    Indicator(
        key="known_insured", title=_("Known insured"), question=_("How many insured are known?"), why=PEOPLE,
        unit="count",
        definition=_(
            "Number of memberships whose first settlement date is on or before the last day of the period. Insured"
            " persons who never had a claim are not known."
        ),
    ),
    Indicator(
        key="active_clients", title=_("Active clients"), question=_("How many clients have claims?"), why=SIZE,
        unit="count", definition=_("Number of different clients with a settled claim in the period."),
    ),
    Indicator(
        key="active_policies", title=_("Active policies"), question=_("How many policies have claims?"), why=SIZE,
        unit="count", definition=_("Number of different policies with a settled claim in the period."),
    ),
    Indicator(
        key="active_partners", title=_("Active providers"), question=_("How many providers delivered care?"), why=SIZE,
        unit="count", definition=_("Number of different providers with a settled claim in the period."),
    ),
    Indicator(
        key="active_operators", title=_("Active operators"), question=_("How many people enter claims?"), unit="count",
        why=_("Lines per operator show the workload of data entry."),
        definition=_("Number of different operators with a line of a settled claim in the period."),
    ),
    Indicator(
        key="new_clients", title=_("New clients"), question=_("Which clients appeared?"), unit="count", good="up",
        why=_("A new client changes every total: compare totals without it first."),
        definition=_("Number of clients whose first settled claim ever is in the period."),
    ),
    Indicator(
        key="new_insured", title=_("New insured"), question=_("How many insured appeared?"), unit="count", why=PEOPLE,
        definition=_("Number of insured persons whose first settled claim ever is in the period."),
    ),
    Indicator(
        key="new_partners", title=_("New providers"), question=_("Which providers appeared?"), unit="count",
        why=_("A new provider has no price history: look at its prices first."),
        definition=_("Number of providers whose first settled claim ever is in the period."),
    ),
    Indicator(
        key="clients_without_premium", title=_("Clients without premium"), unit="count", good="down",
        question=_("For which clients is no premium known?"),
        why=_("Their claims are in no loss ratio: enter their premiums first."),
        definition=_(
            "Number of different clients with a settled claim in the period and no premium with a day in the period."
        ),
    ),
)  # fmt: skip


def _by_role(indicator: Indicator) -> list[Indicator]:
    """The same indicator for each role of the claim's membership."""
    return [
        Indicator(
            key=f"{indicator.key}_{role}",
            title=format_lazy("{} ({})", indicator.title, name),
            question=indicator.question,
            why=indicator.why,
            definition=format_lazy("{} {}", indicator.definition, ROLE_NOTES[role]),
            unit=indicator.unit,
        )
        for role, name in ROLES.items()
    ]


_OTHERS = (
    Indicator(
        key="premium_in_force", title=_("Premium in force"), unit="money", good="up",
        question=_("How much premium do the current contracts bring?"),
        why=_("Claims are read against the premium that pays them."),
        definition=_("Sum of the premiums that cover the day; over time, the last day of each slot."),
    ),
    Indicator(
        key="loss_ratio", title=_("S/P"), unit="ratio", good="down",
        question=_("Does the premium carry the claims?"),
        why=_("Above the target, the contract costs more than it was priced for: renewal is the time to act."),
        definition=_(
            "Reimbursed amount of the claims settled on a day of the period that a premium of their client covers,"
            " divided by the earned premium. Earned premium: amount × days of the premium in the period / days of the"
            " premium, exact, rounded to the cent at the end. Clients without a premium in the period, and claims"
            " outside any premium, are counted apart. Consumed share: reimbursed since the start of the premium over"
            " its whole amount. Pooled: each insured counts up to the threshold of the country in a year of the"
            " premium. By incident date: each month of incident divided by the share of it that is settled by now."
        ),
    ),
    Indicator(
        key="renewal", title=_("Renewal sheet"), unit="ratio", good="down",
        question=_("On which terms can the contract of this client be renewed?"),
        why=_("The sheet puts everything that the negotiation needs on two pages."),
        definition=_(
            "The last three premiums of a client with their loss ratios, and the claims of the current one: frequency"
            " and cost by category, what changed since the premium before, the largest categories, providers and"
            " claims, the delay of settlement. Everything up to the last settlement date of the data."
        ),
    ),
    Indicator(
        key="portfolio", title=_("Portfolio"), unit="count", why=SIZE,
        question=_("How large is the business, and how does it change?"),
        definition=_(
            "Claims, amounts, insured, clients, policies, providers and operators of the period, each against the"
            " period of equal length just before."
        ),
    ),
    Indicator(
        key="watch_list", title=_("Watch list"), question=_("What deserves a look?"), why=PATTERNS, unit="count",
        good="down",
        definition=_(
            "What each rule finds, with number and reimbursed amount. A row that somebody has explained is left out"
            " until it changes."
        ),
    ),
    Indicator(
        key="frequency", title=_("Frequency and cost by act category"), unit="ratio", good="down",
        question=_("Does the cost change because there are more acts, or because they are dearer?"),
        why=_("More people, more acts per person and dearer acts ask for different answers."),
        definition=_(
            "Frequency: lines per known insured. Cost: reimbursed amount per line. The change of the reimbursed amount"
            " is exactly the sum of three effects: exposure (more insured), frequency (more acts each) and cost (dearer"
            " acts)."
        ),
    ),
    Indicator(
        key="rankings", title=_("Rankings"), question=_("Who accounts for the cost?"), unit="money", good="down",
        why=_("A few clients, providers or persons often account for most of the cost."),
        definition=_(
            "Reimbursed amount of each, its share of the whole, the cumulative share and the rank in the period before."
        ),
    ),
    Indicator(
        key="concentration", title=_("Concentration"), unit="ratio", good="down",
        question=_("How much of the cost do few people account for?"),
        why=_("A concentrated cost depends on few serious cases, which averages do not show."),
        definition=_(
            "Share of the reimbursed amount of the 1, 5 and 10 % of insured with the highest amounts, of those with a"
            " claim; and the share of the known insured who have no claim in the period."
        ),
    ),
    Indicator(
        key="delay", title=_("Delay of settlement"), unit="days", good="down",
        question=_("How long until a claim is settled?"),
        why=_("Late claims make recent months look cheaper than they are."),
        definition=_(
            "Days from the incident date to the settlement date: median, 90th percentile and shares. Negative delays"
            " and unknown incident dates are counted apart."
        ),
    ),
    Indicator(
        key="triangle", title=_("Run-off triangle"), unit="money", good="down", basis="incident_date",
        question=_("How much is still to be paid for care that was already given?"),
        why=_("Without this estimate the last months always look like savings."),
        definition=_(
            "Reimbursed amount by month of incident and months until settlement, cumulated. Chain ladder: each link"
            " ratio is made of the last 12 months that have both ages. A month is estimated from an age of 3 months and"
            " 30 claims on; younger ones are too young for a number."
        ),
    ),
    Indicator(
        key="prices", title=_("Prices against peers"), unit="money", good="down",
        question=_("Who charges more than others for the same act?"),
        why=_("A price far above that of the peers is a reason to negotiate."),
        definition=_(
            "For each act, the median claimed amount of each provider with at least 10 lines, against the median of"
            " these medians. To look at: above Q3 + 1.5 × (Q3 − Q1) where at least 8 providers deliver the act."
            " Potential: the sum of what each line claims above that median of the country."
        ),
    ),
    Indicator(
        key="left_out", title=_("Claims left out"), unit="count", good="down", basis="session_date",
        question=_("Which claims could not be imported, and since when?"),
        why=_(
            "Claims left out are missing from every other figure, and the older they are, the harder they are to"
            " correct."
        ),
        definition=_(
            "The latest finding of each claim number that is not a claim of the country now, by category and by age of"
            " its session. Amount: the recap's reimbursed amount, else the stat file's."
        ),
    ),
    Indicator(
        key="reconciliation_rate", title=_("Reconciliation rate"), unit="ratio", good="up",
        question=_("Which share of the claims could be imported?"),
        why=_("The rate shows how far the figures can be trusted."),
        definition=_("Imported claims divided by imported claims and claims left out; the same for amounts."),
    ),
    Indicator(
        key="quality", title=_("Quality of entry"), unit="ratio", good="down",
        question=_("Whose entries are left out most often?"),
        why=_("The share shows who needs help with data entry."),
        definition=_("Share of the lines entered that belong to claims left out, by category."),
    ),
    Indicator(
        key="files", title=_("Files"), question=_("What was uploaded?"), unit="count", basis="upload_date",
        why=_("A missing upload is visible here before it is visible in the figures."),
        definition=_(
            "Number and size of uploaded files; recent: of the last 7 days. A recap of several pages is one file."
        ),
    ),
    Indicator(
        key="import_sessions", title=_("Import sessions"), unit="count", good="up", basis="session_date",
        question=_("How do imports end, and how long do they take?"),
        why=_("Imports that fail or slow down need somebody to look at them."),
        definition=_(
            "Sessions by status; median and 90th percentile of the time from start to end, by step; lines per second;"
            " most frequent findings."
        ),
    ),
)  # fmt: skip

WATCH_RULES: dict[str, tuple[str | Promise, str | Promise]] = {
    "same_act_twice": (
        _("The same act in two claims"),
        _("The same insured, act, provider, incident date and claimed amount in two claims."),
    ),
    "invoice_of_two_families": (
        _("One invoice, two families"),
        _("One invoice number of a provider in claims of two families."),
    ),
    "two_partners_on_one_day": (
        _("Two providers on one day"),
        _("Two lines of one act category for one insured on one day at two providers."),
    ),
    "dear_partner": (
        _("Provider with a high cost per insured"),
        _(
            "Claimed amount per insured above the 95th percentile of the providers with the same main category and at"
            " least 20 insured."
        ),
    ),
    "above_coverage_rate": (
        _("More reimbursed than the coverage rate"),
        _(
            "A line of the claim has reimbursed / claimed above the coverage rate of its plan, else of its policy, by"
            " more than 0.01. The claim is shown with all its lines."
        ),
    ),
    "incident_after_settlement": (
        _("Incident after settlement"),
        _("The incident date of the claim is after its settlement date."),
    ),
    "round_amounts": (
        _("Provider with many round amounts"),
        _(
            "Share of claimed amounts that are multiples of 5,000 above the 95th percentile of the providers with at"
            " least 20 lines."
        ),
    ),
    "many_lines": (
        _("Insured with many acts"),
        _("More lines in a quarter than 99 % of the insured with a line in that quarter."),
    ),
}
_WATCH = tuple(
    Indicator(
        key=f"watch_list.{rule}",
        title=title,
        question=_("What deserves a look?"),
        why=PATTERNS,
        definition=definition,
        unit="count",
        good="down",
    )
    for rule, (title, definition) in WATCH_RULES.items()
)

INDICATORS: dict[str, Indicator] = {
    indicator.key: indicator
    for one in (*_PORTFOLIO, *_OTHERS, *_WATCH)
    for indicator in ([one, *_by_role(one)] if one.key in ("insured_who_consumed", "known_insured") else [one])
}
