"""Draws charts as files: one PNG (and SVG, where small) for each group of charts, for slides and readmes.

Must not know results, metrics or samplers. Uses Matplotlib's objects only, so that no state of pyplot changes.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from mcmc_bench.report.chart import GRID, INK, MUTED, SHADE, Chart, Colour, Series, tick_label, ticks

DPI, COLOURS = 110, 128
#: An SVG is stored only if it is smaller than this.
SMALL = 120_000
_PAPER = "#ffffff"
_MARKERS = {
    "circle": "o", "square": "s", "triangle": "^", "diamond": "D", "pentagon": "p", "inverted": "v", "plus": "+",
    "cross": "x",
}  # fmt: skip
_STYLE = {
    "font.family": "sans-serif", "font.size": 9, "svg.fonttype": "none", "svg.hashsalt": "mcmc_bench",
    "axes.edgecolor": MUTED.light, "axes.labelcolor": MUTED.light, "xtick.color": MUTED.light,
    "ytick.color": MUTED.light, "text.color": INK.light, "axes.linewidth": 0.7, "lines.linewidth": 1.6,
}  # fmt: skip


@dataclass(frozen=True)
class Key:
    """One entry of a legend."""

    name: str
    colour: Colour
    marker: str


def save(
    file: Path,
    rows: Sequence[Sequence[Chart | None]],
    *,
    title: str,
    legend: Sequence[Key] = (),
    row_titles: Sequence[str] = (),
    size: tuple[float, float] = (3.3, 2.3),
    heights: Sequence[float] = (),
    vector: bool = False,
) -> None:
    """Write `rows` of charts as ``file.png``, and as ``file.svg`` if `vector` and small.

    Args:
        file: without ending.
        rows: charts by row; None leaves a place empty.
        title: above everything.
        legend: below the title.
        row_titles: above each row.
        size: inches of one chart.
        heights: of the rows, relative; equal by default.
        vector: also try an SVG.
    """
    columns = max(len(row) for row in rows)
    heights = list(heights) or [1.0] * len(rows)
    bare = all(chart is None or chart.bare for row in rows for chart in row)
    head, gap = 0.78 if legend else 0.5, 0.42 if row_titles else (0.12 if bare else 0.3)
    left, bottom = (0.12, 0.12) if bare else (0.55, 0.5)
    width, height = columns * size[0] + 0.1, sum(h * size[1] for h in heights) + head + gap * len(rows)
    with mpl.rc_context(_STYLE):  # restored on leaving
        figure = Figure(figsize=(width, height), dpi=DPI, facecolor=_PAPER)
        figure.text(0.12 / width, 1 - 0.3 / height, title, fontsize=12, fontweight="bold")
        if legend:
            _legend(figure, legend, 1 - 0.68 / height)
        y = height - head
        for index, row in enumerate(rows):
            y -= gap + heights[index] * size[1]
            if row_titles:
                figure.text(0.12 / width, (y + heights[index] * size[1] + 0.2) / height, row_titles[index], fontsize=10)
            for column, chart in enumerate(row):
                if chart is not None:
                    top = 0.24 if bare else 0.38
                    box = (column * size[0] + left, y + bottom * (not bare) , size[0] - left - 0.08,
                           heights[index] * size[1] - bottom * (not bare) - (top if chart.title and not chart.bare else 0.22 if bare and chart.title else 0.04))
                    draw(figure.add_axes((box[0] / width, box[1] / height, box[2] / width, box[3] / height)), chart)
        _write(figure, file, vector)


def _write(figure: Figure, file: Path, vector: bool) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI)
    file.with_name(file.name + ".png").write_bytes(lean(drawn.getvalue()))
    if vector:
        text = io.BytesIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
        if len(text.getvalue()) < SMALL:
            file.with_name(file.name + ".svg").write_bytes(text.getvalue())


def lean(png: bytes) -> bytes:
    """The same picture with a palette: a third of the size."""
    image = Image.open(io.BytesIO(png))
    method = Image.Quantize.FASTOCTREE if image.mode == "RGBA" else Image.Quantize.MEDIANCUT
    smaller = io.BytesIO()
    image.quantize(COLOURS, method=method, dither=Image.Dither.NONE).save(smaller, format="PNG", optimize=True)
    return min(png, smaller.getvalue(), key=len)


def _legend(figure: Figure, legend: Sequence[Key], y: float) -> None:
    handles = [
        Line2D([], [], color=key.colour.light, marker=_MARKERS[key.marker or "circle"], label=key.name) for key in legend
    ]
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.02, y), ncols=len(handles), frameon=False, borderpad=0,
        columnspacing=1.4, handlelength=1.8,
    )  # fmt: skip


def draw(axes: Axes, chart: Chart) -> None:
    """Draw a chart into axes."""
    chart = chart.with_limits()
    assert chart.x_limits is not None and chart.y_limits is not None
    axes.set(xscale=chart.x_scale, yscale=chart.y_scale, xlim=chart.x_limits, ylim=chart.y_limits, facecolor=_PAPER)
    for level in chart.contours:
        for line in level:
            axes.fill(line[:, 0], line[:, 1], facecolor=SHADE.light, edgecolor="none", alpha=0.16)
            axes.plot(line[:, 0], line[:, 1], color=SHADE.light, linewidth=0.6)
    for rule in chart.rules:
        _rule(axes, rule.value, rule.label, rule.vertical, rule.dashed)
    for series in chart.series:
        _series(axes, series)
    if chart.bare:
        axes.set(xticks=[], yticks=[])
        axes.minorticks_off()
        axes.spines[:].set_color(GRID.light)
        axes.set_title(chart.title, fontsize=8.5, loc="left", pad=4)
        return
    _scales(axes, chart)


def _scales(axes: Axes, chart: Chart) -> None:
    assert chart.x_limits is not None and chart.y_limits is not None
    axes.minorticks_off()
    x_ticks = list(chart.x_ticks) if chart.x_ticks is not None else ticks(*chart.x_limits, chart.x_scale)
    y_ticks = ticks(*chart.y_limits, chart.y_scale)
    axes.set_xticks(x_ticks, chart.x_tick_labels or [tick_label(v) for v in x_ticks], fontsize=7.5)
    axes.set_yticks(y_ticks, [tick_label(value) for value in y_ticks], fontsize=8)
    axes.grid(axis="y", color=GRID.light, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=2.5, width=0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(chart.x_label, fontsize=8, labelpad=2)
    axes.set_title(f"{chart.title}", fontsize=9.5, loc="left", pad=16, fontweight="bold")
    axes.text(0, 1.04, chart.y_label, transform=axes.transAxes, fontsize=7.5, color=MUTED.light)


def _rule(axes: Axes, value: float, label: str, vertical: bool, dashed: bool) -> None:
    line: dict[str, Any] = {"color": INK.light, "linewidth": 0.9, "linestyle": ":" if dashed else "-", "zorder": 1.5}
    where: dict[str, Any] = {"fontsize": 7, "color": MUTED.light, "textcoords": "offset points"}
    if vertical:
        axes.axvline(value, **line)
        axes.annotate(label, (value, 1), xycoords=("data", "axes fraction"), xytext=(3, -8), **where)
    else:
        axes.axhline(value, **line)
        axes.annotate(label, (1, value), xycoords=("axes fraction", "data"), xytext=(-1, 2.5), ha="right", **where)


def _series(axes: Axes, series: Series) -> None:
    colour = series.colour.light
    x = np.asarray(series.x, dtype=float)
    y = np.array([math.nan if value is None else value for value in series.y], dtype=float)
    if series.kind == "dots":
        axes.plot(x, y, ".", color=colour, markersize=2.4, alpha=0.5, markeredgewidth=0)
    elif series.kind == "rings":
        axes.plot(x, y, "o", markersize=6, markerfacecolor="none", markeredgecolor=colour, markeredgewidth=1.3)
    elif series.kind in ("area", "steps"):
        filled = series.kind == "area"
        axes.stairs(y, x, fill=True, color=SHADE.light if filled else colour, alpha=0.55 if filled else 0.12)
        if not filled:
            axes.stairs(y, x, color=colour, linewidth=1.2)
    else:
        _line(axes, series, x, y, colour)


def _line(axes: Axes, series: Series, x: np.ndarray, y: np.ndarray, colour: str) -> None:
    if series.low is not None and series.high is not None:
        low, high = (np.array([math.nan if v is None else v for v in side], dtype=float) for side in (series.low, series.high))
        if series.band:
            axes.fill_between(x, low, high, color=colour, alpha=0.12, linewidth=0)
        else:
            axes.vlines(x, low, high, color=colour, linewidth=1.2)
    line = {"line": "-", "dashed": "--"}.get(series.kind, "none")
    edge = colour if series.marker == "plus" else _PAPER
    axes.plot(
        x, y, linestyle=line, color=colour, marker=_MARKERS[series.marker] if series.marker else "none", markersize=5,
        markeredgecolor=edge, markeredgewidth=1.4 if series.marker == "plus" else 0.6,
    )  # fmt: skip
    missing = x[~np.isfinite(y)]
    if series.marker and len(missing):
        axes.plot(
            missing, np.full(len(missing), 0.04), "x", color=colour, markersize=5,
            transform=axes.get_xaxis_transform(), clip_on=False,
        )  # fmt: skip
