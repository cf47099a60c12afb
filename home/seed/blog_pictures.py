"""The drawings of the blog: objects of a post office, one red mark in each."""

from __future__ import annotations

from home.seed.drawing import (
    BLUE,
    FAINT,
    GROUND,
    INK,
    PAPER,
    RED,
    Picture,
    Sheet,
    arc,
    curve,
    waves,
)


def _clock(sheet: Sheet) -> None:
    sheet.circle(160, 90, 56, fill=PAPER)
    sheet.dots([arc((160, 90), 48, a, a + 6)[0] for a in range(0, 360, 15)], 0.9, FAINT)
    sheet.line((160, 54), (160, 90), (134, 90))
    sheet.circle(160, 90, 4, fill=RED, color=None)
    for turned in (1, -1):  # the same once more, turned around the clock's middle
        swing = [(160 + turned * (x - 160), 90 + turned * (y - 90)) for x, y in _SWING]
        sheet.line(*swing, color=FAINT)
        sheet.arrow(*swing[-2:], color=INK, head=9)
    sheet.circle(40, 140, 13, fill=PAPER)
    for angle in range(0, 360, 45):
        ray = [arc((40, 140), r, angle, angle + 6)[0] for r in (18, 22)]
        sheet.line(*ray)
    sheet.circle(283, 42, 17, fill=BLUE, color=None)
    sheet.circle(291, 36, 16, fill=GROUND, color=None)


_SWING = curve((28, 90), (31, 62), (50, 32), (78, 16))


def _returned(sheet: Sheet) -> None:
    sheet.envelope(40, 50, 104, 72, flap=0.55)
    sheet.envelope(176, 50, 104, 72, flap=0.55)
    sheet.lines([(54, 104), (86, 104)], [(54, 112), (76, 112)], color=FAINT)
    sheet.box(254, 102, 16, 12, fill=BLUE, outline=None)
    sheet.arrow((250, 146), (74, 146))


def _letter(sheet: Sheet) -> None:
    sheet.box(98, 20, 124, 170, fill=PAPER)
    sheet.box(116, 30, 20, 9, fill=BLUE, outline=None)
    sheet.line((116, 52), (170, 52))
    rows = ((70, 88), (84, 80), (98, 88), (112, 60), (134, 78))
    sheet.lines(*([(116, y), (116 + length, y)] for y, length in rows), color=FAINT)
    name = curve((116, 160), (126, 140), (128, 172), (140, 154))
    name += curve((140, 154), (150, 142), (150, 166), (172, 150))
    sheet.line(*name, color=RED)


def _door(sheet: Sheet) -> None:
    sheet.line((60, 160), (260, 160), color=FAINT)
    sheet.box(120, 28, 80, 132, fill=PAPER)
    sheet.box(128, 36, 64, 124, fill=BLUE, outline=None)
    sheet.area((128, 36), (164, 48), (164, 170), (128, 160), fill=PAPER)
    sheet.line((157, 104), (157, 113))
    sheet.arrow((206, 98), (250, 98))
    sheet.line((176, 98), (206, 98), color=RED)


def _table(sheet: Sheet) -> None:
    sheet.box(52, 34, 216, 122, fill=PAPER)
    sheet.box(52, 34, 216, 22, fill=BLUE, outline=None)
    rows = (81, 106, 131)
    sheet.lines(*([(52, y), (268, y)] for y in rows), color=FAINT)
    sheet.lines(*([(x, 56), (x, 156)] for x in (128, 206)), color=FAINT)
    words = (
        (69, ((64, 40), (140, 48), (218, 36))),
        (94, ((64, 50), (140, 36), (218, 26))),
        (144, ((64, 34), (140, 50), (218, 36))),
    )
    for y, cells in words:
        sheet.lines(*([(x, y), (x + length, y)] for x, length in cells))
    sheet.lines(
        [(64, 119), (108, 119)], [(140, 119), (184, 119)], [(218, 119), (258, 119)], color=RED
    )
    sheet.lines([(280, 112), (294, 126)], [(294, 112), (280, 126)], color=RED)


