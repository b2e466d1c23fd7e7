"""The act catalogue of the demo, for its history: an alias, a new name, another category of an act, and a merge."""

from typing import Any

from scripts.api_client import Client

ALIAS, RENAMED = ("VACCINATION", "VACCIN"), ("GOUTTE ÉPAISSE", "GOUTTE ÉPAISSE ET FROTTIS")
MOVED = ("CONSULTATION PRÉNATALE", "SOINS AMBULATOIRES")
# The act that stays, and the one that becomes it. The other names that are nearly the same wait for an answer.
MERGED = ("DÉTARTRAGE", "DÉTARTAGE")


def order_catalogue(client: Client) -> None:
    """Make these changes, unless an earlier run has. `client`: of an account that may. Raises RefusedError."""
    act = _one(client, "acts", ALIAS[0])
    if act and ALIAS[1] not in act["aliases"]:
        client.call("POST", f"/api/v1/acts/{act['id']}/aliases/", json={"name": ALIAS[1]})
    act = _one(client, "acts", RENAMED[0])
    if act and act["name"] == RENAMED[0]:
        client.call("POST", f"/api/v1/acts/{act['id']}/rename/", json={"name": RENAMED[1]})
    act, category = _one(client, "acts", MOVED[0]), _one(client, "act-categories", MOVED[1])
    if act and category and act["category"]["id"] != category["id"]:
        client.call("POST", f"/api/v1/acts/{act['id']}/category/", json={"category": category["id"]})
    kept, absorbed = (_one(client, "acts", name) for name in MERGED)
    if kept and absorbed and kept["id"] != absorbed["id"]:
        client.call("POST", f"/api/v1/acts/{kept['id']}/merge/", json={"acts": [absorbed["id"]]})


def _one(client: Client, kind: str, name: str) -> dict[str, Any] | None:
    """The act or category with this name."""
    rows = client.call("GET", f"/api/v1/{kind}/", fields={"name": name})["results"]
    return next((row for row in rows if row["name"] == name), None)
