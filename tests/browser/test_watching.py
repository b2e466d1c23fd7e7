"""The watch of the browser tests sees what goes wrong: otherwise all of them would pass on broken pages."""

import pytest

from tests.browser.conftest import Visits


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ("document.body.setAttribute('style', 'color: red')", "policy: style-src"),
        ("document.body.append(Object.assign(document.createElement('script'), {text: '1'}))", "policy: script-src"),
        ("setTimeout(() => { throw new Error('broken') })", "script: "),
        ("console.error('broken')", "console: broken"),
        ("fetch('/no-such-page/')", "answer: 404"),
        ("fetch('http://127.0.0.1:9/')", "policy: connect-src"),
    ],
)
def test_a_page_that_does_something_wrong_is_noticed(visits: Visits, wrong: str, kind: str) -> None:
    page = visits.page("RESP_OPERATEUR")
    page.goto("/account/")
    assert visits.watch.found() == []
    page.evaluate(f"{{ {wrong}; undefined }}")
    page.wait_for_timeout(300)
    assert [problem for problem in visits.watch.found() if problem.startswith(kind)]
    visits.watch.problems.clear()
