"""The answer of every route and method of the API to every account (DOMAIN §1)."""

from __future__ import annotations

from rest_framework.test import APIClient

from dashboard.indicators import rankings, watch_list
from tests.support.cast import ACCOUNTS, SHUT_OUT
from tests.support.responses import content_of

OWN = ["togo_admin", "togo_head", "rival_head", "togo_operator"]
FOREIGN = ["benin_admin", "benin_head", "benin_operator"]
EVERYONE = [name for name, _role, _country in ACCOUNTS]


def answers(
    *, superuser: int, reader: int, admin: int, owner: int, rival: int, operator: int, foreign: int
) -> dict[str, int]:
    """The expected status for each account. The row belongs to the head of department of Togo."""
    expected = {
        "superuser": superuser,
        "global_admin": reader,
        "togo_admin": admin,
        "togo_head": owner,
        "rival_head": rival,
        "togo_operator": operator,
        "anonymous": 401,
    }
    return expected | dict.fromkeys(FOREIGN, foreign) | dict.fromkeys(SHUT_OUT, 403)


RECORD = answers(superuser=200, reader=200, admin=200, owner=200, rival=200, operator=200, foreign=403)
RECORDS = RECORD | dict.fromkeys(FOREIGN, 200)
CATALOGUE = RECORDS
SESSION = RECORD | {"togo_operator": 403}
SESSIONS = SESSION | {"benin_admin": 200, "benin_head": 200}
FILE = SESSION | {"rival_head": 403}
FILES = SESSIONS
# Who may steer gets 409, because the session is still waiting for its worker.
STEERED = answers(superuser=409, reader=403, admin=409, owner=409, rival=403, operator=403, foreign=403)
# An empty form: 400 for accounts that may send the form.
UPLOAD = dict.fromkeys(EVERYONE, 403) | dict.fromkeys(
    ["superuser", "togo_admin", "togo_head", "rival_head", "benin_admin", "benin_head"], 400
)
UPLOAD["anonymous"] = 401
# Accounts of a closed country are locked; accounts without a country may sign in.
LOCKED = [name for name in EVERYONE if name.startswith("closed_")]
SIGNED_IN = dict.fromkeys(EVERYONE, 200) | {"anonymous": 401} | dict.fromkeys(LOCKED, 403)
SIGNS_OUT = dict.fromkeys(EVERYONE, 204) | {"anonymous": 401} | dict.fromkeys(LOCKED, 403)
# An empty form about one's own account.
OWN_FORM = dict.fromkeys(EVERYONE, 400) | {"anonymous": 401} | dict.fromkeys(LOCKED, 403)


def only(**expected: int) -> dict[str, int]:
    """403 for all accounts except those named."""
    return dict.fromkeys(EVERYONE, 403) | {"anonymous": 401} | expected


# Global roles and the admin of the country see an account. The superuser and that admin change it: a global admin does
# not manage heads of department. Global roles assign the country.
ACCOUNTS_LIST = only(superuser=200, global_admin=200, togo_admin=200, benin_admin=200)
ACCOUNT_FORM = only(superuser=400, global_admin=400, togo_admin=400, benin_admin=400)
ACCOUNT = only(superuser=200, global_admin=200, togo_admin=200)
ACCOUNT_CHANGED = only(superuser=200, togo_admin=200)
COUNTRY_CHANGED = only(superuser=200, global_admin=200)

RECORD_ROUTES = [
    "claims",
    "clients",
    "policies",
    "plans",
    "insured",
    "memberships",
    "partners",
    "operators",
    "invoices",
    "payments",
    "claim-lines",
    "claim-revisions",
    "insured-spellings",
    "premiums",
]
CATALOGUE_ROUTES = ["act-categories", "acts", "act-aliases"]
# The audit trail is for administrators.
AUDIT = (
    SIGNED_IN
    | dict.fromkeys(SHUT_OUT, 403)
    | dict.fromkeys([name for name in EVERYONE if name.endswith(("_head", "_operator"))], 403)
)

