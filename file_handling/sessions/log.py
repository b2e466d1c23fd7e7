"""The log of a session as text, made from its events."""

from collections.abc import Iterator

from file_handling.models import ImportSession


def log_lines(session: ImportSession) -> Iterator[str]:
    """One line per event, oldest first: time (UTC), level, progress, step, message."""
    for event in session.events.order_by("sequence").iterator(chunk_size=500):
        message = " ".join(event.message.split())
        yield f"{event.at:%Y-%m-%d %H:%M:%S}Z  {event.level.upper():<7}  {event.progress:>3} %  "
        yield f"{event.step}  {message}\n"
