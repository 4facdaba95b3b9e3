"""Several charts on one sheet, with a heading and a legend: what a figure file holds.

Must not know results, metrics or samplers, nor SVG or Matplotlib.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mcmc_bench.report.figures.chart import Chart
from mcmc_bench.report.figures.drawing import Drawing, Mark, Part, Strokes, Text
from mcmc_bench.report.figures.layout import draw
from mcmc_bench.report.figures.palette import Colour

HEAD, LEGEND, ROW_TITLE, GAP, MARGIN = 36, 28, 26, 14, 12


@dataclass(frozen=True)
class LegendKey:
    """One entry of a legend."""

    name: str
    colour: Colour
    marker: str


@dataclass(frozen=True)
class Sheet:
    """Charts in rows, with a heading and a legend: what a figure file holds."""

    width: float
    height: float
    heading: str
    parts: list[Part]
    placed: list[tuple[float, float, Drawing]]


def arrange(
    heading: str,
    rows: Sequence[Sequence[Chart | None]],
    legend: Sequence[LegendKey] = (),
    row_titles: Sequence[str] = (),
) -> Sheet:
    """Arrange rows of charts; a bare chart gets its title above it. None leaves a place empty."""
    columns = [max(chart.width for chart in row if chart is not None) + GAP for row in rows]
    keys = [32 + 7.5 * len(key.name) + 22 for key in legend]
    wide = [MARGIN + len(row) * column for row, column in zip(rows, columns, strict=True)]
    width = max(11.0 * len(heading) + 2 * MARGIN, *wide, *(MARGIN + key for key in keys))
    parts: list[Part] = [Text((MARGIN, HEAD - 12), heading, "heading")]
    y: float = HEAD
    x: float = width  # the first key begins a line
    for key, needed in zip(legend, keys, strict=True):
        if x + needed > width:
            x, y = MARGIN, y + LEGEND
        parts += [Strokes([[(x, y - 22), (x + 26, y - 22)]], key.colour, 2.0)]
        parts += [Mark((x + 13, y - 22), key.marker, key.colour), Text((x + 32, y - 18), key.name, "label")]
        x += needed
    placed = []
    titles = [*row_titles, *[""] * (len(rows) - len(row_titles))]
    for row, title, column in zip(rows, titles, columns, strict=True):
        if title:
            parts.append(Text((MARGIN, y + ROW_TITLE - 10), title, "row"))
            y += ROW_TITLE
        charts = [chart for chart in row if chart is not None]
        named = any(chart.bare and chart.title for chart in charts)
        y += 18 if named else 0
        for index, chart in enumerate(row):
            if chart is not None:
                placed.append((MARGIN + index * column, y, draw(chart)))
                if chart.bare:
                    parts.append(Text((MARGIN + index * column, y - 6), chart.title, "label"))
        y += max(chart.height for chart in charts) + GAP * (0.4 if charts[0].bare else 1)
    return Sheet(width, y + MARGIN / 2, heading, parts, placed)
