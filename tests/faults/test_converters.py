"""A worker killed in the call of a converter: the session is taken over, and each file is converted and stored once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.converter import ConverterService, running_converter
from tests.support.installation import MakeInstallation, Pairs, kill, until

SETTINGS = {"OUTGOING_ALLOWED_HOSTS": "127.0.0.1", "CONVERTER_FIRST_WAIT_SECONDS": "1"}


@pytest.fixture
def service() -> Iterator[ConverterService]:
    with running_converter() as service:
        yield service


def as_pipes(folder: Path, target: Path) -> tuple[Path, int]:
    """A copy of the pair with names for the converter, which sends files back unchanged; → it, and their number."""
    shutil.copytree(folder, target)
    expected = json.loads((target / "expected.json").read_text())
    names = [expected["files"]["stat"], *expected["files"]["recaps"]]
    for name in names:
        (target / name).rename(target / f"{name}.pipe")
    expected["files"] = {"stat": f"{names[0]}.pipe", "recaps": [f"{name}.pipe" for name in names[1:]]}
    (target / "expected.json").write_text(json.dumps(expected))
    return target, len(names)


def test_a_worker_killed_in_the_call_is_replaced_and_what_was_converted_is_not_sent_again(
    make_installation: MakeInstallation, pairs: Pairs, service: ConverterService, tmp_path: Path
) -> None:
    pair, files = as_pipes(pairs()[0], tmp_path / "pair")
    installation = make_installation(**SETTINGS)
    service.secret = installation.command("register_converter", url=service.url, extension="pipe")
    service.manner = "echo"
    # The first file is converted and stored; the worker dies with the second one under way.
    service.hangs_at = 2
    worker = installation.start_worker(processes=1)
    session = installation.start_session(pair)
    until(lambda: len(service.converted) == 2, name="the second call")
    (process,) = installation.pool_processes(worker)
    kill(process)
    service.hangs_at = 0
    row = installation.finished_session(session)
    assert (row["status"], row["attempts"]) == ("DONE_WITH_ERRORS", 2), row["message"]
    assert len(service.converted) == files + 1
    stored = installation.rows("SELECT converted FROM file_handling_file")
    assert len({name for (name,) in stored}) == files
    objects = [path for path in (installation.data / "files" / "uploads").rglob("*") if path.is_file()]
    assert len(objects) == 2 * files


def test_a_converter_that_comes_back_gets_the_files_of_the_sessions_that_waited(
    make_installation: MakeInstallation, pairs: Pairs, service: ConverterService, tmp_path: Path
) -> None:
    pair, _files = as_pipes(pairs()[0], tmp_path / "pair")
    installation = make_installation(**SETTINGS)
    service.secret = installation.command("register_converter", url=service.url, extension="pipe")
    service.manner = "fail"
    installation.start_worker(processes=1)
    session = installation.start_session(pair)
    until(lambda: service.converted, name="the first call")
    service.manner = "echo"
    row = installation.finished_session(session)
    assert (row["status"], row["attempts"]) == ("DONE_WITH_ERRORS", 2), row["message"]
