"""The column files from which figures are made: a full disk, two processes, damaged and removed files, the command."""

from __future__ import annotations

import io
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from core.models import DataVersion
from dashboard import columns
from tests.support.api_user import ApiUser
from tests.support.pairs import line, matching_pair, row
from users.models import Country

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(tmp_path: Path, settings: Any, own_storage: Path) -> Path:
    """The columns of this test."""
    cache.clear()
    settings.DATA_DIR = tmp_path / "data"
    return tmp_path / "data" / "columns"


@pytest.fixture
def api(folder: Path) -> ApiUser:
    api = ApiUser()
    lines, rows = matching_pair(line("S-1"), line("S-2", settlement_date="15/07/2024"), line("S-3"))
    session = api.import_pair([*lines, line("S-4")], [*rows, row("S-4", "7000")])
    assert session.status == "DONE_WITH_ERRORS", session.message
    return api


def figures(api: ApiUser) -> list[Any]:
    """Answers that need every kind of column, made anew."""
    cache.clear()
    return [api.get(f"dashboard/{path}") for path in ("portfolio/", "rankings/?by=act", "left-out/")]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*/*")}


def parts(folder: Path) -> set[str]:
    return {name.partition(".")[0] for name in names(folder)}


def test_columns_are_kept_by_month_without_names_of_people_and_for_the_owner_alone(api: ApiUser, folder: Path) -> None:
    assert not folder.exists()
    figures(api)
    session = api.get("import-sessions/")["results"][0]["id"]
    assert parts(folder) == {"claims-2024-06", "claims-2024-07", "memberships", f"findings-{session}"}
    for path in [folder, *folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    for path in folder.rglob("*.arrow"):
        assert b"LAWSON" not in path.read_bytes()


def test_an_import_renews_only_the_columns_that_it_changes(api: ApiUser, folder: Path) -> None:
    figures(api)
    before = names(folder)
    lines, rows = matching_pair(line("S-9", settlement_date="20/07/2024"))
    api.import_pair(lines, rows)
    figures(api)
    new = {name.partition(".")[0] for name in names(folder) - before}
    assert {"claims-2024-07"} <= new
    assert "claims-2024-06" not in new


def test_a_full_disk_keeps_no_columns_and_fails_no_answer(
    api: ApiUser, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
        if flags & os.O_CREAT and str(path).endswith(".arrow"):
            # Writing to this device fails as on a full disk.
            return original("/dev/full", flags & ~os.O_EXCL, mode, **more)
        return original(path, flags, mode, **more)

    expected = figures(api)
    columns.drop()
    original = os.open
    monkeypatch.setattr(os, "open", full)
    assert figures(api) == expected
    assert names(folder) == set()
    monkeypatch.undo()
    assert figures(api) == expected
    assert len(names(folder)) == 4


def test_a_data_folder_that_cannot_be_written_fails_no_answer(api: ApiUser, folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("a file where the folder should be")
    assert figures(api)[0]["n"] == 3


@pytest.mark.parametrize("damage", [b"", b"ARROW1\0\0half of a file", None])
def test_a_damaged_or_missing_file_is_made_again(damage: bytes | None, api: ApiUser, folder: Path) -> None:
    expected = figures(api)
    for path in folder.rglob("*.arrow"):
        path.unlink()
        if damage is not None:
            path.write_bytes(damage)
    # As in a process that starts now.
    columns._read.cache_clear()
    assert figures(api) == expected
    columns._read.cache_clear()
    assert figures(api) == expected
    assert len(names(folder)) == 4


def test_memberships_that_an_older_version_wrote_are_made_again(api: ApiUser, folder: Path) -> None:
    before = api.get("dashboard/watch-list/?rule=above_coverage_rate")
    (path,) = folder.glob("*/memberships.*/memberships.arrow")
    pl.read_ipc(io.BytesIO(path.read_bytes())).drop("rate").write_ipc(path)
    columns._read.cache_clear()
    cache.clear()
    assert api.get("dashboard/watch-list/?rule=above_coverage_rate") == before
    assert "rate" in pl.read_ipc(io.BytesIO(path.read_bytes())).columns


def test_an_unfinished_folder_is_never_read_and_removed_later(api: ApiUser, folder: Path) -> None:
    expected = figures(api)
    unfinished = folder / str(api.country.pk) / f"{columns._UNFINISHED}1"
    unfinished.mkdir()
    (unfinished / "claims.arrow").write_bytes(b"half")
    os.utime(unfinished, (0, 0))
    assert figures(api) == expected
    lines, rows = matching_pair(line("S-9"))
    api.import_pair(lines, rows)
    figures(api)
    assert not unfinished.exists()


def test_a_folder_that_is_removed_while_a_process_runs_is_made_again(api: ApiUser, folder: Path) -> None:
    expected = figures(api)
    columns.drop()
    assert not folder.exists()
    assert figures(api) == expected
    assert len(names(folder)) == 4


def test_several_that_build_at_once_get_the_same_and_leave_one_folder_of_each_part(
    api: ApiUser, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(3, timeout=30)
    original = columns._make

    def make(country_id: int, parts: Any) -> Any:
        together.wait()
        return original(country_id, parts)

    def build(_number: int) -> tuple[int, int]:
        try:
            found = columns.load([api.country.pk])
            return found.claims.height, found.lines.height
        finally:
            connections.close_all()

    monkeypatch.setattr(columns, "_make", make)
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(build, range(3))) == [(3, 3)] * 3
    assert sorted(parts(folder)) == ["claims-2024-06", "claims-2024-07", "memberships"]
    assert len(names(folder)) == 3


def test_columns_are_made_while_django_records_its_statements_as_under_debug(api: ApiUser, folder: Path) -> None:
    expected = figures(api)
    columns.drop()
    with CaptureQueriesContext(connection):
        assert figures(api) == expected


# ------------------------------------------------------------------------------------------------ the command


def test_the_command_makes_the_columns_of_one_country_or_all_and_removes_them(
    api: ApiUser, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = ApiUser("BJ")
    call_command("build_columns", "--country", "bj")
    assert capsys.readouterr().out == "BJ: 0 claims, 0 lines, 0 claims left out\n"
    assert {path.name for path in folder.iterdir()} == {str(other.country.pk)}
    call_command("build_columns")
    assert "TG: 3 claims, 3 lines, 1 claims left out\n" in capsys.readouterr().out
    kept = names(folder)
    assert len(kept) == 5
    figures(api)
    assert names(folder) == kept
    call_command("build_columns", "--drop", "--country", "TG")
    assert {path.name for path in folder.iterdir()} == {str(other.country.pk)}
    call_command("build_columns", "--drop")
    assert not folder.exists()


def test_the_command_gives_a_version_to_data_that_has_none(api: ApiUser, folder: Path) -> None:
    """Without a version columns are never kept, and every question reads the database."""
    DataVersion.objects.all().delete()
    figures(api)
    assert not folder.exists()
    call_command("build_columns")
    assert parts(folder) >= {"claims-2024-06", "claims-2024-07", "memberships"}


def test_the_command_names_a_country_that_it_does_not_find(folder: Path) -> None:
    with pytest.raises(CommandError, match="no country with the code XX"):
        call_command("build_columns", "--country", "XX")
    assert not Country.objects.exists()
