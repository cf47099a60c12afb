from django.urls import include, path

from accounts import inbox, leaving, views

urlpatterns = [
    path("profile/", views.ProfileView.as_view(), name="account_profile"),
    path("data/", leaving.DataView.as_view(), name="account_data"),
    path("delete/", leaving.DeleteView.as_view(), name="account_delete"),
    path("language/", views.set_language, name="set_language"),
    # In place of the page of the same name of allauth's.
    path("confirm-email/", inbox.CheckInboxView.as_view(), name="account_email_verification_sent"),
    path("sessions/<int:pk>/end/", views.end_session, name="account_end_session"),
    path("sessions/", include("allauth.usersessions.urls")),
    path("2fa/", include("allauth.mfa.urls")),
    path("", include("allauth.account.urls")),
]
