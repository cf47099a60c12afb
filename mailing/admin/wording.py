"""What the forms of our screens say when they have saved, refused or deleted something.

Stock modeladmin puts the name of the model into a sentence, which no language with genders or cases
can bear: here each model has whole sentences of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mailing.models import Client, ClientList, DatePeriod, Mailing, Message


@dataclass(frozen=True, slots=True)
class Wording:
    """`created`, `saved` and `deleted` take the `name` of what they are about."""

    created: Promise
    saved: Promise
    deleted: Promise
    not_created: Promise
    not_saved: Promise


_WORDINGS: dict[type[Model], Wording] = {
    Client: Wording(
        created=_("The client “%(name)s” is added."),
        saved=_("The client “%(name)s” is saved."),
        deleted=_("The client “%(name)s” is deleted."),
        not_created=_("The client was not added. Correct what is marked below."),
        not_saved=_("The client was not saved. Correct what is marked below."),
    ),
    ClientList: Wording(
        created=_("The list “%(name)s” is made."),
        saved=_("The list “%(name)s” is saved."),
        deleted=_("The list “%(name)s” is deleted."),
        not_created=_("The list was not made. Correct what is marked below."),
        not_saved=_("The list was not saved. Correct what is marked below."),
    ),
    Message: Wording(
        created=_("The message “%(name)s” is written."),
        saved=_("The message “%(name)s” is saved."),
        deleted=_("The message “%(name)s” is deleted."),
        not_created=_("The message was not saved. Correct what is marked below."),
        not_saved=_("The message was not saved. Correct what is marked below."),
    ),
    Mailing: Wording(
        created=_("The mailing “%(name)s” is set up."),
        saved=_("The mailing “%(name)s” is saved."),
        deleted=_("The mailing “%(name)s” is deleted."),
        not_created=_("The mailing was not set up. Correct what is marked below."),
        not_saved=_("The mailing was not saved. Correct what is marked below."),
    ),
    DatePeriod: Wording(
        created=_("The interval “%(name)s” is added."),
        saved=_("The interval “%(name)s” is saved."),
        deleted=_("The interval “%(name)s” is deleted."),
        not_created=_("The interval was not added. Correct what is marked below."),
        not_saved=_("The interval was not saved. Correct what is marked below."),
    ),
}


def wording_of(model: type[Model]) -> Wording:
    return _WORDINGS[model]
