"""The parts of a chart that has been laid out: strokes, marks and texts at positions in pixels.

Must not know results, metrics or samplers, nor SVG or Matplotlib.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from mcmc_bench.core.arrays import Array
from mcmc_bench.report.figures.palette import Colour

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]
TextRole = Literal["heading", "row", "title", "label", "tick", "rule"]

#: Outlines of markers around (0, 0): closed, but for those that are two strokes.
SHAPES: dict[str, list[list[Point]]] = {
    "circle": [[(3.6 * math.cos(0.5236 * k), 3.6 * math.sin(0.5236 * k)) for k in range(12)]],
    "square": [[(-3.2, -3.2), (3.2, -3.2), (3.2, 3.2), (-3.2, 3.2)]],
    "triangle": [[(0, -4.3), (4.2, 3.2), (-4.2, 3.2)]],
    "inverted": [[(0, 4.3), (4.2, -3.2), (-4.2, -3.2)]],
    "diamond": [[(0, -4.7), (4.7, 0), (0, 4.7), (-4.7, 0)]],
    "pentagon": [[(0, -4.4), (4.2, -1.3), (2.6, 3.6), (-2.6, 3.6), (-4.2, -1.3)]],
    "plus": [[(-4.4, 0), (4.4, 0)], [(0, -4.4), (0, 4.4)]],
    "cross": [[(-3.4, -3.4), (3.4, 3.4)], [(-3.4, 3.4), (3.4, -3.4)]],
}
OPEN_SHAPES = ("plus", "cross")


@dataclass(frozen=True)
class Strokes:
    """Lines, or areas if `fill`, in one style."""

    lines: list[list[Point]]
    stroke: Colour | None = None
    width: float = 1.0
    dash: tuple[float, ...] = ()
    fill: Colour | None = None
    fill_opacity: float = 1.0
    opacity: float = 1.0
    closed: bool = False


@dataclass(frozen=True)
class Dots:
    """Many small points."""

    points: list[Point]
    colour: Colour
    size: float = 2.6
    opacity: float = 0.55


@dataclass(frozen=True)
class Rings:
    """Circles with a halo."""

    points: list[Point]
    colour: Colour
    radius: float = 4.0


@dataclass(frozen=True)
class Mark:
    """A marker."""

    at: Point
    shape: str
    colour: Colour
    note: str = ""


@dataclass(frozen=True)
class Text:
    """A text; its role decides its size."""

    at: Point
    text: str
    role: TextRole
    anchor: Anchor = "start"


@dataclass(frozen=True)
class SharedStrokes:
    """Strokes that other drawings on the same page may share."""

    name: str
    strokes: list[Strokes]


@dataclass(frozen=True)
class Raster:
    """A grey picture without smoothing."""

    box: tuple[float, float, float, float]  # left, top, right, bottom
    values: Array  # (height, width), 0 black to 1 white, NaN nothing


Part = Raster | Strokes | Dots | Rings | Mark | Text | SharedStrokes


@dataclass(frozen=True)
class Drawing:
    """A chart as parts: `below`, then `inside` cut off at the `box`, then `above`."""

    width: float
    height: float
    label: str  # for readers who cannot see it
    box: tuple[float, float, float, float]  # left, top, right, bottom
    below: list[Part] = field(default_factory=list)
    inside: list[Part] = field(default_factory=list)
    above: list[Part] = field(default_factory=list)
