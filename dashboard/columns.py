"""The settled claims of a country as columns on disk, from which every figure is made in memory.

The database counts a million rows in seconds; the same rows as columns take milliseconds. A country's claims and lines
are kept as one Arrow file for each month of settlement, its memberships as one file, under the token of that part
(`core.data_versions`). A part that has changed has another token, so its old file is never read again. A file that is
missing is made from the database, at one instant. Files hold ids, dates and amounts, never a name.
"""

from __future__ import annotations

import calendar
import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.ipc
import structlog
from django.conf import settings
from django.db import connection, transaction

from core.data_versions import MEMBERSHIPS, claims_of, renew, tokens_of
from core.models import Claim, ClaimLine, ClaimStatus, Membership
from importer.sql import is_postgresql, one_instant
from users.models import Country

log = structlog.get_logger(__name__)

ID = pl.Int64()
# A number for each currency: rows are grouped by it in a fraction of the time that texts take.
CURRENCY = pl.Categorical()
CLAIM_SCHEMA: dict[str, pl.DataType] = {
    "claim": ID, "settled": pl.Date(), "incident": pl.Date(), "membership": ID, "insured": ID, "client": ID,
    "policy": ID, "partner": ID, "currency": CURRENCY, "claimed": pl.Int64(), "reimbursed": pl.Int64(),
    "lines": pl.UInt32(), "country": ID, "number": pl.String(),
}  # fmt: skip
LINE_SCHEMA: dict[str, pl.DataType] = {
    "claim": ID, "settled": pl.Date(), "incident": pl.Date(), "membership": ID, "insured": ID, "client": ID,
    "policy": ID, "partner": ID, "currency": CURRENCY, "act": ID, "act_category": ID, "operator": ID,
    "invoice": ID, "act_incident": pl.Date(), "claimed": pl.Int64(), "reimbursed": pl.Int64(),
}  # fmt: skip
NUMBER_SCHEMA: dict[str, pl.DataType] = {"country": ID, "number": pl.String()}
MEMBERSHIP_SCHEMA: dict[str, pl.DataType] = {
    "membership": ID, "insured": ID, "policy": ID, "client": ID, "role": pl.String(), "principal": ID,
    "first_settled": pl.Date(), "family": ID, "rate": pl.Int64(),
}  # fmt: skip
# So many months are read from the database at a time, which bounds the memory of a first reading.
MONTHS_AT_ONCE = 6
# A file of an older version may still be open in a process that answers a request.
KEEP_OLD_SECONDS = 600

_UNFINISHED = ".unfinished-"
# The files of a part, by the first word of its name.
_FILES = {"claims": ("claims", "lines", "cancelled"), "findings": ("claims", "lines")}

Frames = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Columns:
    """The settled claims of some countries, their lines and all memberships (schemas above; amounts in cents).

    `cancelled`: country and number of the cancelled claims. They count nowhere, but they are not left out either.
    A claim's attributes stand on each of its lines too. `act_incident` is the incident date of the line itself.
    `family` is the id of the membership that heads the family (DOMAIN §12). `rate`: the coverage rate in force of the
    membership's plan, else of its policy, in hundredths (DOMAIN §10).
    """

    claims: pl.DataFrame
    lines: pl.DataFrame
    memberships: pl.DataFrame
    cancelled: pl.DataFrame

    @property
    def numbers(self) -> pl.DataFrame:
        """country, number: of all claims."""
        return pl.concat([self.claims.select(list(NUMBER_SCHEMA)), self.cancelled])


class Versions:
    """The versions of the data of some countries at one moment, for everything that one answer reads.

    `tokens`: country id → part → token (`core.data_versions`). `months`: country id → the first days of the months in
    which its claims were settled.
    """

    def __init__(self, country_ids: Sequence[int]) -> None:
        self._country_ids = country_ids
        self.tokens = tokens_of(country_ids)

    @cached_property
    def months(self) -> dict[int, list[date]]:
        return _months(self._country_ids)


def load(country_ids: Sequence[int], versions: Versions | None = None) -> Columns:
    """The columns of the countries, in the versions that the caller has read, or as their data is now."""
    versions = versions or Versions(country_ids)
    parts = [_load_country(id_, versions.months[id_], versions.tokens[id_]) for id_ in country_ids]
    return Columns(
        claims=_concat([part.claims for part in parts], CLAIM_SCHEMA),
        lines=_concat([part.lines for part in parts], LINE_SCHEMA),
        memberships=_concat([part.memberships for part in parts], MEMBERSHIP_SCHEMA),
        cancelled=_concat([part.cancelled for part in parts], NUMBER_SCHEMA),
    )


