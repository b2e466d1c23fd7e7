"""The imports of the demo, so that every page has something to show: each ending of a session, in two countries."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from scripts.api_client import Client
from scripts.demo import countries, coverage
from scripts.demo.catalogue import order_catalogue
from scripts.demo.pairs import SamplePair
from scripts.demo.persons import correct_persons
from scripts.demo.premiums import enter_premiums, two_years
from scripts.demo.review import answer_two, make_review_pair

CAMEROON = {"name": "Cameroun", "code": "CM", "currency_code": "XAF", "currency_name": "Franc CFA (BEAC)"}
TERRITORIAL, TECHNICAL, SUPERUSER = "ADMIN_TERRITORIAL", "CHEF_DEPT_TECH", "SUPERUSER"
GLOBAL = "ADMIN_GLOBAL"
DONE = ("DONE", "DONE_WITH_ERRORS")
# An import fails after so long without an event: a base, and an addition for each claim of the sample.
RUN_SECONDS, RUN_SECONDS_PER_CLAIM = 120, 0.02
MAIN = "togo-second-year"
CORRECTED = "corrected"


class UnexpectedEndError(Exception):
    """An import did not end as it must; the message names the session, its status and its message."""


@dataclass(frozen=True)
class Step:
    """An import by the account of a role, and the act after it. `recap`: the pair whose recap pages it has, if another.

    `ends`: the statuses that are right before the act.
    """

    name: str
    role: str
    pair: str
    ends: tuple[str, ...] = DONE
    recap: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    act: str = ""


# The steps of the two tuples run at the same time, those of one tuple one after the other.
STEPS = (
    Step("togo-first-year", TERRITORIAL, "togo-first-year"),
    Step(MAIN, TERRITORIAL, MAIN),
    Step("togo-month", TECHNICAL, "togo-month"),
    Step("togo-month-again", TERRITORIAL, "togo-month-again"),
    Step("reverted", TERRITORIAL, "togo-mistake", act="revert"),
)
STEPS_BESIDE = (
    Step("cameroon-first-year", SUPERUSER, "cameroon-first-year", options={"country": "CM"}),
    Step("cameroon-second-year", SUPERUSER, "cameroon-second-year", options={"country": "CM"}),
    Step("cancelled", TECHNICAL, "togo-review", ends=("REVIEW",), options={"dry_run": "true"}, act="cancel"),
    Step("failed", TECHNICAL, "togo-month", recap="togo-other-period", ends=("ERROR",)),
    Step("sheet", TECHNICAL, "togo-draft", ends=("AWAITING_SHEET",)),
    Step("review", TECHNICAL, "togo-review", ends=("REVIEW",), options={"dry_run": "true"}),
)


def prepare_countries(superuser: Client) -> None:
    """Creates the second country, unless an earlier run has."""
    if CAMEROON["code"] not in [country["code"] for country in superuser.countries()]:
        superuser.call("POST", "/api/v1/countries/", json=CAMEROON)


def run_all(
    *,
    clients: Mapping[str, Client],
    pairs: Mapping[str, SamplePair],
    show_upload: Callable[[Step], None] = lambda _step: None,
    show_event: Callable[[Step, dict[str, Any]], None] = lambda _step, _event: None,
    show_end: Callable[[Step, dict[str, Any]], None] = lambda _step, _session: None,
) -> dict[str, dict[str, Any]]:
    """Runs all steps with the client of each role, then what people do beside imports; → name of the step → session.

    The functions are called for STEPS while they run, `show_end` for STEPS_BESIDE at the end.

    Raises UnexpectedEndError, TimeoutError when an import is silent for too long, RefusedError.
    """
    prepare_countries(clients[SUPERUSER])
    countries.prepare(superuser=clients[SUPERUSER], global_admin=clients[GLOBAL], country=CAMEROON["code"])
    sessions = {}
    with ThreadPoolExecutor(max_workers=1) as beside:
        others = beside.submit(lambda: [_run(step, clients, pairs) for step in STEPS_BESIDE])
        for step in STEPS:
            show_upload(step)
            sessions[step.name] = _run(step, clients, pairs, show_event)
            show_end(step, sessions[step.name])
        for step, session in zip(STEPS_BESIDE, others.result(), strict=True):
            sessions[step.name] = session
            show_end(step, session)
    _review_names(clients[TERRITORIAL], pairs["togo-month"])
    years = two_years(pairs["togo-first-year"].expected, pairs[MAIN].expected)
    enter_premiums(clients[TERRITORIAL], typist=clients[TECHNICAL], country="TG", periods=years)
    enter_premiums(clients[SUPERUSER], typist=clients[SUPERUSER], country=CAMEROON["code"], periods=years)
    correct_persons(clients[TECHNICAL])
    coverage.type_some(clients[TERRITORIAL])
    order_catalogue(clients[SUPERUSER])
    sessions[CORRECTED] = _correct(clients[TECHNICAL], sessions["togo-first-year"])
    return sessions


def _review_names(client: Client, month: SamplePair) -> None:
    """Imports names that are nearly the same, and answers two pairs of the review list."""
    day = date.fromisoformat(month.expected["period"][1])
    stat, recap = make_review_pair(month.stat.parent.parent / "names", day=day)
    session = client.import_pair(stat=stat, recaps=[recap])
    for _event in client.events(session["id"], seconds=RUN_SECONDS):
        pass
    ended = client.session(session["id"])
    if ended["status"] not in DONE:
        raise UnexpectedEndError(f"{ended['id']}: {ended['status']} {ended['message']}")
    answer_two(client)


def _correct(client: Client, session: dict[str, Any]) -> dict[str, Any]:
    """A session in review, in which the amounts of one recap row are those of the claim's stat lines."""
    gaps = client.findings(session["id"], category="amount_gap", rows=50)
    finding, place = next(
        (finding, rows[0])
        for finding in gaps
        if len(rows := [place for place in finding["locations"] if place["side"] == "recap"]) == 1
    )
    row = {"file": place["file_id"], "sheet": place["sheet"], "row": place["row"]}
    cells = [
        row | {"field": "claimed_amount", "value": finding["stat_claimed"]},
        row | {"field": "reimbursed_amount", "value": finding["stat_reimbursed"]},
    ]
    corrected = client.call("POST", f"/api/v1/import-sessions/{session['id']}/corrections/", json={"cells": cells})
    for _event in client.events(corrected["id"], seconds=RUN_SECONDS):
        pass
    ended = client.session(corrected["id"])
    if ended["status"] != "REVIEW":
        raise UnexpectedEndError(f"{ended['id']}: {ended['status']} {ended['message']}")
    return ended


def _run(
    step: Step,
    clients: Mapping[str, Client],
    pairs: Mapping[str, SamplePair],
    show_event: Callable[[Step, dict[str, Any]], None] = lambda _step, _event: None,
) -> dict[str, Any]:
    client, pair = clients[step.role], pairs[step.pair]
    session = client.import_pair(stat=pair.stat, recaps=pairs[step.recap or step.pair].recaps, **step.options)
    claims = pair.expected["claims"]["total"]
    for event in client.events(session["id"], seconds=RUN_SECONDS + claims * RUN_SECONDS_PER_CLAIM):
        show_event(step, event)
    ended = client.session(session["id"])
    if ended["status"] not in step.ends:
        raise UnexpectedEndError(f"{session['id']}: {ended['status']} {ended['message']}")
    if step.act:
        client.call("POST", f"/api/v1/import-sessions/{session['id']}/{step.act}/")
        ended = client.session(session["id"])
    return ended
