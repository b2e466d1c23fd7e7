"""The log of a step: its duration and counts, and no data."""

from __future__ import annotations

import pytest
import structlog

from common.timing import timed


def test_the_log_of_a_step_has_its_seconds_and_counts() -> None:
    with structlog.testing.capture_logs() as lines, timed("reading", session=7) as counts:
        counts["rows"] = 12
    (line,) = lines
    assert (line["step"], line["session"], line["rows"], line["outcome"]) == ("reading", 7, 12, "ended")
    assert line["seconds"] >= 0


def test_the_log_of_a_failed_step_says_so_and_contains_no_data() -> None:
    @timed("reading")
    def read() -> None:
        raise ValueError("could not convert 'KOFFI'")

    with structlog.testing.capture_logs() as lines, pytest.raises(ValueError, match="KOFFI"):
        read()
    (line,) = lines
    assert (line["outcome"], line["error"]) == ("failed", "ValueError")
    assert "KOFFI" not in str(line)
