"""Waiting pairs follow their records: where one was merged, the question is about the record that stayed."""

from collections.abc import Sequence

from django.db.models import Model, Q

from core.changes import Recorder
from core.models import REVIEWED_MODELS, ReviewPair


def follow_merge(recorder: Recorder, model: type[Model], kept_id: int, absorbed: Sequence[int]) -> None:
    """Let the pairs without an answer that name an absorbed record name the one that was kept.

    Call it before the absorbed records are removed. A pair of which both records are now one, or whose two records are
    another pair already, has nothing to ask: it names a record that is gone, and comes back when the merge is undone.
    """
    kind = next((kind for kind, reviewed in REVIEWED_MODELS.items() if reviewed is model), None)
    if kind is None:
        return
    pairs = ReviewPair.objects.filter(country=recorder.change.country, kind=kind)
    of_kept = pairs.filter(Q(one_id=kept_id) | Q(other_id=kept_id)).values_list("one_id", "other_id")
    asked = {one if other == kept_id else other for one, other in of_kept}
    gone = set(absorbed)
    concerned = pairs.waiting().filter(Q(one_id__in=gone) | Q(other_id__in=gone))
    for pair in concerned.order_by("pk"):
        ids = {"one_id": pair.one_id, "other_id": pair.other_id}
        now = {side: kept_id if id_ in gone else id_ for side, id_ in ids.items()}
        others = set(now.values()) - {kept_id}
        if not others or others & asked:
            continue
        asked |= others
        recorder.update(pair, **now)
