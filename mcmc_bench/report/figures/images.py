"""Pictures of the ends of chains and of their trajectories, for targets that were learned from images.

All show what the metrics measure: the ends of chains without the noise of the density, E[y | x]. Knows results and what a
chart is. Must not know how charts are drawn, nor any particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.results import Cell, ExampleFacts, Results
from mcmc_bench.report.figures import pixels
from mcmc_bench.report.figures.chart import Chart
from mcmc_bench.report.sentences import name

#: Pictures in a grid, and in a row of it.
SHOWN, COLUMNS = 36, 6
GRID_SIZE = 200.0
SNAPSHOTS_WIDTH = 460.0


def are_images(results: Results, target: str) -> bool:
    """Whether the target was learned from images."""
    facts = results.targets[target].examples
    return facts is not None and facts.shape is not None


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
        title,
        f"{len(images)} {'held-out images' if cell is None else 'ends of chains'}, {title if cell else target}",
        [],
        bare=True,
        pixels=whole,
        width=GRID_SIZE,
        height=GRID_SIZE * whole.shape[0] / whole.shape[1],
    )


def snapshots(results: Results, cell: Cell, title: str) -> Chart | None:
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
        title,
        f"{chains} chains of {title}: {count} states each, from noise to an end",
        [],
        bare=True,
        pixels=whole,
        width=SNAPSHOTS_WIDTH,
        height=SNAPSHOTS_WIDTH * whole.shape[0] / whole.shape[1],
        x_limits=(0.0, 1.0),
        x_ticks=pixels.middles(count, width, height),
        x_tick_labels=[f"σ {noise[0]:g}", *(f"{level:.2g}" for level in noise[1:-1]), "end"],
    )


def share_a_start(results: Results, cells: Sequence[Cell]) -> list[Cell]:
    """Those of `cells` whose snapshots begin where those of the first do."""
    starts = [
        (cell, arrays["snapshots"][:, 0]) for cell in cells if (arrays := results.draws(cell)) and "snapshots" in arrays
    ]
    return [cell for cell, start in starts if np.array_equal(start, starts[0][1])]


def _facts(results: Results, target: str) -> ExampleFacts:
    facts = results.targets[target].examples
    assert facts is not None, f"{target} has no examples"
    return facts


def _images(points: Array, centre: Array, facts: ExampleFacts) -> Array:
    """Points (n, dim) as pictures (n, height, width) from 0, black, to 1, white."""
    assert facts.shape is not None
    return pixels.shades(points + centre, facts.pixels).reshape(-1, *facts.shape)
