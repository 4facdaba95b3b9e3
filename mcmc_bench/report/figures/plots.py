"""The charts of the page, built from cells, rows and curves.

Knows results and what a chart is. Must not know how charts are drawn, nor any particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcmc_bench.core.outcome import Outcome
from mcmc_bench.core.results import Cell, Results
from mcmc_bench.report import numbers
from mcmc_bench.report.figures.chart import Array, Chart, Rule, Series
from mcmc_bench.report.figures.palette import INK, SHADE, Look
from mcmc_bench.report.selection import Selection, by_sampler
from mcmc_bench.report.sentences import name

#: Metrics whose rule is not an ideal value but what independent draws, or as many real data, have.
FLOORS = {
    "sliced_wasserstein_1": "i.i.d. floor", "data_sliced_wasserstein": "real data", "distinct_data": "real data",
    "class_entropy": "real data", "vendi_score": "real data",
}  # fmt: skip
LOGARITHMIC = {"efficiency", "bias_squared_average"}
SHOWN_DOTS, SHOWN_RINGS = 500, 8
#: From so many cells on, all of a page's charts together show no more dots than these many would: it has to open.
MANY_CELLS = 120
#: Pixels between the markers of samplers at the same setting.
DODGE, MOST_DODGE = 6.0, 24.0  # between two, and from the first to the last
#: Size of the drawings of draws and of log p, in pixels of the page.
DRAWS_SIZE, HISTOGRAM_SIZE = (200.0, 200.0), (200.0, 70.0)
#: Contours at these drops of log p: 1, 2 and 3 sd of a two-dimensional Gaussian.
CONTOUR_DROPS = (4.5, 2.0, 0.5)
MOST_MODES_WITH_INTERVALS = 12


def against(
    selection: Selection, setting: str, metric: str, title: str, subtitle: str, cells: Sequence[Cell]
) -> Chart | None:
    """A metric against a setting, a line for each sampler, with closed forms dashed; None if no cell gives it.

    Samplers that a metric cannot move (acceptance of what rejects nothing) are left out.
    """
    series: list[Series] = []
    lines = by_sampler(sorted(cells, key=lambda cell: cell.settings[setting]))
    floors = [row.floor for cell in cells if (row := cell.metric(metric)) is not None and row.floor is not None]
    for place, (sampler, ordered) in enumerate(lines.items()):
        look, rows = selection.looks[sampler], [cell.metric(metric) for cell in ordered]
        values = [row.value if row is not None else None for row in rows]
        if all(value is None for value in values) or (metric == "acceptance_rate" and set(values) <= {1.0, None}):
            continue
        x = [cell.settings[setting] for cell in ordered]
        predicted = {a: row.predicted for a, row in zip(x, rows, strict=True) if row and row.predicted is not None}
        if len(predicted) > 1:
            name = f"{look.name}, closed form"
            series.append(Series(list(predicted), list(predicted.values()), look.colour, name, "dashed"))
        series.append(
            Series(
                x, values, look.colour, look.name, "points" if len(predicted) > 1 else "line",
                [row.low if row else None for row in rows], [row.high if row else None for row in rows],
                marker=look.marker, shift=min(DODGE, MOST_DODGE / len(lines)) * (place - (len(lines) - 1) / 2),
                notes=[_note(look, setting, cell, metric) for cell in ordered],
            )
        )  # fmt: skip
    if not series:
        return None
    logarithmic = metric in LOGARITHMIC and _positive(series)
    rules = [_truth(selection.results, metric)] if metric != "acceptance_rate" and metric not in LOGARITHMIC else []
    if metric in FLOORS:
        rules = [Rule(float(np.mean(floors)), FLOORS[metric], dashed=True)] if floors else []
    if setting == "temperature":
        rules.append(Rule(1.0, "full noise", vertical=True, dashed=True))
    log = setting != "temperature"
    every = sorted({x for one in series for x in one.x})
    return Chart(
        title, f"{title} against {numbers.plain_name(setting)}: {subtitle}.", series,
        x_label="temperature τ, share of the noise" if setting == "temperature" else numbers.plain_name(setting),
        y_label=subtitle, x_scale="log" if log else "linear",
        y_scale="log" if logarithmic else "linear",
        x_ticks=every if log else None, x_tick_labels=[f"{value:g}" for value in every] if log else None,
        y_limits=(0.0, 1.04) if metric == "acceptance_rate" else None,
        rules=[rule for rule in rules if rule is not None],
    )  # fmt: skip


def _truth(results: Results, metric: str) -> Rule | None:
    definition = results.definitions.get(metric)
    return Rule(definition.ideal, "true") if definition is not None and definition.ideal is not None else None


def _note(look: Look, setting: str, cell: Cell, metric: str) -> str:
    row = cell.metric(metric)
    value = numbers.of_row(row) if cell.outcome is Outcome.FINISHED else cell.outcome
    predicted = (
        f"; closed form {numbers.number(row.predicted)}" if row is not None and row.predicted is not None else ""
    )
    why = f": {row.note}" if row is not None and row.value is None and row.note else ""
    return f"{look.name}, {numbers.plain_name(setting)} {cell.settings[setting]:g}: {value}{why}{predicted}"


def _positive(series: Sequence[Series]) -> bool:
    return any(value is not None and value > 0 for one in series for value in one.y)


# ------------------------------------------------------------ one target


def density(results: Results, target: str, cell: Cell | None, look: Look | None) -> Chart | None:
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
        title, f"{who} over the density of {target}".strip(), series, width=DRAWS_SIZE[0], height=DRAWS_SIZE[1], x_limits=x_limits, y_limits=y_limits, contours=found, bare=True,
        contours_name=f"contours-{results.targets[target].key}",
    )  # fmt: skip


def first_coordinate(positions: Array, portrait: dict[str, Array] | None) -> Array:
    """Of positions (chain, draw, dim), (chain, draw): along the direction in which examples differ most, where there are such."""
    direction = None if portrait is None else portrait.get("direction")
    return positions[:, :, 0] if direction is None else positions @ direction


def truth_name(results: Results, target: str) -> str:
    """What the draws are that a cell's are compared with."""
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
        "", f"log p of the draws of {look.name}, over that of exact or reference draws in grey",
        [Series(edges, true, SHADE, "the truth", "area"), Series(edges, own, look.colour, look.name, "steps")],
        x_limits=(low - 0.03 * (high - low), high + 0.03 * (high - low)),
        y_limits=(0.0, 1.08 * top or 1.0), bare=True, width=HISTOGRAM_SIZE[0], height=HISTOGRAM_SIZE[1],
    )  # fmt: skip


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
        "", f"log p of {truth_name(results, target)}",
        [Series(edges.tolist(), heights.tolist(), SHADE, "the truth", "area")], x_limits=(float(edges[0]), float(edges[-1])),
        y_limits=(0.0, 1.08 * float(heights.max())), bare=True, width=HISTOGRAM_SIZE[0], height=HISTOGRAM_SIZE[1],
    )  # fmt: skip


