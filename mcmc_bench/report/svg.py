"""Draws a chart as SVG for the page: colours are CSS variables, so that one drawing serves light, dark and print.

Must not know results, metrics or samplers. Coordinates are rounded to a tenth of a pixel, which keeps pages small.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from mcmc_bench.report.chart import GRID, INK, MUTED, SHADE, Array, Chart, Colour, Scale, Series, tick_label, ticks

WIDTH, HEIGHT = 340, 232
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 40, 38
_SHAPES = {
    "circle": "M-3.6 0a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0 -7.2 0z",
    "square": "M-3.2 -3.2h6.4v6.4h-6.4z",
    "triangle": "M0 -4.3L4.2 3.2H-4.2z",
    "diamond": "M0 -4.6L4.6 0L0 4.6L-4.6 0z",
    "pentagon": "M0 -4.4L4.2 -1.3L2.6 3.6H-2.6L-4.2 -1.3z",
    "inverted": "M0 4.3L4.2 -3.2H-4.2z",
    "plus": "M-4.4 0H4.4M0 -4.4V4.4",
    "cross": "M-3.4 -3.4L3.4 3.4M-3.4 3.4L3.4 -3.4",
}


def marker(shape: str, colour: Colour, x: float = 7, y: float = 7, title: str = "") -> str:
    """One marker; with a paper-coloured edge, so that neighbours stay apart."""
    if shape in ("cross", "plus"):
        style = f'fill="none" stroke="var(--{colour.name})" stroke-width="2"'
    else:
        style = f'fill="var(--{colour.name})" stroke="var(--paper)" stroke-width="1"'
    inside = f"<title>{escape(title)}</title>" if title else ""
    return f'<path d="{_SHAPES[shape]}" transform="translate({_n(x)} {_n(y)})" {style}>{inside}</path>'


def swatch(shape: str, colour: Colour) -> str:
    """A sampler's marker on its line, for legends and names."""
    line = f'<path d="M0 7h26" stroke="var(--{colour.name})" stroke-width="2"/>'
    return (
        f'<svg class="swatch" viewBox="0 0 26 14" width="26" height="14" aria-hidden="true">{line}'
        f"{marker(shape or 'circle', colour, 13, 7)}</svg>"
    )


def draw(chart: Chart, width: float = WIDTH, height: float = HEIGHT, shared: set[str] | None = None) -> str:
    """The chart as an ``<svg>`` element.

    `shared` holds the names of contours that an earlier drawing on the same page has; they are referred to.
    """
    return _Drawing(chart.with_limits(), width, height, shared if shared is not None else set()).svg()


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") if math.isfinite(value) else "0"


