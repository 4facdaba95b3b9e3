"""The findings of a verification, and the few statistical tests that it is made of.

Every p-value is from a bound or a distribution that holds at any level and any number of draws, so that a rate of false alarms of
one in a million is what it says: no test rests on a normal approximation. Must not know samplers or targets.

Sources: Massart 1990, doi 10.1214/aop/1176990746 (two empirical distributions are compared through the true one, since the
inequality for two samples is proved for equal sizes only: Wei and Dudley 2012, arXiv 1107.5356); Hoeffding 1963,
doi 10.1080/01621459.1963.10500830; Chernoff 1952, doi 10.1214/aoms/1177729330.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special, stats

from mcmc_bench.core.arrays import Array

#: The probability with which a deviation of the size that is called detectable would have been seen.
POWER = 0.95
SHARE, RELATIVE, CORRELATION, ROUNDING = "in a share", "of the variance", "correlation", "(largest error)"


@dataclass(frozen=True)
class KernelFinding:
    """One test of one property."""

    check: str  # which property
    what: str  # of what, on which target
    p_value: float
    level: float  # p-values below it are a failure
    detectable: float  # the deviation that would have been seen with probability POWER, in the units of `unit`
    unit: str
    deviation: float
    inconclusive: bool = False  # not what it should be, and no proof of a fault either

    @property
    def passed(self) -> bool:
        """True if nothing is wrong as far as this test can see."""
        return not self.inconclusive and bool(self.p_value >= self.level)  # NaN is not passed

    @property
    def failed(self) -> bool:
        """True if a fault has been seen."""
        return not self.inconclusive and not self.passed

    @property
    def verdict(self) -> str:
        """In a word."""
        return "inconclusive" if self.inconclusive else "passed" if self.passed else "FAILED"

    def __str__(self) -> str:
        """One line for people."""
        return (
            f"{self.verdict}: {self.check}: {self.what}: off by {self.deviation:.3g} {self.unit} "
            f"(p = {self.p_value:.2g}, level {self.level:.1g}; {self.detectable:.2g} would have been seen)"
        )


def _not_finite(check: str, what: str, values: Array, level: float, unit: str) -> KernelFinding | None:
    """A failure if any of `values` is not finite: a right kernel does not leave the target's support."""
    bad = int((~np.isfinite(values)).sum())
    if bad == 0:
        return None
    return KernelFinding(check, f"{what}: {bad} of {len(values)} values are not finite", 0.0, level, 0.0, unit, np.inf)


def distance(values: Array, reference: Array) -> float:
    """sup |F̂ₙ − Ĝₘ| of `values` (n,) and a sorted `reference` (m,), both finite."""
    values = np.sort(values)
    n, m = len(values), len(reference)
    at, before = np.searchsorted(values, values, "right") / n, np.searchsorted(values, values, "left") / n
    reference_at, reference_before = np.searchsorted(reference, values, "right"), np.searchsorted(reference, values)
    return float(max((at - reference_at / m).max(), (reference_before / m - before).max()))


def same_distribution(
    check: str, what: str, values: Array, reference: Array, level: float, margin: float = 0.0
) -> KernelFinding:
    """Test that `values` (n,) have the distribution of a sorted `reference` (m,), or one that is off by at most `margin` in any share.

    P(sup |F̂ₙ − F| > u/√n or sup |Ĝₘ − G| > u/√m) ≤ 4 e^{−2u²} by Massart's inequality, for any n, m and distributions.
    """
    if not np.isfinite(reference).all():
        raise ValueError(f"{what}: the reference draws are not finite, so that nothing can be compared with them")
    if bad := _not_finite(check, what, values, level, SHARE):
        return bad
    found = distance(values, reference)
    noise = 1.0 / np.sqrt(len(values)) + 1.0 / np.sqrt(len(reference))
    p_value = min(1.0, 4.0 * float(np.exp(-2.0 * (max(0.0, found - margin) / noise) ** 2)))
    seen = margin + noise * (np.sqrt(np.log(4.0 / level) / 2.0) + np.sqrt(np.log(4.0 / (1.0 - POWER)) / 2.0))
    return KernelFinding(check, what, p_value, level, float(seen), SHARE, found)


def has_distribution(
    check: str, what: str, values: Array, cumulative: Callable[[Array], Array], level: float
) -> KernelFinding:
    """Test that `values` (n,) follow the distribution function `cumulative`: Massart's inequality, 2 e^{−2nD²}."""
    if bad := _not_finite(check, what, values, level, SHARE):
        return bad
    n = len(values)
    expected = cumulative(np.sort(values))
    ranks = np.arange(n + 1) / n
    found = float(max((ranks[1:] - expected).max(), (expected - ranks[:-1]).max()))
    p_value = min(1.0, 2.0 * float(np.exp(-2.0 * n * found**2)))
    seen = (np.sqrt(np.log(2.0 / level)) + np.sqrt(np.log(2.0 / (1.0 - POWER)))) / np.sqrt(2.0 * n)
    return KernelFinding(check, what, p_value, level, float(seen), SHARE, found)