def error(selection: Selection, cells: Sequence[Cell], width: float) -> Chart | None:
    """Error against evaluations, a line for each cell, with that of independent draws."""
    series: list[Series] = []
    oracle: tuple[list[float], list[float]] | None = None
    for cell in cells:
        curve, look = cell.curves.get("error"), selection.looks[cell.sampler]
        if not curve or not curve.get("evaluations"):
            continue
        if curve.get("oracle_error") and (oracle is None or curve["evaluations"][-1] > oracle[0][-1]):
            oracle = curve["evaluations"], curve["oracle_error"]
        if look.kind == "oracle":
            continue
        series.append(
            Series(
                curve["evaluations"], [v if v and v > 0 else None for v in curve["median"]], look.colour, look.name,
                low=[v or None for v in curve["low"]], high=[v or None for v in curve["high"]], band=True,
            )
        )  # fmt: skip
    if not series:
        return None
    if oracle is not None:
        series.insert(0, Series(*oracle, INK, "independent draws", "dashed"))
    everything = [v for one in series for v in one.y if v]
    if not everything:
        return None
    lowest, highest = max(min(everything), 1e-6), min(max(everything), 1e3)
    return Chart(
        "Error against cost", "worst squared error of a chain's estimates, in variances, against target evaluations",
        series, x_label="target evaluations after warmup", y_label="worst b² of a chain: median, and spread over chains",
        x_scale="log", y_scale="log", y_limits=(lowest / 1.6, highest * 1.6),
        rules=[Rule(0.01, "b² = 0.01", dashed=True)], width=width, height=260.0,
    )  # fmt: skip


def occupancy(selection: Selection, cells: Sequence[Cell], width: float) -> Chart | None:
    """Share of the draws in each mode, for each cell, over the true weights."""
    curves = [(cell, cell.curves["occupancy"]) for cell in cells if cell.curves.get("occupancy")]
    if not curves:
        return None
    weights = curves[0][1]["weights"]
    count, steps = len(weights), len(curves)
    edges = [k + offset for k in range(count) for offset in (-0.44, 0.44)]
    heights = [v for k in range(count) for v in (weights[k], 0.0)][:-1]
    series = [Series(edges, heights, SHADE, "true weight", "area")]
    for place, (cell, curve) in enumerate(curves):
        look, shift = selection.looks[cell.sampler], 0.66 * ((place + 0.5) / steps - 0.5)
        few = count <= MOST_MODES_WITH_INTERVALS
        series.append(
            Series(
                [k + shift for k in range(count)], curve["value"], look.colour, look.name, "points",
                curve["low"] if few else None, curve["high"] if few else None, marker=look.marker,
                notes=[f"{name(cell)}, mode {k + 1}: {numbers.number(v, 2)}, true {numbers.number(w, 2)}"
                       for k, (v, w) in enumerate(zip(curve["value"], weights, strict=True))],
            )
        )  # fmt: skip
    names = _mode_names(selection, cells[0].target, count)
    top = max([*weights, *(v for one in series[1:] for v in (one.high or one.y) if v is not None)])
    return Chart(
        "Share of draws in each mode", "markers: samplers, with intervals; grey bars: true weights", series,
        x_label="mode", y_label="grey bars: true weights", x_limits=(-0.6, count - 0.4), y_limits=(0.0, min(1.04, 1.1 * top)),
        x_ticks=list(range(count)), x_tick_labels=names, width=width, height=260.0,
    )  # fmt: skip


def _mode_names(selection: Selection, target: str, count: int) -> list[str]:
    """Where the modes are if that is short to say, else their numbers."""
    places = selection.results.targets[target].mode_locations
    if places is None or count > 4 or len(places) != count or len(places[0]) > 2:
        return [str(k + 1) for k in range(count)]
    return [f"({', '.join(numbers.number(round(value, 2)) for value in place)})" for place in places]
