"""The new events and the status of sessions that are watched, in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from django.conf import settings
from django.db.models import Q
from django.utils import translation
from rest_framework.renderers import JSONRenderer

from file_handling.models import UNFINISHED, ImportSession, SessionEvent
from file_handling.sessions.serializers import EventSerializer
from importer.live import messages
from importer.live.messages import Message

# Sessions in one statement: SQLite refuses conditions of a thousand parts.
_AT_ONCE = 200


@dataclass(slots=True)
class News:
    """`messages`: the events after the ones that were known, in order. `end`: set while no run waits or runs."""

    messages: list[Message] = field(default_factory=list)
    end: Message | None = None


def read(known: Mapping[int, int], *, languages: list[str]) -> dict[int, News]:
    """The news of each session. `known`: id of a session → sequence of its last known event. A deleted one is missing.

    The caller must have checked who may see these sessions (`importer.live.access`).
    """
    news: dict[int, News] = {}
    pairs = list(known.items())
    for start in range(0, len(pairs), _AT_ONCE):
        news |= _read(dict(pairs[start : start + _AT_ONCE]), languages)
    return news


def all_languages() -> list[str]:
    return [code for code, _name in settings.LANGUAGES]


def _read(known: dict[int, int], languages: list[str]) -> dict[int, News]:
    # The status first: every act and every ending writes its event before the status or together with it, so no event
    # of a session at rest is missing from the second statement.
    rows = list(ImportSession.objects.filter(pk__in=known).values_list("pk", "status", "progress"))
    news = {pk: News() for pk, _status, _progress in rows}
    later = reduce(or_, (Q(session_id=pk, sequence__gt=sequence) for pk, sequence in known.items()))
    for event in SessionEvent.objects.filter(later).order_by("session_id", "sequence"):
        if event.session_id in news:
            news[event.session_id].messages.append(_message(event, languages))
    for pk, status, progress in rows:
        if status not in UNFINISHED:
            new = news[pk].messages
            last = (new[-1].sequence if new else None) or known[pk]
            news[pk].end = messages.end(status=status, progress=progress, sequence=last, languages=languages)
    return news


def _message(event: SessionEvent, languages: list[str]) -> Message:
    texts = {}
    for language in languages:
        with translation.override(language):
            texts[language] = JSONRenderer().render(EventSerializer(event).data).decode()
    return Message(messages.PROGRESS, event.sequence, texts)