TABLE: dict[tuple[str, str], dict[str, int]] = {
    ("GET", "users/me/"): SIGNED_IN,
    ("PATCH", "users/me/"): SIGNED_IN,
    ("POST", "auth/logout/"): SIGNS_OUT,
    ("POST", "auth/logout-all/"): SIGNS_OUT,
    ("POST", "auth/password/change/"): OWN_FORM,
    ("GET", "users/"): ACCOUNTS_LIST,
    ("POST", "users/"): ACCOUNT_FORM,
    ("POST", "users/import/preview/"): ACCOUNT_FORM,
    ("POST", "users/import/"): ACCOUNT_FORM,
    ("GET", "users/{account}/"): ACCOUNT,
    ("PATCH", "users/{account}/"): ACCOUNT_CHANGED,
    ("POST", "users/{account}/activate/"): ACCOUNT_CHANGED,
    ("POST", "users/{account}/deactivate/"): ACCOUNT_CHANGED,
    ("POST", "users/{account}/password-link/"): only(superuser=204, togo_admin=204),
    ("POST", "users/{account}/country/"): only(superuser=400, global_admin=400),
    ("DELETE", "users/{account}/country/"): only(superuser=200),
    ("GET", "countries/"): RECORDS,
    ("POST", "countries/"): only(superuser=400, global_admin=400),
    ("GET", "countries/{country}/"): RECORD,
    ("PATCH", "countries/{country}/"): COUNTRY_CHANGED,
    ("POST", "countries/{country}/activate/"): COUNTRY_CHANGED,
    # A global admin alone cannot deactivate a country.
    ("POST", "countries/{country}/deactivate/"): only(superuser=200),
    ("GET", "files/"): FILES,
    ("POST", "files/"): UPLOAD,
    ("GET", "files/{file}/"): FILE,
    ("DELETE", "files/{file}/"): FILE | {"superuser": 204, "global_admin": 403, "togo_admin": 204, "togo_head": 204},
    ("GET", "files/export/"): FILES,
    ("GET", "files/{file}/history/"): FILE,
    ("GET", "audit/"): AUDIT,
    ("GET", "audit/export/"): AUDIT,
    ("GET", "files/{file}/download/"): FILE,
    ("GET", "files/{file}/preview/"): FILE,
    ("GET", "files/{file}/converted/"): FILE,
    ("GET", "import-sessions/"): SESSIONS,
    ("POST", "import-sessions/"): UPLOAD,
    ("GET", "import-sessions/{session}/"): SESSION,
    ("DELETE", "import-sessions/{session}/"): STEERED,
    ("GET", "import-sessions/export/"): SESSIONS,
    ("GET", "import-sessions/{session}/findings/"): SESSION,
    ("GET", "import-sessions/{session}/findings/export/"): SESSION,
    ("GET", "import-sessions/{session}/events/"): SESSION,
    ("GET", "import-sessions/{session}/events/stream/"): SESSION,
    ("GET", "import-sessions/{session}/download/?type=log"): SESSION,
    ("POST", "import-sessions/{session}/corrections/"): STEERED | {"rival_head": 409},
    # The session has neither files nor findings.
    ("GET", "import-sessions/{session}/corrections/workbook/"): {
        name: 409 if status == 200 else status for name, status in SESSION.items()
    },
    ("GET", "import-sessions/{corrected}/comparison/"): SESSION,
    ("GET", "corrections/"): SESSIONS,
    ("GET", "corrections/export/"): SESSIONS,
    ("GET", "corrections/{corrections}/"): SESSION,
    ("POST", "corrections/{corrections}/withdraw/"): only(superuser=200, global_admin=200, togo_admin=200),
    ("POST", "import-sessions/{session}/sheet/"): STEERED,
    ("POST", "import-sessions/{session}/commit/"): STEERED,
    ("POST", "import-sessions/{session}/retry/"): STEERED,
    ("POST", "import-sessions/{session}/revert/"): STEERED,
    ("POST", "import-sessions/{session}/report/"): STEERED,
    ("POST", "import-sessions/{session}/cancel/"): STEERED | {"superuser": 200, "togo_admin": 200, "togo_head": 200},
}
_WEBHOOK, _MESSAGES = "webhooks/{webhooks}/", "webhooks/{webhooks}/messages/"
TABLE |= {
    ("GET", "webhooks/"): ACCOUNTS_LIST,
    ("POST", "webhooks/"): ACCOUNT_FORM,
    ("GET", _WEBHOOK): ACCOUNT,
    ("PATCH", _WEBHOOK): ACCOUNT,
    ("DELETE", _WEBHOOK): only(superuser=204, global_admin=204, togo_admin=204),
    ("POST", f"{_WEBHOOK}enable/"): ACCOUNT,
    ("POST", f"{_WEBHOOK}disable/"): ACCOUNT,
    ("POST", f"{_WEBHOOK}rotate/"): ACCOUNT,
    ("POST", f"{_WEBHOOK}test/"): only(superuser=202, global_admin=202, togo_admin=202),
    ("GET", _MESSAGES): ACCOUNT,
    ("POST", f"{_MESSAGES}{{webhook-messages}}/replay/"): only(superuser=202, global_admin=202, togo_admin=202),
}
_RATE = "exchange-rates/{exchange-rates}/"
TABLE |= {
    ("GET", "exchange-rates/"): COUNTRY_CHANGED,
    # Empty forms.
    ("POST", "exchange-rates/"): only(superuser=400, global_admin=400),
    ("POST", "exchange-rates/import/"): only(superuser=400, global_admin=400),
    ("POST", "exchange-rates/import/preview/"): only(superuser=400, global_admin=400),
    ("GET", "exchange-rates/template/"): COUNTRY_CHANGED,
    ("GET", _RATE): COUNTRY_CHANGED,
    # There is no reporting currency.
    ("PATCH", _RATE): only(superuser=409, global_admin=409),
    ("DELETE", _RATE): only(superuser=204, global_admin=204),
    ("GET", "reporting-currency/"): COUNTRY_CHANGED,
    ("PUT", "reporting-currency/"): only(superuser=400, global_admin=400),
}
# The request has ended.
_DEACTIVATION = "country-deactivations/{country-deactivations}/"
TABLE |= {
    ("GET", "country-deactivations/"): COUNTRY_CHANGED,
    ("POST", "country-deactivations/"): only(superuser=400, global_admin=400),
    ("GET", _DEACTIVATION): COUNTRY_CHANGED,
    ("POST", f"{_DEACTIVATION}vote/"): only(superuser=400, global_admin=400),
    ("POST", f"{_DEACTIVATION}withdraw/"): only(superuser=409, global_admin=409),
}
_CONVERTER = "converters/{converters}/"
TABLE |= {
    ("GET", "converters/"): only(superuser=200),
    ("POST", "converters/"): only(superuser=400),
    ("GET", _CONVERTER): only(superuser=200),
    ("PATCH", _CONVERTER): only(superuser=200),
    ("DELETE", _CONVERTER): only(superuser=204),
    ("POST", f"{_CONVERTER}rotate/"): only(superuser=200),
    # There is no host of its name.
    ("POST", f"{_CONVERTER}check/"): only(superuser=409),
}
for _name in RECORD_ROUTES:
    TABLE["GET", f"{_name}/"] = RECORDS
    TABLE["GET", f"{_name}/export/"] = RECORDS
    TABLE["GET", f"{_name}/{{{_name}}}/"] = RECORD
