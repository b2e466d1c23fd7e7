"""Every wall in turn by one run of pytest: the tests are collected once, and each wall falls in a fork of that process.

A plugin (`-p scripts.access_forks`) that takes the place of the usual run. ACCESS_WALLS names a file with the names of
walls, one on each line. To the file of ACCESS_RESULT it writes one JSON line for each, as soon as it is known:
`name`, `failed` (ids of tests), `seconds`. The name "" stands for nothing taken down: then every test runs.
"""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

from scripts.access_break import breaks

SECONDS = 1800
# Tests of the API asked first, so that a fall is noticed soon; what they do not notice is asked of all the others.
TELLING = (
    "countries/",
    "audit/",
    "POST-import-sessions/",
    "GET-files/",
    "cancel/",
    "GET-claims/",
    "GET-acts/",
    "users/",
)


def _imports(test: str) -> bool:
    return "test_canaries.py" in test


def _turn(name: str, test: str) -> int:
    """When a test is asked about a wall: 0 what is likely to notice, 1 the scopes by themselves, 2 all the rest.

    3 what imports for it, and so takes longest.
    """
    if _imports(test):
        return 3
    if test.startswith("tests/access/"):
        return 1
    kind, _, what = name.partition(":")
    case = test.partition("[")[2].replace("-", "")
    if kind == "scope":
        return 0 if what.rpartition(".")[2].lower().removesuffix("y") in case else 2
    return 0 if test.startswith("tests/api/") and any(one.replace("-", "") in case for one in TELLING) else 2


def _failed(name: str, items: list[pytest.Item]) -> list[str]:
    """The first test that fails with the wall `name` taken down; with none taken down, all that fail."""
    failed: list[str] = []
    if name:
        breaks()[name].take_down()
        items = sorted(items, key=lambda item: _turn(name, item.nodeid))
    # The last is followed by the first: then its own rows go, which one that commits would leave to the next fork, and
    # what the whole run shares stays.
    for item, following in zip(items, [*items[1:], items[0]], strict=True):
        reports = runtestprotocol(item, log=False, nextitem=following)
        # A fixture that breaks shows that something is wrong, but nobody asserted what.
        failed += [one.nodeid for one in reports if one.failed and (one.when == "call" or not name)]
        if failed and name:
            break
    return failed


def _in_a_fork(name: str, items: list[pytest.Item], result: Path) -> None:
    """Raises RuntimeError when the fork ended without an answer, which would say nothing about the wall."""
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
            # Whatever happened: the end of the run, and what it clears away, is the parent's.
            os._exit(status)
    if os.waitpid(child, 0)[1] != 0:
        raise RuntimeError(f"the tests did not run with {name or 'nothing'} taken down")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    from django.db import connections

    # The first test makes the database, which the forks then share, one after the other. It must not import: threads
    # that Polars starts are none in a fork, which would wait for them for ever.
    first = next((item for item in session.items if not _imports(item.nodeid)), None)
    if first is None:
        raise RuntimeError("no test but such as import: name another one beside them")
    if any(report.failed for report in runtestprotocol(first, log=False, nextitem=session.items[-1])):
        raise RuntimeError(f"{first.nodeid} fails with nothing taken down")
    names = Path(os.environ["ACCESS_WALLS"]).read_text(encoding="utf-8").splitlines()
    for name in names:
        # A connection that two processes hold serves neither.
        connections.close_all()
        _in_a_fork(name, session.items, Path(os.environ["ACCESS_RESULT"]))
    return True
