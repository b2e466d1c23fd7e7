"""Which accounts may open every page and send its forms (DOMAIN §1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.support.cast import ACCOUNTS, Cast
from tests.support.responses import content_of

EVERYONE = [name for name, _role, _country in ACCOUNTS]
# An account of a closed country is locked out of its session.
SIGNED_IN = {name for name in EVERYONE if not name.startswith("closed_")}
READERS = {name for name in SIGNED_IN if not name.startswith("homeless_")}
OF_TOGO = {"superuser", "global_admin", "togo_admin", "togo_head", "rival_head", "togo_operator"}
IMPORTERS = {"superuser", "togo_admin", "togo_head", "rival_head", "benin_admin", "benin_head"}
READ_IMPORTS = IMPORTERS | {"global_admin"}
OF_SESSION = OF_TOGO - {"togo_operator"}
# The file and the session are those of the head of department of Togo.
OF_FILE = OF_SESSION - {"rival_head"}
STEER = {"superuser", "togo_admin", "togo_head"}
MANAGERS = {"superuser", "global_admin", "togo_admin", "benin_admin"}
OF_COUNTRY = {"superuser", "global_admin", "togo_admin"}
GLOBAL = {"superuser", "global_admin"}
WRITE_PREMIUMS = {"superuser", "togo_admin", "togo_head", "rival_head"}
TYPE_RATES = {"superuser", "togo_admin"}

# Address → the accounts that may open it. `{name}`: the id of that record of Togo.
GETS: dict[str, set[str]] = {
    "": SIGNED_IN,
    "account/": SIGNED_IN,
    "account/password/": SIGNED_IN,
    "help/": SIGNED_IN,
    "help/imports/": SIGNED_IN,
    "search/": READERS,
    "search/?q=TOGOCANAR": READERS,
    "sources/": READ_IMPORTS,
    "sources/?file={file}&row=2": OF_FILE,
    "imports/": READ_IMPORTS,
    "imports/new/": IMPORTERS,
    "imports/new/waiting/": IMPORTERS,
    "imports/new/missing-pages/?ids={file}": IMPORTERS,
    "imports/{session}/": OF_SESSION,
    "imports/{session}/progress/": OF_SESSION,
    "imports/{session}/findings/": OF_SESSION,
    "imports/{session}/findings/1/": OF_SESSION,
    "imports/{session}/findings/1/correct/": OF_SESSION - {"global_admin"},
    "imports/{session}/corrections/": OF_SESSION,
    "imports/{corrected}/comparison/": OF_SESSION,
    "imports/{session}/revert/": STEER,
    "imports/{session}/delete/": STEER,
    "corrections/": READ_IMPORTS,
    # Leads to the list.
    "corrections/{corrections}/withdraw/": OF_COUNTRY,
    # Leads to the session.
    "imports/{session}/cancel/": IMPORTERS - {"benin_admin", "benin_head"},
    "files/": READ_IMPORTS,
    "files/{file}/": OF_FILE,
    "files/{file}/preview/": OF_FILE,
    "files/{file}/delete/": STEER,
    "accounts/": MANAGERS,
    "accounts/new/": MANAGERS,
    "accounts/import/": MANAGERS,
    "accounts/{account}/": OF_COUNTRY,
    "accounts/{account}/change/": OF_COUNTRY - {"global_admin"},
    "countries/": MANAGERS,
    "countries/new/": GLOBAL,
    "countries/{country}/": OF_COUNTRY,
    "countries/{country}/change/": GLOBAL,
    "currencies/": GLOBAL,
    "currencies/new/": GLOBAL,
    "currencies/import/": GLOBAL,
    "currencies/template/": GLOBAL,
    "currencies/{exchange-rates}/": GLOBAL,
    "audit/": MANAGERS,
    "premiums/changes/": READERS,
    "premiums/new/": IMPORTERS,
    "premiums/import/": IMPORTERS,
    "premiums/import/template/": IMPORTERS,
    "premiums/{premiums}/": OF_TOGO,
    "premiums/{premiums}/change/": WRITE_PREMIUMS,
    "premiums/{premiums}/delete/": WRITE_PREMIUMS,
    "premiums/{premiums}/undo/": WRITE_PREMIUMS,
    "webhooks/": MANAGERS,
    "webhooks/new/": MANAGERS,
    "webhooks/{webhooks}/": OF_COUNTRY,
    "webhooks/{webhooks}/change/": OF_COUNTRY,
    "figures/": READERS,
}
RECORDS = {
    "claims": "claims",
    "insured": "insured",
    "families": "memberships",
    "clients": "clients",
    "policies": "policies",
    "partners": "partners",
    "operators": "operators",
}
for _name, _record in RECORDS.items():
    GETS[f"{_name}/{{{_record}}}/"] = OF_TOGO
GETS["clients/{clients}/renewal/"] = OF_TOGO
# Pages that correct the persons of Togo.
CORRECT = {"superuser", "togo_admin", "togo_head", "rival_head"}
CORRECTIONS = [
    *(f"insured/{{insured}}/{name}/" for name in ("merge", "name", "split")),
    *(f"memberships/{{memberships}}/{name}/" for name in ("attach", "role")),
    *(f"{name}/{{{name}}}/merge/" for name in ("clients", "partners", "operators")),
]
for _name in CORRECTIONS:
    GETS[_name] = CORRECT
GETS["families/changes/{family-changes}/"] = OF_TOGO
LISTS = [
    "claims/",
    "claim-lines/",
    "insured/",
    "memberships/",
    "families/",
    "families/changes/",
    *(f"{name}/" for name in list(RECORDS)[3:]),
    "acts/",
    "act-categories/",
    "premiums/",
]
for _name in LISTS:
    GETS[_name] = READERS
GETS["acts/{acts}/"] = READERS
# Without a filter it leads to those that wait.
GETS["review/?state=gone"] = READ_IMPORTS
GETS["review/{review-pairs}/"] = OF_SESSION
for _name in ("policies/to-complete/", "plans/to-complete/"):
    GETS[_name] = READERS
GETS["act-categories/{act-categories}/"] = READERS
for _name in ("acts/candidates/", "acts/{acts}/catalogue/", "act-categories/candidates/"):
    GETS[_name] = GLOBAL
for _name in ("act-categories/{act-categories}/catalogue/", "catalogue-changes/"):
    GETS[_name] = GLOBAL
GETS["catalogue-changes/{catalogue-changes}/undo/"] = GLOBAL
PARTS = [
    "trends", "categories", "rankings", "concentration", "delay", "triangle", "loss-ratio", "prices", "left-out",
    "quality", "watch-list",
]  # fmt: skip
for _name in PARTS:
    GETS[f"figures/{_name}/"] = READERS
GETS["figures/imports/"] = READ_IMPORTS

# Forms: the accounts whose form is read. An empty form is then refused in words, which is not 403.
POSTS: dict[str, set[str]] = {
    "account/": SIGNED_IN,
    "account/password/": SIGNED_IN,
    "imports/new/": IMPORTERS,
    "imports/{session}/revert/": STEER,
    "imports/{session}/delete/": STEER,
    "imports/{session}/cancel/": STEER,
    "imports/{session}/findings/1/correct/": OF_SESSION - {"global_admin"},
    "imports/{session}/corrections/": OF_SESSION - {"global_admin"},
    "corrections/{corrections}/withdraw/": OF_COUNTRY,
    "files/{file}/delete/": STEER,
    "review/": IMPORTERS,
    "review/{review-pairs}/": OF_SESSION - {"global_admin"},
    "accounts/new/": MANAGERS,
    "accounts/import/": MANAGERS,
    "accounts/{account}/change/": OF_COUNTRY - {"global_admin"},
    # A global admin sees the account, and is refused in words.
    "accounts/{account}/deactivate/": OF_COUNTRY,
    "countries/new/": GLOBAL,
    "countries/{country}/change/": GLOBAL,
    # Asks for its deactivation.
    "countries/{country}/": GLOBAL,
    "countries/{country}/deactivate/": GLOBAL,
    "premiums/new/": IMPORTERS,
    "premiums/import/": IMPORTERS,
    "premiums/{premiums}/change/": WRITE_PREMIUMS,
    "premiums/{premiums}/delete/": WRITE_PREMIUMS,
    "premiums/{premiums}/undo/": WRITE_PREMIUMS,
    "currencies/new/": GLOBAL,
    "currencies/import/": GLOBAL,
    "currencies/reporting/": GLOBAL,
    "currencies/{exchange-rates}/": GLOBAL,
    "currencies/{exchange-rates}/delete/": GLOBAL,
    "webhooks/new/": MANAGERS,
    "webhooks/{webhooks}/change/": OF_COUNTRY,
    "webhooks/{webhooks}/test/": OF_COUNTRY,
    "webhooks/{webhooks}/messages/{webhook-messages}/replay/": OF_COUNTRY,
    "policies/{policies}/rate/": TYPE_RATES,
    "policies/{policies}/subscriber/": TYPE_RATES,
    "plans/{plans}/rate/": TYPE_RATES,
    "acts/candidates/": GLOBAL,
    "acts/{acts}/catalogue/": GLOBAL,
    "act-categories/candidates/": GLOBAL,
    "act-categories/{act-categories}/catalogue/": GLOBAL,
    "catalogue-changes/{catalogue-changes}/undo/": GLOBAL,
    # Only the watch list has a form.
    "figures/": READERS,
    "figures/watch-list/": IMPORTERS,
}
for _name in [*CORRECTIONS, "families/changes/{family-changes}/"]:
    POSTS[_name] = CORRECT
# Pages that need no account, and ends of a session, after which the account is at the sign-in page.
OPEN = {
    "sign-in/",
    "account/sign-out/",
    "account/sign-out-everywhere/",
    "account/password/choose/",
    "account/password/forgotten/",
    "language/",
}
# Not pages.
_OTHER = ("api/", "admin/", "health/")


def is_let_in(response: Any) -> bool:
    """Whether the page was opened: neither the sign-in page nor 403."""
    content_of(response)
    assert response.status_code < 500
    if response.status_code in (301, 302):
        return not response["Location"].startswith("/sign-in/")
    return bool(response.status_code != 403)


def signed_in(cast: Cast, name: str) -> Client:
    client = Client()
    if name != "anonymous":
        client.force_login(cast.users[name])
    return client


def page_routes() -> Iterator[tuple[str, Any]]:
    """(address with `*` for each variable part, view) of every page."""
    for address, view in _routes(get_resolver(), ""):
        if not address.startswith(_OTHER):
            yield re.sub(r"<[^>]+>", "*", address), view


def _routes(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, Any]]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _routes(entry, path)
        elif isinstance(entry, URLPattern):
            yield path, entry.callback


def plain(address: str) -> str:
    """An address of the tables with `*` for each record."""
    return re.sub(r"{[^}]*}", "*", address.split("?")[0])