def _load_country(country_id: int, months: list[date], tokens: dict[str, str]) -> Columns:
    wanted = [*map(claims_of, months), MEMBERSHIPS]
    frames: dict[str, Frames] = {}
    for part in wanted:
        found = kept(country_id, part, tokens[part]) if part in tokens else None
        if found is not None:
            frames[part] = found
    frames |= _make(country_id, [part for part in wanted if part not in frames])
    months_frames = [frames[part] for part in map(claims_of, months)]
    return Columns(
        claims=_concat([month["claims"] for month in months_frames], CLAIM_SCHEMA),
        lines=_concat([month["lines"] for month in months_frames], LINE_SCHEMA),
        memberships=frames[MEMBERSHIPS]["memberships"],
        cancelled=_concat([month["cancelled"] for month in months_frames], NUMBER_SCHEMA),
    )


def _concat(frames: list[pl.DataFrame], schema: dict[str, pl.DataType]) -> pl.DataFrame:
    return pl.concat(frames, rechunk=False) if frames else pl.DataFrame(schema=schema)


def _months(country_ids: Sequence[int]) -> dict[int, list[date]]:
    """The first days of the months in which claims of each country were settled: one index probe for each."""
    months: dict[int, list[date]] = {id_: [] for id_ in country_ids}
    if not months:
        return months
    claims = Claim._meta.db_table
    countries = Country._meta.db_table
    following = (
        "(date_trunc('month', m.day) + interval '1 month')::date"
        if is_postgresql()
        else "date(m.day, 'start of month', '+1 month')"
    )
    wanted = ", ".join(["%s"] * len(months))
    sql = f"""
        WITH RECURSIVE m(country, day) AS (
            SELECT n.id, (SELECT min(c.settlement_date) FROM {claims} c WHERE c.country_id = n.id)
            FROM {countries} n WHERE n.id IN ({wanted})
            UNION ALL
            SELECT m.country, (SELECT min(c.settlement_date) FROM {claims} c
                               WHERE c.country_id = m.country AND c.settlement_date >= {following})
            FROM m WHERE m.day IS NOT NULL
        )
        SELECT country, day FROM m WHERE day IS NOT NULL ORDER BY country, day
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, list(months))
        for country, day in cursor.fetchall():
            months[country].append((date.fromisoformat(day) if isinstance(day, str) else day).replace(day=1))
    return months


# ------------------------------------------------------------------------------------------------ files


def whole_folder() -> Path:
    return Path(settings.DATA_DIR) / "columns"


def folder_of(country_id: int) -> Path:
    return whole_folder() / str(country_id)


def _folder(country_id: int, part: str, token: str) -> Path:
    """Where the frames of one part are kept, a file each."""
    return folder_of(country_id) / f"{part}.{token}"


@lru_cache(maxsize=4096)
def _read(path: Path) -> pl.DataFrame:
    """A file that never changes under its name, mapped into memory: processes share its pages."""
    frame = pl.from_arrow(pa.ipc.open_file(pa.memory_map(str(path))).read_all())
    assert isinstance(frame, pl.DataFrame)
    return frame


def kept(country_id: int, part: str, token: str) -> Frames | None:
    """The frames that were kept of a part in this version; None where there are none, or files that cannot be read."""
    folder = _folder(country_id, part, token)
    if not folder.is_dir():
        return None
    names = _FILES.get(part.partition("-")[0], ("memberships",))
    try:
        frames = {name: _read(folder / f"{name}.arrow") for name in names}
        if part == MEMBERSHIPS and frames["memberships"].columns != list(MEMBERSHIP_SCHEMA):
            # Written by a version of Concord that had other columns.
            _remove(folder)
            return None
        return frames
    except (OSError, pa.ArrowException) as error:
        # Removed at this moment, or damaged. It is made again.
        log.warning("columns unreadable", country=country_id, part=part, error=type(error).__name__)
        _remove(folder)
        return None


def keep(country_id: int, part: str, token: str, frames: Frames) -> None:
    """Keep the frames of a part in this version, all of its files or none. A disk that is full keeps nothing."""
    unfinished = folder_of(country_id) / f"{_UNFINISHED}{uuid.uuid4().hex}"
    try:
        for folder in (whole_folder(), folder_of(country_id), unfinished):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, frame in frames.items():
            _write(unfinished / f"{name}.arrow", frame)
        if not _folder(country_id, part, token).exists():
            unfinished.rename(_folder(country_id, part, token))
        _remove_old(country_id, part, token)
    except (OSError, pl.exceptions.PolarsError) as error:
        if not _folder(country_id, part, token).exists():
            # Otherwise another process was quicker and kept the same.
            log.warning("columns not kept", country=country_id, part=part, error=type(error).__name__)
    finally:
        _remove(unfinished)


def _write(path: Path, frame: pl.DataFrame) -> None:
    """On the disk before the folder gets its name: after a power cut a named folder has whole files."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        frame.write_ipc(file, compression="uncompressed")
        file.flush()
        os.fsync(file.fileno())


