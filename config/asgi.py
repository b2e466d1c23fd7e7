"""Entry point of the ASGI server, which serves `/live/` and nothing else (`config.live_server`)."""

import os

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

django.setup()

from config.secret import refuse_weak_secret  # noqa: E402  (settings are configured now)
from importer.live.routing import application as live_application  # noqa: E402

refuse_weak_secret(key=settings.SECRET_KEY_GIVEN, debug=settings.DEBUG)

application = live_application()
