"""From the S/P of the clients to the renewal sheet of one, which prints on two A4 pages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from scripts.demo.server import BASE_DIR, OF_THE_CALLER, environment
from tests.browser.conftest import Visits
from tests.browser.stack import Stack

# Three years of premiums for the client with the most claims; what the demo has of it goes first.
_PREMIUMS = """
from datetime import timedelta
from decimal import Decimal
from django.db.models import Count, Max, Sum
from core.data_versions import PREMIUMS, renew
from core.models import Claim, Client, Premium
client = Client.objects.filter(country__code="TG").annotate(n=Count("claims")).order_by("-n", "pk")[0]
Premium.objects.filter(client=client).delete()
own = Claim.objects.filter(client=client)
last, whole = own.aggregate(Max("settlement_date"), Sum("reimbursed_amount")).values()
end = last.replace(day=28) + timedelta(days=100)
for year in range(3):
    start = end - timedelta(days=364)
    Premium.objects.create(country=client.country, client=client, amount=Decimal(int(whole)), start=start, end=end,
                           currency=client.country.currency_code, insured_count=120 + year)
    end = start - timedelta(days=1)
renew(client.country_id, [PREMIUMS])
print(client.pk)
"""


@pytest.fixture(scope="module")
def client(stack: Stack) -> int:
    """A client of Togo with premiums."""
    port = int(stack.address.rpartition(":")[2])
    inherited = {name: value for name, value in os.environ.items() if name not in OF_THE_CALLER}
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", _PREMIUMS],
        cwd=BASE_DIR,
        env=inherited | environment(folder=stack.folder, port=port),
        check=True,
        capture_output=True,
        text=True,
    )
    return int(done.stdout.split()[-1])


def test_the_loss_ratio_of_a_client_leads_to_its_renewal_sheet_of_two_pages(
    visits: Visits, client: int, tmp_path: Path
) -> None:
    page = visits.page("CHEF_DEPT_TECH")
    page.goto("/figures/")
    page.locator("nav.parts a[href*='/loss-ratio/']").click()
    expect(page.locator(".figure[data-key=loss_ratio] .value").first).to_contain_text("%")
    expect(page.locator("canvas").first).to_be_visible()
    page.locator(f"table a[href='/clients/{client}/']").first.click()
    expect(page.locator("#loss-ratio")).to_be_visible()
    page.locator(f"a[href='/clients/{client}/renewal/']").click()
    expect(page.locator("h1")).to_contain_text("Renewal of")
    expect(page.locator("table").first.locator("tbody tr").nth(4)).to_contain_text("%")
    folder = Path(os.environ.get("RENEWAL_PDF_FOLDER", tmp_path))
    for language in ("en", "fr"):
        page = visits.page("CHEF_DEPT_TECH", language=language)
        page.goto(f"/clients/{client}/renewal/")
        printed = page.pdf(path=folder / f"renewal-{language}.pdf", prefer_css_page_size=True)
        assert 1 <= len(re.findall(rb"/Type\s*/Page[^s]", printed)) <= 2
    with page.expect_download() as download:
        page.locator(".downloads a[href*='xlsx']").click()
    assert download.value.suggested_filename.endswith(".xlsx")
