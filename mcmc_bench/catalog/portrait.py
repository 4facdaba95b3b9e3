"""The facts about a target and its picture, for `mcmc-bench show`.

Must not know any particular target.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy import stats

from mcmc_bench.catalog import cost
from mcmc_bench.core.arrays import Array
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Target, Truth

POINTS, SHOWN_COORDINATES, GRID_POINTS = 2000, 4, 200
INK, POINT, MODE = "#0b3c5d", "#d55e00", "#111111"
#: Share of the draws that the axes leave out on each side: tails must not squeeze the rest.
OUTSIDE = 0.005


def facts(target: Target) -> dict[str, str]:
    """The facts about a target, as text, by name."""
    truth, modes = target.truth, target.modes
    found = {
        "density": target.formula,
        "dimension": str(target.dim),
        "tags": ", ".join(target.tags),
        "source": target.source,
        "truth": "unknown" if truth is None else f"{truth.origin}{': ' + truth.note if truth.note else ''}",
        "exact sampler": "yes" if target.draw_exact is not None else "no",
        "smoothed density": "in closed form at any noise" if target.smoothed is not None else "not known",
        "cost of an evaluation": f"{cost.words(cost.nanoseconds(target))}, in blocks of {target.block_chains} chains",
    }
    if truth is not None:
        found["mean"] = _numbers(truth.mean)
        found["standard deviation"] = _numbers(np.sqrt(np.maximum(truth.variance, 0.0)))
        if truth.mean_standard_error is not None:
            with np.errstate(invalid="ignore"):
                share = np.nanmax(truth.mean_standard_error / np.sqrt(truth.variance))
            found["standard errors"] = f"of the means: at most {share:.2g} of a standard deviation"
        found["E log p"] = f"{truth.mean_log_density:.6g}"
    if target.constrained is not None:
        found["constrained parameters"] = _constrained(target.constrained.names, target.constrained.truth)
    if modes is not None and len(modes.weights) > 1:
        found["modes"] = f"{len(modes.weights)}, weights {_numbers(modes.weights)}"
    return found


def _constrained(names: tuple[str, ...], truth: Truth | None) -> str:
    """The last parameters: in a hierarchy those are the common ones, and the fewest."""
    if truth is None:
        return ", ".join(names[:12])
    sd = np.sqrt(truth.variance)
    chosen = range(max(0, len(names) - 6), len(names))
    shown = ", ".join(f"{names[i]} {truth.mean[i]:.4g} (sd {sd[i]:.3g})" for i in chosen)
    return shown if len(names) <= 6 else f"{shown}, … ({len(names)} in all)"


def _numbers(values: Array) -> str:
    shown = ", ".join(f"{value:.4g}" for value in values[:6])
    return f"{shown}, … ({len(values)} in all)" if len(values) > 6 else shown


def draw_target(target: Target, file: Path, *, title: bool = True) -> None:
    """Write a picture: the density for one dimension, contours for two, for more pairs of coordinates of exact or reference
    draws, or, where there are none, slices of log p.
    """
    points = _points(target)
    if target.dim == 1:
        figure = Figure(figsize=(6, 4), layout="constrained")
        _curve(figure.add_subplot(), target, points)
    elif target.dim == 2:
        figure = Figure(figsize=(6, 5), layout="constrained")
        _contours(figure.add_subplot(), target, points)
    elif points is not None:
        figure = _pairs(target, points)
    else:
        figure = _slices(target)
    if title:
        figure.suptitle(target.label)
    figure.savefig(file, dpi=120)


def _points(target: Target) -> Array | None:
    generator = stream("show", target.label)
    if target.draw_exact is not None:
        return target.draw_exact(generator, POINTS)
    if target.reference_draws is not None:
        return target.reference_draws[generator.permutation(len(target.reference_draws))[:POINTS]]
    return None


def _name(target: Target, coordinate: int) -> str:
    return target.coordinate_names[coordinate] if target.coordinate_names is not None else f"x[{coordinate}]"


def _limits(values: Array) -> tuple[float, float]:
    """An interval that holds nearly all values, with a margin."""
    low, high = np.quantile(values, [OUTSIDE, 1.0 - OUTSIDE])
    margin = 0.15 * (high - low) or 1.0
    return float(low - margin), float(high + margin)


def _around(target: Target, points: Array | None) -> Array:
    return points if points is not None else target.draw_dispersed(stream("show", target.label), POINTS)


def _curve(axes: Axes, target: Target, points: Array | None) -> None:
    low, high = _limits(_around(target, points)[:, 0])
    x = np.linspace(low, high, 801)
    log_density = target.log_density_and_gradient(x[:, None])[0]
    density = np.exp(log_density - log_density.max())
    density /= np.trapezoid(density, x)
    axes.plot(x, density, color=INK, label="density")
    if points is not None:
        inside = points[(points[:, 0] > low) & (points[:, 0] < high), 0]
        axes.hist(inside, bins=60, density=True, color=POINT, alpha=0.35, label="exact draws")
        axes.legend()
    axes.set(xlabel=_name(target, 0), ylabel="density", xlim=(low, high))


def _contours(axes: Axes, target: Target, points: Array | None) -> None:
    around = _around(target, points)
    (x, y) = (np.linspace(*_limits(around[:, i]), GRID_POINTS) for i in (0, 1))
    corners = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    log_density = target.log_density_and_gradient(corners)[0].reshape(GRID_POINTS, GRID_POINTS)
    top = log_density[np.isfinite(log_density)].max()
    axes.contourf(x, y, log_density, levels=top - np.array([12, 9, 6, 4, 2.5, 1.2, 0.4, 0.0]), cmap="Blues")
    if points is not None:
        axes.plot(*points[:400].T, ".", markersize=2.5, color=POINT, alpha=0.8, label="exact draws")
    if target.modes is not None:
        axes.plot(*target.modes.locations.T, "x", color=MODE, markersize=5, markeredgewidth=1.2, label="modes")
    axes.set(xlabel=_name(target, 0), ylabel=_name(target, 1), xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    if axes.get_legend_handles_labels()[0]:
        axes.figure.legend(loc="outside lower center", ncols=2, frameon=False)


def telling(points: Array, at_most: int = SHOWN_COORDINATES) -> npt.NDArray[np.int64]:
    """The coordinates to show: those least like independent Gaussians, in their order."""
    if points.shape[1] <= at_most:
        return np.arange(points.shape[1])
    ranks = stats.rankdata(points, axis=0)  # of ranks: tails are not to decide alone
    correlation = np.corrcoef(ranks.T) - np.eye(points.shape[1])
    skewness, tails = np.abs(stats.skew(points)), np.abs(stats.kurtosis(points))
    score = np.tanh(skewness) + np.tanh(tails / 3.0) + np.abs(correlation).max(axis=0)
    return np.sort(np.argsort(-np.round(score, 2), kind="stable")[:at_most])


def _pairs(target: Target, points: Array) -> Figure:
    chosen = telling(points)
    shown = len(chosen)
    figure = Figure(figsize=(1.45 * shown + 0.6, 1.45 * shown), layout="constrained")
    grid = figure.subplots(shown, shown, squeeze=False)
    limits = {int(i): _limits(points[:, i]) for i in chosen}
    for row, i in enumerate(chosen):
        for column, j in enumerate(chosen):
            axes = grid[row, column]
            if column > row:
                axes.set_visible(False)
                continue
            axes.set_xlim(*limits[int(j)])
            axes.xaxis.set_major_locator(MaxNLocator(3))
            axes.tick_params(labelsize=8)
            if row == column:
                axes.hist(points[:, i], bins=40, range=limits[int(i)], color=INK)
                axes.set_yticks([])
            else:
                axes.plot(points[:, j], points[:, i], ".", markersize=1.6, color=INK, alpha=0.5)
                axes.set_ylim(*limits[int(i)])
                axes.yaxis.set_major_locator(MaxNLocator(3))
                if target.modes is not None and len(target.modes.weights) > 1:
                    axes.plot(
                        target.modes.locations[:, j], target.modes.locations[:, i], "x", color=POINT, markersize=5
                    )
            if row < shown - 1:
                axes.set_xticklabels([])
            else:
                axes.set_xlabel(_name(target, int(j)))
            if column == 0 and row > 0:
                axes.set_ylabel(_name(target, int(i)))
            elif row != column:
                axes.set_yticklabels([])
    return figure


def _slices(target: Target) -> Figure:
    """log p along coordinates through the one point, over the reach of the dispersed starts."""
    around = target.draw_dispersed(stream("show", target.label), POINTS)
    chosen = telling(around)
    figure = Figure(figsize=(2.4 * len(chosen), 2.6), layout="constrained")
    for axes, i in zip(figure.subplots(1, len(chosen), squeeze=False)[0], chosen, strict=True):
        line = np.tile(target.one_point, (GRID_POINTS, 1))
        line[:, i] = np.linspace(*_limits(around[:, i]), GRID_POINTS)
        axes.plot(line[:, i], target.log_density_and_gradient(line)[0], color=INK)
        axes.set_xlabel(_name(target, int(i)))
    figure.axes[0].set_ylabel("log p, others at the one point")
    return figure
