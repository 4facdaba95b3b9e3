"""Modes and diversity: which modes are found, in which proportions, with how much spread within each.

Must not know any particular target or sampler.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mcmc_bench.core.draws import Array
from mcmc_bench.core.results import MetricValue
from mcmc_bench.metrics.intervals import over_replicates
from mcmc_bench.metrics.measured import Measured
from mcmc_bench.metrics.reference import scatter

#: Share of its true weight that a mode must hold to count as found.
FOUND = 0.1

Curves = dict[str, dict[str, list[float]]]
Modes = npt.NDArray[np.int64]

_OF_MODES = [
    "modes_found",
    "mode_weight_error",
    "unassigned_share",
    "transitions_per_1000",
    "round_trips_per_1000",
    "occupancy_entropy",
]


def rows(measured: Measured) -> tuple[list[MetricValue], Curves]:
    """All rows and curves of the group."""
    found = _end_points(measured)
    if measured.kept == 0:
        return found + measured.not_given([*_OF_MODES, "within_mode_variance_ratio"], "draws were not kept"), {}
    found = [_spread(measured), *found]
    modes = measured.target.modes
    if modes is None or len(modes.weights) < 2:
        return measured.not_given(_OF_MODES, "the target has no separate known modes") + found, {}
    occupancy, curves = _occupancy(measured, modes.weights)
    return occupancy + _movement(measured) + found, curves


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


def _occupancy(measured: Measured, weights: Array) -> tuple[list[MetricValue], Curves]:
    count, reference, why = len(weights), measured.reference, measured.failure
    nan = float("nan")
    ok = [not failed for failed in measured.failed]
    of_replicates = [shares(mode.ravel(), count) for mode in measured.modes]
    draws = measured.kept * measured.replicates[0].chains
    # Means of independent draws, by the central limit theorem.
    floor = 0.5 * float(np.sqrt(2.0 * weights * (1.0 - weights) / (np.pi * draws)).sum())
    found = [
        over_replicates(
            "modes_found",
            [float((s >= FOUND * weights).mean()) if good else nan for s, good in zip(of_replicates, ok, strict=True)],
            lowest=0.0, highest=1.0, note=why,
        ),
        over_replicates(
            "mode_weight_error",
            [weight_error(s, weights) if good else nan for s, good in zip(of_replicates, ok, strict=True)],
            lowest=0.0, highest=1.0, floor=floor, note=why,
        ),
        over_replicates(
            "unassigned_share",
            [float((mode < 0).mean()) if good else nan for mode, good in zip(measured.modes, ok, strict=True)],
            lowest=0.0, highest=1.0, floor=reference.unassigned if reference.available else None, note=why,
        ),
        over_replicates(
            "occupancy_entropy",
            [entropy(s) if good and s.any() else nan for s, good in zip(of_replicates, ok, strict=True)],
            lowest=0.0, highest=1.0, floor=entropy(weights), note=why,
        ),
    ]  # fmt: skip
    if not all(ok):
        return found, {}
    per_mode = [
        over_replicates("", [float(s[k]) for s in of_replicates], lowest=0.0, highest=1.0) for k in range(count)
    ]
    value = [float(row.value or 0.0) for row in per_mode]
    curve = {
        "modes": [float(k) for k in range(count)],
        "value": value,
        "low": [v if row.low is None else row.low for v, row in zip(value, per_mode, strict=True)],
        "high": [v if row.high is None else row.high for v, row in zip(value, per_mode, strict=True)],
        "weights": [float(weight) for weight in weights],
    }
    return found, {"occupancy": curve}


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


def _movement(measured: Measured) -> list[MetricValue]:
    spent = measured.replicates[0].transitions * measured.evaluations_per_transition / 1000.0
    counted = [
        (float("nan"), float("nan")) if failed else transitions(mode)
        for mode, failed in zip(measured.modes, measured.failed, strict=True)
    ]
    thin = measured.replicates[0].thin
    note = measured.failure or (f"seen every {thin} transitions" if thin > 1 else "")
    return [
        over_replicates(name, [pair[index] / spent for pair in counted], lowest=0.0, note=note)
        for index, name in enumerate(("transitions_per_1000", "round_trips_per_1000"))
    ]


def _spread(measured: Measured) -> MetricValue:
    metric, truth = "within_mode_variance_ratio", measured.reference.scatter
    if not np.isfinite(truth).any():
        return measured.not_given([metric], "the variance of the target is infinite or not known")[0]
    values = []
    for draws, mode, failed in zip(measured.replicates, measured.modes, measured.failed, strict=True):
        if failed:
            values.append(float("nan"))
            continue
        squares, counts = scatter(draws.position.reshape(-1, draws.dim), mode.ravel(), len(truth))
        occupied = (counts > 1) & np.isfinite(truth)
        expected = ((counts[occupied] - 1) * truth[occupied]).sum()
        values.append(float(squares[occupied].sum() / expected) if expected > 0 else float("nan"))
    note = measured.failure or ("" if np.isfinite(values).all() else "no draws in any known mode")
    return over_replicates(metric, values, lowest=0.0, note=note)


def clusters(points: Array, distance: float) -> int:
    """Number of clusters of points (n, dim): a point joins the first cluster whose first point is within `distance`."""
    leaders: list[Array] = []
    for point in points:
        if not leaders or ((np.array(leaders) - point) ** 2).sum(axis=1).min() > distance**2:
            leaders.append(point)
    return len(leaders)


def _end_points(measured: Measured) -> list[MetricValue]:
    names, reference = ("end_points", "distinct_end_points"), measured.reference
    chains = measured.replicates[0].chains
    if not reference.available or chains < 2:
        return measured.not_given(names, "no exact or reference draws" if chains > 1 else "one chain")
    if any(measured.failed):
        return measured.not_given(names, measured.failure)
    pooled = np.concatenate([draws.end for draws in measured.replicates])

    def count(points: Array) -> int:
        return clusters(points, 0.5 * reference.nearest_distance(len(points)))

    return [
        MetricValue(
            names[0],
            float(count(pooled)),
            replicates=len(measured.replicates),
            floor=reference.floor(names[0], len(pooled), lambda x, y: float(count(x))),
            note=f"of {len(pooled)} chains, all replicates together: no interval",
        ),
        over_replicates(
            names[1],
            [count(draws.end) / draws.chains for draws in measured.replicates],
            lowest=0.0, highest=1.0,
            floor=reference.floor(names[1], chains, lambda x, y: count(x) / len(x)),
        ),
    ]  # fmt: skip
