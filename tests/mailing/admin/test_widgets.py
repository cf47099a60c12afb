"""Widgets and fields of our own: what they draw, and what they take."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from bs4 import BeautifulSoup
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from mailing.admin.widgets import (
    ChoicesField,
    ClientChoice,
    DayField,
    WallClockField,
    WeekdaysField,
    is_number_of_a_row,
)
from mailing.models import Client
from tests.factories import make_client


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("1", True),
        ("0", True),
        ("9" * 18, True),
        ("9" * 19, False),
        ("", False),
        ("-1", False),
        ("+1", False),
        ("1.0", False),
        (" 1", False),
        ("²", False),
        ("١", False),
        ("x", False),
    ],
)
def test_a_number_of_a_row_is_what_both_databases_take(text: str, answer: bool) -> None:
    assert is_number_of_a_row(text) is answer


@pytest.mark.django_db
class TestClientChoice:
    @staticmethod
    def form(owner: User, **kwargs: object) -> forms.Form:
        class Form(forms.Form):
            clients = ChoicesField(
                Client.objects.owned_by(owner), widget=ClientChoice, required=False
            )

        return Form(**kwargs)

    def test_it_draws_the_chosen_ones_only(
        self, alice: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        anna = make_client(alice, "anna@x.test", first_name="<Anna>")
        make_client(alice, "ben@x.test")
        form = self.form(alice, data={"clients": [str(anna.pk)]})
        assert form.is_valid()
        with django_assert_num_queries(1):
            drawn = str(form["clients"])
        assert "ben@x.test" not in drawn
        page = BeautifulSoup(drawn, "lxml")
        chosen = page.select_one('input[type=hidden][name="clients"]')
        assert chosen is not None
        assert chosen["value"] == str(anna.pk)
        assert "<Anna> <anna@x.test>" in page.get_text()
        assert "/mailing/client-choices/" in drawn

    def test_with_none_chosen_it_asks_the_database_nothing(
        self, alice: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(0):
            assert "hidden" in str(self.form(alice)["clients"])

    def test_it_does_not_draw_the_clients_of_others(self, alice: User, bob: User) -> None:
        secret = make_client(bob, "secret@x.test")
        form = self.form(alice, data={"clients": [str(secret.pk)]})
        assert "secret@x.test" not in str(form["clients"])
        assert not form.is_valid()
        assert "secret@x.test" not in str(form)

    @pytest.mark.parametrize("number", ["9" * 30, "-1", "x", "²"])
    def test_what_no_row_can_have_is_an_error_and_drawn_as_nothing(
        self, alice: User, number: str
    ) -> None:
        form = self.form(alice, data={"clients": [number]})
        assert list(form.errors) == ["clients"]
        assert 'type="hidden"' not in str(form["clients"])

    def test_it_takes_several(self, alice: User) -> None:
        clients = [make_client(alice) for _ in range(3)]
        form = self.form(alice, data={"clients": [str(client.pk) for client in clients]})
        assert form.is_valid()
        assert set(form.cleaned_data["clients"]) == set(clients)


class TestWallClock:
    field = WallClockField()

    @pytest.mark.parametrize(
        "text", ["2027-03-28T02:30", "2027-03-28 02:30", "  2027-03-28T02:30 "]
    )
    def test_it_is_what_the_clock_shows_wherever_the_reader_is(self, text: str) -> None:
        for zone in ("UTC", "Europe/Berlin", "Asia/Tokyo"):
            with timezone.override(zone):
                assert self.field.clean(text) == datetime(2027, 3, 28, 2, 30)

    @pytest.mark.parametrize(
        "text",
        [
            "2027-02-30T10:00",
            "2027-01-01",
            "10:00",
            "tomorrow",
            "1969-12-31T23:59",
            "9000-01-01T00:00",
            "0001-01-01T00:00",
            "2027-01-01T24:00",
            "2027-01-01T10:00:01",
        ],
    )
    def test_other_things_are_no_time(self, text: str) -> None:
        with pytest.raises(ValidationError):
            self.field.clean(text)

    @pytest.mark.parametrize("text", ["1970-01-01T00:00", "8999-12-31T23:59"])
    def test_the_first_and_last_year_are_times(self, text: str) -> None:
        assert self.field.clean(text) == datetime.fromisoformat(text)

    def test_empty_is_none_where_it_may_be(self) -> None:
        assert WallClockField(required=False).clean("") is None
        with pytest.raises(ValidationError):
            self.field.clean("")


class TestDay:
    field = DayField(required=False)

    def test_it_is_a_day_or_nothing(self) -> None:
        assert self.field.clean("2028-02-29") == date(2028, 2, 29)
        assert self.field.clean("") is None

    @pytest.mark.parametrize("text", ["2026-02-29", "2026-2-30", "2026-11-31", "2026-00-10"])
    def test_a_day_that_does_not_exist_is_said_to_be_none(self, text: str) -> None:
        with pytest.raises(ValidationError, match=f"no such day in the calendar: {text}"):
            self.field.clean(text)

    @pytest.mark.parametrize("text", ["soon", "1969-12-31", "9000-01-01", "2026-11-233"])
    def test_other_things_are_no_day(self, text: str) -> None:
        with pytest.raises(ValidationError, match="valid date"):
            self.field.clean(text)


class TestWeekdays:
    field = WeekdaysField(choices=[(day, str(day)) for day in range(7)], required=False)

    @pytest.mark.parametrize(
        ("ticked", "number"), [([], 0), (["0"], 1), (["4", "0"], 17), (["6", "6"], 64)]
    )
    def test_it_is_a_number_with_a_bit_for_each(self, ticked: list[str], number: int) -> None:
        assert self.field.clean(ticked) == number
        assert self.field.prepare_value(number) == sorted(set(ticked))

    @pytest.mark.parametrize("ticked", [["7"], ["-1"], ["Mon"], "0"])
    def test_others_are_no_weekdays(self, ticked: object) -> None:
        with pytest.raises(ValidationError):
            self.field.clean(ticked)

    def test_what_was_posted_is_drawn_again(self) -> None:
        assert self.field.prepare_value(["3", "9"]) == ["3", "9"]

    def test_it_has_changed_if_other_boxes_are_ticked(self) -> None:
        assert not self.field.has_changed(17, ["4", "0"])
        assert self.field.has_changed(17, ["0"])
