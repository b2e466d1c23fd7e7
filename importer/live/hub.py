"""One reader of the database for all watchers of a process. Pure asyncio: `Reader` and `Checker` do the reading.

Watchers have no queues. The messages of a session are one list, and each watcher has its place in it, so a slow watcher
costs no memory beyond the buffer of its connection.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import structlog
from django.db import DatabaseError
from rest_framework.exceptions import APIException

from common.api_errors import SessionNotFound
from importer.live.access import Watch
from importer.live.messages import ALIVE, Message
from importer.live.reading import News

log = structlog.get_logger(__name__)

Reader = Callable[[Mapping[int, int]], Awaitable[dict[int, News]]]
Checker = Callable[[set[Watch]], Awaitable[dict[Watch, type[APIException]]]]


class Full(Exception):
    """No room for a further watcher: of this account, or of this process."""

    def __init__(self, *, of_account: bool) -> None:
        super().__init__()
        self.of_account = of_account


class Ended(Exception):
    """The server ends the connection. `reason`: the error that a new request would get."""

    def __init__(self, reason: type[APIException]) -> None:
        super().__init__()
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds: between two readings, between two checks of access, without a message. Numbers of watchers."""

    poll: float
    check: float
    heartbeat: float
    watchers: int
    watchers_of_account: int


@dataclass(eq=False, slots=True)
class Watcher:
    """`last`: the sequence of the last event that its client has. `ended`: set once it may not go on."""

    watch: Watch
    account_id: int
    last: int = 0
    ended: type[APIException] | None = None


@dataclass(eq=False, slots=True)
class _Session:
    """What is known of a watched session. `changed` is replaced at each change, so that nobody misses one."""

    messages: list[Message] = field(default_factory=list)
    sequences: list[int] = field(default_factory=list)
    end: Message | None = None
    watchers: set[Watcher] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def after(self, sequence: int) -> list[Message]:
        return self.messages[bisect_right(self.sequences, sequence) :]

    def add(self, news: News) -> None:
        self.messages += news.messages
        self.sequences += [message.sequence or 0 for message in news.messages]
        self.end = news.end

    def wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


class Hub:
    """The watchers of one process."""

    def __init__(self, *, read: Reader, check: Checker, limits: Limits) -> None:
        self._read, self._check, self.limits = read, check, limits
        self._sessions: dict[int, _Session] = {}
        self._number = 0
        self._of_account: Counter[int] = Counter()
        self._poller: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()

    @contextmanager
    def watching(self, watcher: Watcher) -> Iterator[AsyncIterator[Message]]:
        """The messages for a watcher: the events after `watcher.last`, each once and in order, with heartbeats between;
        last `end`. The iteration raises Ended when access was lost or the session was deleted.

        Raises Full.
        """
        session = self._join(watcher)
        try:
            yield self._messages(watcher, session)
        finally:
            self._leave(watcher, session)

    async def _messages(self, watcher: Watcher, session: _Session) -> AsyncIterator[Message]:
        while True:
            changed = session.changed
            for message in session.after(watcher.last):
                # Sending the message before may have taken long.
                if watcher.ended:
                    break
                watcher.last = message.sequence or watcher.last
                yield message
            if watcher.ended:
                raise Ended(watcher.ended)
            if changed is not session.changed:
                continue
            if session.end is not None:
                yield session.end
                return
            try:
                async with asyncio.timeout(self.limits.heartbeat):
                    await changed.wait()
            except TimeoutError:
                yield ALIVE

    def _join(self, watcher: Watcher) -> _Session:
        if self._number >= self.limits.watchers:
            raise Full(of_account=False)
        if self._of_account[watcher.account_id] >= self.limits.watchers_of_account:
            raise Full(of_account=True)
        self._number += 1
        self._of_account[watcher.account_id] += 1
        session = self._sessions.get(watcher.watch.session_id)
        if session is None:
            session = self._sessions[watcher.watch.session_id] = _Session()
            self._wanted.set()
        session.watchers.add(watcher)
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        return session

    def _leave(self, watcher: Watcher, session: _Session) -> None:
        self._number -= 1
        self._of_account[watcher.account_id] -= 1
        if not self._of_account[watcher.account_id]:
            del self._of_account[watcher.account_id]
        session.watchers.discard(watcher)
        if not session.watchers and self._sessions.get(watcher.watch.session_id) is session:
            del self._sessions[watcher.watch.session_id]

    async def _poll(self) -> None:
        """Read until nobody watches any more. An error in our code ends all connections rather than silence them."""
        checked = time.monotonic()
        try:
            while self._sessions:
                self._wanted.clear()
                try:
                    checked = await self._look(checked)
                except DatabaseError as error:
                    # The database is away: the connections stay, with heartbeats.
                    log.warning("live_not_read", error=type(error).__name__)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self.limits.poll):
                        await self._wanted.wait()
        except Exception:
            log.error("live_failed", exc_info=True)
            for session in list(self._sessions.values()):
                self._end(session.watchers, APIException)
                session.wake()
            self._sessions.clear()

    async def _look(self, checked: float) -> float:
        """Read once, and check access before anything new is given out; → time of the last check."""
        looked_at = dict(self._sessions)
        news = await self._read({pk: (s.sequences or [0])[-1] for pk, s in looked_at.items()})
        for pk in looked_at.keys() - news.keys():
            self._end(looked_at[pk].watchers, SessionNotFound)
        is_new = any(found.messages or found.end for found in news.values())
        if is_new or time.monotonic() - checked >= self.limits.check:
            checked = time.monotonic()
            await self._check_all()
        for pk, session in looked_at.items():
            found = news.get(pk)
            if found is not None and not found.messages and found.end is None:
                continue
            if found is not None:
                session.add(found)
            session.wake()
            # A session at rest may be started again. A later watcher starts with a new reading.
            if (found is None or found.end is not None) and self._sessions.get(pk) is session:
                del self._sessions[pk]
        return checked

    async def _check_all(self) -> None:
        watchers = {watcher for session in self._sessions.values() for watcher in session.watchers}
        refused = await self._check({watcher.watch for watcher in watchers})
        for watcher in watchers:
            watcher.ended = watcher.ended or refused.get(watcher.watch)
        for pk in {watch.session_id for watch in refused}:
            if pk in self._sessions:
                self._sessions[pk].wake()

    @staticmethod
    def _end(watchers: set[Watcher], reason: type[APIException]) -> None:
        for watcher in watchers:
            watcher.ended = watcher.ended or reason
