"""Modes and diversity: which modes are found, in which proportions, with how much spread within each.

Must not know any particular target or sampler.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.results import MetricValue
from mcmc_bench.metrics.declaration import Curve, Group, curve, metric, shared
from mcmc_bench.metrics.distances import clusters
from mcmc_bench.metrics.intervals import over_replicates, shares_curve
from mcmc_bench.metrics.measured import Measured, NotGiven
from mcmc_bench.metrics.reference import scatter

GROUP = Group("modes", place=10)

#: Share of its true weight that a mode must hold to count as found.
FOUND = 0.1
NAN = float("nan")

Modes = npt.NDArray[np.int64]


# ------------------------------------------------------------ occupancy


@metric(GROUP, "Modes found", "higher", ideal=1.0, percent=True, verdict="all_modes")
def modes_found(measured: Measured) -> MetricValue:
    """Share of the known modes that hold at least a tenth of their true weight among the draws. Says nothing about weights
    or spread: uniform noise finds every mode.
    """
    weights = _weights(measured)
    found = [NAN if share is None else float((share >= FOUND * weights).mean()) for share in _shares(measured)]
    return over_replicates(found, lowest=0.0, highest=1.0, note=measured.failure)


@metric(
    GROUP,
    "Mode-weight error",
    "lower",
    ideal=0.0,
    percent=True,
    printed=True,
    card="wrong mode",
    verdict="weights",
    beside="off by {}",
)
def mode_weight_error(measured: Measured) -> MetricValue:
    """½ Σ |share of the assigned draws in a mode − its true weight|: the mass in the wrong mode. 1 if no draw belongs to
    any.
    """
    weights = _weights(measured)
    draws = measured.kept * measured.replicates[0].chains
    # Means of independent draws, by the central limit theorem.
    floor = 0.5 * float(np.sqrt(2.0 * weights * (1.0 - weights) / (np.pi * draws)).sum())
    errors = [NAN if share is None else weight_error(share, weights) for share in _shares(measured)]
    return over_replicates(errors, lowest=0.0, highest=1.0, floor=floor, note=measured.failure)


@metric(GROUP, "Unassigned share", "lower")
def unassigned_share(measured: Measured) -> MetricValue:
    """Share of draws that belong to no known mode. Floor: that of exact draws."""
    _weights(measured)
    reference = measured.reference
    outside = [
        NAN if failed else float((mode < 0).mean())
        for mode, failed in zip(measured.modes, measured.failed, strict=True)
    ]
    floor = reference.unassigned if reference.available else None
    return over_replicates(outside, lowest=0.0, highest=1.0, floor=floor, note=measured.failure)


@metric(GROUP, "Entropy of occupancy", "higher")
def occupancy_entropy(measured: Measured) -> MetricValue:
    """Entropy of the shares of the modes over the logarithm of their number. Worthless alone: uniform noise scores 0.97 on
    40 modes; read it with the unassigned share and the spread within modes.
    """
    weights = _weights(measured)
    found = [NAN if share is None or not share.any() else entropy(share) for share in _shares(measured)]
    return over_replicates(found, lowest=0.0, highest=1.0, floor=entropy(weights), note=measured.failure)


@curve(GROUP)
def occupancy(measured: Measured) -> Curve:
    """The share of each mode, with intervals, and its weight."""
    weights = _weights(measured)
    found = [share for share in _shares(measured) if share is not None]
    if measured.failure:
        raise NotGiven(measured.failure)
    return {"modes": [float(k) for k in range(len(weights))], **shares_curve(found), "weights": weights.tolist()}


def _weights(measured: Measured) -> Array:
    """The weights of the target's modes, (mode,)."""
    measured.need_draws()
    modes = measured.target.modes
    if modes is None or len(modes.weights) < 2:
        raise NotGiven("the target has no separate known modes")
    return modes.weights


@shared
def _shares(measured: Measured) -> list[Array | None]:
    """`shares` of each replicate; None where a chain became non-finite."""
    count = len(_weights(measured))
    return [
        None if failed else shares(mode.ravel(), count)
        for mode, failed in zip(measured.modes, measured.failed, strict=True)
    ]


def shares(mode: Modes, modes: int) -> Array:
    """Share of the assigned draws in each mode (mode,); all zero if none is assigned."""
    counts = np.bincount(mode[mode >= 0], minlength=modes)
    return np.asarray(counts / max(1, counts.sum()))


def weight_error(share: Array, weights: Array) -> float:
    """Total variation distance between shares of modes and their weights; 1 if nothing is assigned."""
    return 0.5 * float(np.abs(share - weights).sum()) if share.any() else 1.0


def entropy(share: Array) -> float:
    """Entropy of shares of modes over the logarithm of their number."""
    positive = share[share > 0]
    return float(-(positive * np.log(positive)).sum() / np.log(len(share)))


# ------------------------------------------------------------ movement


@metric(GROUP, "Mode changes per 1000 evaluations", "higher")
def transitions_per_1000(measured: Measured) -> MetricValue:
    """Changes of mode between successive kept draws of a chain per 1000 evaluations; draws outside all modes are passed
    over. A lower bound where draws are thinned.
    """
    return _per_1000(measured, [changes for changes, _ in _movement(measured)])