def _remove_old(country_id: int, part: str, token: str) -> None:
    """Remove older versions of the part, and what processes left that ended while they wrote."""
    folder = folder_of(country_id)
    for old in [*folder.glob(f"{part}.*"), *folder.glob(f"{_UNFINISHED}*")]:
        with contextlib.suppress(FileNotFoundError):
            if old.name != f"{part}.{token}" and time.time() - old.stat().st_mtime > KEEP_OLD_SECONDS:
                _remove(old)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def build(country_id: int) -> Columns:
    """Make all columns of the country that are missing, and give a version to parts that have none yet."""
    with transaction.atomic():
        tokens = tokens_of([country_id])[country_id]
        renew(country_id, {*map(claims_of, _months([country_id])[country_id]), MEMBERSHIPS} - tokens.keys())
    return load([country_id])


def drop(country_id: int | None = None) -> None:
    """Remove the columns of the country, or of all countries. The next question makes them again."""
    _remove(whole_folder() if country_id is None else folder_of(country_id))


# ------------------------------------------------------------------------------------------------ from the database


def _make(country_id: int, parts: Iterable[str]) -> dict[str, Frames]:
    """Read the parts from the database and keep those that have a token; → part → its frames."""
    made: dict[str, Frames] = {}
    wanted = set(parts)
    if not wanted:
        return made
    with one_instant():
        tokens = tokens_of([country_id])[country_id]
        months = [month for month in _months([country_id])[country_id] if claims_of(month) in wanted]
        for at in range(0, len(months), MONTHS_AT_ONCE):
            made |= _read_months(country_id, months[at : at + MONTHS_AT_ONCE])
        for part in wanted - made.keys() - {MEMBERSHIPS}:
            # Its claims went between the first look and this instant.
            schemas = {"claims": CLAIM_SCHEMA, "lines": LINE_SCHEMA, "cancelled": NUMBER_SCHEMA}
            made[part] = {name: pl.DataFrame(schema=schema) for name, schema in schemas.items()}
        if MEMBERSHIPS in wanted:
            made[MEMBERSHIPS] = {"memberships": _with_family(_query(*_membership_sql(country_id), MEMBERSHIP_SCHEMA))}
    for part, frames in made.items():
        if part in tokens:
            keep(country_id, part, tokens[part], frames)
    return made


def _read_months(country_id: int, months: Sequence[date]) -> dict[str, Frames]:
    claims = _query(*_claims_sql(country_id, months), CLAIM_SCHEMA)
    lines = _query(*_lines_sql(country_id, months), LINE_SCHEMA)
    cancelled = _query(*_cancelled_sql(country_id, months), NUMBER_SCHEMA | {"settled": pl.Date()})
    found: dict[str, Frames] = {}
    for month in months:
        inside = pl.col("settled").is_between(month, _last_day(month))
        found[claims_of(month)] = {
            "claims": claims.filter(inside),
            "lines": lines.filter(inside),
            "cancelled": cancelled.filter(inside).drop("settled"),
        }
    return found


def _with_family(memberships: pl.DataFrame) -> pl.DataFrame:
    """Add `family`: the first membership of the principal on the policy, or the membership's own id.

    Somebody who is a principal for one client of the policy and a dependant for another heads the family as principal.
    """
    memberships = memberships.drop("family")
    head = pl.coalesce("principal", "insured")
    as_principal = pl.col("membership").filter(pl.col("principal").is_null()).min()
    heads = memberships.group_by("policy", head="insured").agg(
        family=pl.coalesce(as_principal, pl.col("membership").min())
    )
    return (
        memberships.with_columns(head=head)
        .join(heads, on=["policy", "head"], how="left", maintain_order="left")
        .with_columns(family=pl.coalesce("family", "membership"))
        .select(list(MEMBERSHIP_SCHEMA))
    )


def _day(column: str) -> str:
    """As text: some drivers give dates as text in any case, and others as objects, which take longer."""
    return f"CAST({column} AS text)"


