import json
import re

import pytest
from django.contrib.staticfiles import finders
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from rest_framework.test import APIClient

from users.models import Role, User

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
    assert all(address.startswith("/static/") for address in addresses)
    assert all(finders.find(address.removeprefix("/static/")) for address in addresses)


def test_the_schema_describes_signing_in(api):
    assert "/api/v1/auth/login/" in api.get("/api/v1/schema/?format=json").json()["paths"]


def demo_accounts(capsys):
    call_command("demo_accounts", json=True)
    return {account["role"]: account for account in json.loads(capsys.readouterr().out)}


def test_demo_accounts_are_one_of_each_role_and_their_printed_passwords_work(api, capsys):
    accounts = demo_accounts(capsys)
    assert set(accounts) == set(Role.values)
    for account in accounts.values():
        answer = api.post(
            "/api/v1/auth/login/", {"username": account["username"], "password": account["password"]}, format="json"
        )
        assert answer.status_code == 200, account["role"]


def test_demo_accounts_made_again_have_other_passwords(capsys):
    first, second = demo_accounts(capsys), demo_accounts(capsys)
    assert all(first[role]["password"] != second[role]["password"] for role in Role.values)
    assert User.objects.count() == len(Role.values)


def test_demo_accounts_are_refused_beside_real_ones():
    User.objects.create_user("ama", "ama@insurer.example", "x")
    with pytest.raises(CommandError, match="real people"):
        call_command("demo_accounts")
