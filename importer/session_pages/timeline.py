"""The events of a session with the time that each step took (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from file_handling.models import SessionEvent


class Moment(NamedTuple):
    """An event. `after`: the time since the event before it, "" for the first."""

    at: datetime
    level: str
    level_name: str
    message: str
    progress: int
    after: str


def timeline(events: Sequence[SessionEvent]) -> list[Moment]:
    """`events`: in their order."""
    moments = []
    before: datetime | None = None
    for event in events:
        after = "" if before is None else duration(event.at - before)
        moments.append(Moment(event.at, event.level, event.get_level_display(), event.message, event.progress, after))
        before = event.at
    return moments


def duration(span: timedelta) -> str:
    """A time span in words: `0.4 s`, `2 min 5 s`, `3 h 12 min`, `5 d 2 h`."""
    seconds = max(0.0, span.total_seconds())
    if seconds < 60:
        return _("%(seconds)s s") % {"seconds": number_format(round(seconds, 1), decimal_pos=1)}
    minutes = int(seconds // 60)
    if minutes < 60:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": int(seconds % 60)}
    hours = minutes // 60
    if hours < 24:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes % 60}
    return _("%(days)d d %(hours)d h") % {"days": hours // 24, "hours": hours % 24}
