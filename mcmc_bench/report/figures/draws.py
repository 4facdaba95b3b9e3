"""The draws of a cell or the truth: in the plane over the density, and as a histogram of log p.

Must not know how charts are drawn, nor any particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.results import Cell, Results
from mcmc_bench.report.figures.chart import Chart, Series
from mcmc_bench.report.figures.palette import INK, SHADE, Look
from mcmc_bench.report.sentences import name

SHOWN_DOTS, SHOWN_RINGS = 500, 8
#: From so many cells on, all of a page's charts together show no more dots than these many would: it has to open.
MANY_CELLS = 120
#: Size of the drawings of draws and of log p, in pixels of the page.
DRAWS_SIZE, HISTOGRAM_SIZE = (200.0, 200.0), (200.0, 70.0)
#: Contours at these drops of log p: 1, 2 and 3 sd of a two-dimensional Gaussian.
CONTOUR_DROPS = (4.5, 2.0, 0.5)


def in_plane(results: Results, target: str, cell: Cell | None, look: Look | None) -> Chart | None:
    """Draws of a cell over the density, or exact ones where `cell` is None; the first two coordinates."""
    portrait = results.portrait(target)
    arrays = portrait if cell is None else results.draws(cell)
    if arrays is None:
        return None
    true = None if portrait is None else portrait.get("draws", portrait.get("held_out"))
    if cell is not None:
        positions = arrays["position"]  # (chain, draw, dim)
    elif true is not None:
        positions = true[:, None]
    else:  # no exact sampler, no reference run, no examples
        return None
    frame = _frame(portrait, positions)
    if frame is None:
        return None
    shown = SHOWN_DOTS * MANY_CELLS // max(MANY_CELLS, len(results.cells))
    x_limits, y_limits = frame
    found = contours(portrait)
    series = []
    if not found and true is not None and cell is not None:
        x, y = _plane(true, shown)
        series.append(Series(x, y, SHADE, truth_name(results, target), "dots"))
    colour = INK if look is None else look.colour
    x, y = _plane(positions.reshape(-1, positions.shape[-1]), shown)
    series.append(Series(x, y, colour, "draws", "dots"))
    if cell is not None:
        x, y = _plane(positions[:SHOWN_RINGS, -1], SHOWN_RINGS)
        series.append(Series(x, y, colour, "last draws of chains", "rings"))
    title, who = (truth_name(results, target), "") if cell is None else (name(cell), "draws")
    return Chart(
        title,
        f"{who} over the density of {target}".strip(),
        series,
        width=DRAWS_SIZE[0],
        height=DRAWS_SIZE[1],
        x_limits=x_limits,
        y_limits=y_limits,
        contours=found,
        bare=True,
        contours_name=f"contours-{results.targets[target].key}",
    )


def first_coordinate(positions: Array, portrait: dict[str, Array] | None) -> Array:
    """Of positions (chain, draw, dim), (chain, draw): along the direction in which examples differ most, where there are such."""
    direction = None if portrait is None else portrait.get("direction")
    return positions[:, :, 0] if direction is None else positions @ direction


def truth_name(results: Results, target: str) -> str:
    """The name of the draws that those of a cell are compared with."""
    facts = results.targets[target]
    if facts.truth_origin is None and facts.examples is not None:
        return "held-out examples"
    return "exact draws" if results.targets[target].truth_origin == "exact" else "reference draws"


def _plane(points: Array, at_most: int) -> tuple[list[float], list[float]]:
    """The first two coordinates of finite points, evenly picked; of a single coordinate, it and its rank."""
    if points.shape[1] == 1:
        points = np.column_stack([points[:, 0], np.linspace(-1.0, 1.0, len(points))])
    points = points[np.isfinite(points).all(axis=1), :2]
    if len(points) > at_most:
        points = points[np.linspace(0, len(points) - 1, at_most).round().astype(int)]
    return points[:, 0].tolist(), points[:, 1].tolist()


def _frame(
    portrait: dict[str, Array] | None, positions: Array
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Limits of both axes: the same for all cells of a target that has a portrait."""
    if portrait is not None and "grid_x" in portrait:
        across, up = portrait["grid_x"], portrait["grid_y"]
        return (float(across[0]), float(across[-1])), (float(up[0]), float(up[-1]))
    points = positions.reshape(-1, positions.shape[-1])
    if portrait is not None:
        points = portrait.get("draws", portrait.get("held_out", points))
    x, y = _plane(points, len(points))
    if not x:
        return None
    frame = []
    for values in (x, y):
        low, high = (float(q) for q in np.quantile(values, (0.002, 0.998)))
        margin = 0.25 * (high - low) or 1.0
        frame.append((low - margin, high + margin))
    return frame[0], frame[1]


