"""Corrections over the API: cells and rows in, a session in REVIEW out, then the commit (DOMAIN §13)."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from file_handling.models import Correction, File, ImportSession
from samples.pairs import make_rows
from samples.spoiling import spoil
from samples.writing import write_pair
from tests.support.api_user import SESSIONS, ApiUser, Json, Outcome
from tests.support.cast import Cast
from tests.support.pairs import line, row, stat_xlsx
from tests.support.spoiled_pairs import corrections_of
from users.models import AuditEntry

pytestmark = pytest.mark.django_db(transaction=True)


def sent(api: ApiUser, session: int, body: Any, **headers: str) -> Any:
    path = f"{SESSIONS}{session}/corrections/"
    return api.client.post(path, json.dumps(body), content_type="application/json", headers=headers)


def cell(file: int, at: int, field: str, value: str, **more: Any) -> Json:
    return {"file": file, "sheet": "", "row": at, "field": field, "value": value} | more


def corrected(api: ApiUser, session: int, *cells: Json, remove: list[Json] | None = None) -> Outcome:
    answer = sent(api, session, {"cells": list(cells), "remove": remove or []})
    assert answer.status_code == 202, answer.content.decode()
    return api.run(int(answer.json()["id"]))


def committed(api: ApiUser, session: int) -> Outcome:
    assert api.steer(session, "commit").status_code == 200
    return api.run(session)


def gap_pair(api: ApiUser, **form: Any) -> Outcome:
    return api.import_pair([line("S-1"), line("S-2", "248540")], [row("S-1"), row("S-2", "248450")], **form)


def ids(outcome: Outcome) -> tuple[int, int]:
    """Of the stat file and of the recap's first page."""
    return outcome.session["stat_file"]["id"], outcome.session["recap_file"]["id"]


# ------------------------------------------------------------------------------------------------ the loop


def test_a_corrected_cell_brings_the_claim() -> None:
    api = ApiUser()
    first = gap_pair(api)
    assert first.numbers("amount_gap") == ["S-2"]
    stat, _recap = ids(first)
    second = corrected(api, first.id, cell(stat, 3, "claimed_amount", "248450", was="248540"))
    assert (second.status, second.session["corrects"]) == ("REVIEW", first.id), second.message
    assert set(api.claims()) == {"S-1"}
    compared = api.get(f"import-sessions/{second.id}/comparison/")
    assert compared["count"] == 1
    (claim,) = compared["results"]
    assert claim["claim_number"] == "S-2"
    assert claim["before"] == {"category": "amount_gap", "claimed": "248540.00", "reimbursed": "4000.00"}
    assert claim["after"] == {"category": "conform", "claimed": "248450.00", "reimbursed": "4000.00"}
    (change,) = claim["cells"]
    assert {"file": stat, "row": 3, "field": "claimed_amount", "was": "248540", "value": "248450"}.items() <= (
        change.items()
    )
    assert committed(api, second.id).status == "DONE"
    assert api.claims()["S-2"]["claimed_amount"] == "248450.00"
    # The line says that it was corrected, the other one does not; the file itself is as it was.
    assert [one["corrected"] for one in api.claim("S-2")["lines"]] == [True]
    assert [one["corrected"] for one in api.claim("S-1")["lines"]] == [False]
    assert api.claim("S-2")["recap"]["corrected"] is False
    preview = api.get(f"files/{stat}/preview/")
    assert "248540" in str(preview["rows"])


def test_a_corrected_recap_row_is_marked_where_the_claim_names_it() -> None:
    api = ApiUser()
    first = gap_pair(api)
    _stat, recap = ids(first)
    second = corrected(api, first.id, cell(recap, 3, "claimed_amount", "248540"))
    committed(api, second.id)
    claim = api.claim("S-2")
    assert (claim["recap"]["corrected"], claim["lines"][0]["corrected"]) == (True, False)


def test_rows_that_are_left_out_and_claims_that_appear_and_vanish_are_compared() -> None:
    api = ApiUser()
    first = api.import_pair(
        [line("S-1"), line("S-2"), line("S-2", beneficiary="AYITE KOSSI"), line("S-8"), line("S-9")],
        [row("S-1"), row("S-2"), row("S-3")],
    )
    assert (first.numbers("inconsistent"), first.numbers("missing_in_recap")) == (["S-2"], ["S-8", "S-9"])
    stat, _recap = ids(first)
    second = corrected(
        api,
        first.id,
        cell(stat, 5, "claim_number", " s-3 "),
        remove=[{"file": stat, "row": 4}, {"file": stat, "row": 6}],
    )
    found = {one["claim_number"]: one for one in api.all(f"import-sessions/{second.id}/comparison/")}
    categories = {
        number: tuple(one[when] and one[when]["category"] for when in ("before", "after"))
        for number, one in found.items()
    }
    assert categories == {
        "S-2": ("inconsistent", "conform"),
        "S-3": (None, "conform"),
        "S-8": ("missing_in_recap", None),
        "S-9": ("missing_in_recap", None),
    }
    assert [one["removes_row"] for one in found["S-2"]["cells"]] == [True]
    # The corrected number belongs to both claims.
    assert found["S-3"]["cells"] == found["S-8"]["cells"] != []
    assert committed(api, second.id).status == "DONE"
    assert set(api.claims()) == {"S-1", "S-2", "S-3"}


