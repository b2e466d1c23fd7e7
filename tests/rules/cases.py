"""Claims, each with a category for one reason (DOMAIN §5). All are in one pair, whose common period is 2024.

The stat file begins before 2024 and the recap ends after it, so neither file has the period alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support.pairs import Cells, line, row

BEFORE, FIRST, LAST, AFTER = "20/12/2023", "01/01/2024", "31/12/2024", "10/01/2025"


@dataclass(frozen=True)
class Case:
    """A claim. Its number is made of its title. `says`: words of its observation."""

    title: str
    category: str | None
    stat: Sequence[Cells]
    recap: Sequence[Cells] = ()
    code: str = ""
    says: Sequence[str] = ()
    imported_lines: int = field(default=1)

    @property
    def number(self) -> str:
        return number(self.title)


def number(title: str) -> str:
    return "".join(word.capitalize() for word in title.split()).upper()


def case(
    title: str,
    category: str | None,
    stat: Sequence[dict[str, str]],
    recap: Sequence[dict[str, str]] = (),
    code: str = "",
    says: Sequence[str] = (),
    imported_lines: int | None = None,
) -> Case:
    """`stat` and `recap`: the values of lines and rows that differ from the defaults."""
    claim = number(title)
    return Case(
        title,
        category,
        [line(claim.lower(), **one) for one in stat],
        [row(claim, **one) for one in recap],
        code,
        says,
        len(stat) if imported_lines is None else imported_lines,
    )


def amounts(claimed: str, reimbursed: str, **more: str) -> dict[str, str]:
    return {"claimed": claimed, "reimbursed": reimbursed} | more


SAME: dict[str, str] = {}
TAKEN_BACK = [SAME, amounts("-5000", "-4000", claim_status="Annulée")]
NO_BENEFICIARY, NO_POLICY, NO_PARTNER = {"beneficiary": ""}, {"policy_number": ""}, {"partner": ""}

CONFORM = [
    case("equal totals", "conform", [SAME], [SAME]),
    case("lines that sum up to the row", "conform", [amounts("3000", "2500"), amounts("2000", "1500")], [SAME]),
    case("two identical lines are two", "conform", [SAME, SAME], [amounts("10000", "8000")]),
    case("a correction below zero", "conform", [amounts("6000", "4500"), amounts("-1000", "-500")], [SAME]),
    case("one hundredth below the tolerance", "conform", [amounts("5004,99", "3995.01")], [SAME]),
    case("settled on the first day", "conform", [{"settlement_date": FIRST}], [{"settlement_date": FIRST}]),
    case("settled on the last day", "conform", [{"settlement_date": LAST}], [{"settlement_date": LAST}]),
    case(
        "the line before the period is set aside",
        "conform",
        [SAME, {"settlement_date": BEFORE}],
        [SAME],
        imported_lines=1,
    ),
    case("a row repeated on the same page", "conform", [SAME], [SAME, SAME]),
    case("an unpaid row beside the paid one", "conform", [SAME], [SAME, {"settlement_date": "-"}]),
    case(
        "an unpaid row whose amount is a word", "conform", [SAME], [SAME, {"settlement_date": "", "claimed": "à voir"}]
    ),
    case("an incident date of words", "conform", [{"incident_date": "juin"}], [SAME]),
    case("a cancelled line and a row", "conform", [*TAKEN_BACK, SAME], [SAME]),
    case(
        "other spellings of the same",
        "conform",
        [
            {
                "beneficiary": "Afi  Lawson",
                "policy_number": "45 / rd-GB",
                "employer": "Port de Lomé",
                "partner": "clinique  biasa",
            },
            SAME,
        ],
        [amounts("10000", "8000")],
    ),
    case(
        "empty values agree with all",
        "conform",
        [{"beneficiary": "-", "policy_number": "N/A", "employer": "", "partner": "null"}, SAME],
        [amounts("10000", "8000")],
    ),
    case(
        "another beneficiary outside the period only",
        "conform",
        [SAME, {"settlement_date": BEFORE, "beneficiary": "MENSAH KOFI"}],
        [SAME],
        imported_lines=1,
    ),
    case("no act", "conform", [{"act": ""}], [SAME]),
]

AMOUNT_GAP = [
    case(
        "claimed apart by the tolerance",
        "amount_gap",
        [amounts("5005", "4000")],
        [SAME],
        "claimed",
        ["5,005", "5,000", "difference 5"],
    ),
    case(
        "reimbursed apart by the tolerance",
        "amount_gap",
        [amounts("5000", "3995")],
        [SAME],
        "reimbursed",
        ["3,995", "difference -5"],
    ),
    case("only one of the two gaps is one", "amount_gap", [amounts("5004.99", "4005")], [SAME], "reimbursed"),
    case(
        "both apart",
        "amount_gap",
        [amounts("6000", "5000")],
        [SAME],
        "both",
        ["Claimed", "Reimbursed", "tolerance is 5"],
    ),
    case("a cancelled line and a row that differs", "amount_gap", TAKEN_BACK, [SAME], "both"),
    case(
        "the rest of the claim is outside the period",
        "amount_gap",
        [amounts("3000", "2000"), amounts("2000", "2000", settlement_date=BEFORE)],
        [SAME],
        "both",
    ),
]

CANCELLED = [
    case("taken back and not in the recap", "cancelled", TAKEN_BACK),
    case("taken back and unpaid", "cancelled", TAKEN_BACK, [{"settlement_date": ""}]),
    case("taken back and settled outside the period", "cancelled", TAKEN_BACK, [{"settlement_date": AFTER}]),
    case("taken back but for less than the tolerance", "cancelled", [*TAKEN_BACK, amounts("4.99", "-4.99")]),
]

MISSING = [
    case("not in the recap", "missing_in_recap", [SAME], [], "absent", ["no row"]),
    case("in the recap unpaid", "missing_in_recap", [SAME], [{"settlement_date": ""}], "unpaid", ["not paid yet"]),
    case(
        "in the recap outside the period",
        "missing_in_recap",
        [SAME],
        [{"settlement_date": AFTER}],
        "dated_outside",
        ["10/01/2025", "01/01/2024 – 31/12/2024"],
    ),
    case(
        "unpaid once and outside once",
        "missing_in_recap",
        [SAME],
        [{"settlement_date": ""}, {"settlement_date": AFTER}],
        "dated_outside",
    ),
    case("taken back but for the tolerance", "missing_in_recap", [*TAKEN_BACK, amounts("5", "0")], [], "absent"),
    case(
        "taken back but for a debt of the tolerance",
        "missing_in_recap",
        [*TAKEN_BACK, amounts("0", "-5")],
        [],
        "absent",
    ),
    case("nothing to pay but no cancelled line", "missing_in_recap", [SAME, amounts("-5000", "-4000")], [], "absent"),
]

INCONSISTENT = [
    case(
        "two beneficiaries",
        "inconsistent",
        [SAME, {"beneficiary": "MENSAH KOFI"}],
        [amounts("10000", "8000")],
        "beneficiary",
        ["several beneficiaries", "LAWSON AFI, MENSAH KOFI"],
    ),
    case(
        "two policies",
        "inconsistent",
        [SAME, {"policy_number": "46/RD"}],
        [amounts("10000", "8000")],
        "policy",
        ["45/RD/GB, 46/RD"],
    ),
    case(
        "two employers",
        "inconsistent",
        [SAME, {"employer": "TOGOCOM"}],
        [amounts("10000", "8000")],
        "employer",
        ["TOGOCOM"],
    ),
    case("two providers", "inconsistent", [SAME, {"partner": "CHU"}], [amounts("10000", "8000")], "partner", ["CHU"]),
    case(
        "two of everything",
        "inconsistent",
        [SAME, {"beneficiary": "MENSAH KOFI", "policy_number": "46/RD", "employer": "TOGOCOM", "partner": "CHU"}],
        [amounts("10000", "8000")],
        "beneficiary,policy,employer,partner",
        ["MENSAH KOFI", "46/RD", "TOGOCOM", "CHU"],
    ),
]

INCOMPLETE = [
    case("no beneficiary", "incomplete", [NO_BENEFICIARY], [SAME], "beneficiary", ["beneficiary"]),
    case("no policy", "incomplete", [NO_POLICY], [SAME], "policy", ["policy"]),
    case("no provider", "incomplete", [NO_PARTNER], [SAME], "partner", ["provider"]),
    case(
        "no act category on one line",
        "incomplete",
        [SAME, {"act_category": ""}],
        [amounts("10000", "8000")],
        "act_category",
        ["act category"],
    ),
    case("a beneficiary of signs alone", "incomplete", [{"beneficiary": "? ! ."}], [SAME], "beneficiary"),
    case(
        "nothing at all",
        "incomplete",
        [NO_BENEFICIARY | NO_POLICY | NO_PARTNER | {"act_category": ""}],
        [SAME],
        "beneficiary,policy,partner,act_category",
    ),
    case(
        "the policy stands outside the period only",
        "incomplete",
        [NO_POLICY, {"settlement_date": BEFORE}],
        [SAME],
        "policy",
    ),
]

DIVERGENT = [
    case(
        "two rows of two amounts",
        "divergent_in_recap",
        [SAME],
        [SAME, amounts("5000", "3000")],
        "",
        ["2 different", "4,000", "3,000", "15/06/2024"],
    ),
    case(
        "one row outside the period",
        "divergent_in_recap",
        [SAME],
        [SAME, {"settlement_date": AFTER}],
        "",
        ["10/01/2025"],
    ),
    case("two rows that differ by a note", "divergent_in_recap", [SAME], [SAME, {"note": "chq 2"}]),
]

UNREADABLE = [
    case(
        "an amount in words",
        "unreadable",
        [SAME, {"claimed": "cinq mille"}],
        [SAME],
        "stat",
        ["claimed amount", "cinq mille", "row"],
    ),
    case("an empty amount", "unreadable", [{"reimbursed_amount": ""}], [SAME], "stat", ["reimbursed amount", "empty"]),
    case("a day that is none", "unreadable", [{"settlement_date": "31/02/2024"}], [SAME], "stat", ["31/02/2024"]),
    case("no settlement date", "unreadable", [{"settlement_date": ""}], [SAME], "stat", ["settlement date"]),
    case("a recap amount in words", "unreadable", [SAME], [{"claimed": "cinq mille"}], "recap", ["cinq mille"]),
    case(
        "a recap day that is none", "unreadable", [SAME], [{"settlement_date": "32/01/2024"}], "recap", ["32/01/2024"]
    ),
    case("a recap row without amount", "unreadable", [SAME], [SAME, {"reimbursed_amount": ""}], "recap"),
    case("both sides in words", "unreadable", [{"claimed": "x"}], [{"claimed": "x"}], "both"),
    case(
        "its readable line is outside the period",
        "unreadable",
        [{"claimed": "x"}, {"settlement_date": BEFORE}],
        [],
        "stat",
    ),
]

# Claims that deserve two categories get the first.
PRECEDENCE = [
    case("unreadable before divergent", "unreadable", [{"claimed": "x"}], [SAME, amounts("1", "1")], "stat"),
    case("unreadable before cancelled", "unreadable", [*TAKEN_BACK, {"claimed": "x"}], [], "stat"),
    case("divergent before inconsistent", "divergent_in_recap", [SAME, {"partner": "CHU"}], [SAME, amounts("1", "1")]),
    case(
        "divergent before missing",
        "divergent_in_recap",
        [SAME],
        [{"settlement_date": AFTER}, {"settlement_date": "11/01/2025"}],
    ),
    case(
        "inconsistent before incomplete", "inconsistent", [NO_POLICY, NO_POLICY | {"partner": "CHU"}], [SAME], "partner"
    ),
    case("inconsistent before gap", "inconsistent", [SAME, {"partner": "CHU"}], [SAME], "partner"),
    case(
        "inconsistent before cancelled", "inconsistent", [*TAKEN_BACK, amounts("0", "0", partner="CHU")], [], "partner"
    ),
    case("incomplete before gap", "incomplete", [NO_POLICY], [amounts("1", "1")], "policy"),
    case(
        "incomplete before cancelled",
        "incomplete",
        [one | {"act_category": ""} for one in TAKEN_BACK],
        [],
        "act_category",
    ),
    case("incomplete before missing", "incomplete", [NO_PARTNER], [], "partner"),
]

CASES = [
    *CONFORM,
    *AMOUNT_GAP,
    *CANCELLED,
    *MISSING,
    *INCONSISTENT,
    *INCOMPLETE,
    *DIVERGENT,
    *UNREADABLE,
    *PRECEDENCE,
]
# What belongs to no claim of the period.
NO_CLAIM = [
    case("only outside the period", None, [{"settlement_date": BEFORE}, {"settlement_date": BEFORE}], [SAME]),
    case("no claim number", None, []),
]
IMPORTED = {one.number: one for one in CASES if one.category in ("conform", "cancelled")}
LEFT_OUT = [one for one in CASES if one.number not in IMPORTED]
