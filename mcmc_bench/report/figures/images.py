"""Pictures of what chains end at, for targets that were learned from examples: grids, films, shares of the classes.

All show what the metrics measure: the ends of chains without the noise of the density, E[y | x]. Knows results and what a
chart is. Must not know how charts are drawn, nor any particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcmc_bench.core.results import Cell, ExampleFacts, Results
from mcmc_bench.report import numbers
from mcmc_bench.report.figures import pixels
from mcmc_bench.report.figures.chart import Array, Chart, Series
from mcmc_bench.report.figures.palette import SHADE, Look
from mcmc_bench.report.selection import Selection
from mcmc_bench.report.sentences import name

#: Pictures in a grid, and in a row of it.
SHOWN, COLUMNS = 36, 6
GRID_SIZE, HISTOGRAM_SIZE = 200.0, (200.0, 62.0)
FILM_WIDTH = 460.0
#: Share of the classes up to which their names stand below a chart.
MOST_NAMED_CLASSES = 12
#: Letters of a class's name below a wide chart.
LONGEST = 9


def are_images(results: Results, target: str) -> bool:
    """Whether the target was learned from images."""
    facts = results.targets[target].examples
    return facts is not None and facts.shape is not None


def thing(results: Results, target: str) -> str:
    """What one draw is, in a word."""
    return "image" if are_images(results, target) else "point"


def grid(results: Results, target: str, cell: Cell | None) -> Chart | None:
    """Ends of chains as images, or held-out ones where `cell` is None."""
    portrait = results.portrait(target)
    arrays = portrait if cell is None else results.draws(cell)
    which = "held_out" if cell is None else "data"
    if portrait is None or arrays is None or which not in arrays or "centre" not in portrait:
        return None
    facts = _facts(results, target)
    images = _images(arrays[which][:SHOWN], portrait["centre"], facts)
    whole = pixels.grid(images, COLUMNS)
    title = "real images, held out" if cell is None else name(cell)
    return Chart(
        title, f"{len(images)} {'held-out images' if cell is None else 'ends of chains'}, {title if cell else target}",
        [], bare=True, pixels=whole, width=GRID_SIZE, height=GRID_SIZE * whole.shape[0] / whole.shape[1],
    )  # fmt: skip


def film(results: Results, cell: Cell, title: str) -> Chart | None:
    """A row for each chain: its states on the way down the noise levels, and its end without noise.

    A state at noise level σ is scaled by s/√(s² + σ²), s the standard deviation of the data, so that all have one contrast.
    """
    portrait, arrays = results.portrait(cell.target), results.draws(cell)
    if portrait is None or arrays is None or "snapshots" not in arrays or not are_images(results, cell.target):
        return None
    facts, spread, noise = _facts(results, cell.target), float(portrait["spread"]), arrays["snapshots_noise"]
    scale = np.append(spread / np.hypot(spread, noise[:-1]), 1.0)
    frames = arrays["snapshots"] * scale[:, None]  # (chain, frame, dim)
    chains, count = frames.shape[:2]
    images = _images(frames.reshape(chains * count, -1), portrait["centre"], facts)
    whole = pixels.grid(images, count)
    assert facts.shape is not None
    height, width = facts.shape
    return Chart(
        title, f"{chains} chains of {title}: {count} states each, from noise to an end", [],
        bare=True, pixels=whole, width=FILM_WIDTH, height=FILM_WIDTH * whole.shape[0] / whole.shape[1],
        x_limits=(0.0, 1.0), x_ticks=pixels.middles(count, width, height),
        x_tick_labels=[f"σ {noise[0]:g}", *(f"{level:.2g}" for level in noise[1:-1]), "end"],
    )  # fmt: skip


def share_a_start(results: Results, cells: Sequence[Cell]) -> list[Cell]:
    """Those of `cells` whose film begins where that of the first does."""
    films = [
        (cell, arrays["snapshots"][:, 0]) for cell in cells if (arrays := results.draws(cell)) and "snapshots" in arrays
    ]
    return [cell for cell, start in films if np.array_equal(start, films[0][1])]


def classes(results: Results, target: str, cell: Cell | None, look: Look | None) -> Chart | None:
    """Shares of the classes among the ends of a cell's chains, over those among held-out examples in grey; those alone where
    `cell` is None.
    """
    known = [one.curves["classes"] for one in results.cells if one.target == target and one.curves.get("classes")]
    curve = cell.curves.get("classes") if cell is not None else known[0] if known else None
    if not curve:
        return None
    edges = [k + offset for k in range(len(curve["classes"])) for offset in (-0.4, 0.4)]
    real = _bars(curve["held_out"])
    series = [Series(edges, real, SHADE, "held-out examples", "area")]
    if cell is not None and look is not None:
        series.append(Series(edges, _bars(curve["value"]), look.colour, look.name, "steps"))
    names = _class_names(_facts(results, target), len(curve["classes"]))
    # A collapse is one bar that would flatten the rest: it is cut off.
    top = min(max(*curve["value"], *curve["held_out"]) if cell is not None else max(real), 2.5 * max(real))
    return Chart(
        "", f"shares of {len(curve['classes'])} classes, over those of held-out examples in grey", series,
        x_limits=(-0.6, len(curve["classes"]) - 0.4), y_limits=(0.0, 1.08 * top), bare=True,
        x_ticks=range(len(names)) if names else None, x_tick_labels=names or None,
        width=HISTOGRAM_SIZE[0], height=HISTOGRAM_SIZE[1],
    )  # fmt: skip


def class_shares(selection: Selection, cells: Sequence[Cell], width: float) -> Chart | None:
    """Share of each class in several cells, with intervals, over those of held-out examples."""
    curves = [(selection.looks[cell.sampler], cell.curves["classes"]) for cell in cells if cell.curves.get("classes")]
    if not curves:
        return None
    real, count = curves[0][1]["held_out"], len(curves[0][1]["classes"])
    edges = [k + offset for k in range(count) for offset in (-0.44, 0.44)]
    series = [Series(edges, _bars(real), SHADE, "held-out examples", "area")]
    labels = _facts(selection.results, cells[0].target).class_names or [str(k) for k in range(count)]
    for place, (look, curve) in enumerate(curves):
        shift = 0.66 * ((place + 0.5) / len(curves) - 0.5)
        series.append(
            Series(
                [k + shift for k in range(count)], curve["value"], look.colour, look.name, "points",
                curve.get("low"), curve.get("high"), marker=look.marker,
                notes=[f"{look.name}, class {labels[k]}: {numbers.number(v, 2)}, held out {numbers.number(r, 2)}"
                       for k, (v, r) in enumerate(zip(curve["value"], real, strict=True))],
            )
        )  # fmt: skip
    top = max(value for _, curve in curves for value in (curve.get("high") or curve["value"]))
    return Chart(
        "Share of each class", "markers: samplers, with intervals; grey bars: held-out examples", series, x_label="class",
        y_label="grey bars: held-out examples", x_limits=(-0.6, count - 0.4), y_limits=(0.0, 1.06 * max(top, *real)),
        x_ticks=range(count), x_tick_labels=[one if len(one) <= LONGEST else f"{one[: LONGEST - 1]}…" for one in labels],
        width=width, height=260.0,
    )  # fmt: skip


def _facts(results: Results, target: str) -> ExampleFacts:
    facts = results.targets[target].examples
    assert facts is not None, f"{target} has no examples"
    return facts


def _images(points: Array, centre: Array, facts: ExampleFacts) -> Array:
    """Points (n, dim) as pictures (n, height, width) from 0, black, to 1, white."""
    assert facts.shape is not None
    return pixels.shades(points + centre, facts.pixels).reshape(-1, *facts.shape)


def _bars(heights: Sequence[float]) -> list[float]:
    """Heights of bars with gaps of no height between them."""
    return [value for height in heights for value in (height, 0.0)][:-1]


def _class_names(facts: ExampleFacts, count: int) -> list[str]:
    """Names of the classes, their numbers where they have none; nothing if they are too many or too long to be read."""
    names = facts.class_names or [str(k) for k in range(count)]
    return list(names) if count <= MOST_NAMED_CLASSES and max(len(name) for name in names) <= 3 else []