def test_corrections_apply_to_every_later_session_with_the_same_file_until_they_are_withdrawn() -> None:
    api = ApiUser()
    first = gap_pair(api)
    stat, _recap = ids(first)
    corrected(api, first.id, cell(stat, 3, "claimed_amount", "248450"))
    again = gap_pair(api, dry_run="true")
    assert ids(again)[0] != stat
    assert again.summary["claims"]["by_category"] == {"conform": 2}
    (correction,) = api.all("corrections/")
    assert (correction["was"], correction["claim_number"], correction["withdrawn_at"]) == ("248540", "S-2", None)
    answer = api.client.post(f"/api/v1/corrections/{correction['id']}/withdraw/")
    assert (answer.status_code, answer.json()["withdrawn_by"]) == (200, api.user.pk)
    assert api.client.post(f"/api/v1/corrections/{correction['id']}/withdraw/").status_code == 409
    assert gap_pair(api, dry_run="true").numbers("amount_gap") == ["S-2"]
    # What was reviewed with the correction would now be another import.
    back = committed(api, again.id)
    assert (back.status, back.numbers("amount_gap")) == ("REVIEW", ["S-2"])


def test_the_same_file_in_another_country_is_not_corrected() -> None:
    api, other = ApiUser("TG"), ApiUser("BJ")
    first = gap_pair(api)
    committed(api, corrected(api, first.id, cell(ids(first)[0], 3, "claimed_amount", "248450")).id)
    theirs = gap_pair(other)
    assert theirs.numbers("amount_gap") == ["S-2"]
    assert other.all("corrections/") == []
    answer = sent(other, theirs.id, {"cells": [cell(ids(first)[0], 3, "note", "x")]})
    assert [one["index"] for one in answer.json()["errors"]] == [0]


def test_a_session_keeps_its_corrections_when_later_ones_are_made() -> None:
    api = ApiUser()
    first = gap_pair(api)
    stat, _recap = ids(first)
    second = corrected(api, first.id, cell(stat, 3, "claimed_amount", "248450"))
    third = corrected(api, second.id, cell(stat, 2, "claimed_amount", "9000"))
    assert third.numbers("amount_gap") == ["S-1"]
    (only,) = api.all(f"import-sessions/{third.id}/comparison/")
    assert (only["claim_number"], len(only["cells"])) == ("S-1", 1)
    # The newest of a cell counts.
    fourth = corrected(api, third.id, cell(stat, 2, "claimed_amount", "5000"))
    assert fourth.summary["claims"]["by_category"] == {"conform": 2}
    assert committed(api, second.id).status == "DONE"
    assert set(api.claims()) == {"S-1", "S-2"}


def test_a_revert_keeps_the_corrections() -> None:
    api = ApiUser()
    first = gap_pair(api)
    second = corrected(api, first.id, cell(ids(first)[0], 3, "claimed_amount", "248450"))
    committed(api, second.id)
    assert api.steer(second.id, "revert").status_code == 200
    assert set(api.claims()) == {"S-1"}
    assert gap_pair(api).status == "DONE"
    assert set(api.claims()) == {"S-1", "S-2"}


def test_a_file_whose_content_was_changed_is_refused_by_name_and_nothing_is_written() -> None:
    api = ApiUser()
    first = gap_pair(api)
    stat, _recap = ids(first)
    second = corrected(
        api,
        first.id,
        cell(stat, 3, "claimed_amount", "248450"),
        remove=[{"file": stat, "row": 2}],
    )
    stored = Path(File.objects.get(pk=stat).file.path)
    lines = stored.read_text().splitlines()
    stored.write_text("\n".join([lines[0], "", lines[2].replace("248540", "1")]))
    ended = committed(api, second.id)
    assert (ended.status, set(api.claims())) == ("ERROR", {"S-1"})
    assert "“stat.csv” has no line in row 2" in ended.message
    assert "“stat.csv”, row 3: the field claimed_amount" in ended.message


