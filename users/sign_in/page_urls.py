from django.urls import path

from users.sign_in.pages import choose_password_page, forgotten_password_page

urlpatterns = [
    path("password/choose/", choose_password_page, name="password-choose"),
    path("password/forgotten/", forgotten_password_page, name="password-forgotten"),
]
