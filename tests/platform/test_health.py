"""The health address, and the page that documents the API."""

import re

import pytest
from django.contrib.staticfiles import finders
from django.db import OperationalError, connection
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def api():
    return APIClient()


def test_health_is_ok_while_the_database_answers(api):
    answer = api.get("/health/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_health_is_503_while_it_does_not(api):
    def away(execute, *args):
        raise OperationalError("gone")

    with connection.execute_wrapper(away):
        answer = api.get("/health/")
    assert answer.status_code == 503


def test_the_documentation_page_loads_nothing_from_the_internet(api):
    page = api.get("/api/v1/docs/").content.decode()
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert addresses
    own = re.compile(r"/(?!/)")
    assert all(own.match(address) for address in addresses)
    scripts = [address for address in addresses if not address.startswith("/static/")]
    assert [api.get(address).status_code for address in scripts] == [200] * len(scripts)
    files = [address for address in addresses if address.startswith("/static/")]
    assert files
    assert all(finders.find(address.removeprefix("/static/")) for address in files)
