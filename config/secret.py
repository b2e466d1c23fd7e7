"""The check of SECRET_KEY: no server and no worker starts with a key that others may know."""

from django.core.exceptions import ImproperlyConfigured

SHORTEST_KEY = 32
# For development with DEBUG=1 only.
SAMPLE_KEY = "django-insecure-concord-sample-key-for-development-only"
SAMPLE_MARKS = ("django-insecure", "sample", "example", "change-me", "changeme", "secret-key", "your-secret")


def refuse_weak_secret(*, key: str, debug: bool) -> None:
    """Raise ImproperlyConfigured, with instructions, if `key` is missing, known or easy to guess.

    Called at the start of a server or worker (WSGI, ASGI, Celery, runserver), not by the settings: tests, migrations
    and checks of the code need no secret.
    """
    if debug:
        return
    advice = (
        " Set SECRET_KEY to a long random text of your own, the same for every web and worker process, for instance"
        ' from: python3 -c "import secrets; print(secrets.token_urlsafe(50))". For development only: DEBUG=1.'
    )
    if not key:
        raise ImproperlyConfigured("SECRET_KEY is not set." + advice)
    if any(mark in key.lower() for mark in SAMPLE_MARKS):
        raise ImproperlyConfigured("SECRET_KEY is a public sample." + advice)
    if len(key) < SHORTEST_KEY or len(set(key)) < 8:
        raise ImproperlyConfigured(
            f"SECRET_KEY is too easy to guess: shorter than {SHORTEST_KEY} or repetitive." + advice
        )
