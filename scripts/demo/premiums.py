"""The premiums of the demo: those of most clients, for both years, typed and from a file."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from scripts.api_client import Client

# Reimbursed / premium of the clients in turn: of some, the premium is too small. None: a client without premium.
LOSS_RATIOS = (Decimal("0.72"), Decimal("0.95"), Decimal("0.61"), Decimal("1.20"), Decimal("0.83"), None)
# The client in each turn that has a premium for the last year only.
WITHOUT_FIRST_YEAR = 4
# Those whose premium was renewed for the year that runs now, at a rise of this.
RENEWED, RISE = (0, 1, 3), Decimal("1.1")
_LARGEST = 40
_ROUND = Decimal(10_000)

Period = tuple[dt.date, dt.date]


def enter_premiums(client: Client, *, typist: Client, country: str, periods: Sequence[Period]) -> int:
    """Enter the premiums of a country for two periods, back to back, and for some clients the year after; → how many.

    The first period comes from a file, which `client` imports, the second one is typed by `typist`. A premium that is
    there, from an earlier run, stays. `country`: its code. Raises RefusedError.
    """
    first, second = periods
    rows = list(_premiums(client, country, first))
    lines = ["Employeur;Prime;Du;Au;Effectif"]
    lines += [
        f"{row['name']};{amount};{first[0]:%d/%m/%Y};{first[1]:%d/%m/%Y};{row['insured']}"
        for turn, row, amount in rows
        if turn != WITHOUT_FIRST_YEAR
    ]
    file = (f"primes-{country}-{first[0]:%Y}.csv", "\r\n".join(lines).encode())
    fields = [("file", file), *([("country", country)] if client is typist else [])]
    written = client.call("POST", "/api/v1/premiums/import/", fields=fields)
    there = {(one["client"]["id"], one["start"]) for one in _all(typist, country)}
    renewed = (second[1] + dt.timedelta(days=1), second[1] + dt.timedelta(days=365))
    typed = 0
    for turn, row, amount in _premiums(client, country, second):
        wanted = [(second, amount), *([(renewed, amount * RISE)] if turn in RENEWED else [])]
        for (start, end), premium in wanted:
            if (row["id"], start.isoformat()) in there:
                continue
            body = {"client": row["id"], "amount": str(premium), "insured_count": row["insured"]}
            typist.call("POST", "/api/v1/premiums/", json=body | {"start": start.isoformat(), "end": end.isoformat()})
            typed += 1
    return int(written["new"]) + typed


def two_years(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Period]:
    """The years of two sample pairs (their expected outcomes), as premiums have them: back to back."""
    starts = [dt.date.fromisoformat(one["period"][0]) for one in (first, second)]
    return [(starts[0], starts[1] - dt.timedelta(days=1)), (starts[1], starts[1] + dt.timedelta(days=364))]


def _premiums(client: Client, country: str, period: Period) -> Iterator[tuple[int, dict[str, Any], Decimal]]:
    """(turn, client, amount) of each client that has a premium: its reimbursed amount at the loss ratio of its turn."""
    query = {"by": "client", "country": country, "limit": str(_LARGEST)}
    query |= {"start": period[0].isoformat(), "end": period[1].isoformat()}
    ranking = client.call("GET", "/api/v1/dashboard/rankings/", fields=query)
    for row in ranking["rows"]:
        # By id: a client keeps its turn from one year to the next.
        turn = row["id"] % len(LOSS_RATIOS)
        ratio = LOSS_RATIOS[turn]
        if ratio is not None and Decimal(row["reimbursed"]) > 0:
            amount = (Decimal(row["reimbursed"]) / ratio / _ROUND).to_integral_value() * _ROUND
            yield turn, row, max(amount, _ROUND)


def _all(client: Client, country: str) -> list[dict[str, Any]]:
    code = {one["id"]: one["code"] for one in client.countries()}
    found = client.call("GET", "/api/v1/premiums/", fields={"page_size": "200"})["results"]
    return [one for one in found if code[one["country"]] == country]
