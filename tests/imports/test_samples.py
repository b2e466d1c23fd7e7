"""Sample pairs, whose outcome is known by construction, field by field through the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from core.integrity import dangling_references
from samples import make_pair
from tests.support.api_user import ApiUser

pytestmark = pytest.mark.django_db(transaction=True)

NOT_IMPORTED = {"unreadable", "divergent_in_recap", "inconsistent", "incomplete", "amount_gap", "missing_in_recap"}


@pytest.mark.parametrize(
    "options",
    [
        {"claims": 10, "seed": 1, "fmt": "csv"},
        {"claims": 60, "seed": 2, "fmt": "csv", "pages": 4, "odd": ["layout-shuffled"]},
        {"claims": 150, "seed": 3, "fmt": "xlsx"},
        {"claims": 250, "seed": 4, "fmt": "xlsx", "pages": 12, "odd": ["layout-shuffled"]},
        {"claims": 600, "seed": 5, "fmt": "csv", "pages": 3},
    ],
    ids=lambda options: " ".join(f"{name} {value}" for name, value in options.items()),
)
def test_a_sample_pair_has_its_expected_outcome(options: dict[str, Any], tmp_path: Path) -> None:
    expected = make_pair(tmp_path, **options)
    api = ApiUser()

    def upload(name: str) -> SimpleUploadedFile:
        return SimpleUploadedFile(name, (tmp_path / name).read_bytes())

    files, category_of = expected.pop("files"), expected.pop("category_of")
    # Their own test compares the figures with the dashboard.
    del expected["figures"]
    expected.pop("odd", None)
    outcome = api.import_pair(upload(files["stat"]), [upload(name) for name in files["recaps"]])
    assert outcome.status == "DONE_WITH_ERRORS", outcome.message
    assert outcome.summary == expected
    categories = {f["claim_number"]: f["category"] for f in outcome.findings if f["category"] in NOT_IMPORTED}
    assert categories == {number: name for number, name in category_of.items() if name in NOT_IMPORTED}
    statuses = {number: claim["status"] for number, claim in api.claims().items()}
    assert statuses == {
        number: "settled" if name == "conform" else "cancelled"
        for number, name in category_of.items()
        if name not in NOT_IMPORTED
    }
    for kind, table in {"act_categories": "act-categories"}.items() | {
        (name, name) for name in expected["entities"] if name != "act_categories"
    }:
        assert len(api.all(f"{table}/")) == expected["entities"][kind], kind
    assert dangling_references() == {}
