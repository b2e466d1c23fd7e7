"""Logs: one JSON object per line on stderr, with ids, counts and row numbers and no cell values."""

import logging
import logging.config
import sys
import traceback
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

# Exceptions whose message comes from the system, a service or our code. The message of any other exception may quote a
# cell or a row ("could not convert 'KOFFI'", "Key (name)=(…) already exists"), so only its class is logged.
CLASSES_WITHOUT_DATA = {
    "OSError",
    "OperationalError",
    "InterfaceError",
    "ImproperlyConfigured",
    "ImportError",
    "NameError",
    "AttributeError",
    "RedisError",
    "KombuError",
    "MemoryError",
    "DisallowedHost",
}


def exception_chain(error: BaseException | None) -> list[BaseException]:
    """`error`, its cause, the cause's cause and so on, each once."""
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return chain


def exception_lines(chain: list[BaseException]) -> list[str]:
    """Each exception with its traceback, and with its message if that has no data."""
    lines: list[str] = []
    for error in chain:
        message = f": {str(error).splitlines()[0]}" if str(error) and has_no_data(error) else ""
        lines.append(f"{class_name(error)}{message}")
        lines += [f"  {at.filename}:{at.lineno} {at.name}" for at in traceback.extract_tb(error.__traceback__)]
    return lines


def class_name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def has_no_data(error: BaseException) -> bool:
    return any(base.__name__ in CLASSES_WITHOUT_DATA for base in type(error).__mro__)


def _exception_without_data(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    exc_info = event.pop("exc_info", None)
    if isinstance(exc_info, tuple):
        error = exc_info[1]
    elif isinstance(exc_info, BaseException):
        error = exc_info
    else:
        error = sys.exc_info()[1] if exc_info else None
    chain = exception_chain(error)
    if chain:
        event["exception"] = exception_lines(chain)
    for each in chain:
        # Libraries repeat the exception's message in their own.
        for text in (repr(each), str(each)):
            if text and not has_no_data(each):
                event["event"] = str(event["event"]).replace(text, class_name(each))
    return event


SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def json_formatter() -> structlog.stdlib.ProcessorFormatter:
    """The formatter for records of structlog and of the standard library."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _exception_without_data,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )


def logging_settings(*, level: str) -> dict[str, Any]:
    """The `logging.config` dictionary for Django's LOGGING."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "config.logs.json_formatter"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            # Logs every 4xx response, which the access log has already.
            "django.request": {"level": "ERROR"},
            # Their INFO messages contain arguments of calls.
            "botocore": {"level": "WARNING"},
            "kombu": {"level": "WARNING"},
        },
    }


def configure(settings: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG: configures the loggers of the standard library and of structlog alike."""
    logging.config.dictConfig(settings)
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
