"""The shares of draws in the modes of a density, and in the classes of its examples.

Must not know how charts are drawn, nor any particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mcmc_bench.core.results import Cell, ExampleFacts, Results
from mcmc_bench.report import numbers
from mcmc_bench.report.figures.chart import Chart, Series
from mcmc_bench.report.figures.palette import SHADE, Look
from mcmc_bench.report.selection import Selection
from mcmc_bench.report.sentences import name

#: Modes up to which their shares are shown with intervals.
MOST_MODES_WITH_INTERVALS = 12
#: Classes up to which their names stand below a small chart.
MOST_NAMED_CLASSES = 12
#: Letters of a class's name below a wide chart.
LONGEST = 9
#: Pixels of the histogram of classes on a card, and of the height of a chart of shares.
HISTOGRAM_SIZE, HEIGHT = (200.0, 62.0), 260.0


def of_modes(selection: Selection, cells: Sequence[Cell], width: float) -> Chart | None:
    """Share of the draws in each mode, for each cell, over the true weights; None if no cell has them."""
    curves = [(cell, cell.curves["occupancy"]) for cell in cells if cell.curves.get("occupancy")]
    if not curves:
        return None
    weights = curves[0][1]["weights"]
    count = len(weights)
    series = [_bars(weights, "true weight")]
    for place, (cell, curve) in enumerate(curves):
        notes = [
            f"{name(cell)}, mode {k + 1}: {numbers.number(share, 2)}, true {numbers.number(weight, 2)}"
            for k, (share, weight) in enumerate(zip(curve["value"], weights, strict=True))
        ]
        look, with_intervals = selection.looks[cell.sampler], count <= MOST_MODES_WITH_INTERVALS
        series.append(_markers(look, curve, notes, place, len(curves), with_intervals=with_intervals))
    names = _mode_names(selection, cells[0].target, count)
    return _chart("Share of draws in each mode", "mode", "true weights", series, names, width, (1.1, 1.04))


def of_classes(selection: Selection, cells: Sequence[Cell], width: float) -> Chart | None:
    """Share of each class in several cells, with intervals, over those of held-out examples; None if no cell has them."""
    curves = [(selection.looks[cell.sampler], cell.curves["classes"]) for cell in cells if cell.curves.get("classes")]
    if not curves:
        return None
    real = curves[0][1]["held_out"]
    labels = _facts(selection.results, cells[0].target).class_names or [str(k) for k in range(len(real))]
    series = [_bars(real, "held-out examples")]
    for place, (look, curve) in enumerate(curves):
        notes = [
            f"{look.name}, class {label}: {numbers.number(share, 2)}, held out {numbers.number(held_out, 2)}"
            for label, share, held_out in zip(labels, curve["value"], real, strict=True)
        ]
        series.append(_markers(look, curve, notes, place, len(curves)))
    names = [label if len(label) <= LONGEST else f"{label[: LONGEST - 1]}…" for label in labels]
    return _chart("Share of each class", "class", "held-out examples", series, names, width, (1.06, float("inf")))


def histogram_of_classes(results: Results, target: str, cell: Cell | None, look: Look | None) -> Chart | None:
    """Shares of the classes among the ends of a cell's chains, over those among held-out examples in grey.

    The held-out examples alone where `cell` is None; None where no classes are known.
    """
    known = [one.curves["classes"] for one in results.cells if one.target == target and one.curves.get("classes")]
    curve = cell.curves.get("classes") if cell is not None else known[0] if known else None
    if not curve:
        return None
    real, count = curve["held_out"], len(curve["classes"])
    series = [_bars(real, "held-out examples", half_width=0.4)]
    if cell is not None and look is not None:
        edges, heights = _outline(curve["value"], half_width=0.4)
        series.append(Series(edges, heights, look.colour, look.name, "steps"))
    names = _class_names(_facts(results, target), count)
    # A collapse is one bar that would flatten the rest: it is cut off.
    top = min(max(*curve["value"], *real) if cell is not None else max(real), 2.5 * max(real))
    return Chart(
        "",
        f"shares of {count} classes, over those of held-out examples in grey",
        series,
        x_limits=(-0.6, count - 0.4),
        y_limits=(0.0, 1.08 * top),
        bare=True,
        x_ticks=range(len(names)) if names else None,
        x_tick_labels=names or None,
        width=HISTOGRAM_SIZE[0],
        height=HISTOGRAM_SIZE[1],
    )


# ------------------------------------------------------------ bars and markers


def _outline(heights: Sequence[float], half_width: float) -> tuple[list[float], list[float]]:
    """Edges and heights of bars around 0, 1, …, with gaps of no height between them."""
    edges = [k + offset for k in range(len(heights)) for offset in (-half_width, half_width)]
    return edges, [value for height in heights for value in (height, 0.0)][:-1]


def _bars(heights: Sequence[float], label: str, half_width: float = 0.44) -> Series:
    """The truth, as grey bars."""
    return Series(*_outline(heights, half_width), SHADE, label, "area")


def _markers(
    look: Look,
    curve: Mapping[str, Sequence[float]],
    notes: Sequence[str],
    place: int,
    places: int,
    *,
    with_intervals: bool = True,
) -> Series:
    """The shares of one cell; the cells stand side by side within a bar."""
    shift = 0.66 * ((place + 0.5) / places - 0.5)
    return Series(
        [k + shift for k in range(len(curve["value"]))],
        curve["value"],
        look.colour,
        look.name,
        "points",
        curve.get("low") if with_intervals else None,
        curve.get("high") if with_intervals else None,
        marker=look.marker,
        notes=notes,
    )


def _chart(
    title: str,
    what: str,
    truth: str,
    series: list[Series],
    names: Sequence[str],
    width: float,
    room: tuple[float, float],
) -> Chart:
    """Bars and markers on axes that end at `room[0]` times the highest, and at `room[1]` at most."""
    highest = max(value for one in series for value in (one.high or one.y) if value is not None)
    return Chart(
        title,
        f"markers: samplers, with intervals; grey bars: {truth}",
        series,
        x_label=what,
        y_label=f"grey bars: {truth}",
        x_limits=(-0.6, len(names) - 0.4),
        y_limits=(0.0, min(room[1], room[0] * highest)),
        x_ticks=range(len(names)),
        x_tick_labels=names,
        width=width,
        height=HEIGHT,
    )


# ------------------------------------------------------------ names


def _facts(results: Results, target: str) -> ExampleFacts:
    facts = results.targets[target].examples
    assert facts is not None, f"{target} has no examples"
    return facts


def _mode_names(selection: Selection, target: str, count: int) -> list[str]:
    """The places of the modes if those are short to print, else their numbers."""
    places = selection.results.targets[target].mode_locations
    if places is None or count > 4 or len(places) != count or len(places[0]) > 2:
        return [str(k + 1) for k in range(count)]
    return [f"({', '.join(numbers.number(round(value, 2)) for value in place)})" for place in places]


def _class_names(facts: ExampleFacts, count: int) -> list[str]:
    """Names of the classes, their numbers where they have none; nothing if they are too many or too long to be read."""
    names = facts.class_names or [str(k) for k in range(count)]
    return list(names) if count <= MOST_NAMED_CLASSES and max(len(name) for name in names) <= 3 else []
