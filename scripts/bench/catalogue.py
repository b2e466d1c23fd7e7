"""How long a merge of acts with 50,000 lines takes, and its undo: `python -m scripts.bench.catalogue JSON`.

JSON has `claims` and `answer`, a file for the figures. The environment names the database, which is empty.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db.models import Count  # noqa: E402

from core.catalogue import services  # noqa: E402
from core.models import Act, ActCategory, Change, ClaimLine  # noqa: E402
from scripts.bench.records import load  # noqa: E402
from users.models import Role, User  # noqa: E402

LINES = 50_000


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    found = work()
    return round(time.perf_counter() - began, 2), found


def _enough(reference: str, first: int) -> list[int]:
    """The ids of as many acts or categories, besides `first`, as have LINES lines together."""
    counted = ClaimLine.objects.exclude(**{reference: first}).values_list(reference).annotate(number=Count("pk"))
    ids, lines = [], 0
    for id_, number in counted.order_by(reference):
        if lines < LINES and id_ is not None:
            ids.append(id_)
            lines += number
    return ids


def main() -> int:
    job = json.loads(sys.argv[1])
    call_command("migrate", interactive=False, verbosity=0)
    owner = User.objects.create_user(username="bench", email="bench@example.org", role=Role.SUPERUSER)
    loaded = load(int(job["claims"]), owner=owner)
    figures: dict[str, Any] = {"lines_of_all": loaded["lines"]}
    kinds: tuple[tuple[str, Any, str], ...] = (("acts", Act, "act_id"), ("categories", ActCategory, "category_id"))
    for name, model, reference in kinds:
        kept = model.objects.earliest("pk")
        others = _enough(reference, kept.pk)
        preview, _outcome = _timed(lambda: services.merge(actor=owner, kept=kept, absorbed=others, dry_run=True))  # noqa: B023
        merge, outcome = _timed(lambda: services.merge(actor=owner, kept=kept, absorbed=others))  # noqa: B023
        change: Change = outcome.change
        undo, _change = _timed(lambda: services.undo(actor=owner, change=change))  # noqa: B023
        figures[name] = {"lines": outcome.moved["lines"], "preview": preview, "merge": merge, "undo": undo}
    Path(job["answer"]).write_text(json.dumps(figures))
    print(f"  {json.dumps(figures)}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
