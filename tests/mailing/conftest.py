"""The mail server that takes the mails to owners."""

from tests.accounts.conftest import mood, post_office

__all__ = ["mood", "post_office"]
