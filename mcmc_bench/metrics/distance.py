"""Distances between whole distributions: draws against as many exact ones, with the floor beside each.

Must not know any particular target or sampler.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist, pdist, squareform

from mcmc_bench.core.draws import Array, Draws
from mcmc_bench.core.results import MetricValue
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Target
from mcmc_bench.metrics.intervals import over_replicates
from mcmc_bench.metrics.measured import Measured, evenly
from mcmc_bench.metrics.reference import Reference

PROJECTIONS = 50
#: Draws of a replicate that are compared, at most: by projections, by pairs, and by pairs with their scores.
PROJECTED_DRAWS, PAIRED_DRAWS, STEIN_DRAWS = 1000, 500, 200
HISTOGRAM_BINS = 40
ONE_DRAW = "one draw, which makes no pair"

Curves = dict[str, dict[str, list[float]]]


def rows(measured: Measured) -> tuple[list[MetricValue], Curves]:
    """All rows and curves of the group."""
    if measured.kept == 0:
        names = (
            "sliced_wasserstein_1 sliced_wasserstein_2 energy_distance maximum_mean_discrepancy "
            "log_density_gap log_density_gap_sd"
        )
        return measured.not_given(names.split(), "draws were not kept"), {}
    found = _projected(measured) + _paired(measured)
    if measured.target.draw_exact is None:
        found.append(_stein(measured))
    return found + _log_density(measured), _histogram(measured)


def _sets(measured: Measured, limit: int) -> list[tuple[Array, Array] | None]:
    """Draws and exact draws of equal number for each replicate; None where a chain has left."""
    pairs: list[tuple[Array, Array] | None] = []
    for index, (draws, failed) in enumerate(zip(measured.replicates, measured.failed, strict=True)):
        if failed:
            pairs.append(None)
            continue
        points = some_draws(draws, limit)
        exact = measured.reference.sample(len(points), ("compared", index))
        pairs.append((points[: len(exact)], exact))
    return pairs


def some_draws(draws: Draws, limit: int) -> Array:
    """At most `limit` kept draws (n, dim), evenly picked over chains and time."""
    points = draws.position.swapaxes(0, 1).reshape(-1, draws.dim)  # all chains of a draw together
    return points[evenly(len(points), limit)]


def _projected(measured: Measured) -> list[MetricValue]:
    names = ("sliced_wasserstein_1", "sliced_wasserstein_2")
    if not measured.reference.available:
        return measured.not_given(names, "no exact or reference draws")
    truth, directions = measured.target.truth, projections(measured.target.dim)
    pairs = [
        None
        if pair is None
        else (projected(pair[0], directions), _projected_exact(measured, index, pair[1], directions))
        for index, pair in enumerate(_sets(measured, PROJECTED_DRAWS))
    ]
    size = min(PROJECTED_DRAWS, measured.kept * measured.replicates[0].chains)
    found = []
    for power, metric in enumerate(names, start=1):
        if truth is not None and not np.isfinite(truth.mean if power == 1 else truth.variance).all():
            found += measured.not_given([metric], "infinite for this target")
            continue

        def distance(x: Array, y: Array, power: int = power) -> float:
            return sliced_wasserstein(x, y, directions, power)

        values = [float("nan") if pair is None else wasserstein(*pair, power) for pair in pairs]
        floor = measured.reference.floor(metric, size, distance)
        found.append(over_replicates(metric, values, scale="log", floor=floor, lowest=0.0, note=measured.failure))
    return found


def projections(dim: int) -> Array:
    """Fixed random directions (dim, PROJECTIONS); in one dimension the axis itself."""
    if dim == 1:
        return np.ones((1, 1))
    directions = stream("projections", dim).standard_normal((dim, PROJECTIONS))
    return np.asarray(directions / np.linalg.norm(directions, axis=0))


def projected(x: Array, directions: Array) -> Array:
    """Sorted projections (direction, n) of points (n, dim): the quantiles along each direction."""
    return np.sort((x @ directions).T, axis=1)


def _projected_exact(measured: Measured, index: int, exact: Array, directions: Array) -> Array:
    # The exact set of a replicate's number is the same for all cells: sorted once.
    key = ("projected", index, len(exact))
    return measured.reference.once(key, lambda: projected(exact, directions))  # type: ignore[return-value]


def wasserstein(x: Array, y: Array, power: int) -> float:
    """Wasserstein distance of order `power` from sorted projections (direction, n), over all directions."""
    return float((np.abs(x - y) ** power).mean() ** (1.0 / power))


def sliced_wasserstein(x: Array, y: Array, directions: Array, power: int) -> float:
    """Sliced Wasserstein distance of order `power` between two sets of equal size (n, dim)."""
    return wasserstein(projected(x, directions), projected(y, directions), power)


def _paired(measured: Measured) -> list[MetricValue]:
    names, reference = ("energy_distance", "maximum_mean_discrepancy"), measured.reference
    if not reference.available:
        return measured.not_given(names, "no exact or reference draws")
    size = min(PAIRED_DRAWS, measured.kept * measured.replicates[0].chains)
    if size < 2:
        return measured.not_given(names, ONE_DRAW)
    bandwidth = reference.bandwidth
    values = np.full((len(measured.replicates), 2), np.nan)
    for index, pair in enumerate(_sets(measured, PAIRED_DRAWS)):
        if pair is not None:
            distances = pair_distances(*pair)  # once for both
            values[index] = energy_distance(*distances), maximum_mean_discrepancy(*distances, bandwidth)
    floors = (
        reference.floor(names[0], size, lambda x, y: energy_distance(*pair_distances(x, y))),
        reference.floor(names[1], size, lambda x, y: maximum_mean_discrepancy(*pair_distances(x, y), bandwidth)),
    )
    found = [
        over_replicates(name, list(column), scale="log", floor=floor, lowest=0.0, note=measured.failure)
        for name, column, floor in zip(names, values.T, floors, strict=True)
    ]
    truth = measured.target.truth
    if truth is not None and not np.isfinite(truth.mean).all():
        found[0] = measured.not_given(names[:1], "infinite for this target")[0]
    return found


def pair_distances(x: Array, y: Array) -> tuple[Array, Array, Array]:
    """Distances within x, within y (each pair of different points once) and between x and y."""
    return pdist(x), pdist(y), cdist(x, y)


def energy_distance(within_x: Array, within_y: Array, between: Array) -> float:
    """Energy distance of two sets from their `pair_distances`, over pairs of different points; NaN for sets of one."""
    if not (len(within_x) and len(within_y)):
        return float("nan")
    return _root(2.0 * between.mean() - within_x.mean() - within_y.mean())


def maximum_mean_discrepancy(within_x: Array, within_y: Array, between: Array, bandwidth: float) -> float:
    """Maximum mean discrepancy with the kernel exp(−r²/2h²) from `pair_distances`, over pairs of different points.

    The pairs of a point with itself are left out; keeping them and dividing by n(n − 1) leaves a floor of
    √(2/(n − 1)) however alike the sets are (Gretton et al. 2012, JMLR 13). NaN for sets of one, which have no pairs.
    """
    if not (len(within_x) and len(within_y)):
        return float("nan")

    def kernel(distance: Array) -> float:
        return float(np.exp(distance**2 / (-2.0 * bandwidth**2)).mean())

    return _root(kernel(within_x) + kernel(within_y) - 2.0 * kernel(between))


def _root(estimate: float) -> float:
    """Of an estimate of a square, which may be below 0. Python's `max` would make 0 of NaN."""
    return float(np.sqrt(np.maximum(0.0, estimate)))


