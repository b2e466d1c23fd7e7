"""Corrections of persons in the demo: one person of two records, and one dependant of another principal."""

from typing import Any

from scripts.api_client import Client, RefusedError


def correct_persons(client: Client) -> list[dict[str, Any]]:
    """Merges two principals, and attaches a dependant, on the first policies where it is allowed; → the changes."""
    families = client.call("GET", "/api/v1/families/?page_size=200")["results"]
    by_policy: dict[int, list[dict[str, Any]]] = {}
    for family in families:
        by_policy.setdefault(family["policy"]["id"], []).append(family)
    policies = [heads for heads in by_policy.values() if len({one["principal"]["id"] for one in heads}) > 1]
    return [
        *_first(client, policies, _merges),
        *_first(client, list(reversed(policies)), lambda heads: _attachments(client, heads)),
    ]


def _merges(heads: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    kept, *others = (one["principal"]["id"] for one in heads)
    return [(f"/api/v1/insured/{kept}/merge/", {"insured": [other]}) for other in others if other != kept]


def _attachments(client: Client, heads: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    principals = [one["principal"]["id"] for one in heads]
    found = client.call("GET", f"/api/v1/memberships/?policy={heads[0]['policy']['id']}&role=child")["results"]
    return [
        (f"/api/v1/memberships/{one['id']}/attach/", {"principal": principal})
        for one in found
        for principal in principals
        if one["principal"] and one["principal"]["id"] != principal
    ]


def _first(client: Client, policies: Any, wanted: Any) -> list[dict[str, Any]]:
    """The first correction that is allowed."""
    for heads in policies:
        for path, form in wanted(heads):
            try:
                client.call("POST", f"{path}?dry_run=true", json=form)
            except RefusedError:
                continue
            return [client.call("POST", path, json=form | {"password": client.password})]
    return []
