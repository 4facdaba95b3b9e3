"""Distances between whole distributions: draws against as many exact ones, with the floor beside each.

Must not know any particular target or sampler.
"""

from __future__ import annotations

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.draws import Draws
from mcmc_bench.core.results import MetricValue
from mcmc_bench.metrics import distances
from mcmc_bench.metrics.declaration import Curve, Group, curve, metric, shared
from mcmc_bench.metrics.intervals import over_replicates
from mcmc_bench.metrics.measured import Measured, NotGiven, evenly
from mcmc_bench.metrics.reference import Reference

GROUP = Group("distance", place=20)

#: Draws of a replicate that are compared, at most: by projections, by pairs, and by pairs with their scores.
PROJECTED_DRAWS, PAIRED_DRAWS, STEIN_DRAWS = 1000, 500, 200
HISTOGRAM_BINS = 40
NO_EXACT_DRAWS = "no exact or reference draws"
INFINITE = "infinite for this target"
ONE_DRAW = "one draw, which makes no pair"
NAN = float("nan")


# ------------------------------------------------------------ by projections


@metric(GROUP, "Sliced Wasserstein-1", "lower", ideal=0.0, printed=True, card="distance")
def sliced_wasserstein_1(measured: Measured) -> MetricValue:
    """Mean over {distances.PROJECTIONS} fixed random directions of the Wasserstein-1 distance between projections of at most
    {PROJECTED_DRAWS} draws, evenly picked, and as many exact ones.
    """
    return _sliced_wasserstein(measured, 1)


@metric(GROUP, "Sliced Wasserstein-2", "lower", ideal=0.0)
def sliced_wasserstein_2(measured: Measured) -> MetricValue:
    """Root of the mean over {distances.PROJECTIONS} fixed random directions of the squared Wasserstein-2 distance between
    projections of at most {PROJECTED_DRAWS} draws, evenly picked, and as many exact ones.
    """
    return _sliced_wasserstein(measured, 2)


def _sliced_wasserstein(measured: Measured, power: int) -> MetricValue:
    pairs = _projected_pairs(measured)
    truth, directions = measured.target.truth, distances.projections(measured.target.dim)
    if truth is not None and not np.isfinite(truth.mean if power == 1 else truth.variance).all():
        raise NotGiven(INFINITE)
    floor = measured.reference.floor(
        f"sliced_wasserstein_{power}",
        _size(measured, PROJECTED_DRAWS),
        lambda x, y: distances.sliced_wasserstein(x, y, directions, power),
    )
    values = [NAN if pair is None else distances.wasserstein(*pair, power) for pair in pairs]
    return over_replicates(values, scale="log", floor=floor, lowest=0.0, note=measured.failure)


@shared
def _projected_pairs(measured: Measured) -> list[tuple[Array, Array] | None]:
    """Sorted projections of draws and of exact ones for each replicate."""
    reference, directions = measured.reference, distances.projections(measured.target.dim)

    def of_exact(index: int, exact: Array) -> Array:
        # The exact set of a replicate's number is the same for all cells: sorted once.
        key = ("projected", index, len(exact))
        return reference.once(key, lambda: distances.projected(exact, directions))  # type: ignore[return-value]

    return [
        None if pair is None else (distances.projected(pair[0], directions), of_exact(index, pair[1]))
        for index, pair in enumerate(_pairs(measured, PROJECTED_DRAWS))
    ]


# ------------------------------------------------------------ by pairs of points


@metric(GROUP, "Energy distance", "lower", ideal=0.0)
def energy_distance(measured: Measured) -> MetricValue:
    """√max(0, 2 E‖X − Y‖ − E‖X − X'‖ − E‖Y − Y'‖) between at most {PAIRED_DRAWS} draws X and as many exact ones Y; means
    over pairs of different points.
    """
    found, truth = _pair_distances(measured), measured.target.truth
    if truth is not None and not np.isfinite(truth.mean).all():
        raise NotGiven(INFINITE)
    floor = measured.reference.floor(
        "energy_distance",
        _size(measured, PAIRED_DRAWS),
        lambda x, y: distances.energy_distance(*distances.pair_distances(x, y)),
    )
    values = [NAN if one is None else distances.energy_distance(*one) for one in found]
    return over_replicates(values, scale="log", floor=floor, lowest=0.0, note=measured.failure)


@metric(GROUP, "Maximum mean discrepancy", "lower", ideal=0.0)
def maximum_mean_discrepancy(measured: Measured) -> MetricValue:
    """√max(0, MMD²) with the kernel exp(−r²/2h²), h the median distance between exact draws, between at most {PAIRED_DRAWS}
    draws and as many exact ones; means over pairs of different points.
    """
    found, bandwidth = _pair_distances(measured), measured.reference.bandwidth
    floor = measured.reference.floor(
        "maximum_mean_discrepancy",
        _size(measured, PAIRED_DRAWS),
        lambda x, y: distances.maximum_mean_discrepancy(*distances.pair_distances(x, y), bandwidth),
    )
    values = [NAN if one is None else distances.maximum_mean_discrepancy(*one, bandwidth) for one in found]
    return over_replicates(values, scale="log", floor=floor, lowest=0.0, note=measured.failure)