def test_a_sheet_that_was_not_read_keeps_its_corrections_to_itself() -> None:
    api = ApiUser()
    book = stat_xlsx({"Janvier": [line("S-1", "9000")], "Février": [line("S-1", "5000")]}, titles=2)
    first = api.import_pair(book, [row("S-1")], stat_sheet="Janvier")
    stat, _recap = ids(first)
    at = {"file": stat, "sheet": "Janvier", "row": 4}
    fixed = corrected(api, first.id, at | {"field": "claimed_amount", "value": "5000", "was": "9000"})
    assert fixed.summary["claims"]["by_category"] == {"conform": 1}
    wrong_sheet = sent(api, first.id, {"cells": [at | {"sheet": "Février", "field": "note", "value": "x"}]})
    assert wrong_sheet.status_code == 400
    book.seek(0)
    other = api.import_pair(book, [row("S-1")], stat_sheet="Février")
    assert other.status == "DONE", other.message


# ------------------------------------------------------------------------------------------------ refusals


def test_every_entry_that_does_not_fit_is_named() -> None:
    api = ApiUser()
    first = gap_pair(api)
    stat, recap = ids(first)
    good = cell(stat, 3, "claimed_amount", "248450", was="248540")
    cells: list[Any] = [
        good,
        good | {"value": "1"},
        cell(987654, 3, "note", "x"),
        cell(stat, 3, "totalmttreclame", "1"),
        cell(recap, 2, "operator", "1"),
        cell(stat, 99, "note", "x"),
        cell(stat, 1, "note", "x"),
        good | {"sheet": "Feuil1"},
        cell(stat, 3, "note", "x", was="other"),
        cell(stat, 2, "note", "x"),
        cell(stat, 3, "settlement_date", "31/02/2024"),
        cell(stat, 3, "reimbursed_amount", "beaucoup"),
        cell(stat, 3, "claim_number", "2,0230E+16"),
        "text",
        cell(stat, 3, "note", "x") | {"row": "3"},
        cell(stat, 3, "act", 5),  # type: ignore[arg-type]
        cell(stat, 3, "act", "half \ud800"),
        cell(stat, 3, "act", "x") | {"half \ud800": 1},
    ]
    remove = [{"file": stat, "row": 2}, {"file": stat, "row": 50}, {"row": 2}, {"file": stat, "row": 2}]
    answer = sent(api, first.id, {"cells": cells, "remove": remove})
    assert answer.status_code == 400
    errors = answer.json()["errors"]
    assert [one["index"] for one in errors] == [*range(1, 18), 19, 20]
    assert all(set(one) == {"index", "message"} and one["message"] for one in errors)
    assert not Correction.objects.exists()
    assert ImportSession.objects.count() == 1
    # No message shows a text of the file, which the author may not be allowed to read.
    assert "248540" not in answer.content.decode()


@pytest.mark.parametrize(
    "body", [{}, {"cells": [], "remove": []}, [], {"cells": {}}, {"cells": [], "delete": []}, {"cells": "x"}]
)
def test_a_body_without_entries_is_refused(body: Any) -> None:
    api = ApiUser()
    first = gap_pair(api)
    answer = sent(api, first.id, body)
    assert (answer.status_code, bool(answer.json()["detail"])) == (400, True)


def test_a_row_that_an_earlier_correction_leaves_out_has_no_cells_to_correct() -> None:
    api = ApiUser()
    first = gap_pair(api)
    stat, _recap = ids(first)
    corrected(api, first.id, remove=[{"file": stat, "row": 3}])
    answer = sent(api, first.id, {"cells": [cell(stat, 3, "note", "x")]})
    assert [one["index"] for one in answer.json()["errors"]] == [0]


def test_a_session_is_corrected_once_it_is_reconciled() -> None:
    api = ApiUser()
    waiting = api.send([line("S-1", "1")], [row("S-1")])
    stat = api.get(f"import-sessions/{waiting}/")["stat_file"]["id"]
    body = {"cells": [cell(stat, 2, "claimed_amount", "5000")]}
    assert sent(api, waiting, body).status_code == 409
    api.run(waiting)
    answer = sent(api, waiting, body)
    assert answer.status_code == 202
    comparison = f"{SESSIONS}{answer.json()['id']}/comparison/"
    assert api.client.get(comparison).status_code == 409
    api.run(answer.json()["id"])
    assert api.client.get(comparison).status_code == 200
    assert api.client.get(f"{SESSIONS}{waiting}/comparison/").status_code == 404


def test_files_that_were_deleted_cannot_be_corrected() -> None:
    api = ApiUser()
    first = gap_pair(api)
    stat, _recap = ids(first)
    assert api.client.delete(f"/api/v1/files/{stat}/?force=true").status_code == 204
    answer = sent(api, first.id, {"cells": [cell(stat, 2, "note", "x")]})
    assert (answer.status_code, "deleted" in answer.json()["detail"]) == (409, True)