def has_variance(check: str, what: str, values: Array, variance: float, level: float) -> KernelFinding:
    """Test that Gaussian `values` (n,) of mean zero have this variance: the sum of squares over it follows χ² with n."""
    if bad := _not_finite(check, what, values, level, RELATIVE):
        return bad
    n = len(values)
    total = float((values**2).sum()) / variance
    p_value = min(1.0, 2.0 * float(min(stats.chi2.cdf(total, n), stats.chi2.sf(total, n))))
    seen = (stats.norm.isf(level / 2.0) + stats.norm.ppf(POWER)) * np.sqrt(2.0 / n)
    return KernelFinding(check, what, p_value, level, float(seen), RELATIVE, abs(total / n - 1.0))


def uncorrelated(check: str, what: str, one: Array, two: Array, level: float) -> KernelFinding:
    """Test that jointly Gaussian values (n,) are independent: Student's distribution of r √((n − 2)/(1 − r²)) is exact for them."""
    if bad := _not_finite(check, what, one + two, level, CORRELATION):
        return bad
    n = len(one)
    with np.errstate(invalid="ignore", divide="ignore"):  # of constants there is no correlation: NaN, not passed
        r = float(np.corrcoef(one, two)[0, 1])
        p_value = 2.0 * float(stats.t.sf(abs(r) * np.sqrt((n - 2) / np.float64(1.0 - r * r)), n - 2))
    seen = (stats.norm.isf(level / 2.0) + stats.norm.ppf(POWER)) / np.sqrt(n)
    return KernelFinding(check, what, p_value, level, float(seen), CORRELATION, abs(r))


def mean_zero(check: str, what: str, values: Array, level: float, width: float = 2.0) -> KernelFinding:
    """Test that independent `values` (n,), each from an interval of this `width`, have mean zero: Hoeffding's inequality."""
    if bad := _not_finite(check, what, values, level, "on average"):
        return bad
    n, mean = len(values), float(values.mean())
    p_value = min(1.0, 2.0 * float(np.exp(-2.0 * n * (mean / width) ** 2)))
    seen = width * (np.sqrt(np.log(2.0 / level)) + np.sqrt(np.log(1.0 / (1.0 - POWER)))) / np.sqrt(2.0 * n)
    return KernelFinding(check, what, p_value, level, float(seen), "on average", abs(mean))


def balanced_signs(
    check: str, what: str, error: Array, level: float, weight: Callable[[Array], Array]
) -> KernelFinding:
    """Test that independent energy errors s (n,) have a density with f(−s) = e^{−s} f(s): by their signs, given their sizes.

    Given |s|, s is negative with probability 1/(1 + e^{|s|}), so that E Σ w(|s|) (1{s < 0} − 1/(1 + e^{|s|})) = 0 for any
    `weight` w in [0, 1], with known variance however skewed the distribution of s. Chernoff's bound, with the exact generating
    function, holds at any level. An error that is not a number counts as infinite: such a proposal is never accepted.
    """
    error = np.where(np.isnan(error), np.inf, error)
    error = error[error != 0.0]
    n = max(1, len(error))
    size, negative = np.abs(error), error < 0.0
    chance, w = special.expit(-size), weight(size)
    total = float((w * (negative - chance)).sum())
    variance = float((w**2 * chance * (1.0 - chance)).sum())

    def log_bound(tilt: float) -> float:
        signed = np.copysign(tilt, total) * w
        generating = np.logaddexp(np.log1p(-chance), np.log(np.maximum(chance, 1e-300)) + signed) - signed * chance
        return float(generating.sum()) - tilt * abs(total)

    best = optimize.minimize_scalar(log_bound, bounds=(0.0, 30.0), method="bounded").fun if len(error) else 0.0
    p_value = 0.0 if (error == -np.inf).any() else min(1.0, 2.0 * float(np.exp(best)))
    seen = sum(
        np.sqrt(2.0 * variance * log) + 2.0 / 3.0 * log for log in (np.log(2.0 / level), np.log(1.0 / (1.0 - POWER)))
    )
    return KernelFinding(check, what, p_value, level, float(seen) / n, SHARE, abs(total) / n)


def within(check: str, what: str, error: float, allowed: float) -> KernelFinding:
    """A property that holds up to rounding: no probability, only a bound."""
    return KernelFinding(check, what, 1.0 if error <= allowed else 0.0, 0.5, allowed, ROUNDING, error)


def fall(before: Array, after: Array, level: float) -> bool:
    """Test that values (n,) of the same chains at two times fall more often than they rise, by the binomial distribution of signs."""
    rose, fell = int((after > before).sum()), int((after < before).sum())
    return bool(stats.binom.sf(fell - 1, rose + fell, 0.5) < level)


def at_rest(before: Array, after: Array, level: float) -> bool:
    """Test that values (n,) of the same chains at two times rise as often as they fall, by the binomial distribution of signs."""
    rose, fell = int((after > before).sum()), int((after < before).sum())
    return rose + fell == 0 or 2.0 * float(stats.binom.cdf(min(rose, fell), rose + fell, 0.5)) >= level
