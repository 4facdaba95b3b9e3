"""What `mcmc-bench show` tells of a target: facts, and a picture.

Must not know any particular target.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mcmc_bench.streams import stream
from mcmc_bench.target import Array, Target

POINTS, SHOWN_COORDINATES, GRID_POINTS = 2000, 4, 200
INK, POINT = "#0b3c5d", "#d55e00"


def facts(target: Target) -> dict[str, str]:
    """What is known about a target, in words."""
    truth, modes = target.truth, target.modes
    found = {
        "density": target.formula,
        "dimension": str(target.dim),
        "tags": ", ".join(target.tags),
        "source": target.source,
        "truth": "unknown" if truth is None else f"{truth.origin}{': ' + truth.note if truth.note else ''}",
        "exact sampler": "yes" if target.draw_exact is not None else "no",
    }
    if truth is not None:
        found["mean"] = _numbers(truth.mean)
        found["standard deviation"] = _numbers(np.sqrt(np.maximum(truth.variance, 0.0)))
        found["E log p"] = f"{truth.mean_log_density:.6g}"
    if modes is not None and len(modes.weights) > 1:
        found["modes"] = f"{len(modes.weights)}, weights {_numbers(modes.weights)}"
    return found


def _numbers(values: Array) -> str:
    shown = ", ".join(f"{value:.4g}" for value in values[:6])
    return f"{shown}, … ({len(values)} in all)" if len(values) > 6 else shown


def draw_target(target: Target, file: Path) -> None:
    """Write a picture: the density's contours for two dimensions, else pairs of coordinates of exact draws.

    Raises:
        ValueError: more or less than two dimensions and no draws to show.
    """
    points = _points(target)
    if points is None and target.dim != 2:
        raise ValueError(f"{target.label} has no exact or reference draws and {target.dim} dimensions: no picture")
    if target.dim == 2:
        figure = Figure(figsize=(6, 5), layout="constrained")
        _contours(figure.add_subplot(), target, points)
    else:
        assert points is not None
        figure = _pairs(target, points)
    figure.suptitle(target.label)
    figure.savefig(file, dpi=130)


def _points(target: Target) -> Array | None:
    generator = stream("show", target.label)
    if target.draw_exact is not None:
        return target.draw_exact(generator, POINTS)
    if target.reference_draws is not None:
        return target.reference_draws[generator.permutation(len(target.reference_draws))[:POINTS]]
    return None


def _contours(axes: Axes, target: Target, points: Array | None) -> None:
    around = points if points is not None else target.draw_dispersed(stream("show", target.label), POINTS)
    low, high = np.quantile(around, 0.002, axis=0), np.quantile(around, 0.998, axis=0)
    x, y = (np.linspace(1.2 * a - 0.2 * b, 1.2 * b - 0.2 * a, GRID_POINTS) for a, b in zip(low, high, strict=True))
    corners = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    log_density = target.log_density_and_gradient(corners)[0].reshape(GRID_POINTS, GRID_POINTS)
    top = log_density.max()
    axes.contourf(x, y, log_density, levels=top - np.array([12, 9, 6, 4, 2.5, 1.2, 0.4, 0.0]), cmap="Blues")
    if points is not None:
        axes.plot(*points[:500].T, ".", markersize=2, color=POINT, label="exact draws")
        axes.legend(loc="upper right")
    axes.set(xlabel="x[0]", ylabel="x[1]", xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))


def _pairs(target: Target, points: Array) -> Figure:
    shown = min(SHOWN_COORDINATES, target.dim)
    names = target.coordinate_names or tuple(f"x[{i}]" for i in range(target.dim))
    figure = Figure(figsize=(2.2 * shown + 0.6, 2.2 * shown), layout="constrained")
    grid = figure.subplots(shown, shown, squeeze=False)
    for row in range(shown):
        for column in range(shown):
            axes = grid[row, column]
            if column > row:
                axes.set_visible(False)
                continue
            if row == column:
                axes.hist(points[:, row], bins=40, color=INK)
                axes.set_yticks([])
            else:
                axes.plot(points[:, column], points[:, row], ".", markersize=1.5, color=INK)
            if row == shown - 1:
                axes.set_xlabel(names[column])
            if column == 0 and row > 0:
                axes.set_ylabel(names[row])
    return figure
