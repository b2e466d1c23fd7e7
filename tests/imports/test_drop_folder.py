"""Folders that are dropped into a folder or a bucket become imports (docs/drop-folder.md)."""

from __future__ import annotations

import io
import os
import shutil
import signal
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import boto3
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import override_settings
from moto.server import ThreadedMotoServer

from config import services
from core.models import Claim
from file_handling.models import DroppedFolder, File, ImportSession
from importer.drop_folder.places import BucketPlace, LocalPlace, Place, open_place
from importer.drop_folder.watch import Watch
from importer.runs import run_session
from tests.support.installation import full_disk, small_disk
from tests.support.pairs import line, recap_csv, row, stat_csv
from users.models import AuditEntry, Country, Role, User

pytestmark = pytest.mark.django_db(transaction=True)

STAT = stat_csv([line("A1"), line("A2"), line("A3", "7000")]).read()
RECAP = [recap_csv([row("A1")]).read(), recap_csv([row("A2"), row("A3")]).read()]
# Names that say nothing: the content decides.
PAIR = {"export.csv": STAT, "p1.csv": RECAP[0], "p2.csv": RECAP[1]}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def country() -> Country:
    country = Country.objects.create(name="Togo", code="TG")
    User.objects.create_user(
        username="drop-tg", email="drop@example.org", role=Role.CHEF_DEPT_TECH, country=country, language="en"
    )
    return country


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Place]:
    (tmp_path / "drop").mkdir()
    drop = services.drop_place(url=f"file://{tmp_path}/drop")
    with override_settings(STORAGES=django_settings.STORAGES | {"drop": drop}):
        place = open_place()
        assert isinstance(place, LocalPlace)
        yield place


@pytest.fixture
def bucket() -> Iterator[Place]:
    # The buckets of all servers of a process are the same.
    name = f"drop-{uuid.uuid4().hex}"
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3", endpoint_url=f"http://{host}:{port}", region_name="eu-west-3",
        aws_access_key_id="key", aws_secret_access_key="secret",
    )  # fmt: skip
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    # What another program has in the bucket is not looked at.
    client.put_object(Bucket=name, Key="other/TG/march/export.csv", Body=b"x")
    drop = services.drop_place(url=f"s3://key:secret@{host}:{port}/{name}/in/concord?region=eu-west-3&tls=0")
    with override_settings(STORAGES=django_settings.STORAGES | {"drop": drop}):
        place = open_place()
        assert isinstance(place, BucketPlace)
        yield place
    server.stop()


@pytest.fixture(params=["local", "bucket"])
def place(request: pytest.FixtureRequest) -> Place:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(place: Place, country: Country, clock: Clock) -> Watch:
    return Watch(place, clock=clock)


