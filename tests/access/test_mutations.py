"""The tests of access fail when an access check is missing: three mutants here, all of them by `make access`."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from scripts.mutations.mutants import ROLE_METHODS
from scripts.mutations.run import outcomes

ROOT = Path(__file__).resolve().parents[2]


API = "tests/api/test_access.py::test_every_account_gets_at_every_route_what_its_role_and_country_allow"
CLAIM, CANCEL, UPLOAD = "[GET-claims/{claims}/]", "[POST-import-sessions/{session}/cancel/]", "[POST-import-sessions/]"


@pytest.mark.slow
def test_a_missing_access_check_makes_a_test_of_access_fail_and_without_a_mutant_none_fails() -> None:
    failures = {
        "": [],
        "scope:core.Claim": [API + CLAIM],
        "rule:may_steer": [API + CANCEL],
        "uncalled:users.permissions.IsSuperUser.holds_for:1": [API + UPLOAD],
    }
    found = outcomes(names=list(failures), tests=(API + CLAIM, API + CANCEL, API + UPLOAD))
    assert {outcome.name: outcome.failed for outcome in found} == failures


def uncalled_role_methods(source: str) -> list[int]:
    """The lines on which a role method is named and not called, which would be true of everybody."""
    tree = ast.parse(source)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ROLE_METHODS and id(node) not in called
    ]


def test_no_role_method_is_named_without_being_called() -> None:
    found = {}
    for app in ("users", "file_handling", "core", "importer", "notifications", "dashboard"):
        for path in sorted((ROOT / app).rglob("*.py")):
            lines = uncalled_role_methods(path.read_text(encoding="utf-8"))
            if lines:
                found[str(path.relative_to(ROOT))] = lines
    assert found == {}


def test_the_check_tells_a_role_method_that_is_called_from_one_that_is_not() -> None:
    source = "if user.is_admin_global():\n    pass\nif user.is_admin_global or not user.sees_all_countries:\n    pass\n"
    assert uncalled_role_methods(source) == [3, 3]
