import errno
import sqlite3

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import OperationalError
from django.http import Http404
from django.test import RequestFactory
from rest_framework.exceptions import NotFound
from rest_framework.exceptions import PermissionDenied as ApiPermissionDenied
from rest_framework.response import Response
from rest_framework.views import APIView

from common.api_errors import AccessDenied, FileNotFound, SessionNotFound
from common.middleware import PostSizeMiddleware


def answer_to(error):
    class Failing(APIView):
        authentication_classes = ()
        permission_classes = ()

        def get(self, request):
            raise error

    return Failing.as_view()(RequestFactory().get("/"))


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (AccessDenied(), 403, "Access denied"),
        (PermissionDenied("row 7"), 403, "Access denied"),
        (ApiPermissionDenied(), 403, "You do not have permission to perform this action."),
        (FileNotFound(), 404, "File not found"),
        (SessionNotFound(), 404, "Session not found"),
        (NotFound(), 404, "Not found."),
        (Http404("No Claim matches the given query."), 404, "Not found."),
        (RequestDataTooBig(), 413, "The request is too large"),
    ],
)
def test_a_refusal_has_a_detail_of_our_own(error, status, words):
    answer = answer_to(error)
    assert (answer.status_code, answer.data) == (status, {"detail": words})


def test_a_full_disk_is_507_for_files_and_for_the_database():
    assert answer_to(OSError(errno.ENOSPC, "No space left on device", "/data/x")).status_code == 507
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    reported = OperationalError("database or disk is full")
    reported.__cause__ = full
    answer = answer_to(reported)
    assert answer.status_code == 507
    assert "/data/x" not in str(answer.data)


def test_an_unforeseen_error_is_raised_further_to_the_log():
    with pytest.raises(KeyError):
        answer_to(KeyError("KOFFI"))


class TestPostSize:
    def send(self, size):
        request = RequestFactory().post("/api/v1/files/", data=b"x" * size, content_type="application/octet-stream")
        return PostSizeMiddleware(lambda request: Response())(request)

    def test_a_body_within_the_limit_passes(self, settings):
        settings.CONCORD = settings.CONCORD | {"MAX_POST_BYTES": 1000}
        assert self.send(1000).status_code == 200

    def test_a_larger_one_is_refused_before_any_view_and_the_limit_said(self, settings):
        settings.CONCORD = settings.CONCORD | {"MAX_POST_BYTES": 1024 * 1024}
        refused = self.send(1024 * 1024 + 1)
        assert refused.status_code == 413
        assert b"at most 1 MB" in refused.content
