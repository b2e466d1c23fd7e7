"""Webhooks when workers die: every message arrives, at least once, in the order of its session."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.support.installation import Installation, MakeInstallation, Pairs, children, is_alive, kill, until
from tests.support.receiver import Receiver, running_receiver

# A hanging receiver holds a worker long enough for the test to kill it.
SETTINGS = {
    "OUTGOING_ALLOWED_HOSTS": "127.0.0.1",
    "WEBHOOK_READ_SECONDS": "4",
    "WEBHOOK_WHOLE_SECONDS": "4",
    "WEBHOOK_CLAIM_SECONDS": "8",
    "WEBHOOK_FIRST_WAIT_SECONDS": "0.2",
    "WEBHOOK_LONGEST_WAIT_SECONDS": "1",
}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as receiver:
        yield receiver


def types(receiver: Receiver, session: int) -> list[str]:
    """The events of a session in the order in which they were first accepted."""
    found = [r.message["type"] for r in receiver.accepted() if r.message["data"]["import_session"] == session]
    return list(dict.fromkeys(found))


def undelivered(installation: Installation) -> int:
    return int(installation.row("SELECT count(*) FROM notifications_webhookmessage WHERE state <> 'delivered'")[0])


def test_messages_of_workers_killed_in_a_delivery_arrive_with_the_next_worker_in_their_order(
    make_installation: MakeInstallation, pairs: Pairs, receiver: Receiver
) -> None:
    installation = make_installation(**SETTINGS)
    secret = installation.command("register_webhook", country="TG", url=receiver.url)
    receiver.manner = "hang"
    worker = installation.start_worker(processes=2)
    session = installation.start_session(pairs()[0])
    assert installation.finished_session(session)["status"] == "DONE_WITH_ERRORS"
    until(lambda: receiver.requests, name="the first delivery")
    # One process in the middle of a delivery, as when memory is short.
    for process in installation.pool_processes(worker):
        kill(process)
    assert installation.command("steer", act="revert", session=session)["refusal"] == ""
    worker.kill()
    until(lambda: not any(is_alive(pid) for pid in children(worker.pid, recursive=True)))
    assert undelivered(installation) == 2
    assert receiver.accepted() == []

    receiver.manner = "accept"
    installation.start_worker(processes=1)
    until(lambda: undelivered(installation) == 0, seconds=40, name="the delivery of all messages")
    assert types(receiver, session) == ["import_session.completed", "import_session.reverted"]
    for request in receiver.accepted():
        request.verify(secret)
    first = receiver.requests[0]
    repeated = [request for request in receiver.accepted() if request.uid == first.uid]
    assert {request.body for request in repeated} == {first.body}


def test_messages_whose_call_was_lost_are_found_by_the_sweeper_and_a_hanging_receiver_holds_up_no_import(
    make_installation: MakeInstallation, pairs: Pairs, receiver: Receiver
) -> None:
    installation = make_installation(**SETTINGS)
    installation.command("register_webhook", country="TG", url=receiver.url)
    receiver.manner = "hang"
    installation.start_worker(processes=2)
    sessions = [installation.start_session(pairs()[0]) for _ in range(2)]
    began = time.monotonic()
    for session in sessions:
        installation.finished_session(session)
    assert time.monotonic() - began < 60
    receiver.manner = "accept"
    receiver.released.set()
    until(lambda: undelivered(installation) == 0, seconds=40, name="the delivery of all messages")
    assert {request.message["data"]["import_session"] for request in receiver.accepted()} == set(sessions)