def contours(portrait: dict[str, Array] | None) -> list[list[Array]]:
    """Lines of the density of a portrait, by level, outermost first; none where it has no grid."""
    if portrait is None or "grid_log_density" not in portrait:
        return []
    from contourpy import contour_generator

    values = portrait["grid_log_density"]
    top = float(np.nanmax(np.where(np.isfinite(values), values, np.nan)))
    lines = contour_generator(portrait["grid_x"], portrait["grid_y"], np.nan_to_num(values, neginf=top - 1e6))
    levels = [[np.asarray(line) for line in lines.lines(top - drop)] for drop in CONTOUR_DROPS]
    return [[line[:: max(1, len(line) // 150)] for line in level] for level in levels]


def log_density(cell: Cell, look: Look) -> Chart | None:
    """Histogram of log p of a cell's draws over that of exact draws."""
    curve = cell.curves.get("log_density_histogram")
    if not curve or not all(curve.get(key) for key in ("edges", "cell", "oracle")):
        return None
    edges, own, true = curve["edges"], curve["cell"], curve["oracle"]
    # The range of the truth and of most of the draws: a few far ones would squeeze both.
    ranges = [_range(edges, true, 0.003), _range(edges, own, 0.05)]
    low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
    # A collapsed chain is one bar that would flatten the truth: it is cut off, and the truth stays readable.
    top = min(max(*own, *true), 2.2 * max(true)) if max(true) > 0 else max(own)
    return Chart(
        "",
        f"log p of the draws of {look.name}, over that of exact or reference draws in grey",
        [Series(edges, true, SHADE, "the truth", "area"), Series(edges, own, look.colour, look.name, "steps")],
        x_limits=(low - 0.03 * (high - low), high + 0.03 * (high - low)),
        y_limits=(0.0, 1.08 * top or 1.0),
        bare=True,
        width=HISTOGRAM_SIZE[0],
        height=HISTOGRAM_SIZE[1],
    )


def _range(edges: Sequence[float], heights: Sequence[float], share: float) -> tuple[float, float]:
    """Edges between which all but `share` of a histogram lies on each side."""
    mass = np.cumsum(np.array(heights) * np.diff(edges))
    first, last = (int(np.searchsorted(mass, mass[-1] * level)) for level in (share, 1.0 - share))
    return edges[min(first, len(edges) - 2)], edges[min(last, len(edges) - 2) + 1]


def true_log_density(results: Results, target: str) -> Chart | None:
    """Histogram of log p of the exact or reference draws of a target."""
    portrait = results.portrait(target)
    values = portrait["log_density"] if portrait is not None and "log_density" in portrait else np.empty(0)
    values = values[np.isfinite(values)]
    if len(values) < 2 or np.ptp(values) == 0:
        return None
    heights, edges = np.histogram(
        values, 40, range=(float(np.quantile(values, 0.003)), float(values.max())), density=True
    )
    return Chart(
        "",
        f"log p of {truth_name(results, target)}",
        [Series(edges.tolist(), heights.tolist(), SHADE, "the truth", "area")],
        x_limits=(float(edges[0]), float(edges[-1])),
        y_limits=(0.0, 1.08 * float(heights.max())),
        bare=True,
        width=HISTOGRAM_SIZE[0],
        height=HISTOGRAM_SIZE[1],
    )
