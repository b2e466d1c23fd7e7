"""Signing in and out, and the account of the caller."""

from django.contrib.auth import authenticate, logout
from django.contrib.auth.models import update_last_login
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from knox.models import AuthToken
from rest_framework import status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from users import audit
from users.access.actor import actor_of
from users.accounts import services
from users.models import AuditAction, User
from users.serializers import (
    DetailSerializer,
    LoginSerializer,
    OwnAccountSerializer,
    OwnProfileFormSerializer,
    SignedInSerializer,
)
from users.sign_in.throttling import SIGN_IN_THROTTLES


class LoginView(APIView):
    """Get a token for a user name or e-mail address and a password."""

    # No authenticator: an expired token in the header must not prevent signing in.
    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [*SIGN_IN_THROTTLES]

    @extend_schema(
        operation_id="auth_login",
        tags=["auth"],
        auth=[],
        request=LoginSerializer,
        responses={
            200: SignedInSerializer,
            400: OpenApiResponse(description="A field is missing"),
            401: OpenApiResponse(DetailSerializer, description="No active account with this name and password"),
            429: OpenApiResponse(
                DetailSerializer, description="Too many attempts from this address or on this account"
            ),
        },
    )
    def post(self, request: Request) -> Response:
        form = LoginSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = authenticate(request._request, **form.validated_data)
        if user is None:
            # The same answer and entry for all reasons: neither may reveal whether the account exists.
            audit.record(actor=None, action=AuditAction.LOGIN, target=User(), success=False)
            raise AuthenticationFailed(_("No active account matches this name and password."))
        token, secret = AuthToken.objects.create(user=user)
        update_last_login(None, user)  # type: ignore[arg-type]
        audit.record(actor=user, action=AuditAction.LOGIN, target=user)
        return Response(SignedInSerializer({"token": secret, "expiry": token.expiry, "user": user}).data)

    def get_authenticate_header(self, request: Request) -> str:
        # Without this header, DRF would answer a failed sign-in with 403 instead of 401.
        return "Token"


class LogoutView(APIView):
    """Revoke the token of the request."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="auth_logout", tags=["auth"], request=None, responses={204: None, 401: DetailSerializer}
    )
    def post(self, request: Request) -> Response:
        if request.auth is not None:
            request.auth.delete()
        else:
            logout(request._request)
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeView(APIView):
    """The caller's account; also for accounts without a country."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="users_me", tags=["users"], responses={200: OwnAccountSerializer, 401: DetailSerializer}
    )
    def get(self, request: Request) -> Response:
        return Response(OwnAccountSerializer(actor_of(request)).data)

    @extend_schema(
        operation_id="users_me_change",
        tags=["users"],
        request=OwnProfileFormSerializer,
        responses={200: OwnAccountSerializer},
    )
    def patch(self, request: Request) -> Response:
        """Change one's own name, language or choice of mails. An administrator changes role, country and address."""
        form = OwnProfileFormSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        account = services.update_own_profile(account=actor_of(request), **form.validated_data)
        return Response(OwnAccountSerializer(account).data)
