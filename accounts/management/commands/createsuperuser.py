"""`createsuperuser` that makes a verified address too: allauth lets nobody in without one."""

from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.management.commands import createsuperuser

from accounts.models import User


class Command(createsuperuser.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        # Only superusers: somebody may sign up while the operator types.
        superusers = User.objects.filter(is_superuser=True)
        before = set(superusers.values_list("pk", flat=True))
        super().handle(*args, **options)
        for user in superusers.exclude(pk__in=before):
            EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
