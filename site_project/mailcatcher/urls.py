from django.urls import path

from site_project.mailcatcher import views

urlpatterns = [
    path("", views.letters, name="caught_letters"),
    path("<slug:key>/", views.letter, name="caught_letter"),
    path("<slug:key>/html/", views.letter_html, name="caught_letter_html"),
]
