"""`make` sets Concord up with the first Python on the PATH that it runs on."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("make", "head", "rm", "touch", "sh")
STUB = "#!/bin/sh\necho 'command not found' >&2\nexit 127\n"
# Answers as an interpreter would whose version is too old, whatever program it is asked to run.
TOO_OLD = "#!/bin/sh\nexit 1\n"


@pytest.fixture
def path(tmp_path):
    """A folder with the tools that make needs, and no Python yet."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool))
    return folder


def program(path, name, text):
    (path / name).write_text(text)
    (path / name).chmod(0o755)


def python(path, name):
    """An interpreter of the version that runs the tests."""
    program(path, name, f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')


def make_environment(path, *arguments):
    venv = path.parent / "venv"
    done = subprocess.run(
        ["make", "--no-print-directory", f"VENV={venv}", *arguments, f"{venv}/made"],
        cwd=ROOT,
        env={"PATH": str(path), "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
    )
    return done, venv


def version(venv):
    answer = subprocess.run([venv / "bin" / "python", "--version"], capture_output=True, text=True, check=True)
    return answer.stdout.split()[1]


def test_make_skips_names_that_do_not_start_or_are_too_old_and_takes_the_next(path):
    program(path, "python3.13", STUB)
    program(path, "python3.12", TOO_OLD)
    python(path, "python3")
    done, venv = make_environment(path)
    assert done.returncode == 0, done.stderr
    assert version(venv) == ".".join(map(str, sys.version_info[:3]))


def test_make_says_what_it_needs_when_no_python_fits(path):
    program(path, "python3.13", STUB)
    program(path, "python3", TOO_OLD)
    done, venv = make_environment(path)
    assert done.returncode != 0
    assert "Concord needs Python 3.11 or newer" in done.stderr
    assert "make PYTHON=/path/to/python3" in done.stderr
    assert not venv.exists()


def test_a_named_python_counts_alone(path):
    python(path, "python3.13")
    program(path, "old", TOO_OLD)
    done, _venv = make_environment(path, "PYTHON=old")
    assert done.returncode != 0
    assert "Not found as: old." in done.stderr


def test_each_version_is_listed_once_and_the_order_is_that_of_the_names(path):
    for name in ("python3.12", "python3"):
        python(path, name)
    listed = subprocess.run(
        ["sh", "scripts/pythons.sh"], cwd=ROOT, env={"PATH": str(path)}, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert len(listed) == 1
    assert Path(listed[0]).exists()
