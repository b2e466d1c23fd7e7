"""Concord's settings. Values that differ between installations come from environment variables."""

import secrets
from datetime import timedelta
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config import services
from config.logs import logging_settings
from config.secret import SAMPLE_KEY

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# --- Folders ----------------------------------------------------------------------------------------------------------

DATA_DIR = Path(env.str("DATA_DIR", default="") or BASE_DIR / "data").resolve()
BROKER_DIR = DATA_DIR / "broker"
UPLOAD_DIR = DATA_DIR / "tmp"
for folder in (DATA_DIR, BROKER_DIR, UPLOAD_DIR):
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)

# --- Secrets and hosts ------------------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY_GIVEN = env.str("SECRET_KEY", default="") or (SAMPLE_KEY if DEBUG else "")
# Without a key no server starts (config.secret), but tests, migrations and checks of the code run.
SECRET_KEY = SECRET_KEY_GIVEN or secrets.token_urlsafe(50)
# Former keys, with which secrets were sealed (common.sealed) and sessions signed.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

X_FRAME_OPTIONS = "DENY"
# Everything that a page loads comes from this server, and no page has scripts or styles in its text.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 10 * 3600
# Behind a proxy that terminates TLS and sets X-Forwarded-Proto itself.
BEHIND_TLS = env.bool("BEHIND_TLS", default=False)
if BEHIND_TLS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^health/$"]
    SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# --- Apps and middleware ----------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "users",
    "file_handling",
    "notifications",
    "core",
    "importer",
    "dashboard",
    "config.admin.ConcordAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "django_htmx",
    "django_tables2",
    "csp",
    "knox",
    "anymail",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Before all that may refuse a request: refusals are pages too.
    "csp.middleware.CSPMiddleware",
    "common.request_log.RequestLogMiddleware",
    "common.middleware.PrivateAnswersMiddleware",
    "common.middleware.PostSizeMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "users.sign_in.language.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "common.middleware.StorageFailureMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.navigation.navigation",
            ],
            "libraries": {"formats": "common.templatetags.formats"},
        },
    },
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Services: database, queue, cache, files --------------------------------------------------------------------------

DATABASE_URL = env.str("DATABASE_URL", default="") or f"sqlite:///{DATA_DIR / 'concord.sqlite3'}"
REDIS_URL = env.str("REDIS_URL", default="")
# Different values let several installations share one Redis.
KEY_PREFIX = env.str("KEY_PREFIX", default="concord")
DATABASES = {"default": services.database(url=DATABASE_URL)}
CACHES = services.caches(redis_url=REDIS_URL, folder=DATA_DIR / "cache", prefix=KEY_PREFIX)

TASK_TIME_LIMIT_SECONDS = env.int("TASK_TIME_LIMIT_SECONDS", default=3600)
CELERY = services.broker(
    redis_url=REDIS_URL, folder=BROKER_DIR, prefix=KEY_PREFIX, visibility_seconds=TASK_TIME_LIMIT_SECONDS + 300
) | {
    "task_time_limit": TASK_TIME_LIMIT_SECONDS,
    "worker_concurrency": env.int("WORKERS", default=2),
}

STORAGES = {
    "default": services.storage(url=env.str("STORAGE_URL", default=""), folder=DATA_DIR / "files"),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# Where files are dropped for import; empty: nowhere. WATCH_ACCOUNT: the name of the account in each country.
if WATCH_URL := env.str("WATCH_URL", default=""):
    STORAGES["drop"] = services.drop_place(url=WATCH_URL)
WATCH = {
    "SECONDS": env.float("WATCH_SECONDS", default=30),
    "ACCOUNT": env.str("WATCH_ACCOUNT", default="drop-{country}"),
}
# Mail goes to the console unless MAIL_URL is set. The URL may contain a secret.
MAIL = services.mail(url=env.str("MAIL_URL", default=""))
EMAIL_BACKEND = MAIL["BACKEND"]
ANYMAIL = MAIL.get("ANYMAIL", {})
EMAIL_HOST = MAIL.get("HOST", "localhost")
EMAIL_PORT = MAIL.get("PORT", 25)
EMAIL_HOST_USER = MAIL.get("HOST_USER", "")
EMAIL_HOST_PASSWORD = MAIL.get("HOST_PASSWORD", "")
EMAIL_USE_TLS = MAIL.get("USE_TLS", False)
EMAIL_USE_SSL = MAIL.get("USE_SSL", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default="Concord <concord@localhost>")
# The public address of this installation. Links in mails begin with it, never with the host name of a request.
PUBLIC_URL = env.str("PUBLIC_URL", default=f"http://localhost:{env.str('PORT', default='8000')}").rstrip("/")

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]