def drop(place: Place, folder: str, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        if isinstance(place, LocalPlace):
            (place.root / folder / name).parent.mkdir(parents=True, exist_ok=True)
        place.write(f"{folder}/{name}", io.BytesIO(content))


def empty(place: Place, folder: str) -> None:
    for path in everything(place, folder):
        place.delete(path)
    if isinstance(place, LocalPlace):
        shutil.rmtree(place.root / folder)


def everything(place: Place, folder: str = "") -> list[str]:
    """The paths of all files."""
    listing = place.listing(folder)
    prefix = f"{folder}/" if folder else ""
    inside = [path for name in listing.folders for path in everything(place, prefix + name)]
    return sorted([prefix + one.name for one in listing.files] + inside)


def text(place: Place, path: str) -> str:
    with place.open(path) as file:
        return file.read().decode()


def run_all() -> None:
    for session in ImportSession.objects.filter(status="PENDING"):
        run_session(session.pk)


def moved(kind: str, name: str = "march", *, report: bool = True) -> list[str]:
    beside = [".concord.txt", ".log", *([".report.xlsx"] if report else [])]
    return [f"TG/{kind}/{name}{ending}" for ending in beside] + [f"TG/{kind}/{name}/{file}" for file in PAIR]


def settle(watch: Watch, clock: Clock) -> None:
    """Steps until every folder was unchanged for long enough, its session has run, and it was moved."""
    watch.step()
    clock.now += 31
    watch.step()
    run_all()
    watch.step()


# ------------------------------------------------------------------------------------------------ the normal way


def test_a_folder_becomes_an_import_once_it_is_unchanged_and_moves_with_report_and_log(
    watch: Watch, place: Place, clock: Clock
) -> None:
    drop(place, "TG/march", {"export.csv": STAT, "p1.csv": RECAP[0]})
    watch.step()
    clock.now += 20
    # The copy goes on: the time begins again.
    drop(place, "TG/march", {"p2.csv": RECAP[1]})
    watch.step()
    clock.now += 20
    watch.step()
    assert ImportSession.objects.count() == 0
    clock.now += 11
    watch.step()
    (session,) = ImportSession.objects.all()
    assert (session.user.username, session.country.code, session.dry_run) == ("drop-tg", "TG", False)
    assert [page.name for page in session.recap_file.all_pages()] == ["p1.csv", "p2.csv"]
    assert session.stat_file.name == "export.csv"
    watch.step()
    # Nothing moves before the session has ended.
    assert everything(place) == [f"TG/march/{name}" for name in PAIR]
    run_all()
    watch.step()
    assert everything(place) == sorted(moved("done"))
    assert set(Claim.objects.values_list("number", flat=True)) == {"A1", "A2"}
    with place.open("TG/done/march.report.xlsx") as report:
        assert report.read(2) == b"PK"
    assert "2 claims imported" in text(place, "TG/done/march.log")
    note = text(place, "TG/done/march.concord.txt")
    assert "2 claims imported" in note
    assert f"/imports/{session.pk}/" in note
    entry = AuditEntry.objects.get(action="download")
    assert (entry.actor, entry.data) == (session.user, {"type": "error", "to": "drop folder"})
    clock.now += 1000
    watch.step()
    assert (ImportSession.objects.count(), DroppedFolder.objects.count()) == (1, 1)


def test_a_file_that_arrives_while_the_others_are_read_is_waited_for(
    watch: Watch, place: Place, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(place, "TG/march", {"export.csv": STAT, "p1.csv": RECAP[0]})
    opened = place.open

    def late(path: str) -> IO[bytes]:
        drop(place, "TG/march", {"p2.csv": RECAP[1]})
        return opened(path)

    watch.step()
    clock.now += 31
    with monkeypatch.context() as patch:
        patch.setattr(place, "open", late)
        watch.step()
    assert ImportSession.objects.count() == File.objects.count() == 0
    settle(watch, clock)
    assert everything(place) == sorted(moved("done"))


def test_a_folder_with_the_file_ready_is_taken_at_once(watch: Watch, place: Place) -> None:
    drop(place, "TG/march", {**PAIR, "READY": b""})
    watch.step()
    assert ImportSession.objects.count() == 1
    run_all()
    watch.step()
    assert everything(place) == sorted([*moved("done"), "TG/done/march/READY"])


def test_a_session_that_fails_leads_to_failed(watch: Watch, place: Place, clock: Clock) -> None:
    apart = recap_csv([row("A1", settlement_date="01/01/2020")]).read()
    drop(place, "TG/march", {"export.csv": STAT, "p1.csv": apart})
    settle(watch, clock)
    assert ImportSession.objects.get().status == "ERROR"
    names = ["march.concord.txt", "march.log", "march/export.csv", "march/p1.csv"]
    assert everything(place) == [f"TG/failed/{name}" for name in names]
    assert "no settlement day in common" in text(place, "TG/failed/march.concord.txt")


# ------------------------------------------------------------------------------------------------ twice


def test_the_same_content_never_makes_two_sessions(watch: Watch, place: Place, clock: Clock) -> None:
    drop(place, "TG/march", PAIR)
    settle(watch, clock)
    # Again under the same name; other names and another order; twice at once.
    for name, files in (("march", PAIR), ("again", {"b.csv": RECAP[1], "c.csv": RECAP[0], "a.csv": STAT})):
        drop(place, f"TG/{name}", files)
    settle(watch, clock)
    session = ImportSession.objects.get()
    assert everything(place, "TG/done/march-2") == [f"TG/done/march-2/{name}" for name in PAIR]
    assert "not imported a second time" in text(place, "TG/done/again.concord.txt")
    assert place.listing("TG").folders == ["done"]
    assert File.objects.count() == 3
    # Even after the import was deleted.
    session.delete()
    drop(place, "TG/april", PAIR)
    settle(watch, clock)
    assert ImportSession.objects.count() == 0
    assert "was deleted" in text(place, "TG/failed/april.concord.txt")


def test_two_watches_at_once_make_one_session(watch: Watch, place: Place, clock: Clock) -> None:
    other = Watch(place, clock=clock)
    drop(place, "TG/march", PAIR)
    for one in (watch, other):
        one.step()
    clock.now += 31
    for one in (watch, other):
        one.step()
    run_all()
    for one in (watch, other, watch):
        one.step()
    assert ImportSession.objects.count() == 1
    assert everything(place) == sorted(moved("done"))


def test_a_watch_that_is_killed_at_any_step_is_continued_and_loses_nothing(
    place: Place, country: Country, tmp_path: Path
) -> None:
    """A process of its own is killed at its first call of the place, then at its second, and so on to the end."""
    drop(place, "TG/march", {**PAIR, "ready": b""})
    kills = 0
    for number in range(1, 200):
        connections.close_all()
        child = os.fork()
        if child == 0:
            _step_and_die_at(number, place)
        _pid, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            assert os.waitstatus_to_exitcode(status) == 0
            break
        kills += 1
        run_all()
        # Every file is whole somewhere, at any moment.
        contents = {text(place, path) for path in everything(place) if path.endswith(".csv")}
        assert {content.decode() for content in PAIR.values()} <= contents
    assert kills > 8
    assert everything(place) == sorted([*moved("done"), "TG/done/march/ready"])
    assert ImportSession.objects.count() == DroppedFolder.objects.filter(ended_at__isnull=False).count() == 1
    assert Claim.objects.count() == 2
    assert list(Path(django_settings.UPLOAD_DIR).glob("run-*")) == []


def _step_and_die_at(number: int, place: Place) -> None:
    calls = 0

    def counted(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == number:
                os.kill(os.getpid(), signal.SIGKILL)
            answer = method(*arguments)
            calls += 1
            if calls == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        return call

    code = 1
    try:
        if isinstance(place, BucketPlace):
            # Each request: a move of a folder takes several.
            client = place.bucket.meta.client
            client._make_api_call = counted(client._make_api_call)
        for name in ("listing", "open", "write", "delete", "move"):
            setattr(place, name, counted(getattr(place, name)))
        watch = Watch(place)
        watch.step()
        for session in ImportSession.objects.filter(status="PENDING"):
            run_session(session.pk)
        watch.step()
        code = 0
    finally:
        os._exit(code)


# ------------------------------------------------------------------------------------------------ what keeps a folder


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"export.csv": STAT, "photo.jpg": b"\xff\xd8\xff"}, ["photo.jpg"]),
        ({"export.csv": STAT}, ["The recap is missing"]),
        ({"p1.csv": RECAP[0]}, ["The stat file is missing"]),
        ({**PAIR, "export2.csv": STAT + b"\n"}, ["There must be one stat file; here are 2: export.csv, export2.csv"]),
        ({**PAIR, "p3.csv.part": b"regl"}, ["“p3.csv.part” is still being copied"]),
        ({"export.xlsx": b"PK\x03\x04 half of it", "p1.csv": RECAP[0]}, ["export.xlsx"]),
        ({**PAIR, "inner/p3.csv": RECAP[0]}, ["“inner” is a folder"]),
        ({"notes.csv": b"a;b\n1;2\n", "export.csv": STAT}, ["notes.csv"]),
    ],
)
def test_a_folder_with_a_problem_stays_where_it_is_and_has_every_reason_beside(
    files: dict[str, bytes], words: list[str], local: LocalPlace, country: Country, clock: Clock
) -> None:
    place, watch = local, Watch(local, clock=clock)
    drop(place, "TG/march", files)
    settle(watch, clock)
    assert ImportSession.objects.count() == File.objects.count() == 0
    assert everything(place) == sorted(["TG/march.concord.txt", *(f"TG/march/{name}" for name in files)])
    note = text(place, "TG/march.concord.txt")
    assert all(word in note for word in words), note
    # Corrected, it is imported, and the note goes.
    empty(place, "TG/march")
    drop(place, "TG/march", PAIR)
    settle(watch, clock)
    assert everything(place) == sorted(moved("done"))


