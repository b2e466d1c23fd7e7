"""Settings of live progress that could not work are refused when Concord starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.installation import Installation


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"WEB_THREADS": "4", "LIVE_STREAMS": "4"}, "LIVE_STREAMS must be below WEB_THREADS"),
        ({"LIVE_CHECK_SECONDS": "40"}, "LIVE_CHECK_SECONDS at most 25"),
        ({"LIVE_POLL_SECONDS": "0"}, "must be above zero"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(settings: dict[str, str], message: str, tmp_path: Path) -> None:
    started = subprocess.run(
        [sys.executable, "-c", "import config.settings"],
        env=Installation(tmp_path).environment() | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode != 0
    assert message in started.stderr
