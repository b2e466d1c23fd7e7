"""The pairs that an import adds to the review list of its country (DOMAIN §12), in the transaction that writes it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import connection

from core.models import REVIEWED_MODELS, Insured, Membership, Policy, ReviewKind, ReviewPair
from core.other_names import ALIASES, add_follower
from importer.pipeline.similar_records import SimilarPair
from importer.planning import PlannedImport
from importer.sql import TEXT, values_table


class _Record(NamedTuple):
    id: int
    name: str


def list_pairs(*, country_id: int, session_id: int, similar: Sequence[SimilarPair]) -> int:
    """Add the pairs to the review list, each once; → how many rows were written.

    A pair that was listed before keeps its answer, and names the present records of its keys: a revert may have removed
    those of an earlier import. Two records make one pair, however many keys or policies they share.
    """
    written = 0
    of_kind: dict[str, list[SimilarPair]] = defaultdict(list)
    for pair in similar:
        of_kind[pair.kind].append(pair)
    for kind, pairs in of_kind.items():
        records = _records(country_id, ReviewKind(kind), pairs)
        rows = _rows(country_id, ReviewKind(kind), session_id, pairs, records)
        ReviewPair.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["country", "kind", "policy_key", "one_key", "other_key"],
            update_fields=["one_id", "other_id", "one_name", "other_name"],
        )
        written += len(rows)
    return written


def _rows(
    country_id: int,
    kind: ReviewKind,
    session_id: int,
    pairs: Iterable[SimilarPair],
    records: dict[tuple[str, str], _Record],
) -> list[ReviewPair]:
    earlier = ReviewPair.objects.filter(country_id=country_id, kind=kind)
    listed = {
        frozenset((one, other)): key
        for *key, one, other in earlier.values_list("policy_key", "one_key", "other_key", "one_id", "other_id")
    }
    rows = []
    for pair in pairs:
        keys = sorted((pair.new, pair.other))
        one, other = (records.get((pair.policy_key, key)) for key in keys)
        if one is None or other is None or one.id == other.id:
            continue
        found = [pair.policy_key, *keys]
        if listed.setdefault(frozenset((one.id, other.id)), found) != found:
            continue
        rows.append(
            ReviewPair(
                country_id=country_id,
                kind=kind,
                policy_key=pair.policy_key,
                one_key=keys[0],
                other_key=keys[1],
                one_id=one.id,
                other_id=other.id,
                one_name=one.name,
                other_name=other.name,
                import_session_id=session_id,
            )
        )
    return rows


def _records(country_id: int, kind: ReviewKind, pairs: Iterable[SimilarPair]) -> dict[tuple[str, str], _Record]:
    """(policy key or "", key) → the record; the oldest of several persons of one name under the policy."""
    wanted = sorted({(pair.policy_key, key) for pair in pairs for key in (pair.new, pair.other)})
    source, parameters = values_table(
        "wanted", {"policy_key": (TEXT, [one for one, _ in wanted]), "key": (TEXT, [key for _, key in wanted])}
    )
    if kind == ReviewKind.INSURED:
        queries = [
            f"SELECT wanted.policy_key, wanted.key, t.id, t.name FROM {source}"
            f" JOIN {Policy._meta.db_table} p ON p.country_id = %s AND p.key = wanted.policy_key"
            f" JOIN {Membership._meta.db_table} m ON m.policy_id = p.id"
            f" JOIN {Insured._meta.db_table} t ON t.id = m.insured_id AND t.name_key = wanted.key"
        ]
    else:
        table, aliases = REVIEWED_MODELS[kind]._meta.db_table, ALIASES[kind]._meta.db_table
        queries = [
            f"SELECT wanted.policy_key, wanted.key, t.id, t.name FROM {source}"
            f" JOIN {table} t ON t.country_id = %s AND t.key = wanted.key",
            f"SELECT wanted.policy_key, wanted.key, t.id, t.name FROM {source}"
            f" JOIN {aliases} a ON a.country_id = %s AND a.key = wanted.key JOIN {table} t ON t.id = a.{kind}_id",
        ]
    found: dict[tuple[str, str], _Record] = {}
    with connection.cursor() as cursor:
        for query in queries:
            cursor.execute(query, [*parameters, country_id])
            for policy_key, key, id_, name in sorted(cursor.fetchall(), key=lambda row: row[2]):
                found.setdefault((policy_key, key), _Record(id_, name))
    return found


def note_other_names(planned: PlannedImport, *, country_id: int, session_id: int) -> None:
    """Note by which other names of records (from merges) the import found them (`core.other_names`)."""
    keys = {kind: planned.snapshot[f"{kind}_aliases"]["key"] for kind in ALIASES}
    if not any(len(known) for known in keys.values()):
        return
    used = {kind: set(known.to_list()) & _keys_of(kind, planned) for kind, known in keys.items() if len(known)}
    add_follower(country_id, session_id, {kind: found for kind, found in used.items() if found})


def _keys_of(kind: str, planned: PlannedImport) -> set[str]:
    """The keys of clients, providers or operators that the written claims name."""
    claims = planned.plan.claims
    if kind != "operator":
        return set(claims[f"{kind}_key"].drop_nulls().unique().to_list())
    written = planned.lines.join(claims.select("claim_number"), on="claim_number", how="semi")
    return set(written["operator_key"].drop_nulls().unique().to_list())