# --- Accounts ---------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = ["users.sign_in.backends.NameOrEmailBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# scrypt costs memory as well as time, and is part of Python. A hash of another kind is replaced at the next sign-in.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
# Seconds for which a link to choose a password is valid: 24 hours.
PASSWORD_RESET_TIMEOUT = 24 * 3600
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "start"
CSRF_FAILURE_VIEW = "common.error_pages.csrf_failure"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = ["config.formats"]
USE_TZ = True
TIME_ZONE = "UTC"

# --- The API ----------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "users.sign_in.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    # JSON only, so that a body has one format. Views that take files also parse forms.
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_FILTER_BACKENDS": ["common.filters.StrictFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "common.pagination.PageNumberPagination",
    "DEFAULT_SCHEMA_CLASS": "users.access.schema.Schema",
    "EXCEPTION_HANDLER": "common.api_errors.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    # Number of proxies in front whose X-Forwarded-For is trusted.
    "NUM_PROXIES": env.int("TRUSTED_PROXIES", default=0),
    "DEFAULT_THROTTLE_RATES": {
        "login_address": env.str("THROTTLE_LOGIN_ADDRESS", default="30/min"),
        "login_account": env.str("THROTTLE_LOGIN_ACCOUNT", default="10/min"),
        # Sign-ins to one account from one client address; requests of links; changes of one's own password.
        "login_pair": env.str("THROTTLE_LOGIN_PAIR", default="300/hour"),
        "reset_address": env.str("THROTTLE_RESET_ADDRESS", default="30/hour"),
        "reset_account": env.str("THROTTLE_RESET_ACCOUNT", default="5/hour"),
        "password": env.str("THROTTLE_PASSWORD", default="20/hour"),
        "upload": env.str("THROTTLE_UPLOAD", default="600/hour"),
        "file": env.str("THROTTLE_FILE", default="3000/hour"),
        "export": env.str("THROTTLE_EXPORT", default="600/hour"),
    },
}
REST_KNOX = {
    "TOKEN_TTL": timedelta(hours=env.int("TOKEN_HOURS", default=10)),
    "AUTH_HEADER_PREFIX": "Token",
    "AUTO_REFRESH": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Concord",
    "DESCRIPTION": "Imports the insurance claims on which the stat file and the recap agree, and shows all others.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": r"/api/v1/",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "SessionStatus": "file_handling.models.SessionStatus",
        "OnConflict": "file_handling.models.OnConflict",
        "FileType": "file_handling.models.FileType",
        "FindingCategory": "file_handling.models.FindingCategory",
        "EventLevel": "file_handling.models.EventLevel",
        "ClaimStatus": "core.models.ClaimStatus",
        "MembershipRole": "core.models.MembershipRole",
        "AccountRole": "users.models.Role",
        "AuditAction": "users.models.AuditAction",
        "ImportMails": "users.models.ImportMails",
        "WebhookState": "notifications.models.EndpointState",
        "WebhookMessageState": "notifications.models.MessageState",
        "PortfolioKey": "dashboard.indicators.portfolio.KEYS",
        "DelayBandKey": "dashboard.answer_shapes.BAND_KEYS",
        "ReviewKind": "core.models.ReviewKind",
        "ReviewState": "core.models.ReviewState",
        "ReviewDecision": "core.models.ReviewDecision",
        "ChangeKind": "core.models.ChangeKind",
        "CatalogueKind": "core.models.CatalogueKind",
        "CatalogueDecision": "core.catalogue.serializers.DECISIONS",
        "RankingBy": "dashboard.indicators.rankings.BY",
        "QualityBy": "dashboard.answer_shapes.QUALITY_BY",
    },
    # The page loads its scripts from this server, so it works without the internet.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- Limits -----------------------------------------------------------------------------------------------------------

