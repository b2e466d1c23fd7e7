"""A pair is dropped on the page of a new import, checked file by file, and imported."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.pairs import line, recap_csv, row, stat_csv, stat_xlsx

SignIn = Callable[[Page, str], None]
DROP_STEPS = ("dragEnter", "dragOver", "drop")
# A busy machine takes its time.
expect.set_options(timeout=20_000)


def write(path: Path, upload: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(upload.read())
    return path


def pair(folder: Path) -> list[Path]:
    """A stat file of three claims, and two recap pages with them."""
    numbers = ["s1", "s2", "s3"]
    return [
        write(folder / "stat.csv", stat_csv([line(number) for number in numbers])),
        write(folder / "page_1.csv", recap_csv([row("S1")])),
        write(folder / "page_2.csv", recap_csv([row("S2"), row("S3")])),
    ]


def drop(page: Page, paths: list[Path]) -> None:
    """Drop files and folders on the page's zone, as a person does with the mouse."""
    box = page.locator("#drop").bounding_box()
    assert box is not None
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + 20}
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    browser = page.context.new_cdp_session(page)
    for step in DROP_STEPS:
        browser.send("Input.dispatchDragEvent", {"type": step, "data": data, **place})


def open_page(page: Page, address: str, sign_in: SignIn, account: str) -> None:
    sign_in(page, account)
    page.goto(f"{address}/imports/new/")
    expect(page.locator("#drop")).to_be_visible()


def file_row(page: Page, name: str) -> Any:
    return page.locator("#rows tr").filter(has=page.get_by_role("rowheader", name=name, exact=True))


def expect_ready(page: Page, names: list[str]) -> None:
    for name in names:
        expect(file_row(page, name).locator(".badge.good")).to_be_visible()


def import_by_drop(page: Page, address: str, sign_in: SignIn, *, account: str, paths: list[Path]) -> int:
    """Drop these files on the page and start the import; → id of the session, whose page is open then."""
    open_page(page, address, sign_in, account)
    drop(page, paths)
    expect(page.locator("#start")).to_be_enabled()
    page.locator("#start").click()
    page.wait_for_url(re.compile(r"/imports/\d+/$"))
    return int(page.url.rstrip("/").rsplit("/", 1)[-1])


