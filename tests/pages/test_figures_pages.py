"""The pages of figures: the numbers of the API for every role, scope and language; charts, tables, files and links."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve
from django.utils import translation

from core import models as core
from dashboard.definitions import INDICATORS, WATCH_RULES
from dashboard.indicators import portfolio
from dashboard.models import WatchMark
from dashboard.page_links import page_of
from dashboard.page_parts import PARTS
from dashboard.pages import key_figures
from dashboard.periods import presets
from dashboard.presenters.portfolio import SHOWN
from file_handling.models import FindingCategory
from samples import make_pair
from tests.dashboard.test_links import watched_country
from tests.support.api_user import ApiUser, Json
from tests.support.html import Page
from tests.support.responses import content_of
from users.models import AuditEntry, Role, User

pytestmark = pytest.mark.django_db

LANGUAGES = ("en", "fr")
PERIOD = {"start": "2024-03-01", "end": "2024-06-20"}
UPLOADS = ("files", "imports")
MOST_STATEMENTS = 12
SPACE = "\N{NO-BREAK SPACE}"
STATIC = Path(settings.BASE_DIR) / "static"


@pytest.fixture(scope="module")
def people(database: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, ApiUser]:
    """Two countries with claims and two currencies; an account of each role, the last three of them of the first."""
    admin = ApiUser("TG")
    folder = tmp_path_factory.mktemp("pair")
    files = make_pair(folder, claims=90, seed=5, world_seed=7, start=date(2024, 1, 1), days=250, fmt="csv")["files"]
    uploads = [SimpleUploadedFile(name, (folder / name).read_bytes()) for name in [files["stat"], *files["recaps"]]]
    assert admin.import_pair(uploads[0], uploads[1:]).status == "DONE_WITH_ERRORS"
    watched = watched_country()

    def account(name: str, role: Role, *, in_country: bool) -> ApiUser:
        country = admin.country if in_country else None
        user = User.objects.create_user(username=name, email=f"{name}@example.org", role=role, country=country)
        return ApiUser.for_user(user)

    return {
        "superuser": account("superuser", Role.SUPERUSER, in_country=False),
        "global": account("global", Role.ADMIN_GLOBAL, in_country=False),
        "admin": admin,
        "head": account("head", Role.CHEF_DEPT_TECH, in_country=True),
        "operator": account("operator", Role.RESP_OPERATEUR, in_country=True),
        "watched": watched,
    }


@pytest.fixture(autouse=True)
def _no_kept_answers() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


class Reader:
    """An account that reads the pages and the API with the same question, in one language."""

    def __init__(self, api: ApiUser, language: str = "en", **question: Any) -> None:
        self.api = api
        self.language = language
        self.question = {name: str(value) for name, value in question.items()}
        self.browser = Client(headers={"accept-language": language})
        self.browser.force_login(api.user)

    def open(self, part: str, *, status: int = 200, **own: Any) -> Page:
        address = "/figures/" if part == "overview" else f"/figures/{part}/"
        response = self.browser.get(address, {**self.question, **own})
        assert response.status_code == status, response.content.decode()
        return Page(response.content.decode())

    def ask(self, path: str, **own: Any) -> Json:
        client = self.api.client
        response = client.get(
            f"/api/v1/dashboard/{path}/", {**self.question, **own}, headers={"accept-language": self.language}
        )
        assert response.status_code == 200, response.content
        return dict(response.json())

    def blocks(self, path: str, **own: Any) -> list[Json]:
        answer = self.ask(path, **own)
        return list(answer.get("blocks", [answer]))

    # What the values of the API look like to a reader.

    def plain(self, value: Decimal | float, places: int = 0) -> str:
        text = f"{Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,.{places}f}"
        return text.replace(",", SPACE).replace(".", ",") if self.language == "fr" else text

    def count(self, value: int | None) -> str:
        return "–" if value is None else self.plain(value)

    def money(self, value: str | None) -> str:
        """An exact amount of a currency without minor unit, whose fraction is never hidden."""
        if value is None:
            return "–"
        return self.plain(Decimal(value), 0 if Decimal(value) == int(Decimal(value)) else 2)

    def mean(self, value: str | None) -> str:
        return "–" if value is None else self.plain(Decimal(value))

    def percent(self, value: str | None) -> str:
        return "–" if value is None else f"{self.plain(Decimal(value) * 100, 1)}{SPACE}%"

    def in_unit(self, one: Json, value: Any) -> str:
        if value is None:
            return "–"
        match one["unit"]:
            case "count":
                return self.count(value)
            case "ratio":
                return self.percent(value)
            case currency:
                shown = self.mean(value) if one["key"].startswith("cost_per") else self.money(value)
                return f"{shown}{SPACE}{'F' + SPACE + 'CFA' if currency == 'XOF' else currency}"

    def day(self, text: str | None) -> str:
        return "–" if text is None else date.fromisoformat(text).strftime("%d/%m/%Y")


def check_overview(reader: Reader) -> None:
    page = reader.open("overview")
    found = reader.ask("portfolio")["indicators"]
    assert {(one["key"], one["currency"] or "") for one in found} == set(page.cards)
    for one in found:
        card = page.cards[one["key"], one["currency"] or ""]
        assert card["value"] == reader.in_unit(one, one["value"]), one
        assert parse_qs(urlsplit(card["href"]).query).items() >= parse_qs(urlsplit(one["url"]).query).items()
        if one["evolution"]["type"] in ("up", "down"):
            assert f"{reader.plain(Decimal(one['evolution']['percent']), 1)}{SPACE}%" in card["change"]
            assert reader.in_unit(one, one["previous"]) in card["change"]


def check_trends(reader: Reader) -> None:
    for shown, (_title, charts) in SHOWN.items():
        keys = [key for keys in charts for key in keys]
        answer = reader.ask("series", indicator=",".join(keys))
        if not answer["n"]:
            continue
        cells = {cell for row in reader.open("trends", show=shown).rows for cell in row}
        for one in answer["series"]:
            for value in one["values"]:
                text = reader.in_unit(one, value)
                assert text in cells or text.rpartition(SPACE)[0] in cells or _without_cfa(text) in cells, (one, value)


def _without_cfa(text: str) -> str:
    return text.removesuffix(f"{SPACE}F{SPACE}CFA")


def check_categories(reader: Reader) -> None:
    rows = reader.open("categories").rows
    for block in reader.blocks("frequency"):
        for row in block["rows"]:
            whole = sum(Decimal(one["reimbursed"]) for one in block["rows"])
            share = None if not whole else str(Decimal(row["reimbursed"]) / whole)
            assert [
                row["name"],
                reader.count(row["lines"]),
                "–" if row["frequency"] is None else reader.plain(Decimal(row["frequency"]), 2),
                reader.mean(row["cost"]),
                reader.money(row["reimbursed"]),
                reader.percent(share),
                reader.money(row["previous_reimbursed"]),
            ] in rows
            effects = row["effects"] or dict.fromkeys(("exposure", "frequency", "cost"))
            assert [row["name"], reader.money(row["change"]), *map(reader.mean, effects.values())] in rows


def check_rankings(reader: Reader) -> None:
    for by in ("client", "policy", "partner", "insured", "family", "operator", "act", "act_category"):
        rows = reader.open("rankings", by=by).rows
        for block in reader.blocks("rankings", by=by, limit=50):
            for row in block["rows"]:
                cells = next(
                    found for found in rows if found and found[0] == row["name"]
                    and found[3] == reader.money(row["reimbursed"]) and found[1] == reader.count(row["rank"])
                )  # fmt: skip
                assert cells[2] == reader.count(row["previous_rank"])
                assert cells[4:6] == [reader.percent(row["share"]), reader.percent(row["cumulative_share"])]
                assert cells[7:] == [
                    reader.count(row["claims"]), reader.count(row["insured"]), reader.mean(row["cost_per_insured"]),
                ]  # fmt: skip
                if row["evolution"]["percent"] and row["evolution"]["type"] != "same":
                    assert reader.plain(Decimal(row["evolution"]["percent"]), 1) in cells[6]


def check_concentration(reader: Reader) -> None:
    rows = reader.open("concentration").rows
    for block in reader.blocks("concentration"):
        for one in block["shares"] if block["insured"] else []:
            assert any(row[1:] == [reader.count(one["insured"]), reader.percent(one["share"])] for row in rows)


def check_delay(reader: Reader) -> None:
    page = reader.open("delay")
    answer = reader.ask("delay")
    if not any(band["claims"] for band in answer["bands"]):
        return
    shown = [row[1:] for row in page.rows[1:]]
    assert shown == [[reader.count(band["claims"]), reader.percent(band["share"])] for band in answer["bands"]]
    if answer["median"] is not None:
        assert reader.plain(answer["median"], 0 if answer["median"] == int(answer["median"]) else 1) in page.text


def check_triangle(reader: Reader) -> None:
    rows = reader.open("triangle").rows
    for block in reader.blocks("triangle"):
        for row in block["projection"]:
            amounts = [reader.money(row["paid"]), reader.mean(row["ultimate"]), reader.mean(row["outstanding"])]
            assert any(found[2:] == [reader.count(row["claims"]), *amounts] for found in rows), row
        for month, cells in zip(block["months"], block["cumulative"], strict=True):
            text = [f"{month[5:]}/{month[:4]}", *("" if cell is None else reader.mean(cell) for cell in cells)]
            assert any(found == text[: len(found)] and len(found) > 1 for found in rows), month
        for row in (block["back_test"] or {"rows": []})["rows"]:
            assert any(found[1:] == [reader.mean(row["expected"]), reader.mean(row["came"])] for found in rows)


def check_prices(reader: Reader) -> None:
    rows = reader.open("prices").rows
    for block in reader.blocks("prices", limit=50):
        for row in block["rows"]:
            cells = [
                row["act"]["name"], row["partner"]["name"], reader.count(row["n"]), reader.mean(row["median"]),
                reader.mean(row["country_median"]), reader.mean(row["potential"]),
            ]  # fmt: skip
            index = "–" if row["index"] is None else reader.plain(Decimal(row["index"]), 2)
            assert any(found[:5] + found[6:] == cells and found[5].startswith(index) for found in rows), row


def check_left_out(reader: Reader) -> None:
    rows = reader.open("left-out").rows
    with translation.override(reader.language):
        names = {key: str(label) for key, label in FindingCategory.choices}
    for block in reader.blocks("left-out"):
        for row in block["rows"]:
            cells = [names[row["category"]], reader.count(row["claims"]), reader.money(row["amount"])]
            assert any([found[0], *found[2:]] == cells for found in rows if len(found) == 4), row
        if not any(row["imported"] or row["left_out"] for row in block["reconciliation"]):
            continue
        for row in block["reconciliation"]:
            cells = [
                reader.count(row["imported"]), reader.count(row["left_out"]), reader.percent(row["rate_claims"]),
                reader.money(row["imported_amount"]), reader.money(row["left_out_amount"]),
                reader.percent(row["rate_amount"]),
            ]  # fmt: skip
            assert any(found[1:] == cells for found in rows), row


def check_left_out_claims(reader: Reader) -> None:
    rows = reader.open("left-out-claims").rows
    for row in reader.ask("left-out/claims")["rows"]:
        found = next(cells for cells in rows if cells and cells[0] == row["claim_number"])
        assert found[3:] == [
            reader.day(row["settlement_date"]), row["observation"], row["currency"], reader.money(row["amount"]),
        ]  # fmt: skip


def check_quality(reader: Reader) -> None:
    for by in ("operator", "partner", "month"):
        rows = reader.open("quality", by=by).rows
        for row in reader.ask("quality", by=by)["rows"]:
            cells = [
                reader.count(row["lines"]), reader.count(row["lines_left_out"]), reader.percent(row["share_left_out"]),
                reader.count(row["claims"]), reader.count(row["claims_left_out"]),
            ]  # fmt: skip
            assert any(found[1:6] == cells and (by == "month" or found[0] == row["name"]) for found in rows), row


def check_watch_list(reader: Reader) -> None:
    summary = reader.ask("watch-list")
    for rule in summary["rules"]:
        page = reader.open("watch-list", rule=rule["rule"])
        found = next(row for row in page.rows if row and row[0] == rule["title"])
        amounts = ", ".join(reader.in_unit({"unit": unit, "key": ""}, value) for unit, value in rule["amounts"].items())
        assert found[1:] == [reader.count(rule["count"]), amounts or "–", reader.count(rule["explained"])]
        rows = reader.ask("watch-list", rule=rule["rule"], limit=20)["rows"]
        assert [tags["data-row"] for _tag, tags in page.tags if "data-row" in tags] == [row["key"] for row in rows]
        for row in rows:
            assert reader.in_unit({"unit": row["currency"], "key": ""}, row["amount"]) in page.text
            assert all(value["name"] in page.text for value in row["about"].values() if isinstance(value, dict))


CHECKS = (
    check_overview, check_trends, check_categories, check_rankings, check_concentration, check_delay, check_triangle,
    check_prices, check_left_out, check_left_out_claims, check_quality, check_watch_list,
)  # fmt: skip
NOT_OF_PERSONS = (check_left_out, check_left_out_claims, check_quality)


@pytest.mark.parametrize(
    ("role", "language", "period"),
    [
        ("superuser", "fr", PERIOD), ("global", "en", {}), ("admin", "en", PERIOD), ("head", "fr", {}),
        ("operator", "en", {}), ("watched", "fr", {}),
    ],
)  # fmt: skip
def test_every_page_has_the_numbers_of_the_api_for_every_role(
    role: str, language: str, period: dict[str, str], people: dict[str, ApiUser]
) -> None:
    reader = Reader(people[role], language, **period)
    for check in CHECKS:
        check(reader)


@pytest.mark.parametrize(
    "kind", ["client", "policy", "insured", "family", "partner", "operator", "act", "act_category"]
)
def test_every_page_has_the_numbers_of_the_api_in_every_scope(kind: str, people: dict[str, ApiUser]) -> None:
    first = people["admin"].get(f"dashboard/rankings/?by={kind}")["rows"][0]
    reader = Reader(people["admin"], "fr", **{kind: first["id"]})
    for check in CHECKS:
        if kind in ("insured", "family") and check in NOT_OF_PERSONS:
            continue
        check(reader)
    assert first["name"] in reader.open("overview").text


@pytest.mark.parametrize("language", LANGUAGES)
def test_files_and_imports_have_the_numbers_of_the_api(language: str, people: dict[str, ApiUser]) -> None:
    for role in ("global", "admin", "head"):
        reader = Reader(people[role], language)
        files, sessions = reader.ask("files"), reader.ask("import-sessions")
        shown = [row[1] for row in reader.open("files").rows if len(row) == 2] if files["total_files"] else []
        for name in ("total_files", "stat_files", "recap_files", "recent_uploads") if shown else ():
            assert reader.count(files[name]) in shown
        rows = reader.open("imports").rows
        for one in sessions["reconciliation"]:
            rates = [reader.percent(one["rate_claims"]), reader.percent(one["rate_amount"])]
            counts = [reader.count(one["imported"]), reader.count(one["left_out"])]
            assert [f"#{one['id']}", *counts, *rates] in rows
        with translation.override(language):
            findings = [[str(FindingCategory(one["category"]).label), one["count"]] for one in sessions["findings"]]
        assert all([name, reader.count(value)] in rows for name, value in findings)


# ------------------------------------------------------------------------------------------------ charts, files, texts


def all_pages(reader: Reader) -> Iterator[tuple[str, Page]]:
    yield "overview", reader.open("overview")
    for part in PARTS:
        yield part, reader.open(part)
    for shown in SHOWN:
        yield "trends", reader.open("trends", show=shown)
    for rule in WATCH_RULES:
        yield "watch-list", reader.open("watch-list", rule=rule)


def test_every_chart_has_its_finding_a_table_and_files_that_can_be_downloaded(people: dict[str, ApiUser]) -> None:
    reader = Reader(people["watched"])
    charts = 0
    pages = [*all_pages(Reader(people["admin"])), *all_pages(reader)]
    for part, page in pages:
        if 'class="empty"' in page.source and part != "watch-list":
            continue
        for section in re.findall(r'<section class="card panel".*?</section>', page.source, re.S):
            panel = Page(section)
            names = [tags["aria-label"] for tag, tags in panel.tags if tag == "canvas"]
            assert all(names), part
            charts += len(names)
            ids = {tags["id"] for tag, tags in panel.tags if tag == "script"}
            assert ids == {tags["data-chart"] for _tag, tags in panel.tags if "data-chart" in tags}
            assert sum(tag == "table" for tag, _tags in panel.tags) == 1
            assert [text for text, address in panel.links if "format=" in address][:1] != []
        kinds = {kind for _text, address in page.links for kind in parse_qs(urlsplit(address).query).get("format", [])}
        assert {"csv", "xlsx", "parquet"} <= kinds, part
    assert charts > 12
    for part in ("overview", "rankings", "triangle", "left-out", "watch-list"):
        files = [address for _text, address in reader.open(part).links if "/dashboard/" in address]
        assert files
        for address in files:
            response = reader.browser.get(address)
            assert response.status_code == 200
            assert content_of(response)
            assert "attachment" in response["Content-Disposition"]


def test_every_indicator_is_defined_on_a_page_in_both_languages(people: dict[str, ApiUser]) -> None:
    for language in LANGUAGES:
        readers = [Reader(people[name], language) for name in ("admin", "watched")]
        text = " ".join(page.text for reader in readers for _part, page in all_pages(reader))
        with translation.override(language):
            missing = [key for key, one in INDICATORS.items() if str(one.definition).strip() not in text]
        # The sheet of a client has a page of its own.
        assert missing == ["renewal"]
    assert {key for key, _currency in Reader(people["admin"]).open("overview").cards} == set(portfolio.KEYS)


def test_pages_have_no_script_and_no_style_of_their_own(people: dict[str, ApiUser]) -> None:
    for part, page in all_pages(Reader(people["admin"])):
        for tag, attributes in page.tags:
            assert "style" not in attributes, (part, tag)
            assert not any(name.startswith("on") for name in attributes), (part, tag)
            assert tag != "script" or "src" in attributes or attributes["type"] == "application/json", part


def test_a_title_says_how_few_make_most_of_the_cost(people: dict[str, ApiUser]) -> None:
    rows = people["watched"].get("dashboard/rankings/?by=partner")["blocks"][0]["rows"]
    few = next(at for at, row in enumerate(rows, 1) if Decimal(row["cumulative_share"]) >= Decimal("0.8"))
    page = Reader(people["watched"]).open("rankings", by="partner")
    assert f"{few} of {len(rows)} providers make" in page.text


# ------------------------------------------------------------------------------------------------ links


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("/api/v1/claims/?country=1&status=settled", "/claims/?country=1&status=settled"),
        ("/api/v1/claim-lines/?act=3", "/claim-lines/?act=3"),
        ("/api/v1/insured/?claims_after=2024-01-01", "/insured/?claims_after=2024-01-01"),
        ("/api/v1/clients/?first_claim_after=2024-01-01", "/clients/?first_claim_after=2024-01-01"),
        ("/api/v1/policies/", "/policies/"),
        ("/api/v1/partners/", "/partners/"),
        ("/api/v1/operators/", "/operators/"),
        ("/api/v1/files/?country=1", "/files/?country=1"),
        ("/api/v1/files/7/", "/files/7/"),
        ("/api/v1/import-sessions/?status=DONE", "/imports/?status=DONE"),
        ("/api/v1/import-sessions/7/", "/imports/7/"),
        ("/api/v1/import-sessions/7/findings/", "/imports/7/findings/"),
        ("/api/v1/claims/7/", "/claims/7/"),
        ("/api/v1/dashboard/rankings/?by=insured", "/figures/rankings/?by=insured"),
        ("/api/v1/dashboard/left-out/claims/?age=0-30", "/figures/left-out-claims/?age=0-30"),
        ("/api/v1/dashboard/watch-list/?rule=many_lines", "/figures/watch-list/?rule=many_lines"),
        ("/api/v1/memberships/?role=child", "/memberships/?role=child"),
        (None, ""),
    ],
)
def test_a_list_of_the_api_has_a_page_with_the_same_parameters(url: str | None, page: str) -> None:
    assert page_of(url) == page
    if page:
        resolve(urlsplit(page).path)


def test_every_link_of_every_page_opens(people: dict[str, ApiUser]) -> None:
    reader = Reader(people["admin"])
    seen: set[str] = set()
    for _part, page in all_pages(reader):
        # One of each kind: the same list with other values opens as well.
        for _text, address in page.links:
            kind = f"{urlsplit(address).path} {sorted(parse_qs(urlsplit(address).query))}"
            if not address.startswith(("/figures/", "/api/")) or kind in seen or "#" in address:
                continue
            seen.add(kind)
            response = reader.browser.get(address)
            content_of(response)
            assert response.status_code == 200, address
    assert len(seen) > 20


@pytest.mark.parametrize("key", ["active_clients", "new_clients"])
def test_the_list_behind_a_figure_has_as_many_rows_as_the_figure_says(key: str, people: dict[str, ApiUser]) -> None:
    for role in ("admin", "watched", "global"):
        reader = Reader(people[role], **PERIOD)
        card = reader.open("overview").cards[key, ""]
        response = reader.browser.get(card["href"])
        assert response.status_code == 200
        rows = [row for row in Page(response.content.decode()).rows[1:] if row]
        assert reader.count(len(rows)) == card["value"]


def test_period_and_scope_stay_in_the_links_of_all_parts(people: dict[str, ApiUser]) -> None:
    client = core.Client.objects.visible_to(people["admin"].user).first()
    page = Reader(people["admin"], **PERIOD, client=client.pk).open("rankings", by="act")
    links = {urlsplit(address).path: parse_qs(urlsplit(address).query) for _text, address in page.links}
    for part in PARTS.values():
        if part.is_tab and part.key not in ("overview", *UPLOADS):
            found = links[f"/figures/{part.key}/"]
            assert (found["start"], found["end"], found["client"]) == (
                [PERIOD["start"]], [PERIOD["end"]], [str(client.pk)],
            )  # fmt: skip
    without = next(address for text, address in page.links if text.startswith("Remove"))
    assert parse_qs(urlsplit(without).query) == {"start": ["2024-03-01"], "end": ["2024-06-20"], "by": ["act"]}


def test_presets_are_whole_periods_of_the_calendar() -> None:
    found = presets(date(2026, 2, 10))
    assert found["all"] is None
    days = {key: (str(period.start), str(period.end)) for key, period in found.items() if period}
    assert days == {
        "this-year": ("2026-01-01", "2026-02-10"),
        "last-year": ("2025-01-01", "2025-12-31"),
        "last-quarter": ("2025-10-01", "2025-12-31"),
    }


# ------------------------------------------------------------------------------------------------ questions, roles


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_is_wrong_with_a_question_is_shown_at_once_and_the_form_keeps_it(
    language: str, people: dict[str, ApiUser]
) -> None:
    reader = Reader(people["admin"], language, start="2024-13-01", end="2024-05-01", client=0, colour="red")
    page = reader.open("rankings", status=400, by="colour", limit="5000")
    for word in ("start", "client", "colour", "by", "limit"):
        assert f"<code>{word}</code>" in page.source
    values = {tags["name"]: tags.get("value") for tag, tags in page.tags if tag == "input" and "name" in tags}
    assert (values["start"], values["end"], values["client"]) == ("2024-13-01", "2024-05-01", "0")
    assert "invalid" in page.source


def test_a_period_without_claims_says_what_to_do(people: dict[str, ApiUser]) -> None:
    reader = Reader(people["operator"], start="1999-01-01", end="1999-12-31")
    for part in PARTS:
        if part in (*UPLOADS, "left-out", "left-out-claims", "watch-list", "quality"):
            continue
        page = reader.open(part)
        assert "There is nothing to show for this question." in page.text, part
        assert any(text == "Show all data" and "start" not in address for text, address in page.links)


def test_claims_left_out_are_not_narrowed_to_a_person(people: dict[str, ApiUser]) -> None:
    for part in ("left-out", "quality"):
        page = Reader(people["admin"], insured=1).open(part, status=400)
        assert "insured" in page.text


def test_only_global_roles_choose_a_country_and_others_get_their_own(people: dict[str, ApiUser]) -> None:
    watched, own = people["watched"].country, people["admin"].country
    page = Reader(people["global"], country=watched.pk).open("overview")
    assert any(tag == "select" and tags["name"] == "country" for tag, tags in page.tags)
    assert page.cards["claims", ""]["value"] == str(
        people["watched"].get("dashboard/portfolio/")["indicators"][0]["value"]
    )
    for role in ("admin", "head", "operator"):
        page = Reader(people[role], country=watched.pk).open("overview")
        assert not any(tag == "select" for tag, _tags in page.tags)
        assert page.cards["claims", ""]["value"] == str(
            people["admin"].get(f"dashboard/portfolio/?country={own.pk}")["indicators"][0]["value"]
        )


def test_an_id_of_another_country_has_no_name_and_no_figures(people: dict[str, ApiUser]) -> None:
    foreign = core.Client.objects.visible_to(people["watched"].user).first()
    page = Reader(people["admin"], client=foreign.pk).open("overview")
    assert foreign.name not in page.text
    assert page.cards["claims", ""]["value"] == "0"


def test_reading_rows_of_persons_is_audited_as_in_the_api(people: dict[str, ApiUser]) -> None:
    reader = Reader(people["admin"], "en", **PERIOD)
    person = people["admin"].get("dashboard/rankings/?by=insured")["rows"][0]["id"]
    for part, own, name in (
        ("rankings", {"by": "insured"}, "rankings"),
        ("left-out-claims", {}, "left-out-claims"),
        ("quality", {"by": "operator"}, "quality"),
        ("watch-list", {"rule": "many_lines"}, "watch-list"),
        ("overview", {"insured": person}, "portfolio"),
    ):
        before = AuditEntry.objects.count()
        reader.open(part, **own)
        entry = AuditEntry.objects.latest("pk")
        assert AuditEntry.objects.count() == before + 1, part
        assert (entry.actor, entry.country) == (people["admin"].user, people["admin"].country)
        assert entry.data["part"] == f"dashboard/{name}"
        assert {"start", "end"} <= set(entry.data["filters"])
    before = AuditEntry.objects.count()
    reader.open("overview")
    reader.open("rankings", by="client")
    assert AuditEntry.objects.count() == before


# ------------------------------------------------------------------------------------------------ statements


@pytest.mark.parametrize("role", ["global", "admin"])
def test_a_page_takes_few_statements(role: str, people: dict[str, ApiUser]) -> None:
    """With kept answers, all of them. Without, those that read the data: keeping one without Redis takes five."""
    client = core.Client.objects.visible_to(people["admin"].user).first()
    reader = Reader(people[role], country=people["admin"].country.pk, client=client.pk)
    for part in PARTS:
        own = Reader(people[role]) if part in UPLOADS else reader
        own.open(part)
        cache.clear()
        with CaptureQueriesContext(connection) as cold:
            own.open(part)
        with CaptureQueriesContext(connection) as warm:
            own.open(part)
        assert len(_statements(cold)) <= MOST_STATEMENTS, (part, _statements(cold))
        assert len(warm) <= MOST_STATEMENTS, (part, [one["sql"] for one in warm.captured_queries])


def _statements(found: CaptureQueriesContext) -> list[str]:
    texts = [one["sql"] for one in found.captured_queries]
    return [text for text in texts if not text.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))]


def test_a_page_and_the_api_share_one_kept_answer(people: dict[str, ApiUser]) -> None:
    reader = Reader(people["admin"], "en", **PERIOD)
    reader.open("rankings", by="client")
    with CaptureQueriesContext(connection) as found:
        reader.ask("rankings", by="client", limit=50)
    assert not any("core_client" in one["sql"] for one in found.captured_queries)


# ------------------------------------------------------------------------------------------------ watch list


RULE = "incident_after_settlement"


@pytest.fixture
def unexplained(people: dict[str, ApiUser]) -> Iterator[Json]:
    """A row of the watched country that nobody has explained."""
    WatchMark.objects.all().delete()
    cache.clear()
    yield people["watched"].get(f"dashboard/watch-list/?rule={RULE}")["rows"][0]
    WatchMark.objects.all().delete()


def explain(reader: Reader, key: str, note: str, **form: str) -> Any:
    return reader.browser.post(f"/figures/watch-list/?rule={RULE}", {"rule": RULE, "key": key, "note": note, **form})


def test_a_row_that_somebody_explains_leaves_the_list_and_shows_who_said_what(
    unexplained: Json, people: dict[str, ApiUser]
) -> None:
    reader = Reader(people["watched"])
    before = len(people["watched"].get(f"dashboard/watch-list/?rule={RULE}")["rows"])
    response = explain(reader, unexplained["key"], "The date was corrected on paper.")
    assert (response.status_code, response.headers["Location"]) == (302, f"/figures/watch-list/?rule={RULE}")
    page = reader.open("watch-list", rule=RULE)
    assert "The row is explained." in page.text
    rows = [tags["data-row"] for _tag, tags in page.tags if "data-row" in tags]
    assert len(rows) == before - 1
    assert unexplained["key"] not in rows
    explained = reader.open("watch-list", rule=RULE, explained="true")
    assert "The date was corrected on paper." in explained.text
    assert people["watched"].user.display_name() in explained.text
    mark = WatchMark.objects.get()
    assert AuditEntry.objects.filter(object_type="dashboard.watchmark", object_id=mark.pk).exists()
    (row,) = people["watched"].get(f"dashboard/watch-list/?rule={RULE}&explained=true")["rows"]
    assert (row["note"], row["explained_by"]) == (mark.note, mark.user_name)


def test_a_note_is_required_and_the_page_says_so_in_place(unexplained: Json, people: dict[str, ApiUser]) -> None:
    for note in ("", "   "):
        response = explain(Reader(people["watched"]), unexplained["key"], note)
        assert response.status_code == 400
        assert "Say why the row is in order." in response.content.decode()
    too_long = explain(Reader(people["watched"]), unexplained["key"], "x" * 2001)
    assert too_long.status_code == 400
    assert "x" * 2001 in too_long.content.decode()
    assert not WatchMark.objects.exists()


def test_a_row_that_is_not_there_is_not_explained(unexplained: Json, people: dict[str, ApiUser]) -> None:
    reader = Reader(people["watched"])
    assert explain(reader, "claim=0|XOF", "Why").status_code == 404
    assert explain(reader, unexplained["key"], "Why", rule="colour").status_code == 404
    foreign = Reader(people["admin"])
    assert explain(foreign, unexplained["key"], "Why").status_code == 404
    assert not WatchMark.objects.exists()


def test_only_accounts_that_import_explain_rows(unexplained: Json, people: dict[str, ApiUser]) -> None:
    for role in ("global", "operator"):
        page = Reader(people[role]).open("watch-list", rule=RULE)
        assert not any(tag == "textarea" for tag, _tags in page.tags)
        assert explain(Reader(people[role]), unexplained["key"], "Why").status_code == 403
    assert explain(Reader(people["superuser"]), unexplained["key"], "In order.").status_code == 302


def test_the_form_of_a_row_needs_the_token_of_the_page(unexplained: Json, people: dict[str, ApiUser]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people["watched"].user)
    form = {"rule": RULE, "key": unexplained["key"], "note": "Why"}
    assert client.post("/figures/watch-list/", form).status_code == 403
    assert client.post("/figures/rankings/", form).status_code == 403
    assert Reader(people["watched"]).browser.post("/figures/rankings/", form).status_code == 405


# ------------------------------------------------------------------------------------------------ home, static files


def test_the_key_figures_of_the_home_page_are_those_of_the_overview(people: dict[str, ApiUser]) -> None:
    cards = Reader(people["admin"]).open("overview").cards
    with translation.override("en"):
        found = key_figures(people["admin"].user, keys=("claims", "reimbursed"))
    assert [(one.key, one.value) for one in found] == [
        ("claims", cards["claims", ""]["value"]), ("reimbursed", cards["reimbursed", "XOF"]["value"]),
    ]  # fmt: skip
    assert key_figures(people["admin"].user, preset="last-year")[0].value == "0"


def test_the_charts_library_is_the_one_whose_checksum_is_written_down() -> None:
    folder = STATIC / "vendor" / "chartjs"
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    named = dict(reversed(line.split()) for line in lines)
    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in named} == named
    assert set(named) == {"chart.umd.min.js", "LICENSE.md"}


def test_the_scripts_of_charts_are_under_120_kilobytes_compressed() -> None:
    files = [
        STATIC / "vendor/chartjs/chart.umd.min.js",
        Path(settings.BASE_DIR) / "dashboard/static/dashboard/charts.js",
    ]
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) < 120_000


def test_a_watched_row_of_days_ago_is_of_its_period(people: dict[str, ApiUser]) -> None:
    """The period of the address narrows the rules, too."""
    start = date(2024, 5, 6) + timedelta(days=41)
    page = Reader(people["watched"], start=start, end=start).open("watch-list", rule=RULE)
    assert not any("data-row" in tags for _tag, tags in page.tags)
