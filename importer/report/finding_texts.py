"""The observations of findings: why a claim was not imported or a row is listed, in the active language.

`facts`: the parameters that `findings` stores (`Finding.details`) and the finding's `code`. Amounts are hundredths of
the currency unit, days ISO dates, `currency` an ISO 4217 code. A row has its place (`file`, `sheet`, `row`), `trouble`
with the codes of what cannot be read, and the texts of these cells.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from common.formats import format_cents, format_count, format_day
from common.money import MarkMeaning, parse_amount
from common.words import clauses
from file_handling.wording import Facts, Sentence

MOST_PAGES_NAMED = 10
FIELD_LABELS = {
    "claim_number": gettext_lazy("claim number"),
    "settlement_date": gettext_lazy("settlement date"),
    "incident_date": gettext_lazy("incident date"),
    "claimed_amount": gettext_lazy("claimed amount"),
    "reimbursed_amount": gettext_lazy("reimbursed amount"),
    "beneficiary": gettext_lazy("beneficiary"),
    "policy": gettext_lazy("policy"),
    "policy_number": gettext_lazy("policy number"),
    "card_number": gettext_lazy("card number"),
    "payment_reference": gettext_lazy("payment reference"),
    "cheque_number": gettext_lazy("cheque number"),
    "invoice_number": gettext_lazy("invoice number"),
    "employer": gettext_lazy("employer"),
    "partner": gettext_lazy("provider"),
    "act_category": gettext_lazy("act category"),
}
ANOMALY_SENTENCES = {
    "extra_field": gettext_lazy(
        "the line has more fields than the header: a separator stands inside a value that is not quoted"
    ),
    "unclosed_quote": gettext_lazy("a quotation mark is opened and never closed"),
}
SEVERAL = {
    "beneficiary": gettext_lazy("several beneficiaries"),
    "policy_number": gettext_lazy("several policies"),
    "employer": gettext_lazy("several employers"),
    "partner": gettext_lazy("several providers"),
}


def day(iso: str) -> str:
    return format_day(date.fromisoformat(iso))


def amount(cents: int | None, currency: str) -> str:
    return _("none") if cents is None else format_cents(cents, currency)


def broken_row(row: Facts, currency: str) -> str:
    """What cannot be read in a line or row: `trouble` has the codes, `<field>_raw` the texts of the cells."""
    parts = []
    for code in (row["trouble"] or "").split(","):
        if code in ANOMALY_SENTENCES:
            parts.append(str(ANOMALY_SENTENCES[code]))
            continue
        field, _colon, reason = code.partition(":")
        label = str(FIELD_LABELS.get(field, field))
        raw = row.get(f"{field}_raw")
        if reason == "ambiguous":
            parts.append(ambiguous_amount(label, str(raw), currency))
        elif reason == "lost_digits":
            parts.append(lost_digits(label, row[field]))
        elif raw:
            parts.append(_("the %(field)s “%(value)s” cannot be read") % {"field": label, "value": raw})
        else:
            parts.append(_("the %(field)s is empty") % {"field": label})
    return clauses(parts)


def ambiguous_amount(label: str, text: str, currency: str) -> str:
    """`text`: an amount such as `12.000`, whose mark nothing decides."""
    readings = (parse_amount(text, lone_mark=meaning) for meaning in (MarkMeaning.THOUSANDS, MarkMeaning.DECIMAL))
    thousands, decimals = (amount(cents, currency) for cents in readings)
    return _(
        "the %(field)s “%(value)s” is ambiguous, it can be %(thousands)s or %(decimals)s: write the amounts of this "
        "column without a separator of thousands"
    ) % {"field": label, "value": text, "thousands": thousands, "decimals": decimals}


def lost_digits(label: str, text: str) -> str:
    return _(
        "the %(field)s “%(value)s” has lost its digits to scientific notation: format the column as text in the "
        "workbook, restore the numbers and export again"
    ) % {"field": label, "value": text}


def place(row: Facts) -> str:
    if row["sheet"]:
        return _("%(file)s, sheet %(sheet)s, row %(row)d") % row
    return _("%(file)s, row %(row)d") % row


def broken_rows(rows: Iterable[Facts], currency: str) -> str:
    return " ".join(
        _("%(place)s: %(trouble)s.") % {"place": place(row), "trouble": broken_row(row, currency)} for row in rows
    )


def unreadable(facts: Facts) -> str:
    return _("Cannot be read. %(rows)s Correct these cells and import again.") % {
        "rows": broken_rows(facts["rows"], facts["currency"])
    }


def divergent(facts: Facts) -> str:
    rows, currency = facts["rows"], facts["currency"]
    listed = clauses(
        _("claimed %(claimed)s, reimbursed %(reimbursed)s, settled on %(day)s (%(place)s)")
        % {
            "claimed": amount(row["claimed_cents"], currency),
            "reimbursed": amount(row["reimbursed_cents"], currency),
            "day": day(row["settled"]),
            "place": place(row),
        }
        for row in rows
    )
    return _(
        "The recap has %(count)d different paid rows for this claim: %(rows)s. Keep the right one and import again."
    ) % {
        "count": len(rows),
        "rows": listed,
    }


def inconsistent(facts: Facts) -> str:
    # In an order of its own: a database may store the keys of an object in another one.
    values = facts["values"]
    named = clauses(f"{label} ({', '.join(values[field])})" for field, label in SEVERAL.items() if field in values)
    return _("Its lines name %(values)s. Correct the stat file and import again.") % {"values": named}


def incomplete(facts: Facts) -> str:
    fields, sentences = facts["code"].split(","), []
    missing = [str(FIELD_LABELS[f]) for f in fields if f != "act_category"]
    if missing:
        sentences.append(_("Missing in all its lines: %(fields)s.") % {"fields": ", ".join(missing)})
    if "act_category" in fields:
        sentences.append(_("At least one of its lines has no act category."))
    return " ".join([*sentences, _("Complete the stat file and import again.")])


def amount_gap(facts: Facts) -> str:
    currency, tolerance_cents, sides = facts["currency"], facts["tolerance"], []
    for label, stat, recap in (
        (_("Claimed"), facts["stat_claimed"], facts["recap_claimed"]),
        (_("Reimbursed"), facts["stat_reimbursed"], facts["recap_reimbursed"]),
    ):
        if abs(stat - recap) >= tolerance_cents:
            sides.append(
                _("%(label)s: stat %(stat)s, recap %(recap)s, difference %(gap)s.")
                % {
                    "label": label,
                    "stat": amount(stat, currency),
                    "recap": amount(recap, currency),
                    "gap": amount(stat - recap, currency),
                }
            )
    tolerance = _("The tolerance is %(tolerance)s.") % {"tolerance": amount(tolerance_cents, currency)}
    return " ".join([*sides, tolerance])


def missing_in_recap(facts: Facts) -> str:
    if facts["code"] == "dated_outside":
        return _(
            "The recap dates it %(day)s, outside the common period %(first)s – %(last)s. Correct the date in the "
            "recap, or import files of a longer period."
        ) % {name: day(facts[name]) for name in ("day", "first", "last")}
    if facts["code"] == "unpaid":
        return _("The recap has it without a settlement date: not paid yet. Import it again once it is paid.")
    return _("The recap has no row for this claim. Check that no recap page is missing, then import again.")


def conflict(facts: Facts) -> str:
    return _(
        "Already imported with other lines, left as it was. Here: claimed %(claimed)s, reimbursed %(reimbursed)s. "
        "To replace it, import again with “replace” chosen for claims that differ."
    ) % {name: amount(facts[name], facts["currency"]) for name in ("claimed", "reimbursed")}


def out_of_period(facts: Facts) -> str:
    return _("Settled on %(day)s, outside the common period %(first)s – %(last)s.") % {
        name: day(facts[name]) for name in ("day", "first", "last")
    }


def unpaid(facts: Facts) -> str:
    return _("The recap gives no settlement date: not paid yet.")


def recap_only(facts: Facts) -> str:
    return _("Paid in the common period, but missing in the stat file.")


def unreadable_line(facts: Facts) -> str:
    return _("Not imported: %(trouble)s.") % {"trouble": broken_row(facts, facts["currency"])}


def unknown_incident_date(facts: Facts) -> str:
    return _("The incident date “%(value)s” cannot be read; it is stored as unknown.") % {"value": facts["text"]}


def lost_references(facts: Facts) -> str:
    """`lost_references`: `field=text`, separated by spaces."""
    sentences = []
    for part in facts["lost_references"].split():
        field, _equals, text = part.partition("=")
        sentences.append(
            _(
                "The %(field)s “%(value)s” has lost its digits to scientific notation and is left empty. Format the "
                "column as text in the workbook, restore the numbers and export again."
            )
            % {"field": FIELD_LABELS[field], "value": text}
        )
    return " ".join(sentences)


def thousands_from_three_digits(facts: Facts) -> str:
    """`facts`: one of `ReadResult.lone_marks`, read as thousands, and its `side`."""
    names = {"stat": _("stat file"), "recap": _("recap")}
    reasons = {
        "column": _("other amounts of the column use this mark for thousands"),
        "neither": _("no other amount of the column decides, and %(currency)s has no decimals"),
        "both": _(
            "other amounts of the column use this mark for thousands and for decimals, and %(currency)s has none"
        ),
    }
    return _(
        "Column “%(column)s” of the %(file)s: a “%(mark)s” before three digits is read as the separator of thousands "
        "(%(examples)s), because %(reason)s. If these amounts have decimals, correct the file and import again."
    ) % {
        "column": facts["column"],
        "file": names[facts["side"]],
        "mark": facts["mark"],
        "examples": ", ".join(
            f"{text} = {amount(parse_amount(text, lone_mark=MarkMeaning.THOUSANDS), facts['currency'])}"
            for text in facts["examples"]
        ),
        "reason": reasons[facts["reason"]] % {"currency": facts["currency"]},
    }


def deduced(facts: Facts) -> str:
    return _("%(name)s has no line of their own and is only named as a principal: created, marked as deduced.") % facts


def similar_insured(facts: Facts) -> str:
    return _("Two insured of one policy have nearly the same name: %(one)s / %(other)s. Are they one person?") % facts


def similar_clients(facts: Facts) -> str:
    return _("Two clients have nearly the same name: %(one)s / %(other)s. Are they one?") % facts


def similar_partners(facts: Facts) -> str:
    return _("Two providers have nearly the same name: %(one)s / %(other)s. Are they one?") % facts


def similar_operators(facts: Facts) -> str:
    return _("Two operators have nearly the same name: %(one)s / %(other)s. Are they one?") % facts


def homonyms(facts: Facts) -> str:
    return (
        _("Two insured of one policy have the name %(name)s under different card numbers: kept as two persons.") % facts
    )


def missing_pages(facts: Facts) -> str:
    """`facts`: a warning of `pipeline.missing_pages`; before the run, its `claims` is None."""
    pages = facts["pages"]
    named = ngettext(
        "Among the names of the recap pages, this one is missing: %(pages)s.",
        "Among the names of the recap pages, these are missing: %(pages)s.",
        len(pages),
    ) % {"pages": _named(pages)}
    if facts["claims"] is None:
        return _("%(missing)s If there is such a page, add it before you import.") % {"missing": named}
    if not facts["claims"]:
        return _("%(missing)s But the recap has a row for every claim, so the number alone may be missing.") % {
            "missing": named
        }
    return _("%(missing)s %(claims)s If there is such a page, import again with it.") % {
        "missing": named,
        "claims": _claims_without_row(facts),
    }


def missing_days(facts: Facts) -> str:
    first, last = day(facts["first"]), day(facts["last"])
    if first == last:
        named = _("The recap has no row of %(day)s, but of days before and after.") % {"day": first}
    else:
        named = _("The recap has no row from %(first)s to %(last)s, but of days before and after.") % {
            "first": first,
            "last": last,
        }
    return _("%(missing)s %(claims)s A page of the recap is probably missing: import again with it.") % {
        "missing": named,
        "claims": _claims_without_row(facts),
    }


def _claims_without_row(facts: Facts) -> str:
    return ngettext(
        "%(count)s claim of the stat file has no row in it: claimed %(claimed)s, reimbursed %(reimbursed)s.",
        "%(count)s claims of the stat file have no row in it: claimed %(claimed)s, reimbursed %(reimbursed)s.",
        facts["claims"],
    ) % {
        "count": format_count(facts["claims"]),
        **{
            name: format_cents(facts[name], facts["currency"], with_currency=True) for name in ("claimed", "reimbursed")
        },
    }


def _named(pages: Sequence[str]) -> str:
    named = ", ".join(pages[:MOST_PAGES_NAMED])
    more = len(pages) - MOST_PAGES_NAMED
    return _("%(pages)s and %(more)d more") % {"pages": named, "more": more} if more > 0 else named


# Category of a finding → its observation; of warnings, the code.
OBSERVATIONS: dict[str, Sentence] = {
    "unreadable": unreadable,
    "divergent_in_recap": divergent,
    "inconsistent": inconsistent,
    "incomplete": incomplete,
    "amount_gap": amount_gap,
    "missing_in_recap": missing_in_recap,
    "conflict": conflict,
    "unreadable_line": unreadable_line,
    "out_of_period": out_of_period,
    "unpaid": unpaid,
    "recap_only": recap_only,
    "thousands_from_three_digits": thousands_from_three_digits,
    "references_lost_digits": lost_references,
    "unknown_incident_date": unknown_incident_date,
    "principal_deduced": deduced,
    "homonyms": homonyms,
    "missing_pages": missing_pages,
    "missing_days": missing_days,
    "alike_insured": similar_insured,
    "alike_client": similar_clients,
    "alike_partner": similar_partners,
    "alike_operator": similar_operators,
}
