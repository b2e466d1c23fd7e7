"""One reading for all watchers of a session; what happens when the database is away, or a watcher is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping
from typing import Any

import pytest
from django.db import OperationalError
from rest_framework.exceptions import APIException

from common.api_errors import AccessDenied
from importer.live.access import Watch
from importer.live.hub import Ended, Full, Hub, Limits, Watcher
from importer.live.messages import HEARTBEAT, Message, end
from importer.live.reading import News
from users.sign_in.credentials import Credential

LIMITS = Limits(poll=0.02, check=0.2, heartbeat=5, watchers=1000, watchers_of_account=1000)


class Sessions:
    """What the database has: session → number of events; the sessions that are at rest; the credentials refused."""

    def __init__(self, **events: int) -> None:
        self.events = {int(name[1:]): number for name, number in events.items()}
        self.at_rest: set[int] = set()
        self.refused: set[str] = set()
        self.reads = self.checks = 0
        self.trouble: Exception | None = None

    async def read(self, known: Mapping[int, int]) -> dict[int, News]:
        self.reads += 1
        await asyncio.sleep(0)
        if self.trouble:
            raise self.trouble
        return {pk: self._news(pk, last) for pk, last in known.items() if pk in self.events}

    def _news(self, pk: int, last: int) -> News:
        messages = [Message("progress", number, {"en": f'"{pk}"'}) for number in range(last + 1, self.events[pk] + 1)]
        ended = end(status="DONE", progress=100, sequence=self.events[pk], languages=["en"])
        return News(messages, ended if pk in self.at_rest else None)

    async def check(self, watches: set[Watch]) -> dict[Watch, type[APIException]]:
        self.checks += 1
        await asyncio.sleep(0)
        return {watch: AccessDenied for watch in watches if watch.credential.token in self.refused}

    def hub(self, limits: Limits = LIMITS) -> Hub:
        return Hub(read=self.read, check=self.check, limits=limits)


def watcher(number: int = 1, *, session: int = 1, last: int = 0) -> Watcher:
    return Watcher(Watch(Credential(token=str(number)), session), account_id=number, last=last)


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(coroutine, 20))


async def collected(hub: Hub, who: Watcher, *, pause: float = 0) -> list[Any]:
    """All that a watcher gets, as sequences, "end", or the reason."""
    got: list[Any] = []
    try:
        with hub.watching(who) as messages:
            async for message in messages:
                got.append(message.sequence if message.kind == "progress" else message.kind)
                await asyncio.sleep(pause)
    except Ended as ended:
        got.append(ended.reason)
    return got


def test_hundreds_of_watchers_cost_one_reading_and_each_gets_every_event_once_in_order() -> None:
    async def scene() -> None:
        sessions = Sessions(s1=3, s2=1)
        hub = sessions.hub()
        tasks = [asyncio.create_task(collected(hub, watcher(n, last=n % 3))) for n in range(300)]
        slow = asyncio.create_task(collected(hub, watcher(900), pause=0.05))
        other = asyncio.create_task(collected(hub, watcher(901, session=2)))
        began = time.monotonic()
        for sessions.events[1] in range(4, 9):
            await asyncio.sleep(0.05)
        sessions.at_rest = {1, 2}
        for number, got in enumerate(await asyncio.gather(*tasks)):
            assert got == [*range(number % 3 + 1, 9), "end"]
        assert await slow == [*range(1, 9), "end"]
        assert await other == [1, "end"]
        assert sessions.reads <= (time.monotonic() - began) / LIMITS.poll + 2
        assert sessions.checks <= sessions.reads

    run(scene())


def test_a_watcher_that_lost_access_gets_nothing_more_and_the_others_go_on() -> None:
    async def scene() -> None:
        sessions = Sessions(s1=1)
        hub = sessions.hub()
        one, two = (asyncio.create_task(collected(hub, watcher(n))) for n in (1, 2))
        await asyncio.sleep(0.1)
        # The event is there before the next regular check.
        sessions.refused, sessions.events[1] = {"1"}, 2
        assert await one == [1, AccessDenied]
        sessions.at_rest = {1}
        assert await two == [1, 2, "end"]

    run(scene())


def test_a_slow_watcher_that_lost_access_does_not_get_the_events_that_wait_for_it() -> None:
    async def scene() -> None:
        sessions = Sessions(s1=50)
        slow = asyncio.create_task(collected(sessions.hub(), watcher(1), pause=0.05))
        await asyncio.sleep(0.3)
        sessions.refused = {"1"}
        got = await slow
        assert got[-1] is AccessDenied
        assert len(got) < 30

    run(scene())


def test_while_the_database_is_away_the_connections_stay_and_no_event_is_lost() -> None:
    async def scene() -> None:
        sessions = Sessions(s1=1)
        limits = Limits(poll=0.02, check=0.2, heartbeat=0.1, watchers=9, watchers_of_account=9)
        task = asyncio.create_task(collected(sessions.hub(limits), watcher()))
        await asyncio.sleep(0.1)
        sessions.trouble, sessions.events[1] = OperationalError("away"), 3
        await asyncio.sleep(0.3)
        assert not task.done()
        sessions.trouble, sessions.at_rest = None, {1}
        got = await task
        assert HEARTBEAT in got
        assert [one for one in got if one != HEARTBEAT] == [1, 2, 3, "end"]

    run(scene())


def test_an_error_of_our_own_ends_the_connections_and_a_new_one_works() -> None:
    async def scene() -> None:
        sessions = Sessions(s1=1)
        hub = sessions.hub()
        sessions.trouble = ValueError("a mistake")
        assert await collected(hub, watcher()) == [APIException]
        sessions.trouble, sessions.at_rest = None, {1}
        assert await collected(hub, watcher()) == [1, "end"]

    run(scene())


def test_without_watchers_nothing_is_read() -> None:
    async def scene() -> None:
        sessions = Sessions(s1=1)
        hub = sessions.hub()
        task = asyncio.create_task(collected(hub, watcher()))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.sleep(0.1)
        reads = sessions.reads
        await asyncio.sleep(0.1)
        assert sessions.reads == reads > 0
        sessions.at_rest = {1}
        assert await collected(hub, watcher()) == [1, "end"]

    run(scene())


@pytest.mark.parametrize(
    ("limits", "numbers", "of_account"),
    [
        (Limits(poll=1, check=1, heartbeat=1, watchers=2, watchers_of_account=9), [1, 2, 3], False),
        (Limits(poll=1, check=1, heartbeat=1, watchers=9, watchers_of_account=2), [1, 1, 1], True),
    ],
)
def test_watchers_beyond_a_limit_are_refused_until_one_leaves(
    limits: Limits, numbers: list[int], of_account: bool
) -> None:
    async def scene() -> None:
        hub = Sessions(s1=1).hub(limits)
        with hub.watching(watcher(numbers[0])):
            with hub.watching(watcher(numbers[1])), pytest.raises(Full) as full, hub.watching(watcher(numbers[2])):
                pass
            assert full.value.of_account == of_account
            with hub.watching(watcher(numbers[2])):
                pass

    run(scene())