class _Drawing:
    """One chart being drawn."""

    def __init__(self, chart: Chart, width: float, height: float, shared: set[str]) -> None:
        self.chart, self.width, self.height, self.shared = chart, width, height, shared
        edges = (1, 1, 1, 1) if chart.bare else (LEFT, RIGHT, TOP, BOTTOM)
        self.left, self.right, self.top, self.bottom = edges[0], width - edges[1], edges[2], height - edges[3]
        assert chart.x_limits is not None and chart.y_limits is not None
        self.x_limits, self.y_limits = chart.x_limits, chart.y_limits

    # ------------------------------------------------------------ positions

    def x(self, value: float) -> float:
        return self.left + _fraction(value, self.x_limits, self.chart.x_scale) * (self.right - self.left)

    def y(self, value: float) -> float:
        place = self.bottom - _fraction(value, self.y_limits, self.chart.y_scale) * (self.bottom - self.top)
        return min(max(place, self.top - 4000), self.bottom + 4000)

    def _points(self, series: Series) -> Iterator[tuple[float, float]]:
        for x, y in zip(series.x, series.y, strict=True):
            if y is not None and math.isfinite(y) and (self.chart.y_scale == "linear" or y > 0):
                yield self.x(x), self.y(y)

    # ------------------------------------------------------------ parts

    def svg(self) -> str:
        parts = [] if self.chart.bare else list(self._axes())
        inside = [self._contours(), *(rule for rule in self._rules()), *(self._series(s) for s in self.chart.series)]
        box = f'x="{_n(self.left)}" y="{_n(self.top)}" width="{_n(self.right - self.left)}"'
        height = _n(self.bottom - self.top)
        # A nested svg clips what lies outside the axes, without ids that would clash on the page.
        view = f'viewBox="{_n(self.left)} {_n(self.top)} {_n(self.right - self.left)} {height}"'
        parts.append(f'<svg {box} height="{height}" {view}>{"".join(inside)}</svg>')
        if self.chart.bare:
            parts.append(
                f'<rect {box} height="{height}" fill="none" stroke="var(--{GRID.name})" vector-effect="non-scaling-stroke"/>'
            )
        parts += [text for text in self._rule_labels()]
        parts += [text for series in self.chart.series for text in self._markers(series)]
        label = escape(f"{self.chart.title}. {self.chart.description}".strip(". "), quote=True)
        return (
            f'<svg class="chart" viewBox="0 0 {_n(self.width)} {_n(self.height)}" role="img" aria-label="{label}">'
            f"{''.join(parts)}</svg>"
        )

    def _axes(self) -> Iterator[str]:
        chart = self.chart
        x_ticks = list(chart.x_ticks) if chart.x_ticks is not None else ticks(*self.x_limits, chart.x_scale)
        x_labels = chart.x_tick_labels or [tick_label(value) for value in x_ticks]
        y_ticks = ticks(*self.y_limits, chart.y_scale)
        yield f'<text class="title" x="2" y="14">{escape(chart.title)}</text>'
        if chart.y_label:
            yield f'<text class="label" x="2" y="29">{escape(chart.y_label)}</text>'
        across = f"M{_n(self.left)} {{}}H{_n(self.right)}"
        lines = "".join(across.format(_n(self.y(value))) for value in y_ticks)
        yield f'<path d="{lines}" stroke="var(--{GRID.name})"/>'
        for value in y_ticks:
            yield f'<text class="tick" x="{_n(self.left - 6)}" y="{_n(self.y(value) + 4)}" text-anchor="end">{tick_label(value)}</text>'
        right = -math.inf
        yield f'<path d="M{_n(self.left)} {_n(self.bottom)}H{_n(self.right)}" stroke="var(--{MUTED.name})"/>'
        for value, label in zip(x_ticks, x_labels, strict=True):
            place, half = self.x(value), 3.4 * len(label) + 3
            if place - half < right:  # would run into the label before it
                continue
            right = place + half
            yield f'<path d="M{_n(place)} {_n(self.bottom)}v4" stroke="var(--{MUTED.name})"/>'
            yield f'<text class="tick" x="{_n(place)}" y="{_n(self.bottom + 16)}" text-anchor="middle">{escape(label)}</text>'
        yield (
            f'<text class="label" x="{_n((self.left + self.right) / 2)}" y="{_n(self.height - 5)}" '
            f'text-anchor="middle">{escape(chart.x_label)}</text>'
        )

    def _rules(self) -> Iterator[str]:
        for rule in self.chart.rules:
            dash = ' stroke-dasharray="2 3"' if rule.dashed else ""
            path = (
                f"M{_n(self.x(rule.value))} {_n(self.top)}V{_n(self.bottom)}"
                if rule.vertical
                else f"M{_n(self.left)} {_n(self.y(rule.value))}H{_n(self.right)}"
            )
            yield f'<path d="{path}" stroke="var(--{INK.name})" stroke-width="1.2" opacity=".75"{dash}/>'

    def _rule_labels(self) -> Iterator[str]:
        for rule in self.chart.rules:
            if not rule.label:
                continue
            if rule.vertical:
                place = f'x="{_n(self.x(rule.value) + 4)}" y="{_n(self.top + 10)}"'
            else:
                y = self.y(rule.value)
                above = y - 4 if y - self.top > 16 else y + 12
                place = f'x="{_n(self.right - 2)}" y="{_n(above)}" text-anchor="end"'
            yield f'<text class="rule" {place}>{escape(rule.label)}</text>'

    def _contours(self) -> str:
        if not self.chart.contours:
            return ""
        if self.chart.contours_name in self.shared:
            return f'<use href="#{self.chart.contours_name}"/>'
        self.shared.add(self.chart.contours_name)
        levels = [
            "".join(_polyline([(self.x(x), self.y(y)) for x, y in line]) for line in level)
            for level in self.chart.contours
        ]
        paths = "".join(f'<path d="{path}"/>' for path in levels)
        return (
            f'<g id="{self.chart.contours_name}" fill="var(--{SHADE.name})" fill-opacity=".16" '
            f'stroke="var(--{SHADE.name})" stroke-width=".7">{paths}</g>'
        )

    def _series(self, series: Series) -> str:
        colour = f"var(--{series.colour.name})"
        if series.kind == "dots":
            dots = np.array(list(self._points(series)))
            return f'<path d="{_dots(dots)}" stroke="{colour}" stroke-width="2.6" stroke-linecap="round" opacity=".55"/>'
        if series.kind == "rings":
            circles = "".join(f"M{_n(x - 4)} {_n(y)}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0" for x, y in self._points(series))
            return (
                f'<path d="{circles}" fill="none" stroke="var(--paper)" stroke-width="3.4" opacity=".8"/>'
                f'<path d="{circles}" fill="none" stroke="{colour}" stroke-width="1.9"/>'
            )
        if series.kind in ("area", "steps"):
            return self._histogram(series, colour)
        parts = []
        if series.band and series.low is not None and series.high is not None:
            parts.append(self._band(series, colour))
        if series.kind in ("line", "dashed"):
            dash = ' stroke-dasharray="6 4"' if series.kind == "dashed" else ""
            parts.append(
                f'<path d="{_polyline(list(self._points(series)))}" fill="none" stroke="{colour}" stroke-width="2" '
                f'stroke-linejoin="round"{dash}/>'
            )
        return "".join(parts)

    def _histogram(self, series: Series, colour: str) -> str:
        """Heights over edges: x has one more value than y."""
        base, path = self.y(max(0.0, self.y_limits[0])), f"M{_n(self.x(series.x[0]))} "
        path += _n(base)
        for right, height in zip(series.x[1:], series.y, strict=True):
            path += f"V{_n(self.y(height or 0.0))}H{_n(self.x(right))}"
        path += f"V{_n(base)}"
        if series.kind == "area":
            return f'<path d="{path}z" fill="var(--{SHADE.name})" fill-opacity=".55"/>'
        return f'<path d="{path}" fill="{colour}" fill-opacity=".12" stroke="{colour}" stroke-width="1.6"/>'

    def _band(self, series: Series, colour: str) -> str:
        lower = Series(series.x, series.low or (), series.colour)
        upper = Series(series.x, series.high or (), series.colour)
        around = list(self._points(upper)) + list(self._points(lower))[::-1]
        return f'<path d="{_polyline(around)}z" fill="{colour}" fill-opacity=".13"/>' if around else ""

    def _markers(self, series: Series) -> Iterator[str]:
        """Markers and their intervals, above everything and not clipped."""
        if not series.marker:
            return
        notes = list(series.notes) or [""] * len(series.x)
        bars = ""
        if series.low is not None and series.high is not None and not series.band:
            for x, low, high in zip(series.x, series.low, series.high, strict=True):
                if low is not None and high is not None and (self.chart.y_scale == "linear" or low > 0):
                    bottom, top = (min(max(self.y(v), self.top), self.bottom) for v in (low, high))
                    bars += f"M{_n(self.x(x))} {_n(bottom)}V{_n(top)}"
        if bars:
            yield f'<path d="{bars}" stroke="var(--{series.colour.name})" stroke-width="1.6"/>'
        for x, y, note in zip(series.x, series.y, notes, strict=True):
            if y is None or not math.isfinite(y) or (self.chart.y_scale == "log" and y <= 0):
                yield marker("cross", series.colour, self.x(x), self.bottom - 6, note)
            elif self.top - 0.5 <= self.y(y) <= self.bottom + 0.5:
                yield marker(series.marker, series.colour, self.x(x), self.y(y), note)


def _fraction(value: float, limits: tuple[float, float], scale: Scale) -> float:
    low, high = limits
    if scale == "log":
        return math.log(max(value, 1e-300) / low) / math.log(high / low)
    return (value - low) / (high - low)


def _polyline(points: Sequence[tuple[float, float]]) -> str:
    if not points:
        return ""
    first, *others = points
    return f"M{_n(first[0])} {_n(first[1])}" + "".join(f"L{_n(x)} {_n(y)}" for x, y in others)


def _dots(points: Array) -> str:
    """Points as one path of strokes without length, each relative to the last: a third of the size of circles."""
    if not len(points):
        return ""
    whole = np.unique(np.round(points).astype(int), axis=0)
    steps = np.diff(whole, axis=0, prepend=0)
    return "".join(f"m{x} {y}h0" for x, y in steps)