MEGABYTE = 1024 * 1024
CONCORD = {
    "MAX_FILE_BYTES": env.int("MAX_FILE_BYTES", default=50 * MEGABYTE),
    "MAX_POST_BYTES": env.int("MAX_POST_BYTES", default=200 * MEGABYTE),
    "MAX_PAGES": env.int("MAX_PAGES", default=300),
    "MAX_COLUMNS": env.int("MAX_COLUMNS", default=200),
    # Largest inflated size of a workbook, in bytes and as a multiple of its size, and the largest grid of its cells.
    "MAX_INFLATED_BYTES": env.int("MAX_INFLATED_BYTES", default=500 * MEGABYTE),
    "MAX_INFLATION_RATIO": env.int("MAX_INFLATION_RATIO", default=100),
    "MAX_ZIP_ENTRIES": env.int("MAX_ZIP_ENTRIES", default=1000),
    "MAX_GRID_CELLS": env.int("MAX_GRID_CELLS", default=40_000_000),
    "EXPORT_MAX_ROWS": env.int("EXPORT_MAX_ROWS", default=200_000),
    # Limits of the child process that reads a file.
    "READER_MEMORY_BYTES": env.int("READER_MEMORY_BYTES", default=2048 * MEGABYTE),
    "READER_CPU_SECONDS": env.int("READER_CPU_SECONDS", default=300),
    "READER_WALL_SECONDS": env.int("READER_WALL_SECONDS", default=600),
    # The lease of a run on its session; after it, another run takes over. Seconds between heartbeats and sweeps.
    "LEASE_SECONDS": env.int("LEASE_SECONDS", default=60),
    "HEARTBEAT_SECONDS": env.int("HEARTBEAT_SECONDS", default=15),
    "SWEEP_SECONDS": env.int("SWEEP_SECONDS", default=10),
    "RING_AGAIN_SECONDS": env.int("RING_AGAIN_SECONDS", default=30),
    "MAX_ATTEMPTS": env.int("MAX_ATTEMPTS", default=3),
}
if any(value <= 0 for value in CONCORD.values()):
    raise ImproperlyConfigured(
        "These must be above zero: " + ", ".join(name for name, value in CONCORD.items() if value <= 0)
    )
if CONCORD["HEARTBEAT_SECONDS"] * 2 > CONCORD["LEASE_SECONDS"]:
    raise ImproperlyConfigured("LEASE_SECONDS must be at least twice HEARTBEAT_SECONDS, or live runs lose their lease.")

