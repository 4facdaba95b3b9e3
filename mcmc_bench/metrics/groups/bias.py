"""The test for bias: the shares of draws below known quantiles, at the level of chains.

Must not know any particular target or sampler.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.results import MetricValue
from mcmc_bench.core.target import QUANTILE_LEVELS
from mcmc_bench.metrics.declaration import metric, shared
from mcmc_bench.metrics.estimates import indicator_means
from mcmc_bench.metrics.groups.accuracy import GROUP
from mcmc_bench.metrics.measured import Measured, NotGiven

#: Fewest chains over all replicates for Student's t over chains.
FEWEST_CHAINS = 8


@metric(GROUP, "Largest bias of a quantile", "lower", ideal=0.0, verdict="unbiased", beside="{} sd")
def largest_bias(measured: Measured) -> MetricValue:
    """Largest |mean over all chains and replicates of the share of draws below a known quantile − its level|, in standard
    deviations of that indicator. Follows Student's t over chains, which are independent.
    """
    test = _test(measured)
    low, high = max(0.0, test.largest - test.resolution), test.largest + test.resolution
    return MetricValue("", test.largest, low, high, len(measured.replicates), note=f"over {measured.chains} chains")


@metric(GROUP, "Bias that would be seen", "lower", ideal=0.0)
def bias_resolution(measured: Measured) -> MetricValue:
    """The largest bias, in standard deviations of a quantile indicator, that this many chains cannot tell from none: half of
    the widest of their 95 % intervals, simultaneous over the indicators (Bonferroni).
    """
    resolution = _test(measured).resolution
    return MetricValue("", resolution, replicates=len(measured.replicates), note=f"over {measured.chains} chains")


@metric(GROUP, "p-value of the bias test", "higher")
def calibration_p_value(measured: Measured) -> MetricValue:
    """Bonferroni's p-value over the indicators of known quantiles of coordinates and log p, each tested on its means over
    single chains (Student's t; where chains stay on one side of a quantile, a bound by the binomial distribution). Fed into
    one Holm family over the suite.
    """
    p = _test(measured).p_values
    least = np.unravel_index(p.argmin(), p.shape)
    quantity = "log p" if least[0] == measured.target.dim else f"coordinate {least[0]}"
    where = f"{QUANTILE_LEVELS[least[1]]:.0%} quantile of {quantity}; over {measured.chains} chains"
    value = min(1.0, float(p.min()) * p.size)
    return MetricValue("", value, replicates=len(measured.replicates), note=f"smallest at {where}")


@dataclass(frozen=True)
class _Test:
    """Biases are in standard deviations of their indicator."""

    largest: float
    resolution: float
    p_values: Array  # (quantity, level)


@shared
def _test(measured: Measured) -> _Test:
    quantiles = measured.reference.quantiles
    if measured.failure:
        raise NotGiven(measured.failure)
    if quantiles is None or measured.kept == 0:
        raise NotGiven("quantiles of the target are not known, or draws were not kept")
    if measured.chains < FEWEST_CHAINS:
        raise NotGiven(f"{measured.chains} chains in all; the test needs {FEWEST_CHAINS}")
    levels = np.array(QUANTILE_LEVELS)
    shares = np.concatenate([indicator_means(draws, quantiles[0]) for draws in measured.replicates])
    deviation = np.sqrt(levels * (1 - levels))
    bias = (shares.mean(axis=0) - levels) / deviation  # (quantity, level)
    error = np.hypot(shares.std(axis=0, ddof=1) / np.sqrt(len(shares)), quantiles[1]) / deviation
    p_values = bias_p_values(shares, levels, quantiles[1])
    # Simultaneous over the indicators (Bonferroni), since it is the largest of them that is reported.
    resolution = float(stats.t.isf(0.025 / p_values.size, len(shares) - 1) * error.max())
    return _Test(float(np.abs(bias).max()), resolution, p_values)


def bias_p_values(shares: Array, levels: Array, truth_error: Array) -> Array:
    """Two-sided p-value of each indicator from its means over single chains (chain, quantity, level): (quantity, level).

    Student's t over chains, which are independent whatever happens within them. Where more than a fifth of the
    chains never cross the quantile their means are nearly 0 or 1 and far from normal; the binomial distribution is
    then the widest that a mean in [0, 1] can have (Hoeffding 1956), so that its tail bounds the p-value.
    """
    chains = len(shares)
    mean = shares.mean(axis=0)
    error = np.hypot(shares.std(axis=0, ddof=1) / np.sqrt(chains), truth_error)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(error > 0, np.abs(mean - levels) / error, np.where(mean == levels, 0.0, np.inf))
    p = 2 * stats.t.sf(t, chains - 1)
    stays = ((shares == 0) | (shares == 1)).mean(axis=0) > 0.2
    total = shares.sum(axis=0)
    lower = stats.binom.cdf(np.ceil(total - 1e-9), chains, levels)
    upper = stats.binom.sf(np.floor(total + 1e-9) - 1, chains, levels)
    return np.where(stays, np.minimum(1.0, 2 * np.minimum(lower, upper)), p)