for _name in CATALOGUE_ROUTES:
    TABLE["GET", f"{_name}/"] = CATALOGUE
    TABLE["GET", f"{_name}/export/"] = CATALOGUE
    TABLE["GET", f"{_name}/{{{_name}}}/"] = CATALOGUE

TABLE["GET", "claims/{claims}/revisions/"] = RECORD

# An empty form: 400 for accounts that may correct persons of the country.
CORRECTED = answers(superuser=400, reader=403, admin=400, owner=400, rival=400, operator=403, foreign=403)
for _name in ("insured/{insured}/merge/", "insured/{insured}/split/", "insured/{insured}/name/"):
    TABLE["POST", _name] = CORRECTED
for _name in ("memberships/{memberships}/attach/", "memberships/{memberships}/role/"):
    TABLE["POST", _name] = CORRECTED
TABLE |= {
    ("GET", "families/"): RECORDS,
    ("GET", "families/export/"): RECORDS,
    ("GET", "families/{memberships}/"): RECORD,
    ("GET", "family-changes/"): RECORDS,
    ("GET", "family-changes/export/"): RECORDS,
    ("GET", "family-changes/{family-changes}/"): RECORD,
    ("POST", "family-changes/{family-changes}/undo/"): CORRECTED,
}

TABLE |= {
    ("GET", "review-pairs/"): SESSIONS,
    ("GET", "review-pairs/export/"): SESSIONS,
    ("GET", "review-pairs/{review-pairs}/"): SESSION,
    # Empty forms.
    ("POST", "review-pairs/{review-pairs}/decide/"): only(superuser=400, togo_admin=400, togo_head=400, rival_head=400),
    **{
        ("POST", f"{name}/{{{name}}}/merge/"): only(superuser=400, togo_admin=400, togo_head=400, rival_head=400)
        for name in ("clients", "partners", "operators")
    },
}

