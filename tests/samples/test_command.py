import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command


def test_the_command_writes_the_pair_and_says_how_large_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("make_pair", str(tmp_path), "--claims=60", "--pages=2", "--format=csv", "--tolerance=2.5", "--days=31")
    expected = json.loads((tmp_path / "expected.json").read_text(encoding="utf-8"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "expected.json",
        "recap_01.csv",
        "recap_02.csv",
        "stat.csv",
    ]
    assert expected["tolerance"] == "2.50"
    assert expected["period"] == ["2023-01-01", "2023-01-31"]
    assert str(expected["stat"]["lines"]) in capsys.readouterr().out


def test_the_command_refuses_a_size_in_words(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="at least 10 claims"):
        call_command("make_pair", str(tmp_path), "--claims=3")