# Live progress: times in seconds, numbers of connections. STREAMS are those of one web process, where each holds a
# thread; WATCHERS those of the ASGI process. Access is checked before each event and at least every CHECK_SECONDS.
WEB_THREADS = env.int("WEB_THREADS", default=4)
LIVE = {
    "STREAMS": env.int("LIVE_STREAMS", default=WEB_THREADS // 2),
    "STREAM_SECONDS": env.float("LIVE_STREAM_SECONDS", default=60),
    "POLL_SECONDS": env.float("LIVE_POLL_SECONDS", default=1),
    "CHECK_SECONDS": env.float("LIVE_CHECK_SECONDS", default=10),
    "HEARTBEAT_SECONDS": env.float("LIVE_HEARTBEAT_SECONDS", default=15),
    "SEND_SECONDS": env.float("LIVE_SEND_SECONDS", default=15),
    "WATCHERS": env.int("LIVE_WATCHERS", default=2000),
    "ACCOUNT_WATCHERS": env.int("LIVE_ACCOUNT_WATCHERS", default=20),
}
# The address of the ASGI process for browsers, without `/live/`. Empty: the pages poll.
LIVE_URL = env.str("LIVE_URL", default="").rstrip("/")
if not 0 <= LIVE["STREAMS"] < WEB_THREADS:
    raise ImproperlyConfigured("LIVE_STREAMS must be below WEB_THREADS, or streams would leave no thread for requests.")
if min(value for name, value in LIVE.items() if name != "STREAMS") <= 0 or LIVE["CHECK_SECONDS"] > 25:
    raise ImproperlyConfigured("LIVE_… must be above zero, and LIVE_CHECK_SECONDS at most 25.")

# --- Notifications ----------------------------------------------------------------------------------------------------

# Hosts of a private network, as `host` or `host:port`, to which this server may connect all the same, for
# webhooks and converters.
OUTGOING_ALLOWED_HOSTS = env.list("OUTGOING_ALLOWED_HOSTS", default=[])
# Times in seconds: limits of one delivery; the claim of a worker on an endpoint; the wait after a failure, which grows
# fourfold up to the longest; the time after which an endpoint that fails is disabled; and how long the former secret
# signs beside a new one.
WEBHOOKS = {
    "CONNECT_SECONDS": env.float("WEBHOOK_CONNECT_SECONDS", default=5),
    "READ_SECONDS": env.float("WEBHOOK_READ_SECONDS", default=10),
    "WHOLE_SECONDS": env.float("WEBHOOK_WHOLE_SECONDS", default=15),
    "CLAIM_SECONDS": env.float("WEBHOOK_CLAIM_SECONDS", default=60),
    "FIRST_WAIT_SECONDS": env.float("WEBHOOK_FIRST_WAIT_SECONDS", default=5),
    "LONGEST_WAIT_SECONDS": env.float("WEBHOOK_LONGEST_WAIT_SECONDS", default=4 * 3600),
    "GIVE_UP_SECONDS": env.float("WEBHOOK_GIVE_UP_SECONDS", default=24 * 3600),
    "OVERLAP_SECONDS": env.float("WEBHOOK_OVERLAP_SECONDS", default=24 * 3600),
}
if min(WEBHOOKS.values()) <= 0 or WEBHOOKS["CLAIM_SECONDS"] < WEBHOOKS["WHOLE_SECONDS"] * 2:
    raise ImproperlyConfigured(
        "WEBHOOK_… must be above zero, and WEBHOOK_CLAIM_SECONDS at least twice WEBHOOK_WHOLE_SECONDS."
    )
# The hour of the day (UTC) from which the summaries of the day before are sent.
SUMMARY_HOUR = env.int("SUMMARY_HOUR", default=6)

# --- Converters -------------------------------------------------------------------------------------------------------

# Times in seconds: the longest that a converter may take for a file; to connect; the wait after the first attempt
# without an answer, which grows fourfold up to the longest.
CONVERTERS = {
    "MAX_SECONDS": env.float("CONVERTER_MAX_SECONDS", default=600),
    "CONNECT_SECONDS": env.float("CONVERTER_CONNECT_SECONDS", default=5),
    "FIRST_WAIT_SECONDS": env.float("CONVERTER_FIRST_WAIT_SECONDS", default=60),
    "LONGEST_WAIT_SECONDS": env.float("CONVERTER_LONGEST_WAIT_SECONDS", default=3600),
}
if min(CONVERTERS.values()) <= 0:
    raise ImproperlyConfigured("CONVERTER_… must be above zero.")

# --- Uploads ----------------------------------------------------------------------------------------------------------

# Uploads are written to disk while they arrive, so no request holds a file in memory.
FILE_UPLOAD_HANDLERS = ["file_handling.files.upload_handler.TidyUploadHandler"]
FILE_UPLOAD_TEMP_DIR = str(UPLOAD_DIR)
FILE_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 * MEGABYTE
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
# Well above all pages and their stat file, so that our own message, not Django's, refuses a page too many.
DATA_UPLOAD_MAX_NUMBER_FILES = CONCORD["MAX_PAGES"] + 100

LOGGING = logging_settings(level=env.str("LOG_LEVEL", default="INFO"))
LOGGING_CONFIG = "config.logs.configure"
