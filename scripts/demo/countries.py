"""What the demo shows of countries and currencies: a reporting currency with a rate, requests that ended or wait."""

from scripts.api_client import Client

REPORTING = "EUR"
# No country of the demo has this currency: a rate that is there before it is needed.
RATE = {"currency": "GNF", "from": "2024-01-01", "rate": "9300"}
REASONS = (
    "La filiale doit être cédée.",
    "Fermeture envisagée pour la fin de l’année.",
    "Le contrat du gestionnaire de ce pays prend fin.",
)


def prepare(*, superuser: Client, global_admin: Client, country: str) -> None:
    """Sets the reporting currency, and makes three requests to deactivate the country with the code `country`: one
    is withdrawn, one rejected, and one waits for votes. Does nothing where an earlier run has.
    """
    if superuser.call("GET", "/api/v1/reporting-currency/")["currency"]:
        return
    superuser.call("PUT", "/api/v1/reporting-currency/", json={"currency": REPORTING})
    superuser.call("POST", "/api/v1/exchange-rates/", json=RATE)
    (pk,) = [one["id"] for one in superuser.countries() if one["code"] == country]
    requests = "/api/v1/country-deactivations/"
    withdrawn, rejected, waiting = REASONS
    asked = global_admin.call("POST", requests, json={"country": pk, "reason": withdrawn})
    global_admin.call("POST", f"{requests}{asked['id']}/withdraw/")
    asked = global_admin.call("POST", requests, json={"country": pk, "reason": rejected})
    superuser.call("POST", f"{requests}{asked['id']}/vote/", json={"vote": "reject"})
    global_admin.call("POST", requests, json={"country": pk, "reason": waiting})