def test_what_systems_add_is_no_reason(watch: Watch, place: Place, clock: Clock) -> None:
    drop(place, "TG/march", {**PAIR, ".DS_Store": b"x", "Thumbs.db": b"x", "~$export.xlsx": b"x"})
    settle(watch, clock)
    assert ImportSession.objects.get().status == "DONE_WITH_ERRORS"


@pytest.mark.parametrize("why", ["none", "inactive", "other country", "role"])
def test_without_its_account_a_country_waits(why: str, local: LocalPlace, country: Country, clock: Clock) -> None:
    place, watch = local, Watch(local, clock=clock)
    accounts = User.objects.filter(username="drop-tg")
    changes: dict[str, dict[str, Any]] = {
        "none": {"username": "someone"},
        "inactive": {"is_active": False},
        "other country": {"country": Country.objects.create(name="Bénin", code="BJ")},
        "role": {"role": Role.RESP_OPERATEUR},
    }
    pk = accounts.get().pk
    accounts.update(**changes[why])
    drop(place, "TG/march", PAIR)
    settle(watch, clock)
    assert ImportSession.objects.count() == 0
    assert "“drop-tg”" in text(place, "TG/march.concord.txt")
    togo = Country.objects.get(code="TG")
    User.objects.filter(pk=pk).update(username="drop-tg", is_active=True, country=togo, role=Role.CHEF_DEPT_TECH)
    settle(watch, clock)
    assert everything(place) == sorted(moved("done"))