_PREMIUM = "premiums/{premiums}/"
WRITERS = only(superuser=200, togo_admin=200, togo_head=200, rival_head=200)
TABLE |= {
    ("POST", "premiums/"): UPLOAD,
    ("PATCH", _PREMIUM): WRITERS,
    ("DELETE", _PREMIUM): {name: 204 if code == 200 else code for name, code in WRITERS.items()},
    ("GET", f"{_PREMIUM}history/"): RECORD,
    ("POST", f"{_PREMIUM}undo/"): {name: 400 if code == 200 else code for name, code in WRITERS.items()},
    ("POST", "premiums/import/preview/"): UPLOAD,
    ("POST", "premiums/import/"): UPLOAD,
    ("GET", "premiums/import/template/"): {name: 200 if code == 400 else code for name, code in UPLOAD.items()},
}

# An empty form: 400 for the accounts that may type coverage rates and subscribers.
_TYPED = only(superuser=400, togo_admin=400)
TABLE["PATCH", "policies/{policies}/rate/"] = _TYPED
TABLE["PATCH", "policies/{policies}/subscriber/"] = _TYPED
TABLE["PATCH", "plans/{plans}/rate/"] = _TYPED

# Global roles change the catalogue. An empty form: 400.
EDITED = only(superuser=400, global_admin=400)
CATALOGUE_PARTS: list[str] = []
for _name in ("acts", "act-categories"):
    for _part in ("rename", "merge", "aliases"):
        TABLE["POST", f"{_name}/{{{_name}}}/{_part}/"] = EDITED
    TABLE["DELETE", f"{_name}/{{{_name}}}/aliases/"] = EDITED
    TABLE["GET", f"{_name}/{{{_name}}}/aliases/"] = CATALOGUE
    TABLE["GET", f"{_name}/{{{_name}}}/usage/"] = CATALOGUE
    TABLE["GET", f"{_name}/candidates/"] = only(superuser=200, global_admin=200)
    TABLE["POST", f"{_name}/candidates/decide/"] = EDITED
    CATALOGUE_PARTS += [f"{_name}/{{{_name}}}/aliases/", f"{_name}/{{{_name}}}/usage/", f"{_name}/candidates/"]
TABLE["POST", "acts/{acts}/category/"] = EDITED
for _tail in ("", "export/", "{catalogue-changes}/"):
    TABLE["GET", f"catalogue-changes/{_tail}"] = only(superuser=200, global_admin=200)
    CATALOGUE_PARTS.append(f"catalogue-changes/{_tail}")
