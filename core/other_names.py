"""The imports that found a record by a name that a merge gave it: such a merge is not undone before they are."""

from collections.abc import Collection

from core.models import ClientAlias, OperatorAlias, PartnerAlias

ALIASES = {"client": ClientAlias, "partner": PartnerAlias, "operator": OperatorAlias}


def add_follower(country_id: int, session_id: int, keys: dict[str, Collection[str]]) -> None:
    """Note that the session found records by these keys. `keys`: client, partner or operator → keys of other names.

    Call it in the transaction that writes the session, which has the lock of the country.
    """
    for kind, found in keys.items():
        model = ALIASES[kind]
        # Some hundred names of a country at most: people gave them one by one.
        rows = [row for row in model.objects.filter(country_id=country_id) if row.key in found]
        for row in rows:
            row.followed_by = sorted({*row.followed_by, session_id})
        model.objects.bulk_update(rows, ["followed_by"])


def forget_followers(country_id: int, session_ids: Collection[int]) -> None:
    """The sessions are reverted: nothing of them relies on a name any more."""
    gone = set(session_ids)
    for model in ALIASES.values():
        rows = [row for row in model.objects.filter(country_id=country_id) if gone & set(row.followed_by)]
        for row in rows:
            row.followed_by = sorted(set(row.followed_by) - gone)
        model.objects.bulk_update(rows, ["followed_by"])
