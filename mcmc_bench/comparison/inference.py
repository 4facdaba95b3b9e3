"""Tests and intervals from summaries over replicates, and the rule that decides over several stages.

Must not know cells, metrics or what the numbers mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special, stats

from mcmc_bench.core.arrays import Array

#: The probability with which an error of the size of a resolution is seen.
POWER = 0.95
#: Share of replicates on one side of an indicator above which their mean is not taken as nearly normal.
MOSTLY_CONSTANT = 0.2


@dataclass(frozen=True)
class Means:
    """Means over independent replicates, element by element."""

    mean: Array
    error: Array  # standard error of the mean
    skewness: Array  # of the mean
    replicates: int

    @classmethod
    def of(cls, mean: Array, standard_deviation: Array, skewness: Array, replicates: int) -> Means:
        """From the mean, standard deviation and skewness of single replicates."""
        return cls(mean, standard_deviation / np.sqrt(replicates), skewness / np.sqrt(replicates), replicates)


def corrected_t(statistic: Array, skewness: Array) -> Array:
    """Student's statistic with the first-order effect of skewness removed: T + γ T²/3 + γ² T³/27 + γ/6.

    The monotone transformation of Hall (1992, J. R. Statist. Soc. B 54, doi 10.1111/j.2517-6161.1992.tb01872.x), with
    γ the skewness of the mean. Without it the tail on the side of the skewness is several times too heavy at the
    levels that a family of a thousand hypotheses asks for.
    """
    return np.asarray(statistic + skewness * statistic**2 / 3 + skewness**2 * statistic**3 / 27 + skewness / 6)


def against_known(estimate: Means, known: Array, known_error: Array, constant: Array) -> tuple[Array, Array]:
    """Two-sided p-values of means of shares against known probabilities, and their standard errors.

    Args:
        estimate: of shares in [0, 1].
        known: the probabilities.
        known_error: their standard errors.
        constant: share of the replicates whose share is 0 or 1. Where that is more than a fifth, a mean is far from
            normal: the binomial distribution is then the widest that a mean of values in [0, 1] can have (Hoeffding
            1956), so that its tail bounds the p-value.
    """
    error = np.hypot(estimate.error, known_error)
    difference = estimate.mean - known
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(error > 0, difference / error, np.where(difference == 0, 0.0, np.inf))
        skewness = np.where(error > 0, estimate.skewness * (estimate.error / error) ** 3, 0.0)
    finite = np.isfinite(statistic)
    t = np.where(finite, corrected_t(np.where(finite, statistic, 0.0), skewness), np.inf)
    n = estimate.replicates
    p = 2.0 * stats.t.sf(np.abs(t), n - 1)
    total, probability = n * estimate.mean, np.clip(known, 0.0, 1.0)
    below = stats.binom.cdf(np.ceil(total - 1e-6), n, probability)
    above = stats.binom.sf(np.floor(total + 1e-6) - 1, n, probability)
    bound = np.minimum(1.0, 2.0 * np.minimum(below, above))
    return np.where(constant > MOSTLY_CONSTANT, bound, p), error


def larger_bias(candidate: Means, baseline: Means, truth: Array, truth_error: Array) -> tuple[Array, Array]:
    """One-sided p-values of "the candidate's bias is no larger than the baseline's", and the standard errors.

    The statistic is |bias of the candidate| − |bias of the baseline|. Where both are far from 0 it is normal; near 0
    the sizes vary less than the biases themselves, so that the test errs to the safe side.
    """
    error = np.sqrt(candidate.error**2 + baseline.error**2 + truth_error**2)
    growth = np.abs(candidate.mean - truth) - np.abs(baseline.mean - truth)
    sign_c, sign_b = np.sign(candidate.mean - truth), np.sign(baseline.mean - truth)
    with np.errstate(divide="ignore", invalid="ignore"):
        third = sign_c * candidate.skewness * candidate.error**3 - sign_b * baseline.skewness * baseline.error**3
        skewness = np.where(error > 0, third / error**3, 0.0)
        statistic = np.where(error > 0, growth / error, 0.0)
    p = stats.t.sf(corrected_t(statistic, skewness), degrees(candidate, baseline))
    # Nothing varies on either side: what is left is the probability that the replicates fell apart by chance.
    apart = np.exp(-_log_choose(candidate.replicates + baseline.replicates, candidate.replicates))
    return np.where(error > 0, p, np.where(growth > 1e-9, apart, 1.0)), error


def _log_choose(n: int, k: int) -> float:
    return float(special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1))


def degrees(one: Means, other: Means) -> Array:
    """Degrees of freedom of a difference of means (Welch 1947)."""
    a, b = one.error**2, other.error**2
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (a + b) ** 2 / (a**2 / (one.replicates - 1) + b**2 / (other.replicates - 1))
    fewest = min(one.replicates, other.replicates) - 1
    return np.where(np.isfinite(found), found, fewest)


@dataclass(frozen=True)
class Difference:
    """A difference of two means of independent replicates (Welch 1947)."""

    value: float
    error: float
    degrees: float

    def interval(self, confidence: float) -> tuple[float, float]:
        """The two-sided interval."""
        half = float(stats.t.isf((1.0 - confidence) / 2.0, self.degrees)) * self.error
        return self.value - half, self.value + half

    def above(self, bound: float) -> float:
        """One-sided p-value of "the difference is at most `bound`"."""
        if self.error == 0.0:
            return 1.0 if self.value <= bound else 0.0
        return float(stats.t.sf((self.value - bound) / self.error, self.degrees))


def difference(candidate: Sequence[float], baseline: Sequence[float]) -> Difference:
    """Mean of `candidate` − mean of `baseline`, each one value of every replicate, at least two."""
    sides = [np.asarray(side, dtype=np.float64) for side in (candidate, baseline)]
    estimates = [
        Means.of(side.mean(keepdims=True), side.std(ddof=1, keepdims=True), np.zeros(1), len(side)) for side in sides
    ]
    error = float(np.hypot(estimates[0].error, estimates[1].error)[0])
    value = float(sides[0].mean() - sides[1].mean())
    return Difference(value, error, float(degrees(*estimates)[0]))


def seen(error: float, level: float, freedom: float, *, sides: int = 1) -> float:
    """The smallest true deviation that a test at `level` finds with probability `POWER`.

    Far from zero Student's statistic varies with variance 1 + δ²/2ν (Johnson and Welch 1940); δ is where it exceeds
    the critical value often enough.
    """
    critical, z = float(stats.t.isf(level / sides, freedom)), float(stats.norm.ppf(POWER))
    spread = min(z**2 / (2.0 * freedom), 0.9)  # 0.9: with two degrees of freedom nothing of the kind is seen
    return error * (critical + z * np.sqrt(1.0 - spread + critical**2 / (2.0 * freedom))) / (1.0 - spread)


def first_level(alpha: float, stages: int) -> tuple[float, float]:
    """Level of the first stage, and the p-value above which nothing is suspected any more, less that level."""
    level = alpha / stages
    return level, level ** (1.0 / stages)


def sequential(
    p_values: Sequence[float], sees: Sequence[bool], *, alpha: float, stages: int, fresh: bool
) -> Literal["reject", "accept", "continue"]:
    """Decides on a hypothesis whose evidence may be extended, with at most `alpha` false rejections over all stages.

    Gandy and Scott (2020, arXiv 2001.06465, algorithm 3): with β = α/k and γ = β^{1/k} a stage rejects at p ≤ β,
    accepts at p > γ + β, and else goes on with β/γ in place of β. A stage is reached with probability γ under the
    hypothesis, which pays for the larger level, if each stage has evidence of its own. One stage is the plain test.

    Args:
        p_values: of the stages so far.
        sees: of each stage, whether its evidence is enough for an acceptance to mean anything. A stage that is not
            earns nothing for the next one, since it is left whatever its p-value.
        alpha: rate of false rejections.
        stages: k, how many stages there may be.
        fresh: False where stages share evidence (the same baseline): the level then stays at α/k, by the union bound.
    """
    level, credit = first_level(alpha, stages)
    for p, enough in zip(p_values, sees, strict=True):
        if p <= level:
            return "reject"
        if enough and p > credit + level:
            return "accept"
        if enough and fresh:
            level /= credit
    return "accept" if len(p_values) >= stages and sees[-1] else "continue"
