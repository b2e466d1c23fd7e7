import io
import json
import logging

import pytest
import structlog
from django.db import IntegrityError, OperationalError

from config.logs import json_formatter


@pytest.fixture
def written():
    """A logger of the standard library, and a function that gives what it wrote as objects."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(json_formatter())
    logger = logging.getLogger("tests.platform.logs")
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel("INFO")
    yield logger, lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.handlers, logger.propagate = [], True


def test_every_line_is_one_json_object(written):
    logger, lines = written
    logger.info("claims written: %d", 12)
    structlog.get_logger("tests.platform.logs").info("written", claims=12)
    first, second = lines()
    assert first["event"] == "claims written: 12"
    assert (second["event"], second["claims"], second["level"]) == ("written", 12, "info")


def test_an_exception_is_logged_with_its_class_and_place_without_the_cell_that_it_quotes(written):
    logger, lines = written
    try:
        try:
            float("KOFFI")
        except ValueError as error:
            raise IntegrityError("Key (name)=(KOFFI) already exists") from error
    except IntegrityError:
        logger.exception("the run failed")
    (line,) = lines()
    assert "KOFFI" not in json.dumps(line)
    assert "django.db.utils.IntegrityError" in line["exception"]
    assert "builtins.ValueError" in line["exception"]
    assert any(__file__ in place for place in line["exception"])


def test_a_library_that_repeats_the_exception_in_its_own_message_leaks_no_cell_either(written):
    logger, lines = written
    try:
        float("KOFFI")
    except ValueError as error:
        logger.error("Task raised unexpected: %r", error, exc_info=True)
    assert "KOFFI" not in json.dumps(lines())


def test_the_message_of_a_service_is_logged(written):
    logger, lines = written
    try:
        raise OperationalError("connection refused")
    except OperationalError:
        logger.exception("asked again later")
    assert "django.db.utils.OperationalError: connection refused" in lines()[0]["exception"]