def _calendar(sheet: Sheet) -> None:
    sheet.box(92, 34, 136, 120, fill=PAPER)
    sheet.box(92, 34, 136, 22, fill=BLUE, outline=None)
    sheet.lines([(118, 24), (118, 42)], [(202, 24), (202, 42)])
    sheet.lines(*([(92, y), (228, y)] for y in (80.5, 105, 129.5)), color=FAINT)
    sheet.lines(*([(x, 56), (x, 154)] for x in (119.2, 146.4, 173.6, 200.8)), color=FAINT)
    sheet.circle(187, 141, 14, color=RED)
    sheet.line((181, 141), (185.5, 146), (194, 136))


def _postmark(sheet: Sheet) -> None:
    sheet.envelope(66, 44, 188, 98, flap=0.6)
    _stamp(sheet, 222, 124)
    sheet.box(82, 118, 20, 13, fill=BLUE, outline=None)


def _stamp(sheet: Sheet, x: float, y: float) -> None:
    sheet.circle(x, y, 24, color=RED)
    sheet.circle(x, y, 19, color=RED)
    for row in (-8, 0, 8):
        sheet.line(*waves(x - 84, y + row, 48, 2.4, 3), color=RED)


def _mailbox(sheet: Sheet) -> None:
    sheet.line((60, 164), (260, 164), color=FAINT)
    sheet.box(150, 110, 18, 54, fill=PAPER)
    body = [(106.0, 110.0), (106.0, 70.0), *arc((130, 70), 24, 180, 270), (206.0, 46.0)]
    body += [*arc((206, 70), 24, 270, 360), (230.0, 110.0)]
    sheet.area(*body, fill=PAPER)
    sheet.area((106, 110), (106, 70), *arc((130, 70), 24, 180, 360), (154, 110), fill=BLUE)
    sheet.area((72, 84), (128, 84), (128, 104), (72, 104), fill=PAPER)
    sheet.line((72, 84), (100, 97), (128, 84))
    sheet.line((196, 78), (196, 34), color=RED)
    sheet.area((196, 34), (216, 34), (216, 46), (196, 46), fill=RED, outline=RED)


def _ledger(sheet: Sheet) -> None:
    sheet.area((160, 52), (60, 44), (60, 144), (160, 152), fill=PAPER)
    sheet.area((160, 52), (260, 44), (260, 144), (160, 152), fill=PAPER)
    for index in range(5):
        y = 64 + 15 * index
        sheet.line((76, y), (124, y + 3.8), color=FAINT)
        sheet.line((134, y + 4.6), (146, y + 5.6))
        if index < 4:
            sheet.line((174, y + 5.6), (222, y + 1.8), color=FAINT)
            sheet.line((232, y + 1), (246, y - 0.2))
    sheet.line((174, 130), (246, 124.2))
    sheet.line((174, 134.5), (246, 128.7))
    sheet.area((100, 47.2), (114, 48.3), (114, 86), (107, 80), (100, 85), fill=BLUE, outline=None)
    sheet.circle(240, 116, 15, color=RED)


def _scale(sheet: Sheet) -> None:
    sheet.line((70, 160), (250, 160), color=FAINT)
    sheet.area((112, 160), (124, 104), (196, 104), (208, 160), fill=PAPER)
    sheet.circle(160, 134, 19, fill=PAPER)
    sheet.dots([arc((160, 134), 14, a, a + 6)[0] for a in range(150, 400, 30)], 0.9, FAINT)
    sheet.line((160, 134), (169, 124), color=RED)
    sheet.line((160, 104), (160, 92))
    sheet.box(104, 86, 112, 6, fill=BLUE, outline=None)
    sheet.envelope(122, 38, 76, 48)


def _key(sheet: Sheet) -> None:
    sheet.box(58, 38, 96, 116, fill=PAPER)
    for row in range(3):
        for column in range(2):
            x, y = 66 + 43 * column, 46 + 36 * row
            mine = (row, column) == (1, 1)
            sheet.box(x, y, 37, 28, fill=BLUE if mine else PAPER)
            sheet.circle(x + 30, y + 14, 2, fill=PAPER if mine else FAINT, color=None)
    sheet.circle(204, 96, 17, fill=PAPER, color=RED)
    sheet.circle(204, 96, 7, fill=GROUND, color=RED)
    sheet.line((221, 96), (272, 96), color=RED)
    sheet.lines([(262, 96), (262, 107)], [(272, 96), (272, 107)], color=RED)