def _stein(measured: Measured) -> MetricValue:
    target, metric = measured.target, "kernel_stein_discrepancy"
    size = min(STEIN_DRAWS, measured.kept * measured.replicates[0].chains)
    if size < 2:
        return measured.not_given([metric], ONE_DRAW)[0]
    scale = _scale(measured.reference)
    values = [
        float("nan") if failed else kernel_stein_discrepancy(some_draws(draws, STEIN_DRAWS), target, scale)
        for draws, failed in zip(measured.replicates, measured.failed, strict=True)
    ]
    floor = None
    if measured.reference.available:
        floor = measured.reference.floor(metric, size, lambda x, y: kernel_stein_discrepancy(x, target, scale))
    return over_replicates(metric, values, scale="log", floor=floor, lowest=0.0, note=measured.failure)


def _scale(reference: Reference) -> Array:
    """Standard deviations (dim,) of the target where they are known, otherwise ones."""
    usable, dim = reference.moments.usable, reference.target.dim
    return np.sqrt(np.where(usable[:dim], reference.moments.variance[:dim], 1.0))


def kernel_stein_discrepancy(x: Array, target: Target, scale: Array) -> float:
    """Kernel Stein discrepancy of points (n, dim) with the inverse multiquadric kernel (1 + r²)^(−½).

    On coordinates divided by `scale` (dim,), over pairs of different points (Gorham and Mackey 2017,
    arXiv 1703.01717); NaN for one point. Needs the gradient of the log density only.
    """
    n = len(x)
    if n < 2:
        return float("nan")
    score = target.log_density_and_gradient(x)[1] * scale  # of the scaled coordinates
    u, dim = x / scale, x.shape[1]
    squared = squareform(pdist(u, "sqeuclidean"))  # (n, n)
    base = 1.0 + squared
    own = np.einsum("ni,ni->n", score, u)
    crossed = score @ u.T
    # (score of row − score of column) · (u of row − u of column)
    work = own[:, None] + own[None, :] - crossed - crossed.T
    stein = base**-0.5 * (score @ score.T) + base**-1.5 * (dim + work) - 3.0 * base**-2.5 * squared
    return _root((stein.sum() - np.trace(stein)) / (n * (n - 1)))


