"""Taking one's data along, and leaving. Both ask first whether it is still the same person."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.core import ratelimit
from django import forms
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import View

from accounts import closing
from accounts.models import User
from accounts.portability import copy_of

_still_the_same = [login_required, reauthentication_required(app="allauth.account")]


@method_decorator(_still_the_same, name="dispatch")
class DataView(View):
    """A page with a button, whose POST answers with the archive."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "accounts/data.html")

    def post(self, request: HttpRequest) -> HttpResponseBase:
        user = request.user
        assert isinstance(user, User)  # noqa: S101 - login_required has seen to it
        refused: HttpResponse | None = ratelimit.consume_or_429(
            request, action="copy_of_data", user=user
        )
        if refused is not None:
            return refused
        now = timezone.now()
        response = StreamingHttpResponse(copy_of(user, now=now), content_type="application/zip")
        response["Content-Disposition"] = f'attachment; filename="mailing-data-{now:%Y-%m-%d}.zip"'
        return response


class FarewellForm(forms.Form):
    """Asks for the person's own address, which nobody types by mistake."""

    address = forms.CharField(
        label=gettext_lazy("Your e-mail address"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("Type it to show that you mean it."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"]
        if address.strip().lower() != self.user.email.lower():
            raise ValidationError(_("This is not the address you log in with."))
        return address


@method_decorator(_still_the_same, name="dispatch")
class DeleteView(View):
    """Closes the account for good; a worker erases the rest."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(FarewellForm(user=self._person))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = FarewellForm(request.POST, user=self._person)
        if not form.is_valid():
            return self._page(form)
        try:
            closing.close(self._person, now=timezone.now())
        except closing.LastAdministrator:
            form.add_error(
                None,
                _(
                    "You are the only administrator. Make somebody else one first, or nobody could"
                    " run this server."
                ),
            )
            return self._page(form)
        email = self._person.email
        logout(request)
        return render(request, "accounts/closed.html", {"email": email})

    @property
    def _person(self) -> User:
        assert isinstance(self.request.user, User)  # noqa: S101 - login_required has seen to it
        return self.request.user

    def _page(self, form: FarewellForm) -> HttpResponse:
        return render(self.request, "accounts/delete.html", {"form": form})
