"""Typed coverage rates and a subscriber of the demo: some differ from the observed rates, some policies wait."""

from typing import Any

from scripts.api_client import Client

API = "/api/v1"


def type_some(client: Client) -> None:
    """Types rates and a subscriber in the country of the account. An earlier run has typed the same."""
    plans = _rows(client, "plans/?page_size=20&ordering=id")
    observed = [plan for plan in plans if plan["observed_rate"] is not None]
    # The first as it is observed; the second as a contract says, from which the claims differ.
    for plan, other in zip(observed, (False, True), strict=False):
        _type(client, f"plans/{plan['id']}/rate/", rate=_other(plan) if other else min(plan["observed_rate"], "1.00"))
    policies = _rows(client, "policies/?page_size=20&ordering=id")
    for policy in [one for one in policies if one["observed_rate"] is not None][-1:]:
        _type(client, f"policies/{policy['id']}/rate/", rate=_other(policy))
    # One policy without a subscriber waits to be completed.
    for policy in _rows(client, "policies/?page_size=20&ordering=id&without_subscriber=true")[1:2]:
        _type(client, f"policies/{policy['id']}/subscriber/", subscriber="GROUPE ATLANTIQUE")


def _other(record: dict[str, Any]) -> str:
    """A rate that differs from the observed one."""
    return "0.75" if record["observed_rate"] != "0.75" else "0.85"


def _rows(client: Client, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.call("GET", f"{API}/{path}")["results"]
    return found


def _type(client: Client, path: str, **body: Any) -> None:
    client.call("PATCH", f"{API}/{path}", json=body)