def _log_density(measured: Measured) -> list[MetricValue]:
    reference, names = measured.reference, ("log_density_gap", "log_density_gap_sd")
    if not np.isfinite(reference.mean_log_density):
        return measured.not_given(names, "the expectation of log p is not known")
    gaps = [
        float("nan") if failed else float(draws.log_density.mean()) - reference.mean_log_density
        for draws, failed in zip(measured.replicates, measured.failed, strict=True)
    ]
    sd = reference.log_density_sd
    # The mean size of the gap of independent draws, by the central limit theorem.
    floor_sd = float(np.sqrt(2.0 / (np.pi * measured.kept * measured.replicates[0].chains)))
    known = bool(np.isfinite(sd) and sd > 0)
    found = [over_replicates(names[0], gaps, floor=floor_sd * sd if known else None, note=measured.failure)]
    if known:
        found.append(over_replicates(names[1], [gap / sd for gap in gaps], floor=floor_sd, note=measured.failure))
    else:
        found += measured.not_given(names[1:], "no exact or reference draws")
    return found


def _histogram(measured: Measured) -> Curves:
    cell = np.concatenate([draws.log_density.ravel() for draws in measured.replicates])
    cell = cell[np.isfinite(cell)]
    if not measured.reference.available or len(cell) == 0:
        return {}
    exact = measured.reference.log_density
    ends = np.concatenate([np.quantile(values, (0.005, 1.0)) for values in (cell, exact)])
    low, high = float(ends.min()), float(ends.max())
    # A start far away must not squeeze everything else into one bin.
    low = max(low, float(np.quantile(exact, 0.005)) - 3.0 * (float(exact.max()) - float(np.quantile(exact, 0.005))))
    if high <= low:
        return {}
    edges = np.linspace(low, high, HISTOGRAM_BINS + 1)
    width = edges[1] - edges[0]
    densities = {
        name: [float(count) / (len(values) * width) for count in np.histogram(values, edges)[0]]
        for name, values in (("cell", cell), ("oracle", exact))
    }
    return {"log_density_histogram": {"edges": [float(edge) for edge in edges], **densities}}
