"""pytest plugin (`-p scripts.mutations.plugin`): collects the tests once and runs them in a fork for each mutant.

MUTANTS_FILE names a file with the name of one mutant on each line. For each, one JSON line is appended to the file
MUTANTS_RESULT as soon as the outcome is known: `name`, `failed` (ids of tests), `seconds`. The name "" stands for no
mutant: then every test runs.
"""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from django.db import connections

SECONDS = 1800
# Tests of the API that run first, because they catch most mutants; the others follow when these pass.
LIKELY = (
    "countries/",
    "audit/",
    "POST-import-sessions/",
    "GET-files/",
    "cancel/",
    "GET-claims/",
    "GET-acts/",
    "users/",
)
_reports: list[pytest.TestReport] = []


def _imports_files(test: str) -> bool:
    return "test_canaries.py" in test


def _rank(mutant: str, test: str) -> int:
    """Order of a test: 0 likely to catch the mutant, 1 the scopes by themselves, 2 all others, 3 those that import
    files, which take longest."""
    if _imports_files(test):
        return 3
    if "test_page_access.py" in test:
        return 0 if mutant.startswith("page:") else 2
    if test.startswith("tests/access/"):
        return 1
    kind, _, place = mutant.partition(":")
    case = test.partition("[")[2].replace("-", "")
    if kind == "scope":
        return 0 if place.rpartition(".")[2].lower().removesuffix("y") in case else 2
    return 0 if test.startswith("tests/api/") and any(route.replace("-", "") in case for route in LIKELY) else 2


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _reports.append(report)


def _reports_of(item: pytest.Item, *, following: pytest.Item) -> list[pytest.TestReport]:
    """Run one test; → its reports of set-up, call and tear-down."""
    _reports.clear()
    item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
    return list(_reports)


def _failed(name: str, items: list[pytest.Item]) -> list[str]:
    """The first test that fails with the mutant `name`; without a mutant all that fail."""
    # Imports models, and pytest loads this plugin before Django is set up.
    from scripts.mutations.mutants import mutants

    failed: list[str] = []
    if name:
        mutants()[name].apply()
        items = sorted(items, key=lambda item: _rank(name, item.nodeid))
    # The first test is the `nextitem` of the last: so the fixtures of the last test, and the rows that it committed,
    # are removed, but the fixtures of the whole session stay for the next fork.
    for item, following in zip(items, [*items[1:], items[0]], strict=True):
        reports = _reports_of(item, following=following)
        # With a mutant only a failed assertion counts: a fixture that breaks asserts nothing.
        failed += [report.nodeid for report in reports if report.failed and (report.when == "call" or not name)]
        if failed and name:
            break
    return failed


def _run_in_fork(name: str, items: list[pytest.Item], result: Path) -> None:
    """Raises RuntimeError when the fork ended without an outcome, which would prove nothing about the mutant."""
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(SECONDS)
            failed = _failed(name, items)
            line = {"name": name, "failed": failed, "seconds": round(time.monotonic() - started, 1)}
            with result.open("a", encoding="utf-8") as out:
                out.write(json.dumps(line) + "\n")
            status = 0
        finally:
            # Always: the end of the session, and the removal of the database, belong to the parent.
            os._exit(status)
    if os.waitpid(child, 0)[1] != 0:
        raise RuntimeError(f"the tests did not run with {name or 'no mutant'}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    # The first test makes the database, which the forks use one after the other. It must not import files: Polars
    # starts threads, which do not exist in a fork, and the fork would wait for them for ever.
    first = next((item for item in session.items if not _imports_files(item.nodeid)), None)
    if first is None:
        raise RuntimeError("every named test imports files: name another one beside them")
    if any(report.failed for report in _reports_of(first, following=session.items[-1])):
        raise RuntimeError(f"{first.nodeid} fails without a mutant")
    for name in Path(os.environ["MUTANTS_FILE"]).read_text(encoding="utf-8").splitlines():
        # Two processes cannot use one connection.
        connections.close_all()
        _run_in_fork(name, session.items, Path(os.environ["MUTANTS_RESULT"]))
    return True
