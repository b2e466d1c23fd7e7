"""The answer of every page of the admin to every account (DOMAIN §1), and the text of a page."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client

from tests.support.cast import ACCOUNTS, SHUT_OUT
from tests.support.responses import content_of

# Accounts without access to the admin are redirected to the sign-in page.
OUTSIDE = ["anonymous", "togo_head", "rival_head", "togo_operator", "benin_head", "benin_operator", *SHUT_OUT]
EVERYONE = [*(name for name, _role, _country in ACCOUNTS), "anonymous"]


def answers(*, superuser: int, reader: int, own: int, other: int) -> dict[str, int]:
    """Status for superuser, global admin, admin of the country of the row, and admin of another country."""
    expected = {"superuser": superuser, "global_admin": reader, "togo_admin": own, "benin_admin": other}
    return expected | dict.fromkeys(OUTSIDE, 302)


READ = answers(superuser=200, reader=200, own=200, other=403)
SHARED = answers(superuser=200, reader=200, own=200, other=200)
NOBODY = answers(superuser=403, reader=403, own=403, other=403)
IMPORTERS = answers(superuser=200, reader=403, own=200, other=200)
CATALOGUE_KEEPERS = answers(superuser=200, reader=200, own=403, other=403)
GLOBAL = CATALOGUE_KEEPERS
# An act redirects to a page.
STEERED = answers(superuser=302, reader=403, own=302, other=403)
STEERABLE = answers(superuser=200, reader=403, own=200, other=403)

# Who may, removes it and is redirected.
REMOVED = answers(superuser=302, reader=302, own=403, other=403)

RECORDS = {
    "client": "clients",
    "policy": "policies",
    "plan": "plans",
    "insured": "insured",
    "membership": "memberships",
    "partner": "partners",
    "operator": "operators",
    "invoice": "invoices",
    "payment": "payments",
    "claim": "claims",
    "claimrevision": "claim-revisions",
    "reviewpair": "review-pairs",
    "premium": "premiums",
}
CATALOGUE = {"actcategory": "act-categories", "act": "acts"}
SUPERUSERS = answers(superuser=200, reader=403, own=403, other=403)
CONVERTER = "file_handling/converter"
FILE, SESSION = "file_handling/file", "file_handling/importsession"

TABLE: dict[tuple[str, str], dict[str, int]] = {
    ("GET", ""): SHARED,
    ("GET", "users/"): SHARED,
    ("GET", "core/"): SHARED,
    ("GET", "file_handling/"): SHARED,
    ("GET", "password_change/"): SHARED,
    ("GET", "password_change/done/"): SHARED,
    ("GET", "jsi18n/"): SHARED,
    ("GET", "autocomplete/?app_label=core&model_name=actalias&field_name=act&term="): CATALOGUE_KEEPERS,
    ("GET", f"{FILE}/"): SHARED,
    ("GET", f"{FILE}/add/"): NOBODY,
    ("GET", f"{FILE}/{{file}}/change/"): READ,
    ("POST", f"{FILE}/{{file}}/change/"): NOBODY,
    ("GET", f"{FILE}/{{file}}/history/"): READ,
    ("GET", f"{FILE}/{{file}}/download/"): READ,
    ("GET", f"{FILE}/{{file}}/preview/"): READ,
    ("GET", f"{FILE}/{{file}}/delete/"): STEERABLE,
    ("POST", f"{FILE}/{{file}}/delete/"): STEERED,
    ("GET", f"{CONVERTER}/"): SUPERUSERS,
    ("GET", f"{CONVERTER}/add/"): SUPERUSERS,
    ("POST", f"{CONVERTER}/add/"): SUPERUSERS,
    ("GET", f"{CONVERTER}/{{converters}}/change/"): SUPERUSERS,
    ("GET", f"{CONVERTER}/{{converters}}/history/"): SUPERUSERS,
    ("GET", f"{CONVERTER}/{{converters}}/delete/"): NOBODY,
    ("POST", f"{CONVERTER}/{{converters}}/act/rotate/"): SUPERUSERS,
    ("GET", f"{SESSION}/"): SHARED,
    ("GET", f"{SESSION}/add/"): IMPORTERS,
    ("GET", f"{SESSION}/{{session}}/change/"): READ,
    ("POST", f"{SESSION}/{{session}}/change/"): NOBODY,
    ("GET", f"{SESSION}/{{session}}/history/"): READ,
    ("GET", f"{SESSION}/{{session}}/events/"): READ,
    ("GET", f"{SESSION}/{{session}}/findings/"): READ,
    ("GET", f"{SESSION}/{{session}}/download/log/"): READ,
    ("GET", f"{SESSION}/{{session}}/steer/revert/"): STEERABLE,
    ("POST", f"{SESSION}/{{session}}/steer/sheet/"): STEERED,
    ("POST", f"{SESSION}/{{session}}/steer/commit/"): STEERED,
    ("POST", f"{SESSION}/{{session}}/steer/retry/"): STEERED,
    ("POST", f"{SESSION}/{{session}}/steer/cancel/"): STEERED,
    ("POST", f"{SESSION}/{{session}}/steer/report/"): STEERED,
    ("POST", f"{SESSION}/{{session}}/steer/revert/"): STEERED,
    ("GET", f"{SESSION}/{{session}}/delete/"): STEERABLE,
    ("POST", f"{SESSION}/{{session}}/delete/"): STEERED,
    ("GET", "users/user/"): SHARED,
    ("GET", "users/user/add/"): SHARED,
    ("GET", "users/user/import/"): SHARED,
    ("POST", "users/user/import/"): SHARED,
    ("GET", "users/user/{account}/change/"): READ,
    ("GET", "users/user/{account}/history/"): READ,
    ("GET", "users/user/{account}/delete/"): NOBODY,
    # A global admin reads these accounts, and the admin of the country manages them.
    ("POST", "users/user/{account}/act/deactivate/"): STEERED,
    ("GET", "users/country/"): SHARED,
    ("GET", "users/country/add/"): CATALOGUE_KEEPERS,
    ("GET", "users/country/{country}/change/"): READ,
    ("GET", "users/country/{country}/history/"): READ,
    ("GET", "users/country/{country}/delete/"): NOBODY,
    ("POST", "users/country/{country}/act/open/"): answers(superuser=302, reader=302, own=403, other=403),
    ("GET", "users/countrydeactivation/"): GLOBAL,
    ("GET", "users/countrydeactivation/add/"): GLOBAL,
    ("GET", "users/countrydeactivation/{country-deactivations}/change/"): GLOBAL,
    ("GET", "users/countrydeactivation/{country-deactivations}/history/"): GLOBAL,
    ("GET", "users/countrydeactivation/{country-deactivations}/delete/"): NOBODY,
    ("POST", "users/countrydeactivation/{country-deactivations}/act/withdraw/"): NOBODY,
    ("GET", "users/auditentry/"): SHARED,
    ("GET", "users/auditentry/add/"): NOBODY,
    ("GET", "users/auditentry/{entry}/change/"): READ,
    ("GET", "users/auditentry/{entry}/history/"): READ,
    ("GET", "users/auditentry/{entry}/delete/"): NOBODY,
    ("GET", "core/change/"): SHARED,
    ("GET", "core/change/add/"): NOBODY,
    ("GET", "core/change/{family-changes}/change/"): READ,
    ("POST", "core/change/{family-changes}/change/"): NOBODY,
    ("GET", "core/change/{family-changes}/history/"): READ,
    ("GET", "core/change/{family-changes}/delete/"): NOBODY,
    ("GET", "core/change/{catalogue-changes}/change/"): GLOBAL,
    ("GET", "core/change/{catalogue-changes}/history/"): GLOBAL,
    ("GET", "core/exchangerate/"): GLOBAL,
    ("GET", "core/exchangerate/add/"): GLOBAL,
    ("POST", "core/exchangerate/add/"): GLOBAL,
    ("GET", "core/exchangerate/{exchange-rates}/change/"): GLOBAL,
    ("POST", "core/exchangerate/{exchange-rates}/change/"): GLOBAL,
    ("GET", "core/exchangerate/{exchange-rates}/history/"): GLOBAL,
    ("GET", "core/exchangerate/{exchange-rates}/delete/"): NOBODY,
    ("POST", "core/exchangerate/{exchange-rates}/act/remove/"): REMOVED,
    ("GET", "core/reportingcurrency/"): GLOBAL,
    # There is one already.
    ("GET", "core/reportingcurrency/add/"): NOBODY,
    ("GET", "core/reportingcurrency/{reporting}/change/"): GLOBAL,
    ("POST", "core/reportingcurrency/{reporting}/change/"): GLOBAL,
    ("GET", "core/reportingcurrency/{reporting}/history/"): GLOBAL,
    ("GET", "core/reportingcurrency/{reporting}/delete/"): NOBODY,
    ("POST", "core/reportingcurrency/{reporting}/act/remove/"): REMOVED,
    ("GET", "core/actalias/"): SHARED,
    ("GET", "core/actalias/add/"): CATALOGUE_KEEPERS,
    ("GET", "core/actalias/{alias}/change/"): SHARED,
    ("POST", "core/actalias/{alias}/change/"): NOBODY,
    ("GET", "core/actalias/{alias}/history/"): SHARED,
    ("GET", "core/actalias/{alias}/delete/"): CATALOGUE_KEEPERS,
}
for _model, _key in (RECORDS | CATALOGUE).items():
    _seen = READ if _model in RECORDS else SHARED
    TABLE["GET", f"core/{_model}/"] = SHARED
    TABLE["GET", f"core/{_model}/add/"] = NOBODY
    TABLE["GET", f"core/{_model}/{{{_key}}}/change/"] = _seen
    TABLE["POST", f"core/{_model}/{{{_key}}}/change/"] = NOBODY
    TABLE["GET", f"core/{_model}/{{{_key}}}/history/"] = _seen
    TABLE["GET", f"core/{_model}/{{{_key}}}/delete/"] = NOBODY

# Sign-in and sign-out, and addresses that only redirect.
OPEN = {"login/", "logout/", "(?P<url>.*)$"}


def ask(client: Client, method: str, path: str) -> Any:
    data = {"post": "yes", "force": "yes"} if method == "POST" else None
    address = f"/admin/{path}"
    response = client.generic(method, address) if data is None else client.post(address, data)
    content_of(response)
    return response


GETS = sorted(path for method, path in TABLE if method == "GET")
# Pages on which the admin of the marked country does not see the mark either: its absence proves nothing there.
UNMARKED = {
    "users/",
    "core/",
    "file_handling/",
    "password_change/",
    "password_change/done/",
    "jsi18n/",
    # The country is called Togo, and the tests search for that name separately.
    "users/country/",
    "users/country/{country}/change/",
    # They contain numbers only, or nothing yet.
    f"{SESSION}/{{session}}/delete/",
    f"{SESSION}/{{session}}/steer/revert/",
    "users/user/add/",
    "users/user/import/",
    *(path for path in GETS if path.startswith("core/act") and not path.endswith("history/")),
    "core/actalias/{alias}/history/",
    "autocomplete/?app_label=core&model_name=actalias&field_name=act&term=",
    # Their content comes from an import: tests/access/test_canaries.py.
    f"{SESSION}/{{session}}/events/",
    f"{SESSION}/{{session}}/download/log/",
}
# Pages that the admin of the marked country may not open.
CLOSED = {path for path in GETS if TABLE["GET", path]["togo_admin"] != 200}


def text_of(response: Any) -> str:
    page = re.sub(r"<(script|style|svg).*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
