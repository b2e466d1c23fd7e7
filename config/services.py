"""Settings of Django and Celery for the services that an installation names by URL.

Without a URL, an embedded form is used: SQLite, a spool folder, a database table, a local folder.
"""

from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

SQLITE_BUSY_SECONDS = 20
# A request answers within 5 s even if Redis does not, so each single wait is much shorter.
REDIS_CONNECT_SECONDS = 1
REDIS_ANSWER_SECONDS = 2


def database(*, url: str) -> dict[str, Any]:
    """Django's settings of the database at `url`."""
    settings: dict[str, Any] = dict(environ.Env.db_url_config(url))
    options: dict[str, Any] = dict(settings.get("OPTIONS", {}))
    if settings["ENGINE"] == "django.db.backends.sqlite3":
        options |= {
            # A transaction takes the write lock at its start. SQLite fails at once, without waiting, if a reading
            # transaction wants to write while another one writes.
            "transaction_mode": "IMMEDIATE",
            "timeout": SQLITE_BUSY_SECONDS,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
        }
    elif settings["ENGINE"] == "django.db.backends.postgresql":
        options.setdefault("connect_timeout", 5)
        # One connection per thread, checked before use, so that a restarted database causes few errors.
        settings["CONN_MAX_AGE"] = 60
        settings["CONN_HEALTH_CHECKS"] = True
    else:
        raise ImproperlyConfigured("DATABASE_URL must begin with postgresql:// or sqlite:///.")
    settings["OPTIONS"] = options
    return settings


def caches(*, redis_url: str, folder: Path, prefix: str) -> dict[str, dict[str, Any]]:
    """The caches "default", in Redis or else in the folder, and "throttle".

    The counters of throttles are always in the database, so that throttles work while Redis is down: they neither
    refuse every request nor allow unlimited guessing.
    """
    throttle = {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache_throttle",
        "KEY_PREFIX": prefix,
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
    default: dict[str, Any]
    if redis_url:
        default = {
            "BACKEND": "common.caches.RedisCache",
            "LOCATION": redis_url,
            "OPTIONS": {"socket_timeout": REDIS_ANSWER_SECONDS, "socket_connect_timeout": REDIS_CONNECT_SECONDS},
        }
    else:
        # Not in the database: SQLite has one writer, which an import occupies for seconds.
        default = {
            "BACKEND": "common.caches.FileCache",
            "LOCATION": str(folder),
            "OPTIONS": {"MAX_ENTRIES": 2_000},
        }
    return {"default": default | {"KEY_PREFIX": prefix}, "throttle": throttle}


def broker(*, redis_url: str, folder: Path, prefix: str, visibility_seconds: int) -> dict[str, Any]:
    """Celery's `broker_url` and `broker_transport_options`."""
    if redis_url:
        if urlsplit(redis_url).scheme not in ("redis", "rediss", "unix"):
            raise ImproperlyConfigured("REDIS_URL must begin with redis://, rediss:// or unix://.")
        return {
            "broker_url": redis_url.replace("unix://", "redis+socket://", 1),
            "broker_transport_options": {
                "global_keyprefix": f"{prefix}:",
                "socket_timeout": REDIS_ANSWER_SECONDS,
                "socket_connect_timeout": REDIS_CONNECT_SECONDS,
                "socket_keepalive": True,
                "health_check_interval": 10,
                # Longer than any run, or the message of a long run would be delivered again during the run.
                "visibility_timeout": visibility_seconds,
                # One attempt to publish: the sweeper sends a lost task again.
                "max_retries": 0,
                "connect_retries_timeout": REDIS_ANSWER_SECONDS,
            },
        }
    return {
        "broker_url": "spool://localhost/",
        "broker_transport_options": {
            "data_folder_in": str(folder),
            "data_folder_out": str(folder),
            "polling_interval": 0.2,
        },
    }


STORAGE_FORMS = (
    "file:///folder, s3://KEY:SECRET@host:port/bucket?region=eu-west-3&tls=1, gs://bucket?key_file=/path.json or"
    " azure://ACCOUNT:KEY@/container"
)


def drop_place(*, url: str) -> dict[str, Any]:
    """Django's storage for the place of WATCH_URL: a folder, `file:///folder`, or as `storage` with a prefix behind the
    bucket: `s3://KEY:SECRET@host[:port]/bucket/prefix?region=…&tls=0|1`.
    """
    if not url.startswith("s3://"):
        folder = Path(unquote(urlsplit(url).path) if url.startswith("file://") else url)
        if not folder.is_absolute():
            raise ImproperlyConfigured("WATCH_URL must be the absolute path of a folder, or begin with s3://.")
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder)}}
    parts = urlsplit(url)
    bucket, _slash, prefix = parts.path.strip("/").partition("/")
    try:
        place = storage(url=parts._replace(path=f"/{bucket}").geturl(), folder=Path())
    except ImproperlyConfigured:
        raise ImproperlyConfigured(
            "WATCH_URL must be like s3://KEY:SECRET@host:port/bucket/prefix?region=eu-west-3&tls=1."
            " A / in the secret is written as %2F."
        ) from None
    place["OPTIONS"]["location"] = prefix
    return place


def storage(*, url: str, folder: Path) -> dict[str, Any]:
    """Django's storage for uploaded files and reports: a folder, or a cloud (docs/storage.md).

    Nothing is served from there directly: files are downloaded only through views that check permissions. The classes
    are named as text, so that an installation loads the library of its own cloud only.
    """
    if not url:
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {
                "location": str(folder),
                "file_permissions_mode": 0o600,
                "directory_permissions_mode": 0o700,
            },
        }
    parts = urlsplit(url)
    if parts.scheme == "file":
        return storage(url="", folder=Path(unquote(parts.path)))
    cloud = {"s3": _s3, "gs": _google, "azure": _azure}.get(parts.scheme)
    try:
        # Reading the port raises ValueError where a key has a "/" that is not written as %2F.
        is_url = cloud is not None and (parts.port or 1) > 0
    except ValueError:
        is_url = False
    if cloud is None or not is_url:
        raise _invalid_storage()
    return cloud(parts)


