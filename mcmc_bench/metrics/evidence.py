"""The evidence that a comparison of two runs rests on: one value of each replicate for cost, error and bias.

Replicates are independent of each other whatever happens inside them (chains may share an adaptation), so that every
test of a comparison is one over replicates. Must not know any particular target or sampler, nor how sides are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.draws import Draws
from mcmc_bench.core.evidence import Evidence, Expectation, Indicators
from mcmc_bench.core.target import QUANTILE_LEVELS
from mcmc_bench.metrics.estimates import bias_squared, low_error_evaluations
from mcmc_bench.metrics.measured import chain_estimates, evenly
from mcmc_bench.metrics.reference import Reference

#: Fewer replicates have no spread worth testing with: no indicators are then given.
FEWEST_REPLICATES = 3
#: Coordinates whose quantiles are tested, evenly picked; log p sees all of them at once.
TESTED_COORDINATES = 12


@dataclass(frozen=True, eq=False)
class Events:
    """Sets of known probability: below the quantiles of coordinates and of log p, and the modes of the target."""

    reference: Reference
    name: list[str]
    truth: Array  # (event,): probability under the target
    truth_error: Array  # (event,)
    coordinates: npt.NDArray[np.int64]  # indices of the tested coordinates
    quantiles: Array  # (quantity, level): of the tested coordinates, then of log p if it is known

    @staticmethod
    def of(reference: Reference) -> Events | None:
        """The events of a target, made once; None where no quantile is known."""
        return reference.once(("events",), lambda: _events(reference))  # type: ignore[return-value]

    def shares(self, points: Array, log_density: Array) -> Array:
        """Share of `points` (n, dim) with their `log_density` (n,) inside each event, (event,)."""
        values = np.column_stack([points[:, self.coordinates], log_density])[:, : len(self.quantiles)]
        below = (values[:, :, None] <= self.quantiles).mean(axis=0).ravel()
        return np.concatenate([below, self._in_modes(points)])

    def _in_modes(self, points: Array) -> Array:
        return self.reference.shares_of_modes(points) if len(self.name) > self.quantiles.size else np.empty(0)


def _events(reference: Reference) -> Events | None:
    target = reference.target
    if reference.quantiles is None:
        return None
    quantiles, errors = reference.quantiles
    picked = evenly(target.dim, TESTED_COORDINATES)
    tested = [*picked, *range(target.dim, len(quantiles))]
    quantities = [*(f"coordinate {i}" for i in picked), *["log p"] * (len(quantiles) - target.dim)]
    name = [f"{level:.0%} quantile of {quantity}" for quantity in quantities for level in QUANTILE_LEVELS]
    truth, error = np.tile(QUANTILE_LEVELS, len(tested)), errors[tested].ravel()
    if target.modes is not None and len(target.modes.weights) > 1 and reference.available:
        points = reference.many
        weights = reference.shares_of_modes(points)
        name += [f"mode {k + 1}" for k in range(len(weights))]
        truth = np.concatenate([truth, weights])
        error = np.concatenate([error, np.sqrt(weights * (1 - weights) / len(points))])
    return Events(reference, name, truth, error, picked, quantiles[tested])


@dataclass(frozen=True, eq=False)
class Measurement:
    """The values of one replicate."""

    evaluations: float
    squared_error: float  # infinite where a chain became non-finite
    low_error_evaluations: float | None
    seconds: float
    stopped_chains: int
    moved: float
    divergent: float
    shares: Array | None  # of all draws of all chains inside each event, (event,); None where it cannot be said


def measure(draws: Draws, reference: Reference, budget: float) -> Measurement:
    """One replicate, measured.

    Args:
        draws: the replicate.
        reference: of its target.
        budget: target evaluations of a chain after warmup.
    """
    stopped = int((draws.stopped_at >= 0).sum())
    events = Events.of(reference)
    usable = stopped == 0 and draws.position.shape[1] > 0 and bool(np.isfinite(draws.position).all())
    shares = None
    if events is not None and usable:
        shares = events.shares(draws.position.reshape(-1, draws.dim), draws.log_density.ravel())
    return Measurement(
        evaluations=draws.cost.evaluations,
        squared_error=_squared_error(draws, reference, events) if usable else float("inf"),
        low_error_evaluations=low_error_evaluations(draws, reference, budget) if usable else None,
        seconds=draws.cost.sampling_seconds,
        stopped_chains=stopped,
        moved=float((draws.end != draws.start).any(axis=1).mean()),
        divergent=float(draws.divergences.sum()) / (draws.transitions * draws.chains),
        shares=shares,
    )


def _squared_error(draws: Draws, reference: Reference, events: Events | None) -> float:
    """Mean over chains and functions of the squared error of a chain's estimate, in variances of the function.

    Functions: x and x² of every coordinate; where no moment exists or is known, the indicators of quantiles.
    """
    moments = reference.moments
    if moments.usable.any():
        return float(bias_squared(chain_estimates(draws), moments).mean())
    if events is None:
        return float("inf")
    shares = np.stack([events.shares(x, log_p) for x, log_p in zip(draws.position, draws.log_density, strict=True)])
    variance = events.truth * (1 - events.truth)
    known = variance > 0
    return float(((shares - events.truth) ** 2 / np.where(known, variance, 1.0))[:, known].mean())


def summarise(
    measurements: Sequence[Measurement],
    reference: Reference,
    *,
    expected_from: Expectation,
    distribution: tuple[Array, Array] | None = None,
    planned_evaluations: float | None = None,
) -> Evidence:
    """The evidence of independent replicates.

    Args:
        measurements: of each replicate.
        reference: of their target.
        expected_from: where it is known what the sampler should give.
        distribution: for "closed form": draws (n, dim) from the distribution that the sampler should have, and their log density.
        planned_evaluations: of one chain.
    """

    def finite(values: Sequence[float]) -> list[float | None]:
        return [value if np.isfinite(value) else None for value in values]

    return Evidence(
        replicates=len(measurements),
        expected_from=expected_from,
        planned_evaluations=planned_evaluations,
        evaluations=[m.evaluations for m in measurements],
        squared_error=finite([m.squared_error for m in measurements]),
        low_error_evaluations=[m.low_error_evaluations for m in measurements],
        seconds=[m.seconds for m in measurements],
        stopped_chains=[m.stopped_chains for m in measurements],
        moved=[m.moved for m in measurements],
        divergent=[m.divergent for m in measurements],
        indicators=_indicators(measurements, Events.of(reference), distribution),
    )


def _indicators(
    measurements: Sequence[Measurement], events: Events | None, distribution: tuple[Array, Array] | None
) -> Indicators | None:
    found = [m.shares for m in measurements if m.shares is not None]
    if events is None or len(found) < max(FEWEST_REPLICATES, len(measurements)):
        return None
    expected = None if distribution is None else events.shares(*distribution)
    error = (
        None if distribution is None or expected is None else np.sqrt(expected * (1 - expected) / len(distribution[0]))
    )
    return Indicators(
        name=list(events.name),
        truth=events.truth.tolist(),
        truth_error=events.truth_error.tolist(),
        expected=None if expected is None else expected.tolist(),
        expected_error=None if error is None else error.tolist(),
        **describe(np.stack(found)),
    )


def describe(shares: Array) -> dict[str, list[float]]:
    """The fields of `Indicators` that describe shares of single replicates, (replicate, event)."""
    deviation = shares.std(axis=0, ddof=1)
    moves = deviation > 1e-12  # what is constant but for rounding has no skewness
    skewness = np.zeros(len(deviation))
    skewness[moves] = stats.skew(shares[:, moves], axis=0, bias=False)
    return {
        "mean": shares.mean(axis=0).tolist(),
        "standard_deviation": np.where(moves, deviation, 0.0).tolist(),
        "skewness": skewness.tolist(),
        "constant": ((shares == 0) | (shares == 1)).mean(axis=0).tolist(),
    }