def _hours(sheet: Sheet) -> None:
    for y, hours, odd in ((46, 24, None), (84, 23, 2), (122, 25, 2)):
        for hour in range(hours):
            x = 34 + 10 * hour + (10 if hours == 23 and hour >= 2 else 0)
            sheet.box(x, y, 10, 16, fill=BLUE if hour == 9 + hours - 24 else PAPER)
        if odd is not None:
            sheet.box(34 + 10 * odd, y, 10, 16, fill=GROUND if hours == 23 else RED, outline=RED)


def _relay(sheet: Sheet) -> None:
    sheet.line((30, 134), (290, 134), color=FAINT)
    sheet.envelope(34, 92, 58, 40)
    for x in (120, 178):
        sheet.box(x, 66, 34, 68, fill=BLUE if x == 120 else PAPER)
        lamps = PAPER if x == 120 else FAINT
        sheet.lines(*([(x + 8, y), (x + 26, y)] for y in (78, 88)), color=lamps)
        sheet.circle(x + 17, 118, 3, fill=lamps, color=None)
    sheet.box(244, 96, 12, 38, fill=PAPER)
    sheet.area(
        (228, 98), (228, 84), *arc((240, 84), 12, 180, 270), (268, 72), (268, 98), fill=PAPER
    )
    sheet.line((165, 44), (165, 152), color=RED)
    sheet.arrow((100, 54), (152, 54), color=INK, head=8)
    sheet.dots([(x, 54.0) for x in range(180, 272, 10)], 1, FAINT)


def _waits(sheet: Sheet) -> None:
    sheet.line((34, 112), (286, 112), color=FAINT)
    for x in (44, 56, 78, 112, 168):
        sheet.circle(x, 112, 5, fill=PAPER)
    sheet.circle(262, 112, 8, fill=BLUE)
    sheet.line((258, 112), (261, 115.5), (266.5, 108.5), color=PAPER)
    for start, end in ((44, 56), (56, 78), (78, 112), (112, 168), (168, 262)):
        height = 8 + (end - start) * 0.45
        sheet.line(*curve((start, 104), (start, 104 - height), (end, 104 - height), (end, 102)))
    sheet.lines([(39, 128), (49, 138)], [(49, 128), (39, 138)], color=RED)


CLOCK = Picture(
    "Clock between sun and moon",
    "A clock with a red centre; two arrows lead around it from the sun to the moon and back",
    _clock,
)
RETURNED = Picture(
    "Two envelopes, one on its way back",
    "Two envelopes side by side, below them a red arrow that points back",
    _returned,
)
LETTER = Picture(
    "A plain letter", "A sheet of paper with a few lines of writing and a red signature", _letter
)
DOOR = Picture("An open door", "A door that stands open, a red arrow leads out through it", _door)
TABLE = Picture(
    "A table with one faulty row",
    "A table of three columns; one row is written in red and marked with a cross",
    _table,
)
CALENDAR = Picture(
    "A calendar with the last day marked",
    "The sheet of a month; one day in the last row has a tick in a red circle",
    _calendar,
)
POSTMARK = Picture(
    "An envelope with a postmark", "An envelope with a red postmark in its corner", _postmark
)
MAILBOX = Picture(
    "A mailbox with its flag up",
    "A mailbox with a letter in its door and a raised red flag",
    _mailbox,
)
LEDGER = Picture(
    "An open account book",
    "An open account book; the sum at the foot of the right page is circled in red",
    _ledger,
)
SCALE = Picture(
    "A letter on the scales", "An envelope lies on letter scales with a red hand", _scale
)
KEY = Picture(
    "Pigeonholes and a key", "Six pigeonholes, one of them blue, and beside them a red key", _key
)
HOURS = Picture(
    "Days of 24, 23 and 25 hours",
    "Three rows of boxes: a day of 24 hours, one of 23 with a gap, one of 25 with an hour twice",
    _hours,
)
RELAY = Picture(
    "How far one can see",
    "An envelope, two mail servers and a mailbox; a red line after the first server marks how far "
    "the sender can see",
    _relay,
)
WAITS = Picture(
    "Waits that grow longer",
    "A line of time with five tries, each after a longer wait, and a tick at the last",
    _waits,
)
