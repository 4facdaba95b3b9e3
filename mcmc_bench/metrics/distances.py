"""Distances between sets of points: sliced Wasserstein, energy, maximum mean discrepancy, kernel Stein; and clusters.

Must not know what the sets are, nor which metrics are made of the distances.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist, pdist, squareform

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Target

PROJECTIONS = 50


def projections(dim: int) -> Array:
    """Fixed random directions (dim, PROJECTIONS); in one dimension the axis itself."""
    if dim == 1:
        return np.ones((1, 1))
    directions = stream("projections", dim).standard_normal((dim, PROJECTIONS))
    return np.asarray(directions / np.linalg.norm(directions, axis=0))


def projected(x: Array, directions: Array) -> Array:
    """Sorted projections (direction, n) of points (n, dim): the quantiles along each direction."""
    return np.sort((x @ directions).T, axis=1)


def wasserstein(x: Array, y: Array, power: int) -> float:
    """Wasserstein distance of order `power` from sorted projections (direction, n), over all directions."""
    return float((np.abs(x - y) ** power).mean() ** (1.0 / power))


def sliced_wasserstein(x: Array, y: Array, directions: Array, power: int) -> float:
    """Sliced Wasserstein distance of order `power` between two sets of equal size (n, dim)."""
    return wasserstein(projected(x, directions), projected(y, directions), power)


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


def _root(estimate: float) -> float:
    """Of an estimate of a square, which may be below 0. Python's `max` would make 0 of NaN."""
    return float(np.sqrt(np.maximum(0.0, estimate)))


def clusters(points: Array, distance: float) -> int:
    """Number of clusters of points (n, dim): a point joins the first cluster whose first point is within `distance`."""
    leaders: list[Array] = []
    for point in points:
        if not leaders or ((np.array(leaders) - point) ** 2).sum(axis=1).min() > distance**2:
            leaders.append(point)
    return len(leaders)
