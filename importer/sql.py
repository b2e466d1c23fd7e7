"""The SQL in which PostgreSQL and SQLite differ. All other modules of the importer ask this one, never the vendor."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog
from django.db import Error as DatabaseFailure
from django.db import connection, transaction

from common.sql import DATE, INTEGER, NUMERIC, TEXT, is_postgresql, values_table

__all__ = [
    "DATE",
    "INTEGER",
    "NUMERIC",
    "TEXT",
    "analyze",
    "is_postgresql",
    "one_instant",
    "prepare_write",
    "share_lock",
    "values_table",
]

log = structlog.get_logger(__name__)

# How long an analysis waits for another one of the same table, or for a VACUUM.
ANALYZE_LOCK_TIMEOUT = "10s"


def share_lock(alias: str) -> str:
    """The end of a SELECT that keeps the rows of `alias` from being deleted until the transaction ends.

    SQLite has one writer, which needs no lock.
    """
    return f" FOR KEY SHARE OF {alias}" if is_postgresql() else ""


def prepare_write(name: str) -> None:
    """Prepare the current transaction for a large write: `name` is shown among the connections of PostgreSQL."""
    if not is_postgresql():
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('application_name', %s, true)", [name])
        # References are checked with each statement and not all at the commit, so that other work goes on meanwhile.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@contextmanager
def one_instant() -> Iterator[None]:
    """All queries of the block see the database as it was at the first of them.

    Otherwise another import could end between two queries, and a row of the later query (a membership) would refer to
    a row that the earlier one did not return (its policy). Inside a transaction of the caller, nothing is changed.
    """
    if connection.in_atomic_block:
        yield
    elif is_postgresql():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        # Not Django's own transaction, which would wait for the one writer of SQLite and keep others from writing.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            connection.connection.rollback()


def analyze(tables: Sequence[str]) -> None:
    """Renew the planner's statistics of the tables. A failure is logged and ignored: autovacuum does the same later.

    Must run outside a transaction. SQLite plans without statistics, so nothing becomes outdated there.
    """
    if not tables or not is_postgresql():
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{ANALYZE_LOCK_TIMEOUT}'")
            try:
                cursor.execute(f"ANALYZE {', '.join(connection.ops.quote_name(table) for table in tables)}")
            finally:
                cursor.execute("RESET lock_timeout")
    except DatabaseFailure as error:
        log.warning("analyze_failed", tables=list(tables), error=type(error).__name__)
        # The connection may be broken, or keep the timeout. The next query opens a new one.
        connection.close()