@metric(GROUP, "Round trips per 1000 evaluations", "higher")
def round_trips_per_1000(measured: Measured) -> MetricValue:
    """Returns of a chain to the first mode it was in, per 1000 evaluations. A lower bound where draws are thinned."""
    return _per_1000(measured, [returns for _, returns in _movement(measured)])


@shared
def _movement(measured: Measured) -> list[tuple[float, float]]:
    """`transitions` of each replicate."""
    _weights(measured)
    return [
        (NAN, NAN) if failed else transitions(mode)
        for mode, failed in zip(measured.modes, measured.failed, strict=True)
    ]


def _per_1000(measured: Measured, counts: list[float]) -> MetricValue:
    spent = measured.replicates[0].transitions * measured.evaluations_per_transition / 1000.0
    thin = measured.replicates[0].thin
    note = measured.failure or (f"seen every {thin} transitions" if thin > 1 else "")
    return over_replicates([count / spent for count in counts], lowest=0.0, note=note)


def last_mode(mode: Modes) -> Modes:
    """Mode of each draw (chain, draw), that of the last assigned draw where a draw has none; −1 before the first."""
    index = np.where(mode >= 0, np.arange(mode.shape[1]), 0)
    np.maximum.accumulate(index, axis=1, out=index)
    return np.asarray(np.take_along_axis(mode, index, axis=1))


def transitions(mode: Modes) -> tuple[float, float]:
    """Changes of mode, and returns to the first mode, of a chain: means over chains of (chain, draw)."""
    filled = last_mode(mode)
    before, after = filled[:, :-1], filled[:, 1:]
    changed = (before != after) & (before >= 0)
    first = filled[np.arange(len(filled)), (filled >= 0).argmax(axis=1)]
    returned = changed & (after == first[:, None])
    return float(changed.sum(axis=1).mean()), float(returned.sum(axis=1).mean())


# ------------------------------------------------------------ spread


@metric(
    GROUP,
    "Spread within modes, over the true",
    "target",
    ideal=1.0,
    printed=True,
    card="spread",
    verdict="spread",
)
def within_mode_variance_ratio(measured: Measured) -> MetricValue:
    """Variance of the draws around the mean of their mode, summed over coordinates and modes, over that of exact draws under
    the same assignment and with the same share of draws in each mode. 0 for gradient ascent. A target without known modes
    is one mode.
    """
    measured.need_draws()
    truth = measured.reference.scatter
    if not np.isfinite(truth).any():
        raise NotGiven("the variance of the target is infinite or not known")
    values = []
    for draws, mode, failed in zip(measured.replicates, measured.modes, measured.failed, strict=True):
        if failed:
            values.append(NAN)
            continue
        squares, counts = scatter(draws.position.reshape(-1, draws.dim), mode.ravel(), len(truth))
        occupied = (counts > 1) & np.isfinite(truth)
        expected = ((counts[occupied] - 1) * truth[occupied]).sum()
        values.append(float(squares[occupied].sum() / expected) if expected > 0 else NAN)
    note = measured.failure or ("" if np.isfinite(values).all() else "no draws in any known mode")
    return over_replicates(values, lowest=0.0, note=note)


# ------------------------------------------------------------ end points


@metric(GROUP, "Distinct end points, count", "higher")
def end_points(measured: Measured) -> MetricValue:
    """Clusters of the end points of all chains of all replicates, at half the median nearest-neighbour distance between as
    many exact draws.
    """
    _need_end_points(measured)
    pooled = np.concatenate([draws.end for draws in measured.replicates])
    floor = measured.reference.floor("end_points", len(pooled), lambda x, y: float(_count(measured, x)))
    note = f"of {len(pooled)} chains, all replicates together: no interval"
    return MetricValue("", float(_count(measured, pooled)), replicates=len(measured.replicates), floor=floor, note=note)


@metric(GROUP, "Distinct end points, share", "higher")
def distinct_end_points(measured: Measured) -> MetricValue:
    """Clusters of the chains' end points of a replicate over the number of chains. Two points are one if closer than half the
    median nearest-neighbour distance between as many exact draws: copies with a little noise count once.
    """
    _need_end_points(measured)
    chains = measured.replicates[0].chains
    values = [_count(measured, draws.end) / draws.chains for draws in measured.replicates]
    floor = measured.reference.floor("distinct_end_points", chains, lambda x, y: _count(measured, x) / len(x))
    return over_replicates(values, lowest=0.0, highest=1.0, floor=floor)


def _need_end_points(measured: Measured) -> None:
    if measured.replicates[0].chains < 2:
        raise NotGiven("one chain")
    if not measured.reference.available:
        raise NotGiven("no exact or reference draws")
    if measured.failure:
        raise NotGiven(measured.failure)


def _count(measured: Measured, points: Array) -> int:
    return clusters(points, 0.5 * measured.reference.nearest_distance(len(points)))