def _cents(column: str) -> str:
    return f"CAST(round({column} * 100) AS bigint)"


def _claims_sql(country_id: int, months: Sequence[date]) -> tuple[str, list[Any]]:
    return (
        f"SELECT {_OF_CLAIM}, {_cents('c.claimed_amount')}, {_cents('c.reimbursed_amount')}, c.line_count, "
        f"c.country_id, c.number FROM {Claim._meta.db_table} c WHERE {_IN_MONTHS} ORDER BY c.settlement_date, c.id",
        _parameters(country_id, months),
    )


def _lines_sql(country_id: int, months: Sequence[date]) -> tuple[str, list[Any]]:
    claims, lines = Claim._meta.db_table, ClaimLine._meta.db_table
    return (
        f"SELECT {_OF_CLAIM}, l.act_id, l.category_id, l.operator_id, l.invoice_id, {_day('l.incident_date')}, "
        f"{_cents('l.claimed_amount')}, {_cents('l.reimbursed_amount')} "
        f"FROM {claims} c JOIN {lines} l ON l.claim_id = c.id WHERE {_IN_MONTHS} ORDER BY c.settlement_date, c.id",
        _parameters(country_id, months),
    )


def _cancelled_sql(country_id: int, months: Sequence[date]) -> tuple[str, list[Any]]:
    return (
        f"SELECT c.country_id, c.number, {_day('c.settlement_date')} FROM {Claim._meta.db_table} c WHERE {_IN_MONTHS} "
        "ORDER BY c.settlement_date, c.id",
        _parameters(country_id, months, ClaimStatus.CANCELLED),
    )


# The columns that a claim and each of its lines have.
_OF_CLAIM = (
    f"c.id, {_day('c.settlement_date')}, {_day('c.incident_date')}, c.membership_id, c.insured_id, c.client_id, "
    "c.policy_id, c.partner_id, c.currency"
)
_IN_MONTHS = "c.country_id = %s AND c.status = %s AND c.settlement_date >= %s AND c.settlement_date <= %s"


def _parameters(country_id: int, months: Sequence[date], status: ClaimStatus = ClaimStatus.SETTLED) -> list[Any]:
    return [country_id, status.value, months[0], _last_day(months[-1])]


def _last_day(month: date) -> date:
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


# The plan's rate stands before the policy's (DOMAIN §10).
_RATE = "COALESCE(n.typed_rate, n.observed_rate, p.typed_rate, p.observed_rate)"


def _membership_sql(country_id: int) -> tuple[str, list[Any]]:
    table = Membership._meta.db_table
    return (
        f"SELECT m.id, m.insured_id, m.policy_id, m.client_id, m.role, m.principal_id, "
        f"{_day('m.first_settlement_date')}, NULL, {_cents(_RATE)} "
        f"FROM {table} m JOIN core_policy p ON p.id = m.policy_id LEFT JOIN core_plan n ON n.id = m.plan_id "
        "WHERE p.country_id = %s ORDER BY m.id",
        [country_id],
    )


def _query(sql: str, parameters: list[Any], schema: dict[str, pl.DataType]) -> pl.DataFrame:
    with connection.cursor() as cursor:
        if is_postgresql():
            return _copied(cursor, sql, parameters, schema)
        cursor.execute(sql, parameters)
        rows = cursor.fetchall()
    as_text = {name: pl.String() if kind in (pl.Date(), CURRENCY) else kind for name, kind in schema.items()}
    frame = pl.DataFrame(rows, schema=as_text, orient="row")
    dates = [name for name, kind in schema.items() if kind == pl.Date()]
    return _with_currencies(frame.with_columns(pl.col(dates).str.to_date("%Y-%m-%d")))


def _copied(cursor: Any, sql: str, parameters: list[Any], schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """COPY gives the rows as text in a fifth of the time that they take as Python objects."""
    data = bytearray()
    # The driver's own cursor: the one that Django uses under DEBUG takes no parameters here.
    with cursor.cursor.copy(f"COPY ({sql}) TO STDOUT (FORMAT csv)", parameters) as copy:
        for block in copy:
            data += block
    as_text = {name: pl.String() if kind == CURRENCY else kind for name, kind in schema.items()}
    frame = pl.read_csv(bytes(data), has_header=False, schema=as_text, null_values=[""], raise_if_empty=False)
    return _with_currencies(frame)


def _with_currencies(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col(name).cast(CURRENCY) for name in frame.columns if name == "currency")
