"""What the roles reach by links from `/` whose pages `test_every_page.py` does not open one by one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.site import READERS, Site
from tests.browser.stack import ROLES


@pytest.mark.parametrize("role", [role for role in ROLES if role not in READERS])
def test_every_link_leads_to_a_page_that_the_account_may_open(sites: Callable[[str], Site], role: str) -> None:
    assert sites(role).wrong() == []
    assert len(sites(role).answers) > 5
