"""Which mailings the garden school and the bookshop have: the rhythm, the audience, the fate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from home.seed import letter_texts as texts
from home.seed.letter_texts import Letter
from mailing.enums import MailingStatus, Unit

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(7)

Start = Callable[[datetime], datetime]
"""From the wall time now (naive, in the owner's zone) to the wall time of the first sending."""


@dataclass(frozen=True)
class Plan:
    """A mailing to be.

    The first letter is its message; earlier runs, counted back from now, went out with the next
    ones in turn. `missed` and `lost` count runs back from now as well: one that the service slept
    through, and one in which a letter became unknown. `stopped_after` is the number of letters
    after which its last run was paused or cancelled.
    """

    name: str
    letters: tuple[Letter, ...]
    lists: tuple[str, ...]
    period: tuple[Unit, int]
    start: Start
    status: MailingStatus
    prepared: timedelta = timedelta(days=2, minutes=25)
    """How long before its first sending, or before now, it was set up."""
    is_due: bool = False
    missed: int = 0
    lost: int = 0
    busy: int = 0
    """How many servers of its last run ask to come back later, and still do."""
    stopped_after: int = 0
    stopped_days_ago: int = 0
    reason: str = ""
    lasts_days: int = 0
    """It ends this long after its start; 0 means never."""


def weeks_ago(weeks: int) -> Start:
    return lambda now: now - timedelta(weeks=weeks)


def minutes_ago(minutes: int) -> Start:
    return lambda now: now - timedelta(minutes=minutes)


def days_ago(days: int, hour: int, minute: int = 0, weekday: int | None = None) -> Start:
    """Return the start on that day, or on the last `weekday` until then. Less than 0 is to come."""

    def start(now: datetime) -> datetime:
        day = (now - timedelta(days=days)).replace(hour=hour, minute=minute)
        back = 0 if weekday is None else (day.weekday() - weekday) % 7
        return day - timedelta(days=back)

    return start


def on_the_31st(days: int, hour: int) -> Start:
    """Return the start on the last 31st that is at least `days` ago."""

    def start(now: datetime) -> datetime:
        day = (now - timedelta(days=days)).replace(hour=hour, minute=0)
        while day.day != 31:
            day -= timedelta(days=1)
        return day

    return start


ONCE, DAILY, WEEKLY, FORTNIGHTLY, MONTHLY = (
    (Unit.ONCE, 1),
    (Unit.DAY, 1),
    (Unit.WEEK, 1),
    (Unit.WEEK, 2),
    (Unit.MONTH, 1),
)

GARDEN = (
    Plan(
        "Weekly garden notes",
        (texts.DAHLIAS, texts.MOSS, texts.SEED_SAVING, texts.WATER),
        ("Garden notes",),
        WEEKLY,
        weeks_ago(12),
        MailingStatus.SCHEDULED,
        is_due=True,
        lost=4,
    ),
    Plan(
        "Glasshouse rota",
        (texts.ROTA,),
        ("Volunteers",),
        DAILY,
        days_ago(45, 6, 30),
        MailingStatus.SCHEDULED,
    ),
    Plan(
        "Course calendar",
        (texts.COURSES,),
        ("Course guests", "Neighbours"),
        MONTHLY,
        on_the_31st(40, 9),
        MailingStatus.SCHEDULED,
    ),
    Plan(
        "Seed swap",
        (texts.SWAP,),
        ("Everybody",),
        ONCE,
        days_ago(34, 10, weekday=TUESDAY),
        MailingStatus.COMPLETED,
    ),
    Plan(
        "Open day on Saturday (wrong date)",
        (texts.OPEN_DAY_WRONG,),
        ("Everybody",),
        ONCE,
        days_ago(56, 9, weekday=WEDNESDAY),
        MailingStatus.COMPLETED,
        stopped_after=96,
    ),
    Plan(
        "Open day on Sunday",
        (texts.OPEN_DAY,),
        ("Everybody",),
        ONCE,
        days_ago(56, 11, weekday=WEDNESDAY),
        MailingStatus.COMPLETED,
        prepared=timedelta(minutes=50),
    ),
    Plan(
        "Timetable for course guests",
        (texts.TIMETABLE,),
        ("Course guests",),
        ONCE,
        days_ago(1, 16),
        MailingStatus.PAUSED,
        busy=3,
        stopped_after=140,
    ),
    Plan(
        "Tools and pots",
        (texts.TOOLS,),
        ("Seed swap", "Course guests"),
        FORTNIGHTLY,
        days_ago(44, 15, weekday=FRIDAY),
        MailingStatus.DEACTIVATED,
        stopped_days_ago=8,
        reason=(
            "Two people on the list wrote to us that they agreed to course news, not to offers of "
            "other firms. Please ask them first, then write to me and I will lift this."
        ),
    ),
    Plan(
        "Letter to the volunteers",
        (texts.WATER,),
        ("Volunteers",),
        ONCE,
        days_ago(-6, 18),
        MailingStatus.SCHEDULED,
    ),
    Plan(
        "Sowing under glass",
        (texts.SPRING,),
        ("Course guests",),
        ONCE,
        days_ago(-24, 9, weekday=MONDAY),
        MailingStatus.CREATED,
    ),
)

BOOKSHOP = (
    Plan(
        "Книги недели",
        (texts.WEEK, texts.RAIN, texts.ALOUD),
        ("Читатели",),
        WEEKLY,
        days_ago(75, 11, weekday=THURSDAY),
        MailingStatus.SCHEDULED,
        missed=5,
        lost=3,
    ),
    Plan(
        "Книжный клуб",
        (texts.CLUB,),
        ("Книжный клуб",),
        FORTNIGHTLY,
        days_ago(70, 18, weekday=MONDAY),
        MailingStatus.SCHEDULED,
    ),
    Plan(
        "Афиша вечеров",
        (texts.EVENINGS,),
        ("Читатели", "Постоянные покупатели"),
        MONTHLY,
        days_ago(80, 12),
        MailingStatus.SCHEDULED,
    ),
    Plan(
        "Новые поступления",
        (texts.ARRIVALS,),
        ("Постоянные покупатели", "Книжный клуб"),
        ONCE,
        minutes_ago(35),
        MailingStatus.SENDING,
        busy=7,
    ),
    Plan(
        "Ярмарка старой книги",
        (texts.FAIR,),
        ("Все",),
        ONCE,
        days_ago(48, 13, weekday=WEDNESDAY),
        MailingStatus.COMPLETED,
    ),
    Plan(
        "Чтения в саду",
        (texts.ALOUD,),
        ("Постоянные покупатели",),
        WEEKLY,
        days_ago(66, 17, weekday=TUESDAY),
        MailingStatus.COMPLETED,
        lasts_days=29,
    ),
    Plan(
        "Списки для школ",
        (texts.SCHOOLS,),
        ("Школы и библиотеки",),
        MONTHLY,
        days_ago(60, 10),
        MailingStatus.PAUSED,
        stopped_days_ago=12,
    ),
    Plan(
        "Пересчёт книг",
        (texts.STOCKTAKING,),
        ("Все",),
        ONCE,
        days_ago(-15, 9, weekday=TUESDAY),
        MailingStatus.CREATED,
    ),
)
