"""The labels of the admin: plain words, and French words on French pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db.models import Field
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import camel_case_to_spaces
from django.utils.translation import override

from file_handling.models import ImportSession, SessionStatus
from scripts.messages import read_french
from tests.support.admin_import import import_pair
from tests.support.browser import Browser
from tests.support.cast import Cast
from tests.support.pairs import RECAP_HEADER, RECAP_LINE, STAT_HEADER, STAT_LINE, recap_upload, stat_upload
from tests.support.records import Records, make_reporting_currency, make_session
from users.models import AuditEntry

OURS = ("users", "file_handling", "core")
# Texts that are the same in both languages: the data of the tests, and the texts of Django's icons for yes and no.
_DATA = re.compile(
    r"CANARY|PARACETAMOL|PHARMACIE|Franc CFA|^[\W\d]*$|^[a-z_]+@|^(stat|recap)\.csv"
    r"|^1? ?EUR = |^(EN|FR|en|fr|TG|EUR|GNF|XOF|Concord|Togo|Bénin|Closed|S-1|Page 1|True|False)$"
)


def fields() -> list[tuple[str, Any]]:
    return [
        (f"{model._meta.label}.{field.name}", field)
        for label in OURS
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.get_fields()
        if isinstance(field, Field) and field.model._meta.app_label in OURS and field.name not in ("id",)
    ]


def test_every_field_and_model_has_a_translatable_name() -> None:
    def unnamed(named: Any) -> bool:
        return not isinstance(named, Promise)

    assert len(fields()) > 150
    assert [name for name, field in fields() if unnamed(field.verbose_name)] == []
    models = [model for label in OURS for model in apps.get_app_config(label).get_models()]
    assert [model.__name__ for model in models if unnamed(model._meta.verbose_name)] == []
    assert [model.__name__ for model in models if unnamed(model._meta.verbose_name_plural)] == []


def test_no_field_is_labelled_with_a_technical_name() -> None:
    with override("en"):
        named = {name: str(field.verbose_name) for name, field in fields()}
    odd = {name: words for name, words in named.items() if re.search(r"_|\bsha256\b|\bid\b|\bat$", words)}
    assert odd == {}


def test_every_field_and_model_has_another_name_in_french_or_the_same_on_purpose() -> None:
    same_on_purpose = {str(message.id) for message in read_french() if message.id and message.id == message.string}
    names: dict[str, Any] = {name: field.verbose_name for name, field in fields()}
    for label in OURS:
        for model in apps.get_app_config(label).get_models():
            names[model._meta.label] = model._meta.verbose_name
            names[f"{model._meta.label}, several"] = model._meta.verbose_name_plural
            # Without a name, Django uses the name of the class.
            with override("fr"):
                assert str(model._meta.verbose_name) != camel_case_to_spaces(model.__name__) or (
                    str(model._meta.verbose_name) in same_on_purpose
                )
    untranslated = []
    for name, words in names.items():
        with override("en"):
            english = str(words)
        with override("fr"):
            if str(words) == english and english not in same_on_purpose:
                untranslated.append(name)
    assert untranslated == []


# --- Pages --------------------------------------------------------------------------------------------------------


class Labels(HTMLParser):
    """The texts of a page's labels, headings, buttons, links and choices."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("input", "img", "button", "progress"):
            shown = given.get("value") if given.get("type") in ("submit", "button") else None
            self.texts += [
                text for text in (shown, given.get("title"), given.get("placeholder"), given.get("alt")) if text
            ]
        if tag not in ("input", "img", "br", "meta", "link", "hr", "base", "use", "path", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if text and not {"script", "style", "td", "dd"} & set(self.open):
            self.texts.append(text)


def labels(page: bytes) -> list[str]:
    parser = Labels()
    parser.feed(page.decode())
    return parser.texts


def _trimmed(text: str) -> str:
    """The text without numbers and signs at its ends and without the name of the site."""
    return re.sub(r"^(\d+|›) | \| Concord$|[ :\d]+$", "", text)


def addresses(cast: Cast, togo: Records, session: ImportSession) -> Iterator[str]:
    """Every list, every form to add a row, one page of every kind of row, and the other pages."""
    entry = AuditEntry.objects.create(
        actor=cast.togo_admin, country=cast.togo, action="read", object_type="core.claim", object_id=1
    )
    rows: dict[str, Any] = {"users.user": cast.togo_operator, "users.country": cast.togo, "users.auditentry": entry}
    rows |= {row._meta.label_lower: row for row in togo.rows.values()}
    # Of its two changes that of the records: the other one has no facts.
    rows |= {"core.reportingcurrency": make_reporting_currency(), "core.change": togo.rows["family-changes"]}
    rows |= {"file_handling.file": togo.file, "file_handling.importsession": session}
    yield reverse("admin:index")
    for label in OURS:
        yield reverse("admin:app_list", args=[label])
    for model in admin.site._registry:
        row = rows[model._meta.label_lower]
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        yield reverse(f"{name}_change", args=[row.pk])
        yield reverse(f"{name}_history", args=[row.pk])
    for name in [
        "users_user_add", "users_country_add", "core_actalias_add", "core_exchangerate_add",
        "file_handling_importsession_add",
    ]:  # fmt: skip
        yield reverse(f"admin:{name}")
    yield reverse("admin:users_user_import")
    yield reverse("admin:password_change")
    yield reverse("admin:file_handling_file_delete", args=[togo.file.pk])
    yield reverse("admin:file_handling_file_preview", args=[togo.file.pk])
    for name in ["findings", "delete", "change"]:
        yield reverse(f"admin:file_handling_importsession_{name}", args=[session.pk])
    yield reverse("admin:file_handling_importsession_steer", args=[session.pk, "revert"])
    for status in SessionStatus.values:
        other = make_session(user=cast.togo_head, country=cast.togo, status=status, stat_file=togo.file)
        yield reverse("admin:file_handling_importsession_change", args=[other.pk])


# A run uses its own database connections, which see only committed data.
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["superuser", "togo_admin"])
def test_no_french_page_of_the_admin_has_english_labels(name: str, cast: Cast, togo: Records, browser: Browser) -> None:
    pair = {
        "stat_file": stat_upload(text=f"{STAT_HEADER}\n{STAT_LINE}\n{STAT_LINE.replace('s-1', 's-2')}\n"),
        "recap_file": recap_upload(text=f"{RECAP_HEADER}\n{RECAP_LINE}\nS-2;10/03/2024;1;1\n"),
    }
    session = import_pair(browser("togo_admin"), **pair)
    french = browser(name)
    french.cookies[settings.LANGUAGE_COOKIE_NAME] = "fr"
    english = browser(name)
    english.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    same_on_purpose = {
        str(text).casefold()
        for message in read_french()
        if message.id
        for text in (message.string if isinstance(message.string, tuple | list) else [message.string])
        if text in (message.id if isinstance(message.id, tuple | list) else [message.id])
    }
    # Names of languages, data, and messages of a session, which are in the language of its uploader.
    data = {session.message, "English", "français", *cast.users, *STAT_HEADER.split(";"), *STAT_LINE.split(";")}
    untranslated: dict[str, str] = {}
    seen = 0
    for address in addresses(cast, togo, session):
        french_page, english_page = french.get(address), english.get(address)
        if french_page.status_code == 403:
            continue
        assert (french_page.status_code, english_page.status_code) == (200, 200), address
        english_labels = set(labels(english_page.content))
        same = {text for text in labels(french_page.content) if text in english_labels and text not in data}
        same = {_trimmed(text) for text in same if not _DATA.search(text)}
        same = {text for text in same if text not in data and not _DATA.search(text)}
        same = {text for text in same if text.casefold() not in same_on_purpose}
        untranslated |= dict.fromkeys(same - set(untranslated), address)
        seen += 1
    assert not untranslated, "\n".join(f"{text!r} at {address}" for text, address in sorted(untranslated.items()))
    assert seen > 50
