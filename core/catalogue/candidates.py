"""Names of the catalogue that are nearly the same, offered for merging (DOMAIN §11).

Singular and plural, and a typing error: one edit, or two in a dozen letters. Accents make no difference in a key. Names
that differ in a number are different things. Nothing is merged by itself.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from common.errors import Gone, Invalid, NotAllowed
from core.catalogue.kinds import Kind
from core.catalogue.services import Outcome, may_edit_catalogue, merge
from core.models import CatalogueDifference
from users import audit
from users.models import AuditAction, User

SLICE = 2_000
# In a catalogue with more names, only those with the same beginning are compared.
MOST_COMPARED = 7_000
SHORTEST = 5
LONG = 12
KEPT_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True)
class Side:
    """One of two names. `lines`: the claim lines of all countries."""

    id: int
    name: str
    lines: int


@dataclass(frozen=True)
class Candidate:
    """Two acts (or categories) with nearly the same name. `kept`: the one with more lines, which would stay.

    `similarity`: 0 to 1 with 4 decimals.
    """

    kept: Side
    other: Side
    similarity: Decimal


def similar_keys(keys: Sequence[str]) -> list[tuple[str, str, Decimal]]:
    """Pairs of label keys that are nearly the same, the smaller key first, each with its similarity."""
    # Imported here: a page without candidates needs none of them.
    import numpy as np
    from rapidfuzz import fuzz, process
    from rapidfuzz.distance import OSA

    by_stem: dict[str, list[str]] = defaultdict(list)
    for key in sorted(set(keys)):
        by_stem[_stem(key)].append(key)
    pairs = {(one, other) for same in by_stem.values() for at, one in enumerate(same) for other in same[at + 1 :]}
    for stems in _blocks(sorted(by_stem)):
        for start in range(0, len(stems), SLICE):
            part = stems[start : start + SLICE]
            distances = process.cdist(part, stems, scorer=OSA.distance, score_cutoff=2, dtype=np.uint8)
            for row, column in zip(*np.nonzero((distances > 0) & (distances <= 2)), strict=True):
                one, other = part[row], stems[column]
                if one < other and _is_typing_error(one, other, int(distances[row, column])):
                    pairs |= {(min(a, b), max(a, b)) for a in by_stem[one] for b in by_stem[other]}
    return [
        (one, other, (Decimal(repr(fuzz.ratio(one, other))) / 100).quantize(Decimal("0.0001")))
        for one, other in sorted(pairs)
    ]


def _stem(key: str) -> str:
    """The words of a key in the singular, without punctuation."""
    words = re.findall(r"[^\W_]+", key)
    return " ".join(word[:-1] if len(word) > 3 and word[-1] in "SX" and word[-2] not in "S" else word for word in words)


def _is_typing_error(one: str, other: str, distance: int) -> bool:
    shorter = min(len(one), len(other))
    if shorter < SHORTEST or (distance == 2 and shorter < LONG):
        return False
    return re.findall(r"\d+", one) == re.findall(r"\d+", other)


def _blocks(stems: list[str]) -> list[list[str]]:
    if len(stems) <= MOST_COMPARED:
        return [stems]
    by_start: dict[str, list[str]] = defaultdict(list)
    for stem in stems:
        by_start[stem[:4]].append(stem)
    return list(by_start.values())


# ------------------------------------------------------------------------------------------------ of the catalogue


def pairs_of(kind: Kind) -> list[tuple[int, int, Decimal]]:
    """Ids of the pairs that wait for an answer, and their similarity, the most similar first."""
    ids = dict(kind.rows().values_list("key", "pk"))
    names: dict[str, set[str]] = {key: {key} for key in ids}
    key_of = {id_: key for key, id_ in ids.items()}
    for owner, alias in kind.alias_model._default_manager.values_list(f"{kind.owner}_id", "key"):
        names[key_of[owner]].add(alias)
    different = set(CatalogueDifference.objects.filter(kind=kind.name).values_list("first_key", "second_key"))
    waiting = [
        (ids[one], ids[other], similarity)
        for one, other, similarity in _kept_pairs(sorted(ids))
        if not _are_different(names[one], names[other], different)
    ]
    return sorted(waiting, key=lambda pair: (-pair[2], pair[0], pair[1]))


def _are_different(some: set[str], others: set[str], different: set[tuple[str, str]]) -> bool:
    """Whether somebody said so of any of their names: an alias is a former name, or that of an absorbed record."""
    return any((min(one, other), max(one, other)) in different for one in some for other in others)


def _kept_pairs(keys: list[str]) -> list[tuple[str, str, Decimal]]:
    """The pairs of these keys. To compare some thousand names takes seconds, so the answer is kept."""
    digest = hashlib.blake2b("\x1f".join(keys).encode(), digest_size=16).hexdigest()
    name = f"catalogue-pairs:{digest}"
    kept: list[tuple[str, str, Decimal]] | None = cache.get(name)
    if kept is None:
        kept = similar_keys(keys)
        cache.set(name, kept, KEPT_SECONDS)
    return kept


def candidates_of(kind: Kind, pairs: Sequence[tuple[int, int, Decimal]]) -> list[Candidate]:
    """The pairs with names and lines, for the page of a list."""
    ids = {id_ for one, other, _similarity in pairs for id_ in (one, other)}
    names = dict(kind.rows().filter(pk__in=ids).values_list("pk", "name"))
    lines: dict[int, int] = dict(kind.lines(ids).order_by().values_list(kind.reference).annotate(number=Count("pk")))
    found = []
    for one, other, similarity in pairs:
        sides = [Side(id_, names.get(id_, ""), lines.get(id_, 0)) for id_ in (one, other)]
        sides.sort(key=lambda side: (-side.lines, side.id))
        found.append(Candidate(sides[0], sides[1], similarity))
    return found


def decide_different(*, actor: User, kind: Kind, ids: Sequence[int]) -> CatalogueDifference:
    """Remember that two acts (or categories) are different: they are offered no more, whatever they are called later.

    Raises NotAllowed, Gone, and Invalid for other than two ids.
    """
    if not may_edit_catalogue(actor):
        raise NotAllowed(_("Only administrators of all countries may change the act catalogue."))
    with transaction.atomic():
        first, second = sorted(row.key for row in _two(kind, ids))
        difference, is_new = CatalogueDifference.objects.get_or_create(
            kind=kind.name, first_key=first, second_key=second,
            defaults={"actor": actor, "actor_label": actor.display_name()},
        )  # fmt: skip
        if is_new:
            data = {"kind": str(kind.name), "ids": sorted(ids)}
            audit.record(actor=actor, action=AuditAction.CREATE, target=difference, data=data)
        return difference


def take_back(*, actor: User, kind: Kind, ids: Sequence[int]) -> int:
    """Forget that two are different; → how many answers there were. Raises NotAllowed, Gone, Invalid."""
    if not may_edit_catalogue(actor):
        raise NotAllowed(_("Only administrators of all countries may change the act catalogue."))
    with transaction.atomic():
        names = [{row.key, *kind.aliases([row.pk]).values_list("key", flat=True)} for row in _two(kind, ids)]
        wanted = {(min(a, b), max(a, b)) for a in names[0] for b in names[1]}
        rows = CatalogueDifference.objects.filter(kind=kind.name, first_key__in={first for first, _second in wanted})
        found = [row for row in rows if (row.first_key, row.second_key) in wanted]
        for row in found:
            audit.record(actor=actor, action=AuditAction.DELETE, target=row, data={"kind": str(kind.name)})
            row.delete()
        return len(found)


def decide_same(*, actor: User, kind: Kind, ids: Sequence[int], keep: int | None = None) -> Outcome:
    """Merge the two, into the one with more lines unless `keep` names the other. Raises as `merge`."""
    rows = {row.pk: row for row in _two(kind, ids)}
    if keep is not None and keep not in rows:
        raise Invalid({"keep": [_("Keep one of the two.")]})
    if keep is None:
        first, second = sorted(rows)
        (candidate,) = candidates_of(kind, [(first, second, Decimal(1))])
        keep = candidate.kept.id
    return merge(actor=actor, kept=rows[keep], absorbed=[id_ for id_ in rows if id_ != keep])


def _two(kind: Kind, ids: Sequence[int]) -> list[Any]:
    if len(set(ids)) != 2:
        raise Invalid({kind.others: [_("Name two of them.")]})
    rows = list(kind.rows().filter(pk__in=ids))
    if len(rows) != 2:
        raise Gone(_("It is no longer in the catalogue."))
    return rows
