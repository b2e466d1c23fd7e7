import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config.secret import SAMPLE_KEY, refuse_weak_secret

GOOD_KEY = "Zq8_rT2-uVw4xYz6AbC1dEf3GhJ5kLm7NpQ9"


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in ("SECRET_KEY", "DEBUG")}
    inherited["DJANGO_SETTINGS_MODULE"] = "config.settings"
    return subprocess.run(
        [sys.executable, *command],
        env=inherited | environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("key", ["", SAMPLE_KEY, "short", "a" * 60, "change-me-" + GOOD_KEY])
def test_a_missing_sample_or_easy_key_is_refused_with_what_to_do(key):
    with pytest.raises(ImproperlyConfigured, match="Set SECRET_KEY to a long random text"):
        refuse_weak_secret(key=key, debug=False)


def test_the_refusal_does_not_repeat_the_key():
    with pytest.raises(ImproperlyConfigured) as refusal:
        refuse_weak_secret(key="example-Kd83jdu", debug=False)
    assert "Kd83jdu" not in str(refusal.value)


def test_a_random_key_is_accepted():
    refuse_weak_secret(key=GOOD_KEY, debug=False)


@pytest.mark.parametrize("entry", ["config.wsgi", "config.asgi"])
def test_no_server_starts_without_a_secret(entry):
    refused = run("-c", f"import {entry}")
    assert refused.returncode != 0
    assert "SECRET_KEY is not set" in refused.stderr


def test_no_worker_starts_without_a_secret():
    refused = run("-m", "celery", "--app", "config", "worker", "--pool", "solo")
    assert refused.returncode != 0
    assert "SECRET_KEY is not set" in refused.stderr


def test_migrations_are_checked_without_a_secret():
    assert run("manage.py", "makemigrations", "--check", "--dry-run").returncode == 0


def test_debug_serves_with_the_sample_key():
    assert run("-c", "import config.wsgi", DEBUG="1").returncode == 0
