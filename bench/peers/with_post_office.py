"""with_post_office.py PORT LETTERS: queues distinct letters, prints how long sending them takes.

Runs in a virtual environment of its own, on SQLite with the settings that suit it best.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import django
from django.conf import settings

port, letters = int(sys.argv[1]), int(sys.argv[2])
folder = Path(tempfile.mkdtemp())
settings.configure(
    SECRET_KEY="bench",
    INSTALLED_APPS=["django.contrib.contenttypes", "post_office"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": folder / "db.sqlite3",
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    },
    EMAIL_BACKEND="post_office.EmailBackend",
    EMAIL_HOST="127.0.0.1",
    EMAIL_PORT=port,
    POST_OFFICE={
        "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
        "BATCH_SIZE": 2000,
        "THREADS_PER_PROCESS": 5,
        "LOCKFILE": str(folder / "lock"),
    },
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    LOGGING_CONFIG=None,
)
django.setup()

from django.core.management import call_command
from post_office.mail import send_queued_mail_until_done
from post_office.models import PRIORITY, STATUS, Email

call_command("migrate", verbosity=0)
parts = json.loads((Path(__file__).parent / "letter.json").read_text())


def fill(template: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        template = template.replace("{{ " + name + " }}", value)
    return template


def email(n: int) -> Email:
    name = f"Ольга {n}" if n % 2 else f"Olga {n}"
    address = f"client{n}@clients.test"
    values = {
        "first_name": name,
        "email": address,
        "unsubscribe_url": f"https://service.test/u/{n}/",
    }
    return Email(
        from_email="Garden school <letters@service.test>",
        to=f"{name} <{address}>",
        subject="Осенние заметки",
        message=fill(parts["text"], values),
        html_message=fill(parts["html"], values),
        headers={
            "Message-ID": f"<1.{n}.0a1b2c3d@service.test>",
            "List-Unsubscribe": f"<{values['unsubscribe_url']}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
        priority=PRIORITY.medium,
        status=STATUS.queued,
    )


Email.objects.bulk_create((email(n) for n in range(letters)), batch_size=1000)
started = time.monotonic()
send_queued_mail_until_done(lockfile=str(folder / "lock"), processes=1)
seconds = time.monotonic() - started
sent = Email.objects.filter(status=STATUS.sent).count()
if sent != letters:
    sys.exit(f"{sent} of {letters} were sent")
print(seconds)
