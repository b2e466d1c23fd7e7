"""Pages of one's own account and of passwords, under `account/`."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from users.sign_in import account_pages
from users.sign_in.pages import choose_password_page, forgotten_password_page

urlpatterns = [
    path("", account_pages.OwnAccountPage.as_view(), name="own-account"),
    path("password/", account_pages.OwnPasswordPage.as_view(), name="own-password"),
    path("sign-out/", LogoutView.as_view(next_page="sign-in"), name="sign-out"),
    path("sign-out-everywhere/", account_pages.SignOutEverywherePage.as_view(), name="sign-out-everywhere"),
    path("password/choose/", choose_password_page, name="password-choose"),
    path("password/forgotten/", forgotten_password_page, name="password-forgotten"),
]
