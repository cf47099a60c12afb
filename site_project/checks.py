"""System checks for settings that do not go together; errors stop every command, warnings tell."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_MARGIN_SECONDS = 30
_SHORTEST_RETENTION_DAYS = 7
_LONGEST_INTERVAL_SECONDS = 3600


@register("mailing")
def check_task_queue(**_kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    timeout, retry = settings.Q_CLUSTER["timeout"], settings.Q_CLUSTER["retry"]
    if retry <= timeout:
        found.append(
            Error(
                f"Q_RETRY ({retry} s) must be larger than Q_TIMEOUT ({timeout} s).",
                hint="Otherwise a task is started a second time while the first still runs.",
                id="site_project.E001",
            )
        )
    longest_answer = 20 + 600 + _MARGIN_SECONDS
    if timeout < longest_answer:
        found.append(
            Warning(
                f"Q_TIMEOUT ({timeout} s) is shorter than a sender may wait ({longest_answer} s).",
                hint="A slow mail server would leave letters whose fate is unknown.",
                id="site_project.W001",
            )
        )
    if 0 < settings.RETENTION_DAYS < _SHORTEST_RETENTION_DAYS:
        found.append(
            Warning(
                f"RETENTION_DAYS ({settings.RETENTION_DAYS}) is less than a week.",
                hint="A mailbox counts as closed after two refusals in three days or more.",
                id="site_project.W008",
            )
        )
    if settings.SCHEDULER_INTERVAL > _LONGEST_INTERVAL_SECONDS:
        found.append(
            Warning(
                f"SCHEDULER_INTERVAL ({settings.SCHEDULER_INTERVAL} s) is more than an hour.",
                hint="Mailings leave as late as that, and dates that are closer are left out.",
                id="site_project.W007",
            )
        )
    if "locmem" in settings.CACHES["default"]["BACKEND"]:
        found.append(
            Warning(
                "CACHE_URL names a cache that each process has for itself.",
                hint="Rate limits and the sign of a living worker need a shared one.",
                id="site_project.W002",
            )
        )
    return found


@register("mailing")
def check_mail(**_kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not settings.EMAIL_BACKEND.endswith(("smtp.EmailBackend", "locmem.EmailBackend")):
        found.append(
            Error(
                "EMAIL_URL must name a mail server (smtp://, smtp+tls:// or smtp+ssl://).",
                id="site_project.E002",
            )
        )
    if not settings.EMAIL_HOST:
        found.append(Error("EMAIL_URL names no host.", id="site_project.E003"))
    if "@" not in settings.SENDER_ADDRESS or not settings.SENDER_ADDRESS.isascii():
        found.append(
            Error(
                "SENDER_ADDRESS (or DEFAULT_FROM_EMAIL) must be a plain ASCII address.",
                id="site_project.E004",
            )
        )
    if settings.DEBUG:
        return found
    if not settings.EMAIL_CONFIGURED:
        found.append(
            Warning("EMAIL_URL is not set, so mail goes to 127.0.0.1:1025.", id="site_project.W003")
        )
    if settings.SENDER_ADDRESS.endswith("@localhost"):
        found.append(
            Warning(
                "DEFAULT_FROM_EMAIL is not set: letters would come from @localhost.",
                id="site_project.W004",
            )
        )
    plain = not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL)
    if plain and settings.EMAIL_HOST_USER and settings.EMAIL_HOST not in _LOOPBACK:
        found.append(
            Warning(
                "EMAIL_URL sends a password over a connection without TLS.",
                hint="Use smtp+tls:// (STARTTLS) or smtp+ssl://.",
                id="site_project.W005",
            )
        )
    return found


@register(Tags.security)
def check_site(**_kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.DEBUG:
        return found
    if len(settings.SECRET_KEY) < 50 or settings.SECRET_KEY.startswith("insecure"):
        found.append(
            Error(
                "SECRET_KEY is the one of the example, or shorter than 50 characters.",
                hint="python -c 'import secrets; print(secrets.token_urlsafe(50))'",
                id="site_project.E005",
            )
        )
    if settings.MAIL_CATCHER_DIR is not None and settings.EMAIL_HOST not in _LOOPBACK:
        found.append(
            Error(
                "MAIL_CATCHER_DIR shows caught mail to everybody; it goes only with a mail server "
                "on this machine.",
                id="site_project.E006",
            )
        )
    return found


@register(Tags.security, deploy=True)
def check_address(**_kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if urlsplit(settings.SITE_URL).hostname in _LOOPBACK:
        found.append(
            Warning(
                "SITE_URL is still on this machine, and so are the links in every letter.",
                id="site_project.W006",
            )
        )
    if "@" not in settings.CONTACT_EMAIL:
        found.append(
            Warning(
                "CONTACT_EMAIL is not set.",
                hint="A person whose account is blocked is not told whom to write to.",
                id="site_project.W009",
            )
        )
    return found
