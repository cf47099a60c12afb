"""A sheet of paper to draw on, with smooth edges, and what a picture made on it consists of."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw

Point = tuple[float, float]

GROUND = "#e8eff8"
PAPER = "#ffffff"
INK = "#545b66"
FAINT = "#85827a"
BLUE = "#1f4f8f"
RED = "#b8392a"

_WIDTH, _HEIGHT = 320, 180
"""The grid."""
_SCALE = 5
"""Pixels of the finished picture for one unit of the grid: 1600 × 900."""
_SMOOTH = 3
"""Each pixel is the mean of this many, squared."""
_STROKE = 1.5
_CURVE_STEPS = 48


class Sheet:
    """All measures are in units of the grid; each call draws over what is there."""

    def __init__(self) -> None:
        factor = _SCALE * _SMOOTH
        self._factor = factor
        self._image = Image.new("RGB", (_WIDTH * factor, _HEIGHT * factor), GROUND)
        self._draw = ImageDraw.Draw(self._image)

    def line(self, *points: Point, color: str = INK, width: float = _STROKE) -> None:
        """Draw a polyline with round ends and corners."""
        pixels = [self._pixel(point) for point in points]
        self._draw.line(pixels, fill=color, width=round(width * self._factor), joint="curve")
        radius = width * self._factor / 2
        for x, y in pixels:
            self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=color)

    def lines(self, *strokes: Sequence[Point], color: str = INK, width: float = _STROKE) -> None:
        for stroke in strokes:
            self.line(*stroke, color=color, width=width)

    def area(self, *points: Point, fill: str, outline: str | None = INK) -> None:
        """Fill a polygon, and draw its outline unless that is None."""
        self._draw.polygon([self._pixel(point) for point in points], fill=fill)
        if outline is not None:
            self.line(*points, points[0], color=outline)

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: str,
        outline: str | None = INK,
    ) -> None:
        corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
        self.area(*corners, fill=fill, outline=outline)

    def circle(
        self, x: float, y: float, radius: float, *, fill: str | None = None, color: str | None = INK
    ) -> None:
        points = arc((x, y), radius, 0, 360)
        if fill is not None:
            self._draw.polygon([self._pixel(point) for point in points], fill=fill)
        if color is not None:
            self.line(*points, color=color)

    def dots(self, points: Sequence[Point], radius: float, color: str) -> None:
        for x, y in points:
            self.circle(x, y, radius, fill=color, color=None)

    def envelope(self, x: float, y: float, width: float, height: float, flap: float = 0.58) -> None:
        """Draw the back of an envelope; `flap` is how far down its flap reaches, from 0 to 1."""
        self.box(x, y, width, height, fill=PAPER)
        self.line((x, y), (x + width / 2, y + height * flap), (x + width, y))

    def arrow(self, *points: Point, color: str = RED, head: float = 11) -> None:
        """Draw a polyline whose last point has a head."""
        self.line(*points, color=color)
        (x0, y0), (x, y) = points[-2], points[-1]
        direction = math.atan2(y - y0, x - x0)
        ends = [
            (x - head * math.cos(direction + turn), y - head * math.sin(direction + turn))
            for turn in (0.7, -0.7)
        ]
        self.line(ends[0], (x, y), ends[1], color=color)

    def png(self) -> bytes:
        """Return the finished picture."""
        file = io.BytesIO()
        self._image.reduce(_SMOOTH).save(file, "PNG")
        return file.getvalue()

    def _pixel(self, point: Point) -> Point:
        return point[0] * self._factor, point[1] * self._factor


class Picture(NamedTuple):
    """A drawing with the words that stand for it."""

    title: str
    description: str
    draw: Callable[[Sheet], None]

    def png(self) -> bytes:
        sheet = Sheet()
        self.draw(sheet)
        return sheet.png()


def arc(center: Point, radius: float, start: float, end: float) -> list[Point]:
    """Return points on a circle; angles in degrees, clockwise from three o'clock."""
    steps = max(2, round(abs(end - start) / 3))
    angles = (math.radians(start + (end - start) * step / steps) for step in range(steps + 1))
    return [(center[0] + radius * math.cos(a), center[1] + radius * math.sin(a)) for a in angles]


def curve(start: Point, first: Point, second: Point, end: Point) -> list[Point]:
    """Return points on a cubic Bézier curve."""
    points = []
    for step in range(_CURVE_STEPS + 1):
        t = step / _CURVE_STEPS
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
        points.append(
            (
                sum(w * p[0] for w, p in zip(weights, (start, first, second, end), strict=True)),
                sum(w * p[1] for w, p in zip(weights, (start, first, second, end), strict=True)),
            )
        )
    return points


def waves(x: float, y: float, length: float, height: float, count: int) -> list[Point]:
    """Return points on a row of waves that begins at (x, y)."""
    steps = count * 24
    return [
        (x + length * s / steps, y - height * math.sin(2 * math.pi * count * s / steps))
        for s in range(steps + 1)
    ]
