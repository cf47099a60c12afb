from __future__ import annotations

import random

from django.test import override_settings

from mailing.tokens import read_unsubscribe_token, unsubscribe_token


def test_a_token_names_its_delivery() -> None:
    assert read_unsubscribe_token(unsubscribe_token(12345)) == 12345


def test_a_changed_token_names_nothing() -> None:
    token = unsubscribe_token(12345)
    for position in range(len(token)):
        changed = chr(ord(token[position]) ^ 1)
        assert read_unsubscribe_token(token[:position] + changed + token[position + 1 :]) is None


def test_nothing_else_is_a_token() -> None:
    guess = random.Random(1)
    for _ in range(1000):
        assert (
            read_unsubscribe_token(f"{guess.randrange(10**6)}-{guess.getrandbits(128):032x}")
            is None
        )
    for text in ("", "-", "1", "1-", "١-" + "0" * 32, "9" * 400 + "-" + "0" * 32, "1-é"):
        assert read_unsubscribe_token(text) is None


def test_old_keys_keep_old_letters_working() -> None:
    with override_settings(SECRET_KEY="old-key"):
        old = unsubscribe_token(7)
    assert read_unsubscribe_token(old) is None
    with override_settings(SECRET_KEY_FALLBACKS=["old-key"]):
        assert read_unsubscribe_token(old) == 7
        assert unsubscribe_token(7) != old
