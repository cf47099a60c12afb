"""Fill the site with sample data, so that everything on it can be seen at work."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from blog.models import BlogPage
from home.seed import plans
from home.seed.mailings import ensure_mailings
from home.seed.owners import AccountsMissing, Cast, complete_profiles, find_cast
from home.seed.people import BOOKSHOP, GARDEN, ensure_clients
from home.seed.posts import ensure_posts
from mailing import lifecycle
from mailing.models import Attempt, Client, Delivery, Mailing, Message, Run


class Command(BaseCommand):
    help = (
        "Make two owners' clients, messages and mailings with their history, and a blog. Needs the "
        "accounts of create_users. What is there already stays as it is. One mailing is due at "
        "once; its letters go to whatever EMAIL_URL names, to addresses that exist nowhere."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--send",
            action="store_true",
            help="if the data was made before, send its weekly mailing now, once more",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now().replace(second=0, microsecond=0)
        try:
            cast = find_cast()
        except AccountsMissing as error:
            raise CommandError(str(error)) from error
        with _quiet_log():
            self._make(cast, now)
        if options["send"]:
            self._send_again(cast)
        if options["verbosity"]:
            self._report(cast)

    def _make(self, cast: Cast, now: datetime) -> None:
        complete_profiles(cast)
        ensure_clients(cast.gardener, GARDEN, now)
        ensure_clients(cast.bookseller, BOOKSHOP, now)
        for owner, plan, language in (
            (cast.gardener, plans.GARDEN, "en"),
            (cast.bookseller, plans.BOOKSHOP, "ru"),
        ):
            ensure_mailings(owner, plan, language=language, manager=cast.manager, now=now)
        ensure_posts(cast, now)

    def _send_again(self, cast: Cast) -> None:
        now = timezone.now()
        weekly = Mailing.objects.owned_by(cast.gardener).kept().filter(name=plans.GARDEN[0].name)
        mailing = weekly.first()
        if mailing is None or Mailing.objects.due(now).filter(pk=mailing.pk).exists():
            return
        try:
            lifecycle.send_now(mailing, form_key=uuid4(), by=cast.gardener, now=now)
        except lifecycle.NotNow as reason:
            self.stderr.write(f"{mailing}: {reason}")

    def _report(self, cast: Cast) -> None:
        for owner in (cast.gardener, cast.bookseller):
            counts = ", ".join(
                f"{model.objects.owned_by(owner).count()} {model._meta.verbose_name_plural}"
                for model in (Client, Message, Mailing, Run, Delivery, Attempt)
            )
            self.stdout.write(f"  {owner.email}: {counts}")
        self.stdout.write(f"  blog: {BlogPage.objects.live().count()} posts")


@contextmanager
def _quiet_log() -> Iterator[None]:
    """Keep Wagtail from writing a line for each page that is made and published."""
    logger = logging.getLogger("wagtail")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
