"""Passwords over the API: changed with the current password, or chosen by a one-time link."""

from django.contrib.auth import logout
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.api_errors import BadRequest
from common.errors import NotAllowed
from common.throttling import LoginAddressThrottle
from users.access.actor import actor_of
from users.serializers import (
    DetailSerializer,
    PasswordChangeSerializer,
    PasswordResetSerializer,
    PasswordSetSerializer,
)
from users.sign_in import passwords
from users.sign_in.mails import queue_reset_mail
from users.sign_in.throttling import PasswordThrottle, ResetAccountThrottle, ResetAddressThrottle


class PasswordChangeView(APIView):
    """Change one's own password. All tokens and sessions end, the one of this request too."""

    permission_classes = [IsAuthenticated]
    throttle_classes = [PasswordThrottle]

    @extend_schema(
        operation_id="auth_password_change", tags=["auth"], request=PasswordChangeSerializer, responses={204: None}
    )
    def post(self, request: Request) -> Response:
        form = PasswordChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        passwords.change_password(account=actor_of(request), **form.validated_data)
        return Response(status=status.HTTP_204_NO_CONTENT)


class PasswordResetView(APIView):
    """Request a one-time link, valid for 24 hours. The answer is the same whether or not the account exists."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [ResetAddressThrottle, ResetAccountThrottle]

    @extend_schema(
        operation_id="auth_password_reset",
        tags=["auth"],
        auth=[],
        request=PasswordResetSerializer,
        responses={202: OpenApiResponse(DetailSerializer, description="Whether or not the account exists")},
    )
    def post(self, request: Request) -> Response:
        form = PasswordResetSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        queue_reset_mail(address=form.validated_data["email"])
        return Response(
            {"detail": _("If an account has this e-mail address, a link to choose a password is on its way to it.")},
            status=status.HTTP_202_ACCEPTED,
        )


class PasswordSetView(APIView):
    """Choose a password by the link of a mail. The link is invalid afterwards."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [LoginAddressThrottle]

    @extend_schema(
        operation_id="auth_password_set", tags=["auth"], auth=[], request=PasswordSetSerializer, responses={204: None}
    )
    def post(self, request: Request) -> Response:
        form = PasswordSetSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            passwords.choose_password(**form.validated_data)
        except NotAllowed as refused:
            # 400, not 403: the caller is anonymous, and the link in the body is wrong.
            raise BadRequest(str(refused)) from refused
        return Response(status=status.HTTP_204_NO_CONTENT)


class LogoutEverywhereView(APIView):
    """End all of one's own tokens and sessions, the one of this request too."""

    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="auth_logout_all", tags=["auth"], request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        passwords.sign_out_everywhere(account=actor_of(request))
        if request.auth is None:
            logout(request._request)
        return Response(status=status.HTTP_204_NO_CONTENT)