def test_a_request_that_is_sent_twice_under_one_key_corrects_once() -> None:
    api = ApiUser()
    first = gap_pair(api)
    stat, _recap = ids(first)
    body = {"cells": [cell(stat, 3, "claimed_amount", "248450")]}
    one, two = (sent(api, first.id, body, **{"Idempotency-Key": "key-1"}) for _ in range(2))
    assert (one.status_code, two.status_code, two.headers["Idempotent-Replayed"]) == (202, 202, "true")
    assert one.json()["id"] == two.json()["id"]
    assert Correction.objects.count() == 1
    other = {"cells": [cell(stat, 3, "claimed_amount", "1")]}
    assert sent(api, first.id, other, **{"Idempotency-Key": "key-1"}).status_code == 422


# ------------------------------------------------------------------------------------------------ people


def test_who_may_import_in_the_country_may_correct_and_its_admins_withdraw(cast: Cast) -> None:
    owner, rival, admin = (ApiUser.for_user(cast.users[name]) for name in ("togo_head", "rival_head", "togo_admin"))
    first = gap_pair(owner)
    body = {"cells": [cell(ids(first)[0], 3, "claimed_amount", "248450")]}
    answer = sent(rival, first.id, body)
    assert (answer.status_code, answer.json()["user"]) == (202, rival.user.pk)
    (made,) = owner.all("corrections/")
    assert owner.client.post(f"/api/v1/corrections/{made['id']}/withdraw/").status_code == 403
    assert admin.client.post(f"/api/v1/corrections/{made['id']}/withdraw/").status_code == 200
    audited = AuditEntry.objects.filter(object_type="file_handling.correction").order_by("pk")
    assert [(one.action, one.actor_id, one.country_id) for one in audited if one.action != "read"] == [
        ("create", rival.user.pk, cast.togo.pk),
        ("update", admin.user.pk, cast.togo.pk),
    ]


def test_corrections_are_found_by_session_file_author_field_and_day() -> None:
    api = ApiUser()
    first = gap_pair(api)
    stat, recap = ids(first)
    second = corrected(api, first.id, cell(stat, 3, "claimed_amount", "248450"), remove=[{"file": recap, "row": 2}])

    def rows(query: str) -> list[tuple[int, bool]]:
        return sorted((one["row"], one["removes_row"]) for one in api.all(f"corrections/?{query}"))

    both = [(2, True), (3, False)]
    assert rows("") == rows(f"session={second.id}") == rows(f"author={api.user.pk}") == both
    assert rows("made_after=2020-01-01&withdrawn=false&origin=cells") == both
    assert rows(f"file={stat}") == rows("field=claimed_amount") == rows("claim_number=s-2") == [(3, False)]
    assert rows(f"file={recap}") == rows("removes_row=true") == [(2, True)]
    assert rows(f"session={first.id}") == rows("withdrawn=true") == rows("made_before=2020-01-01") == []


# ------------------------------------------------------------------------------------------------ generated pairs


def uploads(folder: Path, pair: Any) -> tuple[SimpleUploadedFile, list[SimpleUploadedFile]]:
    folder.mkdir()
    name, names = write_pair(folder, pair.stat, pair.recap_pages, fmt="csv", rng=Random(0))
    stat, *pages = (SimpleUploadedFile(one, (folder / one).read_bytes()) for one in [name, *names])
    return stat, pages


def shown(api: ApiUser) -> dict[str, Json]:
    """The claims without ids."""
    names = ("status", "settlement_date", "incident_date", "claimed_amount", "reimbursed_amount", "line_count")
    named = ("insured", "policy", "client", "partner")
    return {
        number: {name: claim[name] for name in names}
        | {name: claim[name] and {**claim[name], "id": 0} for name in named}
        for number, claim in api.claims().items()
    }


def test_a_spoiled_pair_that_is_put_right_brings_the_claims_of_the_unspoiled_pair(tmp_path: Path) -> None:
    pair = make_rows(claims=40, seed=11, pages=2)
    spoiled = spoil(pair, cells=40, rows=4, seed=11)
    clean = ApiUser("TG")
    clean.import_pair(*uploads(tmp_path / "clean", pair))
    expected = shown(clean)
    assert len(expected) > 10
    for code, requests in (("BJ", 1), ("CI", 2)):
        api = ApiUser(code)
        last = api.import_pair(*uploads(tmp_path / code, spoiled), dry_run="true")
        pages = File.objects.filter(country=api.country, file_type="recap").order_by("pk")
        body = corrections_of(spoiled, stat=ids(last)[0], recap=[page.pk for page in pages])
        cells, remove = body["cells"], body["remove"]
        for part in range(requests):
            # The last cells first.
            some, rows = cells[::-1][part::requests], remove if part == requests - 1 else []
            last = corrected(api, last.id, *some, remove=rows)
        assert last.status == "REVIEW", last.message
        committed(api, last.id)
        assert shown(api) == expected
