"""Explained rows of the watch list follow records that are merged: their keys name records by id (DOMAIN §8, §11)."""

from __future__ import annotations

from django.db.models import Model, Q

from core.changes import Recorder
from core.models import Act, ActCategory, Insured, Operator, Partner
from dashboard.models import WatchMark

# What a part of a key, such as `act=12`, is about.
_PARTS: dict[type[Model], str] = {
    Act: "act", ActCategory: "act_category", Insured: "insured", Partner: "partner", Operator: "operator",
}  # fmt: skip


def follow_merge(recorder: Recorder, model: type[Model], kept: int, absorbed: list[int]) -> None:
    """The mark of a row about an absorbed record is then about the kept one. A row whose claims change by the merge
    appears again by its fingerprint. Where the kept record has a mark of its own, that one counts.
    """
    part = _PARTS.get(model)
    if part is None:
        return
    old = {f"{part}={id_}" for id_ in absorbed}
    named = Q()
    for one in old:
        named |= Q(key__contains=f"{one}|")
    for mark in WatchMark.objects.filter(named).order_by("pk"):
        parts = mark.key.split("|")
        key = "|".join(f"{part}={kept}" if one in old else one for one in parts)
        taken = WatchMark.objects.filter(country_id=mark.country_id, rule=mark.rule, key=key).exists()
        if key != mark.key and not taken:
            recorder.update(mark, key=key)
