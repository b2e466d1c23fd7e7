"""Starts pytest with the plugin, hands it the mutants and reads what the tests made of each."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SUITE = (
    "tests/api/test_access.py",
    "tests/admin/test_admin_access.py",
    "tests/access/test_scopes.py",
    "tests/access/test_permissions.py",
    "tests/access/test_canaries.py",
    "tests/access/test_page_access.py",
)
# A test may call `outcomes`: pytest then needs a database and settings other than those of that test.
NOT_INHERITED = {"DATABASE_URL", "REDIS_URL", "STORAGE_URL", "PYTEST_ADDOPTS"}


@dataclass(frozen=True)
class Outcome:
    """The ids of the tests that failed with the mutant `name` applied ("": without a mutant)."""

    name: str
    failed: list[str]
    seconds: float


def outcomes(*, names: list[str], tests: tuple[str, ...] = SUITE) -> Generator[Outcome]:
    """The outcome of each mutant as soon as it is known; `tests` are files or ids of single tests.

    Raises RuntimeError when the tests did not run: that would prove nothing about a mutant.
    """
    with tempfile.TemporaryDirectory(prefix="concord-mutations-") as folder:
        mutants, result, output = (Path(folder) / name for name in ("mutants", "result", "output"))
        mutants.write_text("\n".join(names) + "\n", encoding="utf-8")
        result.touch()
        command = [sys.executable, "-m", "pytest", "-q", "-p", "scripts.mutations.plugin", "-p", "no:cacheprovider"]
        environment = {key: value for key, value in os.environ.items() if key not in NOT_INHERITED}
        environment |= {
            "DJANGO_SETTINGS_MODULE": "config.settings_test",
            "MUTANTS_FILE": str(mutants),
            "MUTANTS_RESULT": str(result),
        }
        with output.open("w") as out, result.open(encoding="utf-8") as lines:
            child = subprocess.Popen(
                [*command, *tests], cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT
            )
            read = 0
            try:
                while read < len(names):
                    # Asked before reading, or lines written in between would be lost.
                    has_ended = child.poll() is not None
                    for line in lines:
                        read += 1
                        yield Outcome(**json.loads(line))
                    if has_ended:
                        break
                    time.sleep(0.1)
            finally:
                if read < len(names):
                    child.terminate()
                child.wait()
        if read < len(names):
            raise RuntimeError(f"The tests did not run:\n{output.read_text()[-3000:]}")
