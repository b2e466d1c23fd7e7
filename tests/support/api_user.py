"""A user of the REST API: uploads a pair, runs its session as a worker would, and reads the result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from typing import Any

import openpyxl
from knox.models import AuthToken
from rest_framework.response import Response
from rest_framework.test import APIClient

from importer.runs import run_session
from tests.support.pairs import Cells, recap_csv, stat_csv
from tests.support.responses import content_of
from users.models import Country, Role, User

API = "/api/v1/"
SESSIONS = f"{API}import-sessions/"
Json = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """A session and its findings as the API shows them after a run."""

    session: Json
    findings: list[Json]

    @property
    def id(self) -> int:
        return int(self.session["id"])

    @property
    def status(self) -> str:
        return str(self.session["status"])

    @property
    def message(self) -> str:
        return str(self.session["message"])

    @property
    def summary(self) -> Json:
        return dict(self.session["summary"])

    def findings_in(self, category: str) -> list[Json]:
        return [finding for finding in self.findings if finding["category"] == category]

    def numbers(self, category: str) -> list[str]:
        return [finding["claim_number"] for finding in self.findings_in(category)]

    def created(self) -> dict[str, int]:
        """Number of records that the session created, by kind; kinds without any are left out."""
        return {name: count for name, count in self.summary["entities"].items() if count}


class ApiUser:
    """The territorial admin of a new country."""

    def __init__(self, code: str = "TG", *, tolerance: Decimal = Decimal(5)) -> None:
        self.country = Country.objects.create(name=f"Country {code}", code=code, tolerance=tolerance)
        self._sign_in(
            User.objects.create_user(
                username=f"admin_{code}", email=f"{code}@example.org", role=Role.ADMIN_TERRITORIAL, country=self.country
            )
        )

    @classmethod
    def for_user(cls, user: User) -> ApiUser:
        """The API as an existing account uses it."""
        api_user = cls.__new__(cls)
        api_user.country = user.country  # type: ignore[assignment]
        api_user._sign_in(user)
        return api_user

    def _sign_in(self, user: User) -> None:
        self.user = user
        self.client = APIClient()
        self.client.credentials(HTTP_AUTHORIZATION=f"Token {AuthToken.objects.create(user=user)[1]}")

    def post(self, stat: Iterable[Cells] | Any, recap: Sequence[Any], **form: Any) -> Response:
        """Send a pair. Dicts become a CSV file, anything else is sent as it is. `recap`: rows of one page, or pages."""
        stat_file = stat_csv(stat) if isinstance(stat, list) else stat
        pages = [recap_csv(recap)] if not recap or isinstance(recap[0], dict) else recap
        return self.client.post(SESSIONS, {"stat_file": stat_file, "recap_file": pages} | form, format="multipart")

    def send(self, stat: Any, recap: Sequence[Any], **form: Any) -> int:
        """Send a pair that the API accepts; → id of the session, which is waiting for a worker."""
        response = self.post(stat, recap, **form)
        assert response.status_code == 202, response.content.decode()
        return int(response.json()["id"])

    def import_pair(self, stat: Any, recap: Sequence[Any], **form: Any) -> Outcome:
        """Send a pair and run its session."""
        return self.run(self.send(stat, recap, **form))

    def run(self, session_id: int) -> Outcome:
        run_session(session_id)
        return self.outcome(session_id)

    def outcome(self, session_id: int) -> Outcome:
        session = self.get(f"import-sessions/{session_id}/")
        return Outcome(session, self.all(f"import-sessions/{session_id}/findings/"))

    def steer(self, session_id: int, act: str, **form: Any) -> Response:
        return self.client.post(f"{SESSIONS}{session_id}/{act}/", form, format="json")

    def get(self, path: str) -> Json:
        response = self.client.get(f"{API}{path}")
        assert response.status_code == 200, response.content.decode()
        return dict(response.json())

    def all(self, path: str) -> list[Json]:
        """Every row of a list, from all its pages."""
        address: str | None = f"{API}{path}{'&' if '?' in path else '?'}page_size=200"
        rows: list[Json] = []
        while address:
            page = self.client.get(address).json()
            rows += page["results"]
            address = page["next"]
        return rows

    def claims(self) -> dict[str, Json]:
        return {claim["number"]: claim for claim in self.all("claims/")}

    def claim(self, number: str) -> Json:
        """One claim with its lines, membership and place in the recap."""
        (found,) = self.all(f"claims/?number={number}")
        return self.get(f"claims/{found['id']}/")

    def report(self, session_id: int) -> openpyxl.Workbook:
        response = self.client.get(f"{SESSIONS}{session_id}/download/?type=error")
        assert response.status_code == 200
        return openpyxl.load_workbook(BytesIO(content_of(response)))
