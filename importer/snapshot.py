"""Database → what a plan must know of the country (DOMAIN §6), in a fixed number of queries."""

from typing import Any

import polars as pl
from django.db import connection, models

from core.models import (
    Act,
    ActAlias,
    ActCategory,
    ActCategoryAlias,
    Claim,
    Client,
    ClientAlias,
    Insured,
    InsuredSpelling,
    Invoice,
    Membership,
    Operator,
    OperatorAlias,
    Partner,
    PartnerAlias,
    Payment,
    Plan,
    Policy,
)
from importer.pipeline.country import Snapshot, Wanted
from importer.sql import INTEGER, TEXT, one_instant, values_table
from users.models import Country

_SCHEMA: dict[str, Any] = {
    "id": pl.Int64, "key": pl.String, "act_id": pl.Int64, "category_id": pl.Int64, "policy_id": pl.Int64,
    "insured_id": pl.Int64, "client_id": pl.Int64, "partner_id": pl.Int64, "operator_id": pl.Int64, "plan_id": pl.Int64,
    "principal_id": pl.Int64, "name_key": pl.String, "card_key": pl.String, "is_deduced": pl.Boolean,
    "has_chosen_name": pl.Boolean, "role": pl.String, "is_corrected": pl.Boolean,
    "first_settlement_date": pl.Date, "last_settlement_date": pl.Date, "number": pl.String, "fingerprint": pl.String,
}  # fmt: skip


def take_snapshot(*, country_id: int, wanted: Wanted) -> Snapshot:
    """The records of the country at one instant, with the version of its data: a later change makes the plan outdated.

    Inside a transaction of the caller, which holds the lock of the country, that transaction's view.
    """
    with one_instant():
        return _snapshot(country_id, wanted)


def _snapshot(country_id: int, wanted: Wanted) -> Snapshot:
    version = Country.objects.values_list("data_version", flat=True).get(pk=country_id)
    here = {"country_id": country_id}
    partners = _frame(Partner.objects.filter(**here), "id", "key")
    aliases = {
        f"{model.record_field}_aliases": _frame(model.objects.filter(**here), f"{model.record_field}_id", "key").rename(
            {f"{model.record_field}_id": "id"}
        )
        for model in (ClientAlias, PartnerAlias, OperatorAlias)
    }
    # Other names of a provider lead to its invoices and payments.
    by_name = pl.concat([partners, aliases["partner_aliases"]])
    return Snapshot(
        data_version=version,
        tables={
            "clients": _frame(Client.objects.filter(**here), "id", "key"),
            "policies": _frame(Policy.objects.filter(**here), "id", "key"),
            "plans": _frame(Plan.objects.filter(policy__country_id=country_id), "id", "policy_id", "key"),
            "insured": _frame(
                Insured.objects.filter(**here), "id", "name_key", "card_key", "is_deduced", "has_chosen_name"
            ),
            "insured_spellings": _frame(
                InsuredSpelling.objects.filter(insured__country_id=country_id), "insured_id", "name_key"
            ),
            "memberships": _frame(
                Membership.objects.filter(policy__country_id=country_id),
                "id",
                "insured_id",
                "policy_id",
                "client_id",
                "role",
                "principal_id",
                "plan_id",
                "first_settlement_date",
                "last_settlement_date",
                "is_corrected",
            ),
            "partners": partners,
            "operators": _frame(Operator.objects.filter(**here), "id", "key"),
            "act_categories": _frame(ActCategory.objects.all(), "id", "key"),
            "category_aliases": _frame(ActCategoryAlias.objects.all(), "category_id", "key").rename(
                {"category_id": "id"}
            ),
            "acts": _frame(Act.objects.all(), "id", "key"),
            "aliases": _frame(ActAlias.objects.all(), "act_id", "key").rename({"act_id": "id"}),
            "invoices": _references(Invoice, wanted.invoices, by_name),
            "payments": _references(Payment, wanted.payments, by_name),
            **aliases,
            "claims": _claims(country_id, wanted.claim_numbers),
        },
    )


def _frame(rows: models.QuerySet[Any], *columns: str) -> pl.DataFrame:
    # Oldest first, so that the same one of several candidates is found every time.
    return _table(list(rows.order_by("id").values_list(*columns)), columns)


def _table(rows: list[tuple[Any, ...]], columns: tuple[str, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={c: _SCHEMA[c] for c in columns}, orient="row")


def _references(model: type[Invoice] | type[Payment], wanted: pl.DataFrame, partners: pl.DataFrame) -> pl.DataFrame:
    """The wanted invoices or payments that exist: id, partner_id, key."""
    pairs = wanted.join(partners.select(partner_key="key", partner_id="id"), on="partner_key").unique(
        ["partner_id", "key"]
    )
    return _looked_up(
        model._meta.db_table,
        ("id", "partner_id", "key"),
        {"partner_id": (INTEGER, pairs["partner_id"].to_list()), "key": (TEXT, pairs["key"].to_list())},
    )


def _claims(country_id: int, numbers: pl.Series) -> pl.DataFrame:
    return _looked_up(
        Claim._meta.db_table,
        ("id", "number", "fingerprint"),
        {"country_id": (INTEGER, [country_id] * len(numbers)), "number": (TEXT, numbers.to_list())},
    )


def _looked_up(table: str, columns: tuple[str, ...], by: dict[str, tuple[str, list[Any]]]) -> pl.DataFrame:
    source, parameters = values_table("wanted", by)
    matches = " AND ".join(f"t.{name} = wanted.{name}" for name in by)
    picks = ", ".join(f"t.{c}" for c in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {picks} FROM {table} t JOIN {source} ON {matches}", parameters)
        return _table(cursor.fetchall(), columns)
