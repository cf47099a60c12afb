"""Chips are drawn once for many rows."""

from django.utils.safestring import SafeString

from mailing.admin.chips import chip


def test_markup_that_was_drawn_does_not_let_the_same_letters_through_as_text() -> None:
    assert "<b>x</b>" in chip("grey", "ban", SafeString("<b>x</b>"))
    assert "&lt;b&gt;x&lt;/b&gt;" in chip("grey", "ban", "<b>x</b>")
