"""A pair is dropped on the page of a new import, checked file by file, and imported."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.support.pairs import line, recap_csv, row, stat_csv, stat_xlsx

ADMIN, HEAD, SUPERUSER = "ADMIN_TERRITORIAL", "CHEF_DEPT_TECH", "SUPERUSER"
IMPORT = re.compile(r"/imports/\d+/$")
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


def open_page(page: Page) -> Page:
    """The page of a new import, without the files that earlier tests sent."""
    with page.expect_response("**/imports/new/waiting/"):
        page.goto("/imports/new/")
    offered = page.locator("#rows tr")
    for left in range(offered.count() - 1, -1, -1):
        page.locator("#rows .remove").first.click()
        expect(offered).to_have_count(left)
    return page


def file_row(page: Page, name: str) -> Any:
    return page.locator("#rows tr").filter(has=page.get_by_role("rowheader", name=name, exact=True))


def expect_ready(page: Page, names: list[str]) -> None:
    for name in names:
        expect(file_row(page, name).locator(".badge.good")).to_be_visible()


def test_files_that_are_dropped_are_recognised_and_imported(visits: Any, tmp_path: Path) -> None:
    page = open_page(visits.page(ADMIN))
    drop(page, pair(tmp_path))
    expect_ready(page, ["stat.csv", "page_1.csv", "page_2.csv"])
    page.locator("#start").click()
    page.wait_for_url(IMPORT)


def test_a_page_that_is_missing_among_the_names_is_said_before_the_import_starts(visits: Any, tmp_path: Path) -> None:
    stat, first, third = pair(tmp_path)
    third = third.rename(tmp_path / "page_3.csv")
    page = open_page(visits.page(HEAD))
    drop(page, [stat, first, third])
    expect_ready(page, ["stat.csv", "page_1.csv", "page_3.csv"])
    expect(page.locator("#missing-pages")).to_contain_text("page_2.csv")
    expect(page.locator("#start")).to_be_enabled()
    drop(page, [write(tmp_path / "page_2.csv", recap_csv([row("S9")]))])
    expect_ready(page, ["page_2.csv"])
    expect(page.locator("#missing-pages")).to_be_hidden()


def test_a_file_for_a_converter_waits_for_the_choice_of_its_kind(visits: Any, tmp_path: Path) -> None:
    root = visits.page(SUPERUSER)
    root.goto("/admin/file_handling/converter/add/")
    # Nothing is sent to this address before an import starts.
    for field, value in {"name": "Tables", "extensions": "pipe", "url": "https://1.1.1.1/"}.items():
        root.locator(f"[name={field}]").fill(value)
    root.locator(".submit-row input").click()
    expect(root.locator("code")).to_contain_text("whsec_")
    page = open_page(visits.page(ADMIN))
    drop(page, [write(tmp_path / "stat.pipe", stat_csv([line("s1")]))])
    shown = file_row(page, "stat.pipe")
    expect(shown.locator(".badge.warn")).to_be_visible()
    expect(page.locator("#start")).to_be_disabled()
    shown.locator("[data-kind=stat]").click()
    expect_ready(page, ["stat.pipe"])
    expect(shown.locator(".file-kind")).to_have_text("stat file")
    expect(shown.locator(".file-problems")).to_contain_text("Tables")
    expect(shown.locator(".file-choice")).to_be_hidden()
    root.goto("/admin/file_handling/converter/")
    root.get_by_role("link", name="Tables").click()
    root.locator("[name=is_active]").uncheck()
    root.locator(".submit-row input").click()
    page.reload()
    expect(file_row(page, "stat.pipe").locator(".badge.bad")).to_be_visible()


def test_a_folder_and_an_archive_become_a_row_for_each_file(visits: Any, tmp_path: Path) -> None:
    stat, *pages = pair(tmp_path / "export")
    with zipfile.ZipFile(tmp_path / "pages.zip", "w") as archive:
        for path in pages:
            archive.write(path, f"2024/{path.name}")
            path.unlink()
    (stat.parent / "~$stat.csv").write_text("lock")
    page = open_page(visits.page(HEAD))
    drop(page, [stat.parent, tmp_path / "pages.zip"])
    expect_ready(page, ["stat.csv", "page_1.csv", "page_2.csv"])
    expect(page.locator("#rows tr")).to_have_count(3)
    expect(page.locator("#start")).to_be_enabled()


def test_a_file_with_a_problem_keeps_the_import_from_starting_until_it_is_removed(visits: Any, tmp_path: Path) -> None:
    paths = pair(tmp_path)
    same = write(tmp_path / "copy.csv", recap_csv([row("S1")]))
    letter = tmp_path / "letter.csv"
    letter.write_text("Dear Sir;or Madam\n1;2\n")
    # The refusal of the letter.
    visits.watch.allow(r"\b400\b")
    page = open_page(visits.page(HEAD))
    drop(page, [*paths, same, letter])
    expect(file_row(page, "letter.csv").locator(".blocking")).to_be_visible()
    # The two pages of the same content are found in whichever order they arrive.
    expect(page.locator("#rows .blocking")).to_have_count(2)
    expect(page.locator("#start")).to_be_disabled()
    page.locator("#remove-problems").click()
    expect(page.locator("#rows tr")).to_have_count(3)
    expect(page.locator("#start")).to_be_enabled()


def test_a_broken_line_costs_one_file_which_is_sent_again(visits: Any, tmp_path: Path) -> None:
    names: list[str] = []
    visits.watch.allow("ERR_CONNECTION_RESET")

    def cut_the_first_page(route: Route) -> None:
        sent = route.request.post_data_buffer or b""
        names.extend(name for name in ("stat.csv", "page_1.csv", "page_2.csv") if name.encode() in sent[:2000])
        if names.count("page_1.csv") == 1 and names[-1] == "page_1.csv":
            route.abort("connectionreset")
        else:
            route.continue_()

    page = open_page(visits.page(HEAD))
    page.route("**/api/v1/files/", cut_the_first_page)
    drop(page, pair(tmp_path))
    expect_ready(page, ["stat.csv", "page_1.csv", "page_2.csv"])
    assert sorted(names) == ["page_1.csv", "page_1.csv", "page_2.csv", "stat.csv"]
    expect(page.locator("#start")).to_be_enabled()


def test_a_file_that_cannot_be_sent_has_a_button_to_send_it_again(visits: Any, tmp_path: Path) -> None:
    page = open_page(visits.page(HEAD))
    visits.watch.allow("ERR_INTERNET_DISCONNECTED")
    # Each pause of the script passes at once.
    page.evaluate("() => { const later = window.setTimeout; window.setTimeout = (act) => later(act, 0); }")
    page.route("**/api/v1/files/", lambda route: route.abort("internetdisconnected"))
    drop(page, pair(tmp_path)[:1])
    again = file_row(page, "stat.csv").locator(".send-again")
    expect(again).to_be_visible()
    page.unroute("**/api/v1/files/")
    again.click()
    expect_ready(page, ["stat.csv"])


def test_files_that_were_sent_are_offered_again_after_the_page_was_left(visits: Any, tmp_path: Path) -> None:
    page = open_page(visits.page(HEAD))
    drop(page, pair(tmp_path))
    expect_ready(page, ["stat.csv", "page_1.csv", "page_2.csv"])
    page.goto("/imports/new/")
    expect_ready(page, ["stat.csv", "page_1.csv", "page_2.csv"])
    expect(page.locator("#start")).to_be_enabled()
    file_row(page, "page_2.csv").locator(".remove").click()
    expect(page.locator("#rows tr")).to_have_count(2)
    page.reload()
    expect_ready(page, ["stat.csv", "page_1.csv"])
    expect(page.locator("#rows tr")).to_have_count(2)


def test_one_of_several_sheets_is_chosen_and_a_second_stat_file_removed(visits: Any, tmp_path: Path) -> None:
    stat, *pages = pair(tmp_path)
    sheets = write(tmp_path / "year.xlsx", stat_xlsx({"Jan": [line("s1")], "Feb": [line("s2")]}))
    page = open_page(visits.page(HEAD))
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
    page.wait_for_url(IMPORT)


def test_an_account_of_all_countries_chooses_the_country_before_the_files(visits: Any, tmp_path: Path) -> None:
    paths = pair(tmp_path)
    page = open_page(visits.page(SUPERUSER))
    drop(page, paths)
    expect(page.locator("#country")).to_be_focused()
    expect(page.locator("#rows tr")).to_have_count(0)
    page.locator("#country").select_option("TG")
    drop(page, paths)
    expect_ready(page, [path.name for path in paths])
    codes = page.locator("#country option").evaluate_all("options => options.map(option => option.value)")
    page.locator("#country").select_option(next(code for code in codes if code not in ("", "TG")))
    expect(file_row(page, "stat.csv")).to_be_hidden()
    expect(page.locator("#start")).to_be_disabled()


def test_files_are_chosen_with_the_keyboard_too(visits: Any, tmp_path: Path) -> None:
    paths = pair(tmp_path)
    page = visits.page(HEAD)
    # The browser opens no window of its own from here on, not only from the moment of the key press.
    page.on("filechooser", lambda _chooser: None)
    open_page(page)
    page.locator("#chosen-files").focus()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(paths)
    expect_ready(page, [path.name for path in paths])
    page.locator("#start").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(IMPORT)
