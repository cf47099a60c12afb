"""The drawings in the sample letters: a glasshouse and seeds, a shelf and a book."""

from __future__ import annotations

import math

from home.seed.drawing import (
    BLUE,
    FAINT,
    INK,
    PAPER,
    RED,
    Picture,
    Point,
    Sheet,
    arc,
    curve,
)


def _greenhouse(sheet: Sheet) -> None:
    sheet.line((40, 152), (280, 152), color=FAINT)
    sheet.area((84, 152), (84, 84), (160, 36), (236, 84), (236, 152), fill=PAPER)
    sheet.line((84, 84), (236, 84))
    sheet.lines([(110, 68), (110, 152)], [(210, 68), (210, 152)], color=FAINT)
    sheet.line((160, 36), (160, 84), color=FAINT)
    sheet.box(136, 98, 48, 54, fill=BLUE, outline=INK)
    sheet.line((160, 98), (160, 152), color=PAPER)
    for x in (91, 217):
        sheet.area((x, 140), (x + 13, 140), (x + 11, 152), (x + 2, 152), fill=PAPER)
        sheet.line((x + 6.5, 140), (x + 6.5, 124))
        sheet.line((x + 1.5, 128), (x + 6.5, 133), (x + 11.5, 128))
    flower = (223.5, 120.0)
    sheet.dots([arc(flower, 5, a, a + 6)[0] for a in range(0, 360, 60)], 3.4, RED)
    sheet.circle(*flower, 3, fill=PAPER, color=None)


def _seeds(sheet: Sheet) -> None:
    sheet.line((40, 150), (280, 150), color=FAINT)
    for x, tilt in ((62, -5), (134, 0), (206, 5)):
        _packet(sheet, x, tilt, full=x == 134)
    sheet.dots([(118, 158), (128, 163), (196, 159), (186, 164), (152, 160)], 1.8, INK)


def _packet(sheet: Sheet, x: float, tilt: float, *, full: bool) -> None:
    def at(u: float, v: float) -> Point:
        return x + u + tilt * (1 - v / 100), 46 + v

    sheet.area(at(0, 0), at(52, 0), at(52, 100), at(0, 100), fill=PAPER)
    sheet.area(at(0, 0), at(52, 0), at(52, 14), at(0, 14), fill=BLUE if full else PAPER)
    sheet.lines([at(10, 78), at(42, 78)], [at(10, 87), at(32, 87)], color=FAINT)
    sheet.line(at(26, 66), at(26, 40))
    if full:
        center = at(26, 36)
        sheet.dots([arc(center, 7, a, a + 6)[0] for a in range(0, 360, 60)], 4.4, RED)
        sheet.circle(*center, 4, fill=PAPER, color=None)
    else:
        for side in (-1, 1):
            leaf = curve(
                at(26, 52), at(26 + side * 6, 36), at(26 + side * 16, 36), at(26 + side * 16, 36)
            )
            leaf += curve(leaf[-1], at(26 + side * 16, 48), at(26 + side * 8, 54), at(26, 52))
            sheet.area(*leaf, fill=PAPER)


def _shelf(sheet: Sheet) -> None:
    sheet.line((44, 142), (276, 142), width=3)
    books = ((62, 18, 82), (80, 24, 70), (104, 16, 88), (120, 28, 76), (148, 18, 92), (166, 22, 72))
    for x, width, height in books:
        fill = BLUE if x == 120 else PAPER
        sheet.box(x, 140 - height, width, height, fill=fill)
        sheet.lines(
            *([(x + 4, 140 - height + y), (x + width - 4, 140 - height + y)] for y in (12, 17)),
            color=PAPER if x == 120 else FAINT,
        )
    sheet.area((205, 140), (189, 76), (206.5, 71.7), (222.5, 135.7), fill=PAPER)
    sheet.lines([(194, 82.5), (202.5, 80.4)], [(195.2, 87.4), (203.7, 85.3)], color=FAINT)
    ribbon = ((152, 48), (162, 48), (162, 30), (157, 35), (152, 30))
    sheet.area(*ribbon, fill=RED, outline=None)
    sheet.lines([(66, 142), (66, 160)], [(254, 142), (254, 160)], color=FAINT)


def _open_book(sheet: Sheet) -> None:
    left = curve((160, 62), (136, 46), (96, 46), (60, 56))
    right = [(320 - x, y) for x, y in left]
    sheet.area(
        (56, 62), (160, 68), (264, 62), (264, 148), (160, 154), (56, 148), fill=BLUE, outline=INK
    )
    foot_left = [(x, y + 84) for x, y in reversed(left)]
    foot_right = [(x, y + 84) for x, y in reversed(right)]
    sheet.area(*left, *foot_left, fill=PAPER)
    sheet.area(*right, *foot_right, fill=PAPER)
    for index in range(5):
        y = 74 + 13 * index
        text = [
            (160 - 14 - i * 7, y - 6 - 7 * math.sin(i / 10 * math.pi) + i * 0.4) for i in range(11)
        ]
        sheet.line(*text[: 7 if index == 4 else 11], color=FAINT)
        sheet.line(*[(320 - x, y) for x, y in text][: 9 if index == 2 else 11], color=FAINT)
    sheet.area((196, 49), (206, 48.6), (206, 104), (201, 98), (196, 104), fill=RED, outline=None)


GREENHOUSE = Picture(
    "The glasshouse", "A glasshouse with two pots; a red flower blooms in one of them", _greenhouse
)
SEEDS = Picture(
    "Three bags of seeds",
    "Three bags of seeds on a table, the middle one with a red flower",
    _seeds,
)
SHELF = Picture(
    "Полка с книгами", "Книжная полка; из одной книги выглядывает красная закладка", _shelf
)
OPEN_BOOK = Picture("Раскрытая книга", "Раскрытая книга с красной закладкой", _open_book)
