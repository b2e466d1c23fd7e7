"""Odd files of every kind that the sample generator makes, imported through the API (DOMAIN §4)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from samples import ODD_KINDS, OddKind, make_pair
from tests.support.api_user import ApiUser

pytestmark = pytest.mark.django_db(transaction=True)

CLAIMS = 40
CASES = [
    pytest.param(kind, fmt, where, id=f"{kind.name} in {fmt} {where}")
    for kind in ODD_KINDS.values()
    for fmt in kind.formats
    for where in (("both",) if kind.sides == ("stat", "recap") else kind.sides)
]


def _user_in_country_of(expected: dict[str, Any]) -> ApiUser:
    user = ApiUser()
    if currency := expected["odd"]["currency"]:
        user.country.currency_code = currency
        user.country.save()
    return user


def _uploads(folder: Path, expected: dict[str, Any]) -> tuple[SimpleUploadedFile, list[SimpleUploadedFile]]:
    def upload(name: str) -> SimpleUploadedFile:
        return SimpleUploadedFile(name, (folder / name).read_bytes())

    return upload(expected["files"]["stat"]), [upload(name) for name in expected["files"]["recaps"]]


def _assert_imported_as_expected(folder: Path, expected: dict[str, Any]) -> None:
    user = _user_in_country_of(expected)
    stat, recaps = _uploads(folder, expected)
    outcome = user.import_pair(stat, recaps)
    assert outcome.status == "DONE_WITH_ERRORS", outcome.message
    category_of = expected["category_of"]
    assert outcome.summary == {
        name: expected[name] for name in expected if name not in ("files", "category_of", "figures", "odd")
    }
    listed = {
        f["claim_number"]: f["category"] for f in outcome.findings if f["category"] in expected["claims"]["by_category"]
    }
    imported = ("conform", "cancelled")
    assert {number: name for number, name in listed.items() if number in category_of} == {
        number: name for number, name in category_of.items() if name not in imported
    }
    statuses = {number: claim["status"] for number, claim in user.claims().items()}
    assert statuses == {
        number: {"conform": "settled", "cancelled": "cancelled"}[name]
        for number, name in category_of.items()
        if name in imported
    }


def _assert_refused(folder: Path, expected: dict[str, Any]) -> None:
    stat, recaps = _uploads(folder, expected)
    user = _user_in_country_of(expected)
    response = user.post(stat, recaps)
    if response.status_code == 202:
        outcome = user.run(int(response.json()["id"]))
        assert outcome.status == "ERROR"
        message = outcome.message
    else:
        assert response.status_code == 400
        message = response.content.decode()
    assert any(word in message for word in expected["odd"]["refusal"]), message
    assert user.claims() == {}


@pytest.mark.parametrize(("kind", "fmt", "where"), CASES)
def test_an_odd_pair_has_its_known_outcome(kind: OddKind, fmt: str, where: Any, tmp_path: Path) -> None:
    expected = make_pair(tmp_path, claims=CLAIMS, seed=11, pages=2, fmt=fmt, odd=[kind.name], where=where)
    if kind.refusal:
        _assert_refused(tmp_path, expected)
    else:
        _assert_imported_as_expected(tmp_path, expected)


@pytest.mark.parametrize("where", ["stat", "recap"])
@pytest.mark.parametrize(
    "name",
    [
        "reference-shortened-claim-number",
        "reference-shortened-others",
        "amount-credit-marks",
        "amount-lone-mark",
        "amount-lone-mark-eur",
        "amount-lone-mark-decimals-eur",
        "date-unreadable",
    ],
)
def test_one_odd_file_beside_a_plain_one_has_its_known_outcome(name: str, where: Any, tmp_path: Path) -> None:
    expected = make_pair(tmp_path, claims=CLAIMS, seed=12, pages=2, fmt="csv", odd=[name], where=where)
    _assert_imported_as_expected(tmp_path, expected)


@pytest.mark.parametrize(
    ("fmt", "names"),
    [
        ("xlsx", ["package-back-slashes", "header-two-rows", "merged-everything", "text-invisible", "date-months"]),
        (
            "xlsx",
            ["layout-shuffled", "package-main-part", "header-repeated", "merged-extra-row", "amount-minus-behind"],
        ),
        ("csv", ["package-text-named-xls", "header-two-rows-repeated", "text-formulas", "amount-lone-mark"]),
        (
            "csv",
            ["layout-utf-16", "header-titles", "text-no-break-spaces", "reference-shortened-others", "date-weekdays"],
        ),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else value,
)
def test_kinds_of_several_groups_in_one_pair_have_the_known_outcome(fmt: str, names: list[str], tmp_path: Path) -> None:
    expected = make_pair(tmp_path, claims=CLAIMS, seed=13, pages=2, fmt=fmt, odd=names)
    _assert_imported_as_expected(tmp_path, expected)


@pytest.mark.parametrize(
    ("name", "fmt"),
    [
        ("package-back-slashes", "xlsx"),
        ("package-text-named-xls", "csv"),
        ("package-workbook-named-xls", "xlsx"),
        ("header-two-rows", "xlsx"),
        ("header-repeated", "csv"),
        ("text-formulas", "csv"),
        ("amount-lone-mark", "csv"),
        ("package-web-page-named-xls", "csv"),
        ("package-encrypted", "xlsx"),
    ],
)
def test_odd_pages_of_a_zip_have_their_known_outcome(name: str, fmt: str, tmp_path: Path) -> None:
    expected = make_pair(tmp_path, claims=CLAIMS, seed=14, pages=2, fmt=fmt, odd=[name], where="recap", zipped=True)
    if expected["odd"]["refusal"]:
        _assert_refused(tmp_path, expected)
    else:
        _assert_imported_as_expected(tmp_path, expected)


@pytest.mark.parametrize(
    ("name", "code", "in_the_text"),
    [
        ("amount-lone-mark", "thousands_from_three_digits", "Montant facturé"),
        ("amount-lone-mark-both", "thousands_from_three_digits", "Montant facturé"),
        ("amount-lone-mark-thousands-eur", "thousands_from_three_digits", "Montant facturé"),
        ("reference-shortened-others", "references_lost_digits", "E+"),
    ],
)
def test_the_session_warns_of_values_that_were_read_with_doubt(
    name: str, code: str, in_the_text: str, tmp_path: Path
) -> None:
    expected = make_pair(tmp_path, claims=CLAIMS, seed=15, fmt="csv", odd=[name], where="stat")
    outcome = _user_in_country_of(expected).import_pair(*_uploads(tmp_path, expected))
    texts = [finding["observation"] for finding in outcome.findings_in("warning") if finding["code"] == code]
    assert texts
    assert any(in_the_text in text for text in texts), texts


@pytest.mark.parametrize("name", ["amount-lone-mark-decimals", "amount-lone-mark-eur"])
def test_no_warning_of_thousands_where_none_were_read(name: str, tmp_path: Path) -> None:
    expected = make_pair(tmp_path, claims=CLAIMS, seed=16, fmt="csv", odd=[name])
    outcome = _user_in_country_of(expected).import_pair(*_uploads(tmp_path, expected))
    assert "thousands_from_three_digits" not in {finding["code"] for finding in outcome.findings_in("warning")}
