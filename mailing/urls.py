from django.urls import path

from mailing.views import UnsubscribeView

urlpatterns = [path("u/<str:token>/", UnsubscribeView.as_view(), name="unsubscribe")]
