import os
from pathlib import Path

import pytest
import redis
from django.conf import settings as project
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.db import connection
from django.utils.module_loading import import_string

from config import services
from scripts.services import unanswered


def stored_at(url):
    settings = services.storage(url=url, folder=None)
    return import_string(settings["BACKEND"])(**settings["OPTIONS"])


def test_a_storage_url_names_key_secret_host_bucket_and_region():
    storage = stored_at("s3://KEY:se%2Fcret@minio.example:9000/claims?region=eu-west-3&tls=0")
    assert storage.endpoint_url == "http://minio.example:9000"
    assert (storage.access_key, storage.secret_key) == ("KEY", "se/cret")
    assert (storage.bucket_name, storage.region_name) == ("claims", "eu-west-3")
    assert storage.default_acl is None


def test_a_storage_url_without_a_host_leaves_key_and_endpoint_to_the_machine():
    storage = stored_at("s3:///claims")
    assert storage.endpoint_url is None


def test_storage_uses_tls_unless_the_url_says_otherwise():
    assert stored_at("s3://K:S@store.example/claims").endpoint_url == "https://store.example"


def test_a_storage_url_names_a_bucket_of_google_its_key_file_and_another_server():
    storage = services.storage(url="gs://claims?key_file=/etc/concord/key%201.json", folder=None)["OPTIONS"]
    assert storage == {"bucket_name": "claims", "key_file": "/etc/concord/key 1.json", "endpoint_url": ""}
    storage = services.storage(url="gs://claims?endpoint=https://storage.example", folder=None)["OPTIONS"]
    assert storage == {"bucket_name": "claims", "key_file": "", "endpoint_url": "https://storage.example"}


@pytest.mark.parametrize(
    ("place", "address"),
    [
        ("/claims", "https://concord.blob.core.windows.net/"),
        ("concord.blob.core.chinacloudapi.cn/claims", "https://concord.blob.core.chinacloudapi.cn/"),
        ("127.0.0.1:10000/claims?tls=0", "http://127.0.0.1:10000/concord/"),
    ],
)
def test_a_storage_url_names_account_key_host_and_container_of_azure(place, address):
    storage = stored_at(f"azure://concord:a2%2FV5@{place}")
    assert (storage.account_name, storage.account_key, storage.azure_container) == ("concord", "a2/V5", "claims")
    assert storage.service_client.url == address


@pytest.mark.parametrize(
    "url",
    [
        "gs://KEY:SECRETWORD@bucket",
        "gs://bucket/folder/SECRETWORD",
        "gs://bucket?token=SECRETWORD",
        "azure:///container?SECRETWORD=1",
        "azure://ACCOUNT:SECRETWORD@/",
        "azure://ACCOUNT:SECRETWORD@/a/b",
        "azure://ACCOUNT:SECRET/WORD@/container",
        "azure://:SECRETWORD@/container",
        "s3://KEY:SECRETWORD@host/",
        "s3://KEY:SECRETWORD@host/a/b",
        "ftp://KEY:SECRETWORD@host/a",
        "s3://KEY:SECRETWORD@host/a?tls=yes",
        "s3://KEY:SECRETWORD@host/a?regoin=x",
    ],
)
def test_an_invalid_storage_url_is_refused_without_its_secret(url):
    with pytest.raises(ImproperlyConfigured) as refusal:
        services.storage(url=url, folder=None)
    assert "SECRETWORD" not in str(refusal.value)


def test_stored_files_are_readable_by_their_owner_only(tmp_path):
    settings = services.storage(url="", folder=tmp_path / "files")
    storage = FileSystemStorage(**settings["OPTIONS"])
    name = storage.save("uploads/1/a.xlsx", ContentFile(b"x"))
    assert (tmp_path / "files" / name).stat().st_mode & 0o777 == 0o600


@pytest.mark.needs("sqlite")
@pytest.mark.django_db
def test_the_embedded_database_uses_wal_and_waits_for_locks():
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert cursor.execute("PRAGMA busy_timeout").fetchone() == (20_000,)
    assert connection.transaction_mode == "IMMEDIATE"


def test_a_database_that_is_neither_postgresql_nor_sqlite_is_refused():
    with pytest.raises(ImproperlyConfigured, match="postgresql://"):
        services.database(url="mysql://root@localhost/concord")


@pytest.mark.needs("redis")
def test_emptying_the_cache_leaves_everything_else_in_the_same_redis():
    foreign = f"{project.KEY_PREFIX}-neighbour:1:answer"
    with redis.Redis.from_url(project.REDIS_URL) as client:
        client.set(foreign, "kept", ex=60)
        cache.set("answer", 1)
        cache.clear()
        assert (cache.get("answer"), client.get(foreign)) == (None, b"kept")


@pytest.mark.needs("spool")
@pytest.mark.parametrize("size", [0, 3, 40])
def test_an_answer_whose_file_was_cut_is_made_again(size):
    cache.clear()
    cache.set("answer", "x" * 1_000)
    [file] = Path(project.CACHES["default"]["LOCATION"]).glob("*")
    os.truncate(file, size)
    assert cache.get("answer") is None
    cache.clear()


def test_throttles_count_in_the_database_even_with_redis():
    caches = services.caches(redis_url="redis://localhost:1/0", folder=Path("unused"), prefix="concord")
    assert "Redis" in caches["default"]["BACKEND"]
    assert "DatabaseCache" in caches["throttle"]["BACKEND"]


def test_a_service_that_does_not_answer_is_named_without_its_password():
    problems = unanswered(
        database_url="postgresql://someone:hushhush@127.0.0.1:1/concord", redis_url="redis://:hushhush@127.0.0.1:1/0"
    )
    assert [problem.split(" at ")[0] for problem in problems] == [
        "PostgreSQL does not answer",
        "Redis does not answer",
    ]
    assert "127.0.0.1:1" in problems[0]
    assert "hushhush" not in "".join(problems)
