"""The accounts of the demonstration."""

import json

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from users.models import Role, User

pytestmark = pytest.mark.django_db


def demo_accounts(capsys):
    call_command("demo_accounts", json=True)
    return {account["role"]: account for account in json.loads(capsys.readouterr().out)}


def test_demo_accounts_are_one_of_each_role_and_their_printed_passwords_work(capsys):
    accounts = demo_accounts(capsys)
    assert set(accounts) == set(Role.values)
    for account in accounts.values():
        answer = APIClient().post(
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