# The first account undoes it.
TABLE["POST", "catalogue-changes/{catalogue-changes}/undo/"] = only(superuser=200, global_admin=409)
# Lists and details that no account of a country may read.
OF_GLOBAL_ROLES = (
    "converters/", "catalogue-changes/", "acts/candidates/", "act-categories/candidates/", "country-deactivations/",
    "exchange-rates/", "reporting-currency/",
)  # fmt: skip

# Figures are of the own country, whatever is in the address. `UPLOAD`: only accounts that may import explain a row.
FIGURES = [
    "definitions/",
    "period/",
    "portfolio/",
    "series/?indicator=claims",
    "frequency/",
    *(f"rankings/?by={kind}" for kind in rankings.BY),
    "concentration/",
    "delay/",
    "triangle/",
    "loss-ratio/",
    "loss-ratio/?by=country",
    "prices/",
    "left-out/",
    "left-out/claims/",
    *(f"quality/?by={kind}" for kind in ("operator", "partner", "month")),
    "watch-list/",
    *(f"watch-list/?rule={rule}" for rule in watch_list.RULES),
]
TABLE["GET", "dashboard/renewal/?client={clients}"] = RECORD
UPLOAD_FIGURES = ["files/", "import-sessions/"]
for _name in FIGURES:
    TABLE["GET", f"dashboard/{_name}"] = RECORDS
for _name in UPLOAD_FIGURES:
    TABLE["GET", f"dashboard/{_name}"] = SESSIONS
TABLE["POST", "dashboard/watch-list/seen/"] = UPLOAD
MARKED_FIGURES = {
    *(f"rankings/?by={kind}" for kind in rankings.BY if kind not in ("act", "act_category")),
    *(f"quality/?by={kind}" for kind in ("operator", "partner")),
    "files/",
    *(name for name in FIGURES if name.startswith("loss-ratio/")),
}
# Their rows name or concern persons.
PERSONAL_FIGURES = {
    *(f"dashboard/rankings/?by={kind}" for kind in ("insured", "family", "operator")),
    *(f"dashboard/watch-list/?rule={rule}" for rule in watch_list.RULES),
    "dashboard/left-out/claims/",
    "dashboard/quality/?by=operator",
    "dashboard/renewal/?client={clients}",
}

# Open to everybody by intention: sign-in, choosing a password by a link, the description of the API.
OPEN = {"auth/login/", "auth/password/reset/", "auth/password/set/", "schema/", "docs/"}


def ask(client: APIClient, method: str, path: str) -> int:
    body = {"stat_sheet": "Feuil1"} if path.endswith("/sheet/") else None
    response = client.generic(method, f"/api/v1/{path}") if body is None else client.post(f"/api/v1/{path}", body)
    content_of(response)
    return int(response.status_code)


GETS = sorted(path for method, path in TABLE if method == "GET")
# Routes on which the admin of the marked country does not see the mark either: its absence proves nothing there.
UNMARKED = {
    *(f"{name}/{tail}" for name in CATALOGUE_ROUTES for tail in ("", "export/", f"{{{name}}}/")),
    *CATALOGUE_PARTS,
    # Their content comes from an import: tests/access/test_canaries.py.
    "import-sessions/{session}/events/",
    "import-sessions/{session}/events/stream/",
    "import-sessions/{session}/download/?type=log",
    "files/{file}/preview/",
    # Only global roles see who wants to close a country.
    "country-deactivations/",
    "country-deactivations/{country-deactivations}/",
    "exchange-rates/",
    "exchange-rates/template/",
    "exchange-rates/{exchange-rates}/",
    "reporting-currency/",
    # Converters serve all countries; only superusers see them.
    "converters/",
    "converters/{converters}/",
    # Only names of records are marked. The one claim with findings was imported, and no rule finds it.
    *(f"dashboard/{name}" for name in [*FIGURES, *UPLOAD_FIGURES] if name not in MARKED_FIGURES),
    # The most read files are in the JSON alone.
    *(f"dashboard/files/?format={kind}" for kind in ("csv", "xlsx", "parquet")),
}