def test_files_outside_a_folder_and_unknown_countries_are_said(watch: Watch, place: Place, clock: Clock) -> None:
    drop(place, "TG", {"loose.csv": STAT})
    drop(place, "XX/march", PAIR)
    settle(watch, clock)
    assert everything(place) == sorted(
        ["TG.concord.txt", "TG/loose.csv", "XX.concord.txt", *(f"XX/march/{name}" for name in PAIR)]
    )
    assert "loose.csv" in text(place, "TG.concord.txt")
    assert "no active country" in text(place, "XX.concord.txt")


def test_a_session_that_waits_for_a_sheet_says_so_and_late_files_are_named(
    watch: Watch, place: Place, clock: Clock
) -> None:
    drop(place, "TG/march", PAIR)
    watch.step()
    clock.now += 31
    watch.step()
    drop(place, "TG/march", {"late.csv": RECAP[0]})
    ImportSession.objects.update(status="AWAITING_SHEET")
    watch.step()
    assert f"/imports/{ImportSession.objects.get().pk}/" in text(place, "TG/march.concord.txt")
    ImportSession.objects.update(status="PENDING")
    run_all()
    watch.step()
    assert "late.csv" in text(place, "TG/done/march.concord.txt")
    assert everything(place) == sorted([*moved("done"), "TG/done/march/late.csv"])


