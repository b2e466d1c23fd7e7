"""A file of premiums is looked at row by row, confirmed, and its premiums are on the pages of list and client."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

from openpyxl import Workbook, load_workbook
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, WIDE, Visits


def a_client(page: Page) -> tuple[int, str]:
    answer = page.request.get("/api/v1/clients/?page_size=1").json()["results"][0]
    return answer["id"], answer["name"]


def test_a_file_of_premiums_is_previewed_confirmed_and_seen(visits: Visits, tmp_path: Path) -> None:
    page = visits.page("CHEF_DEPT_TECH", width=WIDE, language="en")
    number, name = a_client(page)
    book = Workbook()
    sheet = book.worksheets[0]
    for row in (["Employeur", "Prime", "Année", "Effectif"], [name, 1_250_000, 2011, 12], [f"{name}X", 5, 2011, None]):
        sheet.append(row)
    file = tmp_path / "primes-2011.xlsx"
    book.save(file)

    page.goto("/premiums/")
    page.get_by_role("link", name="Import premiums").click()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Check the file").click()
    rows = page.locator("table.list tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("new")
    expect(rows.nth(1)).to_contain_text(f"The nearest name is “{name}”")
    expect(page.get_by_role("status")).to_contain_text("Nothing is written yet.")
    page.get_by_role("button", name="Write 1 premium").click()
    expect(page.get_by_role("status")).to_contain_text("was imported")
    page.locator("table.list tbody tr").nth(0).get_by_role("link", name=re.compile("^Premium ")).click()
    expect(page.locator("dl.facts")).to_contain_text("primes-2011.xlsx · Sheet · 2")
    expect(page.locator("dl.facts")).to_contain_text("1,250,000\xa0F\xa0CFA")

    page.goto(f"/clients/{number}/")
    expect(page.locator("section", has=page.locator("#premiums"))).to_contain_text("01/01/2011")
    page.goto(f"/premiums/?client={number}&covers=2011-06-30")
    expect(page.locator("table.list tbody tr")).to_have_count(1)


def test_a_premium_is_typed_in_french_and_deleted_after_a_question(visits: Visits, tmp_path: Path) -> None:
    page = visits.page("ADMIN_TERRITORIAL", width=NARROW, language="fr")
    number, name = a_client(page)
    page.goto("/premiums/import/")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Télécharger un classeur à remplir").click()
    template = load_workbook(BytesIO(downloading.value.path().read_bytes()))
    assert name in [row[0] for row in template.worksheets[2].iter_rows(min_row=3, values_only=True)]

    page.goto(f"/premiums/new/?client={number}")
    expect(page.locator("#id_client")).to_have_value(name)
    page.locator("#id_amount").fill("900 000")
    page.locator("#id_start").fill("2012-01-01")
    page.locator("#id_end").fill("2012-12-31")
    page.get_by_role("button", name="Saisir la prime").click()
    page.wait_for_url(re.compile(r"/premiums/\d+/$"))
    expect(page.locator("dl.facts")).to_contain_text(re.compile(r"900\s000"))
    page.get_by_role("link", name="Supprimer").click()
    page.get_by_role("button", name="Supprimer la prime").click()
    page.wait_for_url(re.compile(r"/premiums/$"))
    expect(page.locator(".messages")).to_contain_text("La prime est supprimée.")
