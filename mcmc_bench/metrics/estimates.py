"""Estimates from draws against the truth: their errors, and the shares of draws below known quantiles.

Coordinates are never averaged before they are compared with the truth, since errors would cancel. Must not know any
particular target or sampler, nor which metrics are made of the errors.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.draws import Draws
from mcmc_bench.core.target import QUANTILE_LEVELS, Target
from mcmc_bench.metrics.measured import chain_estimates
from mcmc_bench.metrics.reference import LOW_ERROR, Moments, Reference


def bias_squared(estimates: Array, moments: Moments) -> Array:
    """b² of estimates (…, 2 · dim) for the usable functions, (…, usable); infinite where an estimate is not finite."""
    usable = moments.usable
    with np.errstate(over="ignore", invalid="ignore"):
        error = (estimates[..., usable] - moments.expectation[usable]) ** 2 / moments.variance[usable]
    return np.where(np.isfinite(error), error, np.inf)


def running_worst(draws: Draws, moments: Moments) -> Array:
    """b²max of the running means over kept draws, (chain, draw); infinite from where a chain became non-finite."""
    count = np.arange(1, draws.position.shape[1] + 1)[:, None]
    worst = np.empty(draws.position.shape[:2])
    for chain, x in enumerate(draws.position):  # chain by chain: memory does not grow with chains
        with np.errstate(over="ignore", invalid="ignore"):
            f = np.concatenate([x, x**2], axis=1)
            running = np.cumsum(f, axis=0) / count
        worst[chain] = bias_squared(running, moments).max(axis=1)
    return worst


def last_above(worst: Array, spacing: float) -> tuple[float, bool]:
    """Evaluations up to the last kept draw at which the median over chains exceeds LOW_ERROR; True if it ends above."""
    above = np.flatnonzero(np.median(worst, axis=0) > LOW_ERROR)
    last = int(above[-1]) if len(above) else 0
    return (last + 1) * spacing, len(above) > 0 and last == worst.shape[1] - 1


def low_error_evaluations(draws: Draws, reference: Reference, budget: float) -> float | None:
    """Evaluations to low error of one replicate, followed at its kept draws; None if not reached by their end.

    `budget` is what it may spend after warmup, which stands in where its evaluations are not counted.
    """
    moments = reference.moments
    if draws.position.shape[1] == 0 or not moments.usable.any():
        return None
    spacing = draws.thin * (draws.cost.sampling_evaluations or budget) / draws.transitions
    value, censored = last_above(running_worst(draws, moments), spacing)
    return None if censored else value


def indicator_means(draws: Draws, quantiles: Array) -> Array:
    """Share of each chain's kept draws below known quantiles (quantity, level): (chain, quantity, level).

    The quantities are the coordinates and, if there is one quantity more, log p.
    """
    values = np.concatenate([draws.position, draws.log_density[:, :, None]], axis=2)[:, :, : len(quantiles)]
    return np.stack([(values <= quantiles[:, level]).mean(axis=1) for level in range(quantiles.shape[1])], axis=2)


def selection_score(replicates: Sequence[Draws], target: Target) -> float:
    """A score for choosing the best setting of a sweep on pilot replicates: higher is better.

    Mean over f = x and f = x² of every coordinate of log(real ESS of a chain), each at most ten times the number of
    transitions, so that ascent onto a peak at the mean earns nothing; −∞ if any chain became non-finite. Where the
    moments are infinite or unknown: the same for the indicators of the target's quantiles; and where those are
    unknown too, the log of the variance of all draws over that of the chains' means, which knows no truth and would
    choose a biased setting.
    """
    if any((draws.stopped_at >= 0).any() for draws in replicates):
        return float("-inf")
    reference = Reference.of(target)
    estimates = np.concatenate([chain_estimates(draws) for draws in replicates])
    moments = reference.moments
    if moments.usable.any():
        error = bias_squared(estimates, moments)
    elif reference.quantiles is not None and all(draws.position.shape[1] for draws in replicates):
        levels = np.array(QUANTILE_LEVELS)
        shares = np.concatenate([indicator_means(draws, reference.quantiles[0]) for draws in replicates])
        error = ((shares - levels) ** 2 / (levels * (1 - levels))).reshape(len(shares), -1)
    else:
        means, dim = estimates[:, : target.dim], target.dim
        total = estimates[:, dim:].mean(axis=0) - means.mean(axis=0) ** 2
        error = (means - means.mean(axis=0)) ** 2 / np.maximum(total, np.finfo(float).tiny)
    squared = error.mean(axis=0)
    if not np.isfinite(squared).all():
        return float("-inf")
    return float(-np.log(np.maximum(squared, 0.1 / replicates[0].transitions)).mean())
