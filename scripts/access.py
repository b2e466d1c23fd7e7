"""Do the tests of access notice when a wall falls? Each is taken down in turn, and the tests run against what is left.

First the whole suite, nothing taken down: it must pass. Then one line for each wall: whether a test failed, and which.
The last line is one JSON object; the exit status is 0 when nothing leaks and every fall was noticed.
`--only TEXT` for walls whose name has TEXT; `--list` names them.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUITE = (
    "tests/api/test_access.py",
    "tests/admin/test_admin_access.py",
    "tests/access/test_scopes.py",
    "tests/access/test_permissions.py",
    "tests/access/test_canaries.py",
)
# Tests that look for one country's mark in what another one gets.
CANARIES = ("no_byte_of_one_country", "a_filter_on_a_foreign", "test_canaries.py")
# The child reads the settings of the tests anew, on a database of its own: a test may have started it.
NOT_INHERITED = {"DATABASE_URL", "REDIS_URL", "STORAGE_URL", "PYTEST_ADDOPTS"}


@dataclass(frozen=True)
class Outcome:
    """What the tests made of one wall taken down ("" for none): the ids of those that failed."""

    name: str
    failed: list[str]
    seconds: float


def outcomes(*, names: list[str], tests: tuple[str, ...] = SUITE) -> Iterator[Outcome]:
    """What `tests` (files, or single ones by their ids) make of each wall, as soon as it is known.

    Raises RuntimeError when they did not run: that would say nothing about a wall.
    """
    with tempfile.TemporaryDirectory(prefix="concord-access-") as folder:
        walls, result, said = (Path(folder) / name for name in ("walls", "result", "said"))
        walls.write_text("\n".join(names) + "\n", encoding="utf-8")
        result.touch()
        command = [sys.executable, "-m", "pytest", "-q", "-p", "scripts.access_forks", "-p", "no:cacheprovider", *tests]
        environment = {key: value for key, value in os.environ.items() if key not in NOT_INHERITED}
        environment |= {
            "DJANGO_SETTINGS_MODULE": "config.settings_test",
            "ACCESS_WALLS": str(walls),
            "ACCESS_RESULT": str(result),
        }
        with said.open("w") as out, result.open(encoding="utf-8") as lines:
            child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT)
            told = 0
            try:
                while told < len(names):
                    has_ended = child.poll() is not None
                    for line in lines:
                        told += 1
                        yield Outcome(**json.loads(line))
                    if has_ended:
                        break
                    time.sleep(0.1)
            finally:
                if told < len(names):
                    child.terminate()
                child.wait()
        if told < len(names):
            raise RuntimeError(f"The tests did not run:\n{said.read_text()[-3000:]}")


def known() -> tuple[list[str], int, int]:
    """The names of all walls; the routes (addresses) and cases (address, method, account) of the tables of tests."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings_test"
    import django

    django.setup()
    from scripts.access_break import breaks
    from tests.admin import test_admin_access
    from tests.api import test_access

    tables = [test_access.TABLE, test_admin_access.TABLE]
    routes = sum(len({path for _method, path in table}) for table in tables)
    return list(breaks()), routes, sum(len(accounts) for table in tables for accounts in table.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    parser.add_argument("--list", action="store_true")
    asked = parser.parse_args()
    names, routes, cases = known()
    names = [name for name in names if asked.only in name]
    if asked.list:
        print("\n".join(names))
        return 0

    results = outcomes(names=["", *names])
    whole = next(results)
    leaks = sum(any(canary in test for canary in CANARIES) for test in whole.failed)
    print(f"{routes} routes, {cases} cases, {len(whole.failed)} failed, {leaks} leaks", *whole.failed, sep="\n")
    removed = caught = 0
    # What fails already would notice anything.
    if not whole.failed:
        for one in results:
            removed += 1
            caught += bool(one.failed)
            said = f"{one.name:<75} {one.failed[0].removeprefix('tests/')}" if one.failed else one.name
            print("caught" if one.failed else "MISSED", f"{one.seconds:5.1f} s ", said, flush=True)
    results.close()  # type: ignore[attr-defined]
    counts = {"routes": routes, "cases": cases, "leaks": leaks, "filters_removed": removed, "filters_caught": caught}
    print(json.dumps(counts))
    return 0 if removed == caught and not whole.failed else 1


if __name__ == "__main__":
    sys.exit(main())
