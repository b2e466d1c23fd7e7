"""The guide: whole in both languages, open to every account, with every definition and every category."""

from __future__ import annotations

import re

import pytest

from dashboard.definitions import INDICATORS
from dashboard.help import TOPICS
from file_handling.models import FindingCategory
from tests.support.browser import Browser
from tests.support.cast import ACCOUNTS, Cast

LANGUAGES = ("en", "fr")
SIGNED_IN = [name for name, _role, _country in ACCOUNTS if not name.startswith("closed_")]


def page(browser: Browser, topic: str, language: str, name: str = "togo_operator") -> str:
    path = "/help/" if topic == "start" else f"/help/{topic}/"
    response = browser(name).get(path, headers={"accept-language": language})
    assert response.status_code == 200, path
    return response.content.decode()


def body(text: str) -> str:
    return text[text.index('<div class="text">') :]


@pytest.mark.parametrize("name", SIGNED_IN)
def test_every_account_may_read_every_topic(name: str, browser: Browser) -> None:
    client = browser(name)
    assert {client.get(f"/help/{topic}/").status_code for topic in TOPICS} == {200}
    assert client.get("/help/nothing/").status_code == 404


def test_a_visitor_is_led_to_the_sign_in_page(browser: Browser, db: None) -> None:
    assert browser("anonymous").get("/help/").status_code == 302


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_says_the_same_in_both_languages(topic: str, browser: Browser) -> None:
    english, french = (body(page(browser, topic, language)) for language in LANGUAGES)
    for pattern in (r"<(h2|h3|li|dt|dd|p)[ >]", r'id="([^"]+)"', r'href="([^"]+)"'):
        assert re.findall(pattern, english) == re.findall(pattern, french), pattern
    sentences = [set(re.findall(r">([^<>]{25,})<", text)) for text in (english, french)]
    assert not sentences[0] & sentences[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_category_of_findings_has_its_meaning_and_what_to_do(language: str, browser: Browser) -> None:
    text = body(page(browser, "findings", language))
    advice = "What to do:" if language == "en" else "Que faire\N{NO-BREAK SPACE}:"
    for category in FindingCategory.values:
        part = re.search(rf'<dt id="{category}">([^<]+)</dt><dd>(.+?)</dd>', text, re.DOTALL)
        assert part, category
        assert advice in part[2], category


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_indicator_has_its_definition(language: str, browser: Browser) -> None:
    text = body(page(browser, "figures", language))
    assert re.findall(r'<dt id="([^"]+)">', text) == list(INDICATORS)
    assert ("Number of settled claims" in text) is (language == "en")


def test_the_limits_are_those_of_the_installation(browser: Browser, settings: object) -> None:
    settings.CONCORD = settings.CONCORD | {"MAX_FILE_BYTES": 7 * 1024 * 1024, "MAX_PAGES": 41}  # type: ignore[attr-defined]
    text = page(browser, "limits", "en")
    assert "7 MB for each file" in text
    assert "41 recap pages" in text


def test_pages_without_anything_lead_to_the_guide(cast: Cast, browser: Browser) -> None:
    assert 'href="/help/imports/"' in browser("togo_admin").get("/").content.decode()
    assert 'href="/help/"' in browser("homeless_head").get("/").content.decode()
