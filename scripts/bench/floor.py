"""The floor: the least time for the same files and rows, read and loaded without any other work."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection
from psycopg import sql

from scripts.bench.databases import CLONE, RUN, Databases, SqliteDatabases

# Tables that the records of an import refer to and that it does not fill; loaded before the clock starts.
GIVEN = ("users_country", "users_user", "file_handling_file", "file_handling_importsession")
# The records of an import, each after the records that it refers to.
RECORDS = (
    "core_client", "core_policy", "core_plan", "core_partner", "core_operator", "core_actcategory", "core_act",
    "core_insured", "core_insuredspelling", "core_membership", "core_invoice", "core_payment", "core_claim",
    "core_claimline",
)  # fmt: skip
# An import also writes findings. Those of the last session, the second import of the pair, are left out.
FINDINGS = "file_handling_finding"
LOADED = (*RECORDS, FINDINGS)
EARLIER = "session_id < (SELECT max(id) FROM file_handling_importsession)"
READ = """
import sys, time
from python_calamine import load_workbook
began, rows = time.perf_counter(), 0
for path in sys.argv[2:]:
    sheet = load_workbook(path).get_sheet_by_index(0)
    if sys.argv[1] == "iter_rows":
        for row in sheet.iter_rows():
            rows += 1
    else:
        rows += len(sheet.to_python())
print(time.perf_counter() - began)
"""


@dataclass(frozen=True)
class Floor:
    """`read`: seconds to read the workbooks into rows. `load`: seconds to load records and findings into an empty
    database with all its indexes and constraints, in one transaction, with its commit. `rows`: their number."""

    read: float
    load: float
    rows: int

    @property
    def seconds(self) -> float:
        return self.read + self.load


def reading_seconds(paths: list[Path], *, ways: Sequence[str] = ("iter_rows", "to_python")) -> dict[str, float]:
    """Time of reading alone, in one process, file after file, by each of the `ways` of the fastest reader."""
    # A new process loads the libraries before the clock starts, as in a worker.
    return {
        way: float(
            subprocess.run(
                [sys.executable, "-c", READ, way, *map(str, paths)], check=True, capture_output=True, text=True
            ).stdout
        )
        for way in ways
    }


def loading_seconds(databases: Databases) -> tuple[float, int]:
    """Load the rows that the imports left in RUN into a new CLONE; → seconds, rows."""
    databases.renew(CLONE)
    if isinstance(databases, SqliteDatabases):
        return _load_sqlite(databases.path(RUN), databases.path(CLONE))
    return _load_postgres(databases.url(RUN), databases.url(CLONE))


def _load_postgres(source_url: str, clone_url: str) -> tuple[float, int]:
    def dump(table: str) -> list[bytes]:
        where = sql.SQL(EARLIER if table == FINDINGS else "true")
        statement = sql.SQL("COPY (SELECT {} FROM {} WHERE {}) TO STDOUT").format(
            columns[table], sql.Identifier(table), where
        )
        with source.cursor().copy(statement) as copy:
            return [bytes(part) for part in copy]

    def load(table: str) -> int:
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), columns[table])
        with clone.cursor() as cursor:
            with cursor.copy(statement) as copy:
                copy.write(content[table])
            return cursor.rowcount

    with psycopg.connect(source_url) as source, psycopg.connect(clone_url) as clone:
        columns = {table: _columns(source, table) for table in (*GIVEN, *LOADED)}
        content = {table: b"".join(dump(table)) for table in (*GIVEN, *LOADED)}
        # Sessions and files refer to each other, so all in one transaction.
        for table in GIVEN:
            load(table)
        clone.commit()
        began = time.perf_counter()
        rows = sum(load(table) for table in LOADED)
        clone.commit()
        return time.perf_counter() - began, rows


def _columns(connection: psycopg.Connection[Any], table: str) -> sql.Composable:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(sql.Identifier(table)))
        return sql.SQL(", ").join(sql.Identifier(column.name) for column in cursor.description or [])


def _load_sqlite(source_path: Path, clone_path: Path) -> tuple[float, int]:
    options = connection.settings_dict["OPTIONS"]
    source, clone = sqlite3.connect(source_path), sqlite3.connect(clone_path, isolation_level=None)
    try:
        # The same durability as in the installation.
        for pragma in filter(None, options["init_command"].split(";")):
            clone.execute(pragma)
        content = {
            table: source.execute(
                f"SELECT * FROM {table} WHERE {EARLIER if table == FINDINGS else 'true'}"  # noqa: S608
            ).fetchall()
            for table in (*GIVEN, *LOADED)
        }
        _insert_all(clone, GIVEN, content)
        began = time.perf_counter()
        _insert_all(clone, LOADED, content)
        return time.perf_counter() - began, sum(len(content[table]) for table in LOADED)
    finally:
        source.close()
        clone.close()


def _insert_all(connection: sqlite3.Connection, tables: Sequence[str], content: dict[str, list[Any]]) -> None:
    """In one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    for table in tables:
        if content[table]:
            places = ", ".join("?" * len(content[table][0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({places})", content[table])  # noqa: S608
    connection.execute("COMMIT")


def count_records(databases: Databases) -> dict[str, int]:
    """Number of records in each table of RUN."""
    if isinstance(databases, SqliteDatabases):
        lite = sqlite3.connect(databases.path(RUN))
        try:
            return {table: lite.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in RECORDS}  # noqa: S608
        finally:
            lite.close()
    with psycopg.connect(databases.url(RUN)) as postgres:
        counts = {}
        for table in RECORDS:
            row = postgres.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
            counts[table] = row[0] if row else 0
        return counts
