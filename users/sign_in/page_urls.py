from django.contrib.auth.views import LogoutView
from django.urls import path

from users.access.pages import Stub
from users.sign_in.pages import choose_password_page, forgotten_password_page

urlpatterns = [
    path("sign-in/", Stub.as_view(), name="sign-in"),
    path("", Stub.as_view(), name="own-account"),
    path("password/", Stub.as_view(), name="own-password"),
    path("sign-out/", LogoutView.as_view(next_page="start"), name="sign-out"),
    path("password/choose/", choose_password_page, name="password-choose"),
    path("password/forgotten/", forgotten_password_page, name="password-forgotten"),
]