# ------------------------------------------------------------------------------------------------ faults


def test_a_folder_that_vanishes_and_a_place_that_goes_away_and_comes_back(
    local: LocalPlace, country: Country, clock: Clock
) -> None:
    watch = Watch(local, clock=clock)
    drop(local, "TG/march", PAIR)
    drop(local, "TG/april", {"export.csv": STAT + b"\n", **{name: PAIR[name] for name in ("p1.csv", "p2.csv")}})
    watch.step()
    shutil.rmtree(local.root / "TG/april")
    clock.now += 31
    watch.step()
    assert ImportSession.objects.count() == 1
    away = local.root.with_name("away")
    local.root.rename(away)
    clock.now += 31
    watch.step()
    run_all()
    watch.step()
    away.rename(local.root)
    clock.now += 31
    watch.step()
    assert everything(local) == sorted(moved("done"))
    assert DroppedFolder.objects.get().ended_at is not None


def test_a_folder_that_was_removed_while_its_session_ran_still_gets_report_and_log(
    watch: Watch, place: Place, clock: Clock
) -> None:
    drop(place, "TG/march", PAIR)
    watch.step()
    clock.now += 31
    watch.step()
    empty(place, "TG/march")
    run_all()
    watch.step()
    assert everything(place) == [f"TG/done/march{ending}" for ending in (".concord.txt", ".log", ".report.xlsx")]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    try:
        with small_disk(tmp_path / "small", megabytes=1) as folder:
            yield folder
    except PermissionError as reason:
        pytest.skip(str(reason))


def test_a_full_disk_is_said_and_the_folder_is_imported_once_there_is_room(
    local: LocalPlace, country: Country, clock: Clock, small: Path
) -> None:
    watch = Watch(local, clock=clock)
    drop(local, "TG/march", PAIR)
    with override_settings(FILE_UPLOAD_TEMP_DIR=str(small)):
        with full_disk(small):
            settle(watch, clock)
        assert ImportSession.objects.count() == 0
        assert list(small.iterdir()) == []
        assert "no room left" in text(local, "TG/march.concord.txt")
        clock.now += 31
        settle(watch, clock)
    assert everything(local) == sorted(moved("done"))


def test_a_link_that_leads_out_of_the_folder_is_not_followed(
    local: LocalPlace, country: Country, clock: Clock, tmp_path: Path
) -> None:
    (tmp_path / "secret.csv").write_bytes(STAT)
    drop(local, "TG/march", {"p1.csv": RECAP[0]})
    (local.root / "TG/march/export.csv").symlink_to(tmp_path / "secret.csv")
    settle(Watch(local, clock=clock), clock)
    assert ImportSession.objects.count() == 0
    with pytest.raises(OSError, match="symbolic links"):
        local.open("TG/march/export.csv")


def test_a_bucket_that_does_not_answer_is_a_failure_that_passes(bucket: BucketPlace, country: Country) -> None:
    gone = services.drop_place(url="s3://key:secret@127.0.0.1:9/drop/in?region=eu-west-3&tls=0")
    with override_settings(STORAGES=django_settings.STORAGES | {"drop": gone}):
        place = open_place()
        with pytest.raises(OSError, match="Endpoint"):
            place.listing("")
        Watch(place).step()
    with pytest.raises(FileNotFoundError):
        bucket.open("TG/none.csv")


# ------------------------------------------------------------------------------------------------ the command


def test_the_command_needs_a_place() -> None:
    with pytest.raises(CommandError, match="WATCH_URL"):
        call_command("watch")


@pytest.mark.parametrize("url", ["relative/folder", "s3://key@host/", "s3://key@host/bucket/prefix?color=1"])
def test_a_wrong_place_is_refused_without_its_secret(url: str) -> None:
    with pytest.raises(Exception, match="WATCH_URL") as refused:
        services.drop_place(url=url)
    assert "key" not in str(refused.value).replace("KEY", "")