def _invalid_storage() -> ImproperlyConfigured:
    # The URL contains a secret, so the message must not repeat it.
    return ImproperlyConfigured(f"STORAGE_URL must be like {STORAGE_FORMS}. A / in a key is written as %2F.")


def _bucket(path: str) -> str:
    """The one name in the path."""
    bucket = path.strip("/")
    if not bucket or "/" in bucket:
        raise _invalid_storage()
    return bucket


def _query(parts: SplitResult, *names: str) -> dict[str, str]:
    """The query of the URL, which has no other name than these; `tls` is 0 or 1."""
    query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    if set(query) - set(names) or query.get("tls", "1") not in ("0", "1"):
        takes = " and ".join("tls=0 or tls=1" if name == "tls" else f"{name}=…" for name in names)
        raise ImproperlyConfigured(f"STORAGE_URL of {parts.scheme}:// takes {takes} only.")
    return query


def _address(parts: SplitResult, query: dict[str, str]) -> str:
    """The address of the server that the URL names; "" where it names none."""
    if not parts.hostname:
        return ""
    scheme = "http" if query.get("tls") == "0" else "https"
    return f"{scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


def _s3(parts: SplitResult) -> dict[str, Any]:
    """`s3://KEY:SECRET@host[:port]/bucket?region=…&tls=0|1`; Amazon without a host."""
    query = _query(parts, "region", "tls")
    options: dict[str, Any] = {"bucket_name": _bucket(parts.path), "endpoint_url": _address(parts, query)}
    if parts.username:
        options |= {"access_key": unquote(parts.username), "secret_key": unquote(parts.password or "")}
    if region := query.get("region"):
        options["region_name"] = region
    return {"BACKEND": "common.cloud_storage.s3.S3", "OPTIONS": options}


def _google(parts: SplitResult) -> dict[str, Any]:
    """`gs://bucket?key_file=/path.json&endpoint=https://host`."""
    query = _query(parts, "key_file", "endpoint")
    if parts.username or parts.path.strip("/"):
        raise _invalid_storage()
    return {
        "BACKEND": "common.cloud_storage.google.Google",
        "OPTIONS": {
            "bucket_name": _bucket(parts.netloc),
            "key_file": query.get("key_file", ""),
            "endpoint_url": query.get("endpoint", ""),
        },
    }


def _azure(parts: SplitResult) -> dict[str, Any]:
    """`azure://ACCOUNT:KEY@[host[:port]]/container?tls=0|1`. The address of a host that does not begin with the name of
    the account has it in its path."""
    query = _query(parts, "tls")
    account = unquote(parts.username or "")
    if not account:
        raise _invalid_storage()
    address = _address(parts, query) or f"https://{account}.blob.core.windows.net"
    if parts.hostname and parts.hostname.partition(".")[0] != account:
        address += f"/{account}"
    return {
        "BACKEND": "common.cloud_storage.azure.Azure",
        "OPTIONS": {
            "account_url": address,
            "account_name": account,
            "account_key": unquote(parts.password or ""),
            "container": _bucket(parts.path),
        },
    }


# The services of django-anymail, by the scheme of the URL.
MAIL_SERVICES = frozenset(
    {
        "amazon_ses",
        "brevo",
        "mailersend",
        "mailgun",
        "mailjet",
        "mailtrap",
        "mandrill",
        "postal",
        "postmark",
        "resend",
        "scaleway",
        "sparkpost",
        "unisender_go",
    }
)


def mail(*, url: str) -> dict[str, Any]:
    """Settings of mail: `BACKEND`, Django's EMAIL_* settings without the prefix, and `ANYMAIL`.

    "" → the console. `smtp://user:password@host:587` (STARTTLS; `?tls=0` for none), `smtps://…` (TLS from the start),
    or a service of django-anymail: `mailgun://API_KEY@?SENDER_DOMAIN=…`, `mailjet://API_KEY:SECRET_KEY@`.
    """
    if not url:
        return {"BACKEND": "django.core.mail.backends.console.EmailBackend"}
    # urlsplit accepts no scheme with an underscore, so the rest is parsed with another scheme.
    scheme, _separator, rest = url.partition("://")
    parts = urlsplit(f"smtp://{rest}")
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if (
        scheme in ("smtp", "smtps")
        and parts.hostname
        and query.get("tls", "1") in ("0", "1")
        and not set(query) - {"tls"}
    ):
        starts_tls = scheme == "smtp" and query.get("tls") != "0"
        return {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "HOST": parts.hostname,
            "PORT": parts.port or (465 if scheme == "smtps" else 587),
            "HOST_USER": user,
            "HOST_PASSWORD": password,
            "USE_TLS": starts_tls,
            "USE_SSL": scheme == "smtps",
        }
    if scheme in MAIL_SERVICES:
        keys = {"API_KEY": user, "SECRET_KEY": password}
        return {
            "BACKEND": f"anymail.backends.{scheme}.EmailBackend",
            "ANYMAIL": {f"{scheme.upper()}_{name}": value for name, value in {**keys, **query}.items() if value},
        }
    # The URL contains a secret, so the message must not repeat it.
    raise ImproperlyConfigured(
        "MAIL_URL must be like smtp://user:password@host:587, smtps://user:password@host or SERVICE://API_KEY@ with one"
        " of " + ", ".join(sorted(MAIL_SERVICES)) + "."
    )
