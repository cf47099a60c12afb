"""What can be done to many clients: how it is asked for, what it means, what is said after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from accounts.models import User
from mailing.admin.tags import TagsField
from mailing.admin.widgets import ChipSelect, ChoicesField
from mailing.enums import ClientAction
from mailing.models import ClientList, ClientTag


class ListForm(forms.Form):
    lists = ChoicesField(
        label=gettext_lazy("Client list"), queryset=ClientList.objects.none(), widget=ChipSelect
    )

    def __init__(self, *args: Any, owner: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lists"].queryset = ClientList.objects.owned_by(owner)  # type: ignore[attr-defined]

    def clean_lists(self) -> Any:
        lists = self.cleaned_data["lists"]
        if len(lists) > 1:
            raise forms.ValidationError(_("Choose one list."))
        return lists

    def target(self) -> dict[str, Any]:
        return {"client_list": self.cleaned_data["lists"][0]}


class AddForm(ListForm):
    """An existing list, or the name of a new one."""

    new_list = forms.CharField(
        label=gettext_lazy("Or a new list named"),
        max_length=ClientList._meta.get_field("name").max_length,
        required=False,
        validators=ClientList._meta.get_field("name").validators,
    )

    def __init__(self, *args: Any, owner: User, **kwargs: Any) -> None:
        super().__init__(*args, owner=owner, **kwargs)
        self.owner = owner
        self.fields["lists"].required = False

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors and not cleaned["lists"] and not cleaned["new_list"]:
            self.add_error("lists", _("Choose a list, or give a new one a name."))
        return cleaned

    def target(self) -> dict[str, Any]:
        if self.cleaned_data["lists"]:
            return super().target()
        name = self.cleaned_data["new_list"]
        return {"client_list": ClientList.objects.get_or_create(owner=self.owner, name=name)[0]}


class TagForm(forms.Form):
    tag_names = TagsField(required=True)

    def __init__(self, *args: Any, owner: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tag_names"].suggest(ClientTag.objects.owned_by(owner))  # type: ignore[attr-defined]

    def target(self) -> dict[str, Any]:
        return {"tags": self.cleaned_data["tag_names"]}


class PlainForm(forms.Form):
    def __init__(self, *args: Any, owner: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def target(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True, slots=True)
class Deed:
    """How an action looks: its question and button take the number, `meaning` says what follows."""

    question: Any
    button: Promise
    meaning: Promise | str
    done: Any
    refused: Any = None
    """Why some could not be changed."""
    form: type[Any] = PlainForm
    permission: str = "mailing.change_client"
    harmful: bool = False


DEEDS: dict[ClientAction, Deed] = {
    ClientAction.ADD: Deed(
        question=gettext_lazy("Add these clients to a list"),
        button=gettext_lazy("Add to the list"),
        meaning=gettext_lazy("Mailings to that list go to these clients as well from then on."),
        done=ngettext_lazy(
            "%(number)s client was added to the list.",
            "%(number)s clients were added to the list.",
            "n",
        ),
        refused=ngettext_lazy(
            "%(number)s could not be added, because the list was deleted.",
            "%(number)s could not be added, because the list was deleted.",
            "n",
        ),
        form=AddForm,
    ),
    ClientAction.REMOVE: Deed(
        question=gettext_lazy("Remove these clients from a list"),
        button=gettext_lazy("Remove from the list"),
        meaning=gettext_lazy("The clients are kept; only their place in that list is given up."),
        done=ngettext_lazy(
            "%(number)s client was removed from the list.",
            "%(number)s clients were removed from the list.",
            "n",
        ),
        form=ListForm,
    ),
    ClientAction.TAG: Deed(
        question=gettext_lazy("Put tags on these clients"),
        button=gettext_lazy("Put tags on"),
        meaning=gettext_lazy("Tags that they have already are kept."),
        done=ngettext_lazy("%(number)s client was tagged.", "%(number)s clients were tagged.", "n"),
        refused=ngettext_lazy(
            "%(number)s could not be tagged, because a client has at most %(most)s tags.",
            "%(number)s could not be tagged, because a client has at most %(most)s tags.",
            "n",
        ),
        form=TagForm,
    ),
    ClientAction.UNTAG: Deed(
        question=gettext_lazy("Remove tags from these clients"),
        button=gettext_lazy("Remove the tags"),
        meaning=gettext_lazy("Other tags of theirs are kept."),
        done=ngettext_lazy(
            "The tag was removed from %(number)s client.",
            "The tag was removed from %(number)s clients.",
            "n",
        ),
        form=TagForm,
    ),
    ClientAction.EXCLUDE: Deed(
        question=gettext_lazy("Exclude these clients from mail"),
        button=gettext_lazy("Exclude from mail"),
        meaning=gettext_lazy(
            "They get no letters from you from now on, not those of a run under way either, "
            "whatever lists they are in. You can undo this with “Mail again”. It holds for the "
            "address: deleting the client and adding the address again changes nothing."
        ),
        done=ngettext_lazy(
            "%(number)s client is excluded from mail.",
            "%(number)s clients are excluded from mail.",
            "n",
        ),
    ),
    ClientAction.READMIT: Deed(
        question=gettext_lazy("Send mail to these clients again"),
        button=gettext_lazy("Mail again"),
        meaning=gettext_lazy(
            "This lifts only what you have excluded yourself. Who has unsubscribed can come back "
            "only by the link in a letter, and an address that takes no mail stays out."
        ),
        done=ngettext_lazy(
            "%(number)s client gets letters again.", "%(number)s clients get letters again.", "n"
        ),
        refused=ngettext_lazy(
            "%(number)s stays without mail: unsubscribed, or the address takes none.",
            "%(number)s stay without mail: unsubscribed, or the addresses take none.",
            "n",
        ),
    ),
    ClientAction.DELETE: Deed(
        question=gettext_lazy("Delete these clients"),
        button=gettext_lazy("Delete for good"),
        meaning=gettext_lazy(
            "This cannot be undone. Letters to them that have not left are cancelled; letters that "
            "have left stay in the history of their mailings. Addresses that must not be mailed "
            "are remembered."
        ),
        done=ngettext_lazy(
            "%(number)s client was deleted.", "%(number)s clients were deleted.", "n"
        ),
        permission="mailing.delete_client",
        harmful=True,
    ),
}
