"""Entry point of WSGI servers."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

from django.conf import settings  # noqa: E402  (settings are configured once the application exists)

from config.secret import refuse_weak_secret  # noqa: E402

refuse_weak_secret(key=settings.SECRET_KEY_GIVEN, debug=settings.DEBUG)
