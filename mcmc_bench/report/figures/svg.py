"""Writes drawings as SVG: colours are CSS variables, so that one drawing serves light, dark and print.

Must not know results, metrics or samplers. Coordinates are rounded to a tenth of a pixel, which keeps pages small.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from mcmc_bench.report.figures import pixels
from mcmc_bench.report.figures.chart import Chart
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
from mcmc_bench.report.figures.layout import draw
from mcmc_bench.report.figures.palette import Colour
from mcmc_bench.report.figures.sheet import Sheet

#: How texts look in a file of its own; on the page the style sheet says so.
_STYLE = """text{font:11.5px system-ui,sans-serif;fill:var(--muted);paint-order:stroke;stroke:var(--paper);\
stroke-width:3px;stroke-linejoin:round}.title{font-size:14px;font-weight:600;fill:var(--ink)}.rule{font-size:10.5px}\
.heading{font-size:17px;font-weight:700;fill:var(--ink)}.row{font-size:15px;fill:var(--ink)}"""


def chart(what: Chart, shared: set[str] | None = None) -> str:
    """The chart as an ``<svg>`` element.

    `shared` holds the names of contours that an earlier drawing on the same page has; they are referred to.
    """
    drawing = draw(what)
    return (
        f'<svg class="chart" viewBox="0 0 {_n(drawing.width)} {_n(drawing.height)}" role="img" '
        f'aria-label="{escape(drawing.label)}">{_drawing(drawing, shared if shared is not None else set())}</svg>'
    )


def swatch(shape: str, colour: Colour) -> str:
    """A sampler's marker on its line, for legends and names."""
    line = f'<path d="M0 7h26" stroke="var(--{colour.name})" stroke-width="2"/>'
    return (
        f'<svg class="swatch" viewBox="0 0 26 14" width="26" height="14" aria-hidden="true">{line}'
        f"{_part(Mark((13, 7), shape, colour), set())}</svg>"
    )


def sheet(what: Sheet, palette: Iterable[Colour]) -> str:
    """A whole file, with colours for light and dark."""
    colours = [*palette, Colour("paper", "#ffffff", "#15181c")]
    light = ";".join(f"--{colour.name}:{colour.light}" for colour in colours)
    dark = ";".join(f"--{colour.name}:{colour.dark}" for colour in colours)
    shared: set[str] = set()
    placed = "".join(
        f'<g transform="translate({_n(x)} {_n(y)})">{_drawing(drawing, shared)}</g>' for x, y, drawing in what.placed
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(what.width)} {_n(what.height)}" '
        f'width="{_n(what.width)}" height="{_n(what.height)}" role="img" aria-label="{escape(what.heading)}">'
        f"<style>:root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}{_STYLE}</style>"
        f'<rect width="100%" height="100%" fill="var(--paper)"/>{"".join(_part(part, shared) for part in what.parts)}'
        f"{placed}</svg>\n"
    )


def _drawing(drawing: Drawing, shared: set[str]) -> str:
    left, top, right, bottom = drawing.box
    size = f'width="{_n(right - left)}" height="{_n(bottom - top)}"'
    # A nested svg cuts off what lies outside the axes, without ids that would clash on the page.
    clip = f'<svg x="{_n(left)}" y="{_n(top)}" {size} viewBox="{_n(left)} {_n(top)} {_n(right - left)} {_n(bottom - top)}">'
    below, inside, above = (
        "".join(_part(part, shared) for part in parts) for parts in (drawing.below, drawing.inside, drawing.above)
    )
    return f"{below}{clip}{inside}</svg>{above}"


def _part(part: Part, shared: set[str]) -> str:
    match part:
        case Raster():
            left, top, right, bottom = part.box
            address = f"data:image/png;base64,{base64.b64encode(pixels.png(part.values)).decode('ascii')}"
            return (
                f'<image x="{_n(left)}" y="{_n(top)}" width="{_n(right - left)}" height="{_n(bottom - top)}" '
                f'preserveAspectRatio="none" style="image-rendering:pixelated" href="{address}"/>'
            )
        case Strokes():
            return _strokes(part)
        case Dots():
            return (
                f'<path d="{_dots(part.points)}" stroke="var(--{part.colour.name})" stroke-width="{part.size}" '
                f'stroke-linecap="round" opacity="{part.opacity}"/>'
            )
        case Rings():
            r = _n(part.radius)
            circles = "".join(
                f"M{_n(x - part.radius)} {_n(y)}a{r} {r} 0 1 0 {_n(2 * part.radius)} 0a{r} {r} 0 1 0 -{_n(2 * part.radius)} 0"
                for x, y in part.points
            )
            return (
                f'<path d="{circles}" fill="none" stroke="var(--paper)" stroke-width="3.4" opacity=".8"/>'
                f'<path d="{circles}" fill="none" stroke="var(--{part.colour.name})" stroke-width="1.9"/>'
            )
        case Mark():
            return _mark(part)
        case Text():
            if not part.text:
                return ""
            anchor = f' text-anchor="{part.anchor}"' if part.anchor != "start" else ""
            return f'<text class="{part.role}" x="{_n(part.at[0])}" y="{_n(part.at[1])}"{anchor}>{escape(part.text)}</text>'
        case SharedStrokes():
            if part.name in shared:
                return f'<use href="#{part.name}"/>'
            shared.add(part.name)
            return f'<g id="{part.name}">{"".join(_strokes(strokes) for strokes in part.strokes)}</g>'


def _strokes(part: Strokes) -> str:
    path = "".join(_polyline(line) + ("z" if part.closed else "") for line in part.lines if line)
    if not path:
        return ""
    fill = f'fill="var(--{part.fill.name})" fill-opacity="{part.fill_opacity}"' if part.fill else 'fill="none"'
    stroke = f' stroke="var(--{part.stroke.name})"' if part.stroke else ""
    stroke += f' stroke-width="{part.width:g}"' if part.stroke and part.width != 1.0 else ""
    stroke += f' stroke-dasharray="{" ".join(f"{d:g}" for d in part.dash)}"' if part.dash else ""
    opacity = f' opacity="{part.opacity:g}"' if part.opacity != 1.0 else ""
    return f'<path d="{path}" {fill}{stroke}{opacity}/>'


def _mark(part: Mark) -> str:
    open_shape = part.shape in OPEN_SHAPES
    x, y = part.at
    path = "".join(
        _polyline([(x + a, y + b) for a, b in line]) + ("" if open_shape else "z") for line in SHAPES[part.shape]
    )
    style = (
        f'fill="none" stroke="var(--{part.colour.name})" stroke-width="2"'
        if open_shape
        else f'fill="var(--{part.colour.name})" stroke="var(--paper)"'
    )
    if part.note:
        return f'<path d="{path}" {style}><title>{escape(part.note)}</title></path>'
    return f'<path d="{path}" {style}/>'


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") if math.isfinite(value) else "0"


def _polyline(points: Sequence[Point]) -> str:
    first, *others = points
    return f"M{_n(first[0])} {_n(first[1])}" + "".join(f"L{_n(x)} {_n(y)}" for x, y in others)


def _dots(points: Sequence[Point]) -> str:
    """Points as one path of strokes without length, each relative to the last: a third of the size of circles."""
    if not points:
        return ""
    whole = np.unique(np.round(points).astype(int), axis=0)
    steps = np.diff(whole, axis=0, prepend=0)
    return "".join(f"m{x} {y}h0" for x, y in steps)