@shared
def _pair_distances(measured: Measured) -> list[tuple[Array, Array, Array] | None]:
    """`distances.pair_distances` of draws and exact ones for each replicate."""
    pairs = _pairs(measured, PAIRED_DRAWS)
    if _size(measured, PAIRED_DRAWS) < 2:
        raise NotGiven(ONE_DRAW)
    return [None if pair is None else distances.pair_distances(*pair) for pair in pairs]


@metric(GROUP, "Kernel Stein discrepancy", "lower", ideal=0.0)
def kernel_stein_discrepancy(measured: Measured) -> MetricValue | None:
    """√max(0, KSD²) with the inverse multiquadric kernel (1 + r²)^(−½) on standardised coordinates, pairs of different
    points of at most {STEIN_DRAWS} draws; where the target has no exact sampler. Blind to the weights of separate modes.
    """
    target, reference = measured.target, measured.reference
    if target.draw_exact is not None:
        return None
    measured.need_draws()
    if _size(measured, STEIN_DRAWS) < 2:
        raise NotGiven(ONE_DRAW)
    scale = _scale(reference)

    def discrepancy(x: Array) -> float:
        return distances.kernel_stein_discrepancy(x, target, scale)

    values = [
        NAN if failed else discrepancy(some_draws(draws, STEIN_DRAWS))
        for draws, failed in zip(measured.replicates, measured.failed, strict=True)
    ]
    floor = None
    if reference.available:
        floor = reference.floor("kernel_stein_discrepancy", _size(measured, STEIN_DRAWS), lambda x, y: discrepancy(x))
    return over_replicates(values, scale="log", floor=floor, lowest=0.0, note=measured.failure)


def _scale(reference: Reference) -> Array:
    """Standard deviations (dim,) of the target where they are known, otherwise ones."""
    usable, dim = reference.moments.usable, reference.target.dim
    return np.sqrt(np.where(usable[:dim], reference.moments.variance[:dim], 1.0))


# ------------------------------------------------------------ by the log density


@metric(GROUP, "Gap of log p", "target", ideal=0.0, printed=True)
def log_density_gap(measured: Measured) -> MetricValue:
    """Mean log density of the draws − its true expectation. Far above 0: draws sit on peaks, above the typical set."""
    sd, floor = measured.reference.log_density_sd, _floor_of_gap(measured)
    return over_replicates(
        _gaps(measured), floor=floor * sd if np.isfinite(sd) and sd > 0 else None, note=measured.failure
    )


@metric(GROUP, "Gap of log p, in sd", "target", ideal=0.0)
def log_density_gap_sd(measured: Measured) -> MetricValue:
    """Gap of log p over the standard deviation of log p under the target."""
    gaps, sd = _gaps(measured), measured.reference.log_density_sd
    if not (np.isfinite(sd) and sd > 0):
        raise NotGiven(NO_EXACT_DRAWS)
    return over_replicates([gap / sd for gap in gaps], floor=_floor_of_gap(measured), note=measured.failure)


@shared
def _gaps(measured: Measured) -> list[float]:
    measured.need_draws()
    reference = measured.reference
    if not np.isfinite(reference.mean_log_density):
        raise NotGiven("the expectation of log p is not known")
    return [
        NAN if failed else float(draws.log_density.mean()) - reference.mean_log_density
        for draws, failed in zip(measured.replicates, measured.failed, strict=True)
    ]


def _floor_of_gap(measured: Measured) -> float:
    """The mean size of the gap of independent draws, in standard deviations, by the central limit theorem."""
    measured.need_draws()
    return float(np.sqrt(2.0 / (np.pi * measured.kept * measured.replicates[0].chains)))


@curve(GROUP)
def log_density_histogram(measured: Measured) -> Curve:
    """Densities of log p of the draws ("cell") and of exact ones ("oracle") over bins between "edges"."""
    measured.need_draws()
    cell = np.concatenate([draws.log_density.ravel() for draws in measured.replicates])
    cell = cell[np.isfinite(cell)]
    if not measured.reference.available or len(cell) == 0:
        raise NotGiven(NO_EXACT_DRAWS)
    exact = measured.reference.log_density
    ends = np.concatenate([np.quantile(values, (0.005, 1.0)) for values in (cell, exact)])
    low, high = float(ends.min()), float(ends.max())
    # A start far away must not squeeze everything else into one bin.
    low = max(low, float(np.quantile(exact, 0.005)) - 3.0 * (float(exact.max()) - float(np.quantile(exact, 0.005))))
    if high <= low:
        raise NotGiven("log p does not vary")
    edges = np.linspace(low, high, HISTOGRAM_BINS + 1)
    width = edges[1] - edges[0]
    densities = {
        name: [float(count) / (len(values) * width) for count in np.histogram(values, edges)[0]]
        for name, values in (("cell", cell), ("oracle", exact))
    }
    return {"edges": [float(edge) for edge in edges], **densities}


# ------------------------------------------------------------ sets of draws


def _pairs(measured: Measured, limit: int) -> list[tuple[Array, Array] | None]:
    """Draws and exact draws of equal number for each replicate; None where a chain became non-finite."""
    measured.need_draws()
    if not measured.reference.available:
        raise NotGiven(NO_EXACT_DRAWS)
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


def _size(measured: Measured, limit: int) -> int:
    """Number of draws of a replicate that are compared."""
    return min(limit, measured.kept * measured.replicates[0].chains)
