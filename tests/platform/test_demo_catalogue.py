"""The act catalogue of the demonstration has names to merge, and changes to undo."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from samples import make_pair
from scripts.api_client import Client
from scripts.demo.catalogue import order_catalogue
from scripts.demo.review import make_review_pair
from tests.support.api_user import ApiUser
from users.models import Role, User

pytestmark = pytest.mark.django_db(transaction=True)


class Caller:
    """The client of the demo, without a server."""

    def __init__(self, user: ApiUser) -> None:
        self.user = user

    def call(self, method: str, path: str, *, fields: Any = None, json: Any = None) -> Any:
        client = self.user.client
        answer = client.get(path, fields) if method == "GET" else client.post(path, json, format="json")
        assert answer.status_code < 400, answer.content.decode()
        return answer.json()


def test_the_catalogue_of_the_demo_has_candidates_and_a_history_and_a_merge_can_be_undone(tmp_path: Path) -> None:
    admin = ApiUser("TG")
    files = make_pair(tmp_path, fmt="csv", claims=200, start=date(2024, 1, 1), days=200)["files"]
    names = make_review_pair(tmp_path / "names", day=date(2024, 3, 1))
    for stat, *recaps in ([tmp_path / name for name in [files["stat"], *files["recaps"]]], list(names)):
        uploads = [SimpleUploadedFile(path.name, path.read_bytes()) for path in (stat, *recaps)]
        assert admin.import_pair(uploads[0], uploads[1:]).status in ("DONE", "DONE_WITH_ERRORS")
    boss = ApiUser.for_user(User.objects.create_user("boss", "boss@example.org", "x", role=Role.SUPERUSER))
    caller = cast(Client, Caller(boss))

    def offered(kind: str) -> set[frozenset[str]]:
        return {
            frozenset((one["kept"]["name"].upper(), one["other"]["name"].upper()))
            for one in boss.all(f"{kind}/candidates/")
        }

    merged = frozenset(("DÉTARTRAGE", "DÉTARTAGE"))
    waiting = {
        frozenset(("CONSULTATION GÉNÉRALISTE", "CONSULTATIONS GÉNÉRALISTES")),
        frozenset(("MÉDICAMENTS SUR ORDONNANCE", "MÉDICAMENT SUR ORDONNANCE")),
        frozenset(("SCANNER CÉRÉBRAL", "SCANER CEREBRAL")),
        frozenset(("RADIOGRAPHIE DU THORAX", "RADIOGRAPHIES DU THORAX")),
    }
    assert offered("acts") == waiting | {merged}
    assert offered("act-categories") == {frozenset(("IMAGERIE", "IMAGERIES"))}
    for _turn in range(2):
        order_catalogue(caller)
        changes = boss.all("catalogue-changes/")
        assert [one["kind"] for one in changes] == ["act_merge", "act_category", "act_rename", "act_alias_add"]
    assert offered("acts") == waiting
    assert changes[0]["moved"]["lines"] == 1
    caller.call("POST", f"/api/v1/catalogue-changes/{changes[0]['id']}/undo/")
    assert offered("acts") == waiting | {merged}
