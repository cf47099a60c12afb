"""What is done to many clients at once: the boxes of the list, and the page that asks first.

Which clients are meant travels as the query string of the list (`mailing.selection`): the ids of
the rows that are ticked, or the search and the filters themselves. See ADR 0019.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin import messages
from wagtail_modeladmin.views import WMABaseView

from accounts.models import User
from mailing import clientele, heartbeat, tasks
from mailing.admin.counts import COUNT_VAR, BoundedPaginator, number_text
from mailing.admin.deeds import DEEDS
from mailing.admin.owned import BreadcrumbsMixin
from mailing.enums import ClientAction
from mailing.models import Client, ClientChange
from mailing.models.client import MOST_TAGS
from mailing.permissions import may_change
from mailing.search import newest_first
from mailing.selection import CHOSEN, Selection

ACTION_VAR = "do"
ALL_VAR = "all"
EXPORT = "export"
AT_ONCE_SECONDS = 1.5
_NAMES_SHOWN = 5


class BulkView(BreadcrumbsMixin, WMABaseView):
    """GET asks, POST acts; both take the clients from the address."""

    template_name = "mailing/bulk/confirm.html"

    def check_action_permitted(self, user: Any) -> bool:
        return bool(allowed_actions(user))

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._answer(request, None)

    def post(self, request: HttpRequest) -> HttpResponse:
        return self._answer(request, request.POST)

    def _answer(self, request: HttpRequest, data: QueryDict | None) -> HttpResponse:
        assert isinstance(request.user, User)  # noqa: S101 - dispatch asks for a log-in
        selection = selected(request.GET)
        if request.GET.get(ACTION_VAR) == EXPORT:
            return HttpResponseRedirect(f"{self.index_url}?{selection}&export=xlsx")
        action = next(
            (a for a in allowed_actions(request.user) if a == request.GET.get(ACTION_VAR)), None
        )
        if action is None:
            return self._back(request, _("Choose what is to be done to the clients."))
        self.action, self.deed = action, DEEDS[action]
        own = Client.objects.owned_by(request.user)
        self.clients = selection.of(own, request.user)
        self.paginator = BoundedPaginator(self.clients, 1)
        if selection.chosen == () or not self.paginator.count:
            return self._back(request, _("Choose clients of yours first."))
        form = self.deed.form(data, owner=request.user)
        if data is not None and form.is_valid():
            return self._act(request, request.user, selection, form)
        return self.render_to_response(self.get_context_data(form=form, selection=selection))

    def _act(
        self, request: HttpRequest, owner: User, selection: Selection, form: Any
    ) -> HttpResponse:
        with transaction.atomic():
            change = clientele.begin(owner, self.action, selection, **form.target())
        if clientele.go_on(change, seconds=AT_ONCE_SECONDS):
            tell_finished(request, owner)
        else:
            tasks.wake_changer()
        return HttpResponseRedirect(_list_url(self.index_url, request.GET))

    def _back(self, request: HttpRequest, reason: str) -> HttpResponse:
        messages.warning(request, reason)
        return HttpResponseRedirect(_list_url(self.index_url, request.GET))

    def last_crumbs(self) -> list[dict[str, str]]:
        return [{"url": "", "label": str(self.action.label)}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        selection: Selection = kwargs["selection"]
        clients = newest_first(self.clients) if selection.words.strip() else self.clients
        return super().get_context_data(
            **kwargs,
            action=self.action,
            deed=self.deed,
            found=self.paginator.count,
            has_more=self.paginator.has_more,
            count_url=f"{self.index_url}?{selection}&{COUNT_VAR}=1",
            names=[str(client) for client in clients[:_NAMES_SHOWN]],
            others=self.paginator.count - _NAMES_SHOWN,
            back_url=_list_url(self.index_url, self.request.GET),
        )

    def get_template_names(self) -> list[str]:
        return [self.template_name]


def allowed_actions(user: Any) -> list[ClientAction]:
    """Return what the person may do to clients of their own."""
    return [action for action, deed in DEEDS.items() if user.has_perm(deed.permission)]


def selected(query: QueryDict) -> Selection:
    """Return the clients that a list's boxes mean: those ticked, or all that are found."""
    query = query.copy()
    if query.get(ALL_VAR):
        query.pop(CHOSEN, None)
    elif CHOSEN not in query:
        query[CHOSEN] = ""
    return Selection.read(query)


def bar(view: Any, request: HttpRequest, rows: Iterable[Client]) -> dict[str, Any]:
    """Return what the list shows for acting on its rows; nothing if the person may not."""
    actions = allowed_actions(request.user)
    if not actions:
        return {}
    return {
        "bulk_actions": actions,
        "bulk_url": view.url_helper.get_action_url("bulk"),
        "bulk_kept": [(k, v) for k, v in view.params.items() if k != CHOSEN],
        "bulk_own": {row.pk for row in rows if may_change(request.user, row)},
        "under_way": under_way(request.user),
    }


def under_way(owner: Any) -> list[str]:
    """Return in words what is being done to many clients of the owner now."""
    changes = clientele.under_way(owner)
    texts = []
    for change in changes:
        done = change.changed + change.unchanged + change.refused
        text = _("“%(change)s” goes on in the background: done with %(number)s.")
        texts.append(text % {"change": change, "number": number_text(done)})
    if changes and not heartbeat.is_beating(timezone.now()):
        texts.append(_("No worker is running; it will go on once the administrator starts one."))
    return texts


def tell_finished(request: HttpRequest, owner: User) -> None:
    """Say what became of the changes that have ended since the last look."""
    for change in clientele.take_finished(owner):
        (messages.warning if change.refused else messages.success)(request, outcome(change))


def outcome(change: ClientChange) -> str:
    """Return in sentences what a change has done."""
    deed = DEEDS[ClientAction(change.action)]
    sentences = [_counted(deed.done, change.changed)]
    if change.unchanged:
        text = ngettext(
            "%(number)s was so already.", "%(number)s were so already.", change.unchanged
        )
        sentences.append(text % {"number": number_text(change.unchanged)})
    if change.refused and deed.refused is not None:
        sentences.append(_counted(deed.refused, change.refused))
    return " ".join(sentences)


def _counted(sentence: Any, number: int) -> str:
    return str(sentence % {"n": number, "number": number_text(number), "most": MOST_TAGS})


def _list_url(index_url: str, query: QueryDict) -> str:
    """Return the address of the list as it was, without the boxes."""
    kept = query.copy()
    for name in (ACTION_VAR, ALL_VAR, CHOSEN):
        kept.pop(name, None)
    return f"{index_url}?{kept.urlencode()}" if kept else index_url
