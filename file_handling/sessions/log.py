"""The log of a session as text, made from its events."""

from collections.abc import Iterator

from django.utils.translation import override

from file_handling.models import ImportSession


def log_lines(session: ImportSession, *, language: str) -> Iterator[str]:
    """One line per event, oldest first: time (UTC), level, progress, step, message in the language."""
    for event in session.events.order_by("sequence").iterator(chunk_size=500):
        # For each event: between two of them the server may write another answer in another language.
        with override(language):
            message = " ".join(event.message.split())
        yield f"{event.at:%Y-%m-%d %H:%M:%S}Z  {event.level.upper():<7}  {event.progress:>3} %  "
        yield f"{event.step}  {message}\n"
