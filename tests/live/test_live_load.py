"""`make live-load` at a small size."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.installation import ROOT


@pytest.mark.slow
def test_the_load_of_many_watchers_is_measured_and_nothing_is_lost() -> None:
    load = subprocess.run(
        [sys.executable, "-m", "scripts.live_load", "--watchers", "20", "--seconds", "2"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert load.returncode == 0, load.stdout + load.stderr
    assert "20 (10 / 10)" in load.stdout
    assert "0 / 0 / 0" in load.stdout
