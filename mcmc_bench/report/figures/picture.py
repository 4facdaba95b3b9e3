"""Writes sheets of charts as PNG with Matplotlib's objects; no state of pyplot is touched.

Must not know results, metrics or samplers.
"""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path as Outline
from matplotlib.text import Text as Letters
from matplotlib.transforms import Affine2D, Transform
from PIL import Image

from mcmc_bench.report.figures.drawing import (
    OPEN_SHAPES,
    SHAPES,
    Dots,
    Drawing,
    Mark,
    Part,
    Point,
    Raster,
    Rings,
    SharedStrokes,
    Strokes,
    Text,
)
from mcmc_bench.report.figures.sheet import Sheet

#: Pixels of the file for one of the drawing; 96 pixels of the drawing are an inch.
SCALE, PER_INCH = 1.25, 96
COLOURS = 128
PAPER = "#ffffff"
_SIZES = {"heading": 17.0, "row": 14.0, "title": 13.0, "label": 11.0, "tick": 10.5, "rule": 9.5}
_ALIGN: dict[str, Literal["left", "center", "right"]] = {"start": "left", "middle": "center", "end": "right"}
_BOLD = ("heading", "title")
_CIRCLE = [(np.cos(a), np.sin(a)) for a in np.linspace(0.0, 2.0 * np.pi, 25)[:-1]]


def sheet(what: Sheet) -> bytes:
    """The sheet as PNG, on white."""
    figure = Figure(figsize=(what.width / PER_INCH, what.height / PER_INCH), dpi=PER_INCH * SCALE, facecolor=PAPER)
    # Positions count in pixels from the upper left corner, as in the drawing.
    whole = Affine2D().scale(1.0 / what.width, -1.0 / what.height).translate(0.0, 1.0) + figure.transFigure
    for part in what.parts:
        _add(figure, part, whole, None)
    for x, y, drawing in what.placed:
        _place(figure, drawing, Affine2D().translate(x, y) + whole)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=PER_INCH * SCALE)
    return lean(drawn.getvalue())


def lean(png: bytes) -> bytes:
    """The same opaque picture with a palette: a third of the size."""
    smaller = io.BytesIO()
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        smaller, format="PNG", optimize=True
    )
    return smaller.getvalue()


def _place(figure: Figure, drawing: Drawing, transform: Transform) -> None:
    left, top, right, bottom = drawing.box
    clip = Rectangle((left, top), right - left, bottom - top, transform=transform)
    for parts, cut in ((drawing.below, None), (drawing.inside, clip), (drawing.above, None)):
        for part in parts:
            _add(figure, part, transform, cut)


def _add(figure: Figure, part: Part, transform: Transform, clip: Rectangle | None) -> None:
    match part:
        case Raster():
            _raster(figure, part, transform)
        case Strokes():
            _strokes(figure, part, transform, clip)
        case Dots():
            radius = part.size / 2
            lines = [[(x + radius * a, y + radius * b) for a, b in _CIRCLE[::3]] for x, y in part.points]
            dots = Strokes(lines, fill=part.colour, fill_opacity=part.opacity, closed=True)
            _strokes(figure, dots, transform, clip)
        case Rings():
            lines = [[(x + part.radius * a, y + part.radius * b) for a, b in _CIRCLE] for x, y in part.points]
            _strokes(figure, Strokes(lines, part.colour, 1.8, closed=True), transform, clip)
        case Mark():
            x, y = part.at
            lines = [[(x + a, y + b) for a, b in line] for line in SHAPES[part.shape]]
            if part.shape in OPEN_SHAPES:
                _strokes(figure, Strokes(lines, part.colour, 2.0), transform, clip)
            else:
                _patch(
                    figure, lines, True, transform, clip, facecolor=part.colour.light, edgecolor=PAPER, linewidth=0.7
                )
        case Text():
            if part.text:
                _text(figure, part, transform)
        case SharedStrokes():
            for strokes in part.strokes:
                _strokes(figure, strokes, transform, clip)


def _raster(figure: Figure, part: Raster, transform: Transform) -> None:
    left, top, right, bottom = part.box
    corners = figure.transFigure.inverted().transform(transform.transform([(left, bottom), (right, top)]))
    (x0, y0), (x1, y1) = corners
    axes = figure.add_axes((x0, y0, x1 - x0, y1 - y0), frameon=False, xticks=[], yticks=[])
    axes.imshow(part.values, cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest", aspect="auto")


def _strokes(figure: Figure, part: Strokes, transform: Transform, clip: Rectangle | None) -> None:
    lines = [line for line in part.lines if line]
    if not lines:
        return
    if part.fill is not None:
        _patch(
            figure,
            lines,
            part.closed,
            transform,
            clip,
            facecolor=part.fill.light,
            edgecolor="none",
            alpha=part.fill_opacity,
        )
    if part.stroke is not None:
        style = (0, part.dash) if part.dash else "solid"
        _patch(
            figure,
            lines,
            part.closed,
            transform,
            clip,
            facecolor="none",
            edgecolor=part.stroke.light,
            linewidth=0.75 * part.width,
            linestyle=style,
            alpha=part.opacity,
            capstyle="butt",
            joinstyle="round",
        )


def _patch(
    figure: Figure,
    lines: list[list[Point]],
    closed: bool,
    transform: Transform,
    clip: Rectangle | None,
    **style: object,
) -> None:
    points: list[Point] = []
    codes: list[np.uint8] = []
    for line in lines:
        points += [*line, line[0]] if closed else line
        codes += [Outline.MOVETO, *[Outline.LINETO] * (len(line) - 1), *([Outline.CLOSEPOLY] if closed else [])]
    patch = PathPatch(Outline(np.array(points), codes), transform=transform, **style)
    figure.add_artist(patch, clip=clip is not None)
    if clip is not None:
        patch.set_clip_path(clip)


def _text(figure: Figure, part: Text, transform: Transform) -> None:
    ink = "#1c2126" if part.role in ("heading", "row", "title") else "#5d6670"
    figure.add_artist(
        Letters(
            *part.at,
            part.text,
            transform=transform,
            color=ink,
            horizontalalignment=_ALIGN[part.anchor],
            verticalalignment="baseline",
            fontsize=0.75 * _SIZES[part.role],
            fontweight="bold" if part.role in _BOLD else "normal",
            parse_math=False,
        )
    )
