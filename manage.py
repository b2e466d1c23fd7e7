#!/usr/bin/env python
"""The command line of Django for Concord."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # Imported late: Django reads its settings by the name set above.
    from django.core.management import execute_from_command_line

    if "runserver" in sys.argv[1:2]:
        from django.conf import settings

        from config.secret import refuse_weak_secret

        refuse_weak_secret(key=settings.SECRET_KEY_GIVEN, debug=settings.DEBUG)
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
