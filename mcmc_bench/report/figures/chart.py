"""The content of a chart, apart from how it is drawn: `svg` draws it for the page, `picture` as a file.

Must not know results, metrics or samplers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from mcmc_bench.core.arrays import Array
from mcmc_bench.report.figures.palette import Colour

Scale = Literal["linear", "log"]


@dataclass(frozen=True)
class Series:
    """One line, set of points or histogram. Points whose y is None are marked as missing at the lower edge.

    A `broken` line has thin pieces, which end where y is None.
    """

    x: Sequence[float]
    y: Sequence[float | None]
    colour: Colour
    label: str = ""
    kind: Literal["line", "dashed", "points", "area", "steps", "dots", "rings", "broken"] = "line"
    low: Sequence[float | None] | None = None  # interval: a bar through each marker, a band if `band`
    high: Sequence[float | None] | None = None
    band: bool = False
    marker: str = ""  # a name in drawing.SHAPES; "" for none
    shift: float = 0.0  # in pixels, of line and markers, so that samplers do not hide each other; a band stays
    notes: Sequence[str] = ()  # of each point, shown when pointed at


@dataclass(frozen=True)
class RuleLine:
    """A straight line across the chart: the truth, a floor, a setting."""

    value: float
    label: str
    vertical: bool = False
    dashed: bool = False


@dataclass(frozen=True)
class Chart:
    """One set of axes."""

    title: str
    description: str  # for readers who cannot see it
    series: list[Series]
    x_label: str = ""
    y_label: str = ""
    x_scale: Scale = "linear"
    y_scale: Scale = "linear"
    rules: list[RuleLine] = field(default_factory=list)
    x_limits: tuple[float, float] | None = None
    y_limits: tuple[float, float] | None = None
    x_ticks: Sequence[float] | None = None
    x_tick_labels: Sequence[str] | None = None
    contours: list[list[Array]] = field(default_factory=list)  # by level, outermost first: lines (point, 2)
    contours_name: str = ""  # the same for charts that share contours and limits
    bare: bool = False  # no axes, only a frame, and labels below it where ticks are given
    pixels: Array | None = None  # (height, width), 0 black to 1 white, NaN nothing: fills the frame, without smoothing
    width: float = 340.0  # pixels
    height: float = 232.0

    def with_limits(self) -> Chart:
        """The chart with limits that hold everything it shows."""
        x = [value for series in self.series for value in series.x]
        y = [
            value
            for series in self.series
            for values in (series.y, series.low or (), series.high or ())
            for value in values
            if value is not None
        ]
        y += [rule.value for rule in self.rules if not rule.vertical]
        x += [rule.value for rule in self.rules if rule.vertical]
        return replace(
            self,
            x_limits=self.x_limits or limits(x, self.x_scale),
            y_limits=self.y_limits or limits(y, self.y_scale),
        )


def limits(values: Sequence[float], scale: Scale) -> tuple[float, float]:
    """Limits with a margin around `values`; non-finite ones, and non-positive ones on a log scale, do not count."""
    usable = [value for value in values if math.isfinite(value) and (scale == "linear" or value > 0)]
    if not usable:
        return (0.1, 1.0) if scale == "log" else (0.0, 1.0)
    low, high = min(usable), max(usable)
    if scale == "log":
        margin = max(1.15, (high / low) ** 0.06)
        return low / margin, high * margin
    margin = 0.06 * (high - low) or 0.5 * abs(high) or 0.5
    return low - margin, high + margin


def ticks(low: float, high: float, scale: Scale, at_most: int = 5) -> list[float]:
    """Round numbers within the limits."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    if scale == "log" and math.log10(high / low) > 1.0:
        found = LogLocator(numticks=at_most).tick_values(low, high)
        inside = [float(value) for value in found if low <= value <= high]
        if len(inside) > 1:
            return inside
    if scale == "log":
        return [m * 10.0**e for e in range(-12, 13) for m in (1, 2, 5) if low <= m * 10.0**e <= high]
    found = MaxNLocator(at_most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [float(value) for value in found if low <= value <= high]


def tick_label(value: float) -> str:
    """A tick's number, short."""
    if value == 0 or 1e-4 < abs(value) < 1e5:
        return f"{round(value, 10):g}".replace("-", "−")
    exponent = round(math.log10(abs(value)))
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
