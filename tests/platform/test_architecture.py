"""docs/architecture.md names every module, and no module that does not exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "common", "config", "core", "dashboard", "file_handling", "importer", "notifications", "reading", "samples",
    "scripts", "tests/support", "users",
)  # fmt: skip
MODULES = "## Every module"


def modules() -> set[str]:
    found = {ROOT / "manage.py"}
    for package in PACKAGES:
        found |= set((ROOT / package).rglob("*.py"))
    names = {path.relative_to(ROOT) for path in found}
    return {name.as_posix() for name in names if name.name != "__init__.py" and "migrations" not in name.parts}


def document() -> str:
    return (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def listed() -> list[str]:
    """The modules of the list, each named at the beginning of its line."""
    _text, heading, section = document().partition(f"\n{MODULES}\n")
    assert heading
    return re.findall(r"^- `([^`]+\.py)`: \S", section, flags=re.MULTILINE)


def test_every_module_has_its_line_in_the_list() -> None:
    assert sorted(modules() - set(listed())) == []


def test_every_line_of_the_list_names_a_module_that_exists_and_each_once() -> None:
    assert sorted(set(listed()) - modules()) == []
    assert len(listed()) == len(set(listed()))


def test_text_and_drawings_name_only_files_that_exist() -> None:
    named = set(re.findall(r"[a-z_]+(?:/[a-z_]+)+\.py\b", document()))
    assert "reading/parallel_scan.py" in named
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_every_package_of_the_project_is_covered() -> None:
    """A new app must be named in PACKAGES."""
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert sorted(packages - {"tests"} - set(PACKAGES)) == []
