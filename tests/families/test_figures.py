"""DOMAIN §12: figures follow a correction at once, and no total of the country changes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from core.families.correcting import attach, change_role
from core.families.merging import merge_people
from core.families.splitting import split_person
from core.families.undoing import undo_change
from tests.support import figures as reference
from tests.support.compared_figures import Question, compare_portfolio, compare_ranking
from tests.support.people import EARLY, LATE, fit_dates
from tests.support.small_country import Act, SmallCountry

pytestmark = pytest.mark.django_db

DAYS = (date(2024, 1, 1), date(2024, 12, 31))


def compare(togo: SmallCountry) -> dict[str, Any]:
    """Compare with the reference the figures that name persons, of the country and of each family; → the totals."""
    whole = reference.read([togo.country.pk])
    families = {member.family for member in whole.members}
    for kind, id_ in [("", 0), *(("family", one) for one in sorted(families))]:
        scope = reference.in_scope(whole, kind, id_) if kind else whole
        if not reference.within(scope, *DAYS):
            continue
        question = Question(togo.figures, whole, scope, *DAYS, (togo.country.pk,), kind, id_)
        compare_portfolio(question)
        for by in ("insured", "family") if not kind else ("insured",):
            compare_ranking(question, by)
    keys = ("claims", "lines", "claimed", "reimbursed")
    return {key: togo.figure(key, start=DAYS[0], end=DAYS[1])["value"] for key in keys}


def test_figures_by_person_and_family_are_those_of_the_corrected_records() -> None:
    togo = SmallCountry()
    togo.claim(insured="AFI", settled=EARLY)
    togo.claim(Act(claimed=7000, reimbursed=7000), insured="AFY", settled=LATE)
    togo.claim(insured="AFY", policy="2")
    togo.claim(Act(claimed=9000, reimbursed=100), insured="CODJO", principal="AFY", settled=EARLY)
    togo.claim(insured="CHIMENE", principal="AFI", settled=LATE)
    togo.claim(insured="BOB")
    togo.save()
    fit_dates()
    afi, afy, bob = (togo.insured(name) for name in ("AFI", "AFY", "BOB"))
    totals = compare(togo)
    merged = merge_people(actor=togo.user, kept=afi, absorbed=[afy])
    assert compare(togo) == totals
    codjo = togo.insured("CODJO").memberships.get()
    attached = attach(actor=togo.user, membership=codjo, principal=bob.pk)
    assert compare(togo) == totals
    founded = change_role(actor=togo.user, membership=codjo, role="primary")
    assert compare(togo) == totals
    undo_change(actor=togo.user, change=founded)
    undo_change(actor=togo.user, change=attached)
    assert compare(togo) == totals
    split = split_person(actor=togo.user, kept=afi, absorbed=afy.pk)
    assert compare(togo) == totals
    undo_change(actor=togo.user, change=split)
    undo_change(actor=togo.user, change=merged)
    assert compare(togo) == totals


def test_a_principal_for_one_client_and_a_dependant_for_another_heads_the_own_family() -> None:
    togo = SmallCountry()
    togo.claim(insured="AFI")
    togo.claim(insured="AFI", client="GARE")
    togo.claim(insured="CODJO", principal="AFI")
    togo.claim(Act(claimed=700, reimbursed=700), insured="CODJO", principal="AFI", client="GARE")
    togo.save()
    fit_dates()
    second = togo.insured("CODJO").memberships.order_by("-pk")[0]
    change_role(actor=togo.user, membership=second, role="primary")
    compare(togo)
    rows = togo.figures("rankings/", by="family", start=DAYS[0], end=DAYS[1])["rows"]
    assert {row["id"]: row["claims"] for row in rows}[second.pk] == 1
