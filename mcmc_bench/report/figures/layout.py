"""From a chart to its drawing: the one layout that page and files share.

Must not know results, metrics or samplers, nor SVG or Matplotlib.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from mcmc_bench.report.figures.chart import Chart, Scale, Series, tick_label, ticks
from mcmc_bench.report.figures.drawing import (
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
from mcmc_bench.report.figures.palette import GRID, INK, MUTED, SHADE

LEFT, RIGHT, TOP, BOTTOM = 46, 12, 40, 38
#: Below a bare chart with ticks.
TICKS = 18


def draw(chart: Chart) -> Drawing:
    """Lay out a chart."""
    return _Layout(chart.with_limits()).drawing()


class _Layout:
    """One chart being laid out."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self._drawn = all(series.kind in ("line", "dashed", "points") for series in chart.series)
        left, right, top, bottom = (
            (1, 1, 1, TICKS if chart.x_ticks else 1) if chart.bare else (LEFT, RIGHT, TOP, BOTTOM)
        )
        self.left, self.right, self.top, self.bottom = left, chart.width - right, top, chart.height - bottom
        assert chart.x_limits is not None
        assert chart.y_limits is not None
        self.x_limits, self.y_limits = chart.x_limits, chart.y_limits

    def drawing(self) -> Drawing:
        chart = self.chart
        found = Drawing(
            chart.width,
            chart.height,
            f"{chart.title}. {chart.description}".strip(". "),
            (self.left, self.top, self.right, self.bottom),
        )
        if chart.bare:
            corners = [
                (self.left, self.top),
                (self.right, self.top),
                (self.right, self.bottom),
                (self.left, self.bottom),
            ]
            if chart.pixels is None:
                found.above.append(Strokes([corners], GRID, closed=True))
            found.above.extend(self._tick_labels())
        else:
            found.below.extend(self._axes())
        if chart.pixels is not None:
            found.inside.append(Raster(found.box, chart.pixels))
        if chart.contours:
            found.inside.append(self._contours())
        for series in chart.series:
            found.inside.extend(self._series(series))
            found.above.extend(self._markers(series))
        found.inside.extend(self._rules())
        found.above.extend(self._rule_labels())
        return found

    # ------------------------------------------------------------ positions

    def x(self, value: float) -> float:
        return self.left + _fraction(value, self.x_limits, self.chart.x_scale) * (self.right - self.left)

    def y(self, value: float) -> float:
        place = self.bottom - _fraction(value, self.y_limits, self.chart.y_scale) * (self.bottom - self.top)
        return min(max(place, self.top - 999), self.bottom + 999)

    def _has_place(self, value: float | None) -> bool:
        return value is not None and math.isfinite(value) and (self.chart.y_scale == "linear" or value > 0)

    def _points(self, x: Sequence[float], y: Sequence[float | None]) -> list[Point]:
        return [(self.x(a), self.y(b)) for a, b in zip(x, y, strict=True) if b is not None and self._has_place(b)]

    # ------------------------------------------------------------ axes

    def _axes(self) -> Iterator[Part]:
        chart = self.chart
        yield Text((2, 14), chart.title, "title")
        yield Text((2, 29), chart.y_label, "label")
        heights = [(value, self.y(value)) for value in ticks(*self.y_limits, chart.y_scale)]
        yield Strokes([[(self.left, y), (self.right, y)] for _, y in heights], GRID)
        for value, y in heights:
            yield Text((self.left - 6, y + 4), tick_label(value), "tick", "end")
        yield Strokes([[(self.left, self.bottom), (self.right, self.bottom)]], MUTED)
        yield from self._tick_labels()
        yield Text(((self.left + self.right) / 2, chart.height - 5), chart.x_label, "label", "middle")

    def _tick_labels(self) -> Iterator[Part]:
        """Ticks below the frame; of a bare chart only those that are given, as texts."""
        chart = self.chart
        if chart.bare and chart.x_ticks is None:
            return
        values = list(chart.x_ticks) if chart.x_ticks is not None else ticks(*self.x_limits, chart.x_scale)
        free = -math.inf
        for value, label in zip(values, chart.x_tick_labels or [tick_label(v) for v in values], strict=True):
            x, half = self.x(value), 3.0 * len(label) + 3
            if x - half < free:  # would run into the label before it
                continue
            free = x + half
            if not chart.bare:
                yield Strokes([[(x, self.bottom), (x, self.bottom + 4)]], MUTED)
            yield Text((x, self.bottom + (14 if chart.bare else 16)), label, "tick", "middle")

    def _rules(self) -> Iterator[Part]:
        for rule in self.chart.rules:
            x, y = self.x(rule.value), self.y(rule.value)
            line = [(x, self.top), (x, self.bottom)] if rule.vertical else [(self.left, y), (self.right, y)]
            yield Strokes([line], INK, 1.2, (2, 3) if rule.dashed else (), opacity=0.75)

    def _rule_labels(self) -> Iterator[Part]:
        for rule in self.chart.rules:
            if rule.vertical:
                x, near_edge = self.x(rule.value), self.right - self.x(rule.value) < 7 * len(rule.label)
                yield Text(
                    (x + (-4 if near_edge else 4), self.top + 9), rule.label, "rule", "end" if near_edge else "start"
                )
                continue
            y = self.y(rule.value)
            at = y - 4 if y - self.top > 16 else y + 12
            if self._room(at, right=True) >= self._room(at, right=False):
                yield Text((self.right - 2, at), rule.label, "rule", "end")
            else:
                yield Text((self.left + 3, at), rule.label, "rule")

    def _room(self, y: float, *, right: bool) -> float:
        """Distance in pixels from height `y` to the nearest point near the right or the left edge, at most 30."""
        edge = self.right if right else self.left
        points = (
            [point for series in self.chart.series for point in self._points(series.x, series.y)] if self._drawn else []
        )
        return min([30.0, *(abs(py - y) for px, py in points if abs(px - edge) < 70)])

    # ------------------------------------------------------------ data

    def _contours(self) -> SharedStrokes:
        levels = [
            Strokes(
                [[(self.x(x), self.y(y)) for x, y in line.tolist()] for line in level],
                SHADE,
                0.7,
                fill=SHADE,
                fill_opacity=0.16,
            )
            for level in self.chart.contours
        ]
        return SharedStrokes(self.chart.contours_name, levels)

    def _series(self, series: Series) -> Iterator[Part]:
        if series.kind in ("area", "steps"):
            yield self._histogram(series)
            return
        points = self._points(series.x, series.y)
        if series.kind == "broken":
            yield Strokes(list(self._pieces(series)), series.colour, 1.2)
        elif series.kind == "dots":
            yield Dots(points, series.colour)
        elif series.kind == "rings":
            yield Rings(points, series.colour)
        else:
            if series.band and series.low is not None and series.high is not None:
                around = self._points(series.x, series.high) + self._points(series.x, series.low)[::-1]
                yield Strokes([around], fill=series.colour, fill_opacity=0.13, closed=True)
            if series.kind != "points":
                points = [(x + series.shift, y) for x, y in points]
                yield Strokes([points], series.colour, 2.0, (6, 4) if series.kind == "dashed" else ())

    def _pieces(self, series: Series) -> Iterator[list[Point]]:
        piece: list[Point] = []
        for x, y in zip(series.x, series.y, strict=True):
            if y is None:
                yield piece
                piece = []
            else:
                piece.append((self.x(x), self.y(y)))
        yield piece

    def _histogram(self, series: Series) -> Strokes:
        """Heights over edges: x has one value more than y."""
        base = self.y(max(0.0, self.y_limits[0]))
        outline = [(self.x(series.x[0]), base)]
        for left, right, height in zip(series.x, series.x[1:], series.y, strict=False):
            outline += [(self.x(left), self.y(height or 0.0)), (self.x(right), self.y(height or 0.0))]
        outline.append((self.x(series.x[-1]), base))
        if series.kind == "area":
            return Strokes([outline], fill=SHADE, fill_opacity=0.55)
        return Strokes([outline], series.colour, 1.6, fill=series.colour, fill_opacity=0.12)

    def _markers(self, series: Series) -> Iterator[Part]:
        """Markers and their intervals, above everything."""
        if not series.marker:
            return
        if series.low is not None and series.high is not None and not series.band:
            bars = []
            for x, low, high in zip(series.x, series.low, series.high, strict=True):
                if low is not None and high is not None and self._has_place(high):
                    ends = (self.y(low) if self._has_place(low) else self.bottom, self.y(high))
                    bars.append([(self.x(x) + series.shift, min(max(y, self.top), self.bottom)) for y in ends])
            yield Strokes(bars, series.colour, 1.6)
        notes = list(series.notes) or [""] * len(series.x)
        for x, y, note in zip(series.x, series.y, notes, strict=True):
            place = self.x(x) + series.shift
            if y is None or not self._has_place(y):
                yield Mark((place, self.bottom - 6), "cross", series.colour, note)
            elif self.top - 1 <= self.y(y) <= self.bottom + 1:
                yield Mark((place, self.y(y)), series.marker, series.colour, note)


def _fraction(value: float, limits: tuple[float, float], scale: Scale) -> float:
    low, high = limits
    if scale == "log":
        return math.log(max(value, 1e-300) / low) / math.log(high / low)
    return (value - low) / (high - low)
