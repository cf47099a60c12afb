from django.urls import include, path

from accounts import views

urlpatterns = [
    path("profile/", views.ProfileView.as_view(), name="account_profile"),
    path("language/", views.set_language, name="set_language"),
    path("", include("allauth.account.urls")),
]
