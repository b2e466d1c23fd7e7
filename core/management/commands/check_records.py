from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from core.integrity import dangling_references


class Command(BaseCommand):
    help = "Count references to missing records; fails when there are any."

    def handle(self, *args: Any, **options: Any) -> None:
        found = dangling_references()
        for name, count in found.items():
            self.stdout.write(f"{name}: {count}")
        if found:
            raise CommandError(_("Some records refer to records that do not exist."))
        self.stdout.write(_("All references are valid."))
