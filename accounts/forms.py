"""Forms of the public account pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail.users.models import UserProfile

from accounts.avatars import clean_avatar
from accounts.models import User
from accounts.names import refuse_hidden_characters

if TYPE_CHECKING:
    from django.core.files import File


class SignupForm(forms.Form):
    """What sign-up asks for beside allauth's address and password."""

    field_order = ("email", "first_name", "last_name", "password1")

    first_name = forms.CharField(
        label=_("First name"),
        max_length=150,
        required=False,
        validators=[refuse_hidden_characters],
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    last_name = forms.CharField(
        label=_("Last name"),
        max_length=150,
        required=False,
        validators=[refuse_hidden_characters],
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )

    def signup(self, request: HttpRequest, user: User) -> None:
        """Called by allauth once the user is saved; the adapter has stored the names."""


class PersonalForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ("first_name", "last_name", "middle_name", "phone", "country", "avatar")
        widgets = {
            "first_name": forms.TextInput(attrs={"autocomplete": "given-name"}),
            "last_name": forms.TextInput(attrs={"autocomplete": "family-name"}),
            "middle_name": forms.TextInput(attrs={"autocomplete": "additional-name"}),
            "phone": forms.TextInput(attrs={"autocomplete": "tel", "type": "tel"}),
            "avatar": forms.FileInput(
                attrs={"accept": "image/png,image/jpeg,image/webp,image/gif"}
            ),
        }
        help_texts = {
            "phone": _("With the country code, for example +44 20 7946 0118."),
            "avatar": _("PNG, JPEG, WebP or GIF, up to 5 MB. Place and camera data are removed."),
        }

    remove_avatar = forms.BooleanField(label=_("Remove the picture"), required=False)

    def clean_avatar(self) -> File[bytes] | Any:
        upload = self.cleaned_data["avatar"]
        return clean_avatar(upload) if "avatar" in self.changed_data and upload else upload

    def save(self, commit: bool = True) -> User:
        replaced = None
        if "avatar" in self.changed_data or self.cleaned_data["remove_avatar"]:
            replaced = self.initial.get("avatar")
        if self.cleaned_data["remove_avatar"] and "avatar" not in self.changed_data:
            self.instance.avatar = ""
        user = super().save(commit=False)
        if commit:  # only what the form shows: a block or a new password must not be put back
            user.save(update_fields=self.Meta.fields)
        if replaced:
            replaced.storage.delete(replaced.name)
        return user


class PreferencesForm(forms.ModelForm):
    """Language, time zone and theme, for the site and for the admin."""

    preferred_language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    current_time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=[
            (zone, zone) for zone in sorted(available_timezones()) if "/" in zone or zone == "UTC"
        ],
        help_text=_("Mailings keep the zone they were given."),
    )
    theme = forms.ChoiceField(
        label=_("Appearance"),
        choices=[("system", _("Like my system")), ("light", _("Light")), ("dark", _("Dark"))],
        widget=forms.RadioSelect,
    )

    class Meta:
        model = UserProfile
        fields = ("preferred_language", "current_time_zone", "theme")
