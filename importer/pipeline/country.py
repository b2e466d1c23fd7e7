"""What an import needs to know about its country: the keys that it looks up, and the records found for them."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Wanted:
    """The keys that a snapshot must look up. A country may have very many of these records, so only the named ones are
    read.
    """

    claim_numbers: pl.Series
    invoices: pl.DataFrame  # partner_key, key; some of them several times
    payments: pl.DataFrame  # partner_key, key; some of them several times


@dataclass(frozen=True)
class Snapshot:
    """The records of the country (and of the shared catalogue) that this import may refer to or change.

    Frames: clients, policies, partners, operators, act_categories, acts (id, key); their other names client_aliases,
    partner_aliases, operator_aliases, category_aliases and, of acts, aliases (id of the record, key); plans (id,
    policy_id, key); insured (id, name_key, card_key, is_deduced, has_chosen_name); insured_spellings (insured_id,
    name_key); memberships (id, insured_id, policy_id, client_id, role, principal_id, plan_id, first_settlement_date,
    last_settlement_date, is_corrected); invoices, payments (id, partner_id, key); claims (id, number, fingerprint).
    """

    data_version: int
    tables: dict[str, pl.DataFrame]

    def __getitem__(self, table: str) -> pl.DataFrame:
        return self.tables[table]

    def by_name(self, table: str, aliases: str) -> pl.DataFrame:
        """id, key: the records of a table by their name, then by their other names. A name comes before an alias."""
        named = pl.concat([self[table].select("id", "key"), self[aliases].select("id", "key")])
        return named.unique(subset="key", keep="first", maintain_order=True)