@pytest.fixture
def errors(page: Page) -> list[str]:
    """What the console of the browser reports as an error."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def test_files_that_are_dropped_are_recognised_and_imported(
    page: Page, address: str, sign_in: SignIn, tmp_path: Path, errors: list[str]
) -> None:
    assert import_by_drop(page, address, sign_in, account="togo_admin", paths=pair(tmp_path)) > 0
    assert errors == []


def test_a_folder_and_an_archive_become_a_row_for_each_file(
    page: Page, address: str, sign_in: SignIn, tmp_path: Path
) -> None:
    stat, *pages = pair(tmp_path / "export")
    with zipfile.ZipFile(tmp_path / "pages.zip", "w") as archive:
        for path in pages:
            archive.write(path, f"2024/{path.name}")
            path.unlink()
    (stat.parent / "~$stat.csv").write_text("lock")
    open_page(page, address, sign_in, "togo_head")
    drop(page, [stat.parent, tmp_path / "pages.zip"])
    expect_ready(page, ["stat.csv", "page_1.csv", "page_2.csv"])
    expect(page.locator("#rows tr")).to_have_count(3)
    expect(page.locator("#start")).to_be_enabled()


def test_a_file_with_a_problem_keeps_the_import_from_starting_until_it_is_removed(
    page: Page, address: str, sign_in: SignIn, tmp_path: Path
) -> None:
    paths = pair(tmp_path)
    same = write(tmp_path / "copy.csv", recap_csv([row("S1")]))
    letter = tmp_path / "letter.csv"
    letter.write_text("Dear Sir;or Madam\n1;2\n")
    open_page(page, address, sign_in, "togo_head")
    drop(page, [*paths, same, letter])
    expect(file_row(page, "letter.csv").locator(".blocking")).to_be_visible()
    # The two pages of the same content are found in whichever order they arrive.
    expect(page.locator("#rows .blocking")).to_have_count(2)
    expect(page.locator("#start")).to_be_disabled()
    page.locator("#remove-problems").click()
    expect(page.locator("#rows tr")).to_have_count(3)
    expect(page.locator("#start")).to_be_enabled()


def test_a_broken_line_costs_one_file_which_is_sent_again(
    page: Page, address: str, sign_in: SignIn, tmp_path: Path
) -> None:
    names: list[str] = []

    def cut_the_first_page(route: Route) -> None:
        sent = route.request.post_data_buffer or b""
        names.extend(name for name in ("stat.csv", "page_1.csv", "page_2.csv") if name.encode() in sent[:2000])
        if names.count("page_1.csv") == 1 and names[-1] == "page_1.csv":
            route.abort("connectionreset")
        else:
            route.continue_()

    open_page(page, address, sign_in, "togo_head")
    page.route("**/api/v1/files/", cut_the_first_page)
    drop(page, pair(tmp_path))
    expect_ready(page, ["stat.csv", "page_1.csv", "page_2.csv"])
    assert sorted(names) == ["page_1.csv", "page_1.csv", "page_2.csv", "stat.csv"]
    expect(page.locator("#start")).to_be_enabled()


def test_a_file_that_cannot_be_sent_has_a_button_to_send_it_again(
    page: Page, address: str, sign_in: SignIn, tmp_path: Path
) -> None:
    open_page(page, address, sign_in, "togo_head")
    # Each pause of the script passes at once.
    page.evaluate("() => { const later = window.setTimeout; window.setTimeout = (act) => later(act, 0); }")
    page.route("**/api/v1/files/", lambda route: route.abort("internetdisconnected"))
    drop(page, pair(tmp_path)[:1])
    again = file_row(page, "stat.csv").locator(".send-again")
    expect(again).to_be_visible()
    page.unroute("**/api/v1/files/")
    again.click()
    expect_ready(page, ["stat.csv"])


def test_files_that_were_sent_are_offered_again_after_the_page_was_left(
    page: Page, address: str, sign_in: SignIn, tmp_path: Path
) -> None:
    open_page(page, address, sign_in, "togo_head")
    drop(page, pair(tmp_path))
    expect_ready(page, ["stat.csv", "page_1.csv", "page_2.csv"])
    page.goto(f"{address}/imports/new/")
    expect_ready(page, ["stat.csv", "page_1.csv", "page_2.csv"])
    expect(page.locator("#start")).to_be_enabled()
    file_row(page, "page_2.csv").locator(".remove").click()
    expect(page.locator("#rows tr")).to_have_count(2)
    page.reload()
    expect_ready(page, ["stat.csv", "page_1.csv"])
    expect(page.locator("#rows tr")).to_have_count(2)


def test_one_of_several_sheets_is_chosen_and_a_second_stat_file_removed(
    page: Page, address: str, sign_in: SignIn, tmp_path: Path
) -> None:
    stat, *pages = pair(tmp_path)
    sheets = write(tmp_path / "year.xlsx", stat_xlsx({"Jan": [line("s1")], "Feb": [line("s2")]}))
    open_page(page, address, sign_in, "togo_head")
    drop(page, [stat, sheets, *pages])
    expect(page.locator("#rows .blocking")).to_have_count(1)
    file_row(page, "stat.csv").locator(".remove").click()
    expect(page.locator("#rows .blocking")).to_have_count(0)
    expect(page.locator("#start")).to_be_disabled()
    page.locator("#sheet").select_option("Feb")
    page.locator("input[name=dry_run][value=true]").check()
    with page.expect_request(lambda request: request.url.endswith("/import-sessions/")) as sent:
        page.locator("#start").click()
    body = sent.value.post_data_json
    assert (body["stat_sheet"], body["dry_run"], len(body["recap_file_ids"])) == ("Feb", "true", 2)
    page.wait_for_url(re.compile(r"/imports/\d+/$"))


def test_an_account_of_all_countries_chooses_the_country_before_the_files(
    page: Page, address: str, sign_in: SignIn, tmp_path: Path
) -> None:
    paths = pair(tmp_path)
    open_page(page, address, sign_in, "superuser")
    drop(page, paths)
    expect(page.locator("#country")).to_be_focused()
    expect(page.locator("#rows tr")).to_have_count(0)
    page.locator("#country").select_option("TG")
    drop(page, paths)
    expect_ready(page, [path.name for path in paths])
    page.locator("#country").select_option("BJ")
    expect(file_row(page, "stat.csv")).to_be_hidden()
    expect(page.locator("#start")).to_be_disabled()


def test_files_are_chosen_with_the_keyboard_too(page: Page, address: str, sign_in: SignIn, tmp_path: Path) -> None:
    paths = pair(tmp_path)
    # The browser opens no window of its own from here on, not only from the moment of the key press.
    page.on("filechooser", lambda _chooser: None)
    open_page(page, address, sign_in, "togo_head")
    page.locator("#chosen-files").focus()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(paths)
    expect_ready(page, [path.name for path in paths])
    page.locator("#start").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/imports/\d+/$"))
