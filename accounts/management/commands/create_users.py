"""Make the accounts that the demonstration and a first look around need."""

import os
import secrets
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts import roles
from accounts.models import User

PEOPLE: tuple[tuple[str, str, str, tuple[roles.Role, ...]], ...] = (
    ("admin@demo.test", "Ada", "Keller", ()),
    ("manager@demo.test", "Petra", "Ashdown", (roles.MANAGERS, roles.USERS)),
    ("blogger@demo.test", "Marta", "Vale", (roles.BLOGGERS,)),
    ("user@demo.test", "Tamsin", "Orrell", (roles.USERS,)),
    ("other@demo.test", "Илья", "Савельев", (roles.USERS,)),
)


class Command(BaseCommand):
    help = (
        "Make an administrator, a manager, a blogger and two users, with verified addresses. "
        "Existing accounts keep their password. The password comes from DEMO_PASSWORD; without "
        "that variable one is made up and printed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--force", action="store_true", help="make them although DEBUG is off (never in public)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG and not options["force"]:
            raise CommandError(
                "DEBUG is off: these accounts are for demonstrations. Add --force if you mean it."
            )
        given = os.environ.get("DEMO_PASSWORD", "")
        password = given or secrets.token_urlsafe(12)
        made = [person[0] for person in PEOPLE if self._make(*person, password)]
        for email, *_names, roles_ in PEOPLE:
            names = ", ".join(role.name for role in roles_) or "superuser"
            new = "made" if email in made else "was there"
            self.stdout.write(f"  {email:<20} {names:<16} {new}")
        if made and not given:
            self.stdout.write(f"Password of the new accounts: {password}")

    @transaction.atomic
    def _make(
        self, email: str, first: str, last: str, roles_: tuple[roles.Role, ...], password: str
    ) -> bool:
        if User.objects.filter(email=email).exists():
            return False
        create = User.objects.create_user if roles_ else User.objects.create_superuser
        user = create(email, password, first_name=first, last_name=last)
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        roles.give(user, *roles_)
        return True
