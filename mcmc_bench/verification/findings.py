"""What a verification finds, and the few statistical tests that it is made of.

Must not know samplers or targets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Array = npt.NDArray[np.float64]
#: The probability with which a deviation of the size that is called detectable would have been seen.
POWER = 0.95
#: Values from here on are those of a chain that has been flung away: their squares are not finite.
HUGE = 1e100


@dataclass(frozen=True)
class Finding:
    """One test of one property."""

    check: str  # which property
    what: str  # of what, on which target
    p_value: float
    level: float  # p-values below it are a failure
    detectable: float  # the deviation that would have been seen with probability POWER, in the units of `unit`
    unit: str
    deviation: float

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong as far as this test can see."""
        return not self.p_value < self.level

    def __str__(self) -> str:
        """One line for people."""
        verdict = "passed" if self.passed else "FAILED"
        return (
            f"{verdict}: {self.check}: {self.what}: off by {self.deviation:.3g} {self.unit} "
            f"(p = {self.p_value:.2g}, level {self.level:.1g}; {self.detectable:.2g} would have been seen)"
        )


def same_law(check: str, what: str, values: Array, reference: Array, level: float, margin: float = 0.0) -> Finding:
    """Whether `values` (n,) have the law of `reference` (m,): ranks of one among the other, by the DKW inequality.

    P(sup |F̂ₙ − Ĝₘ| > margin + t) ≤ 2 exp(−2 t² n m/(n + m)) where the laws are no further apart than `margin`; the
    inequality with this constant holds for two samples of equal size above 458 (Wei and Dudley 2012), and is taken here
    for all. `values` that are not finite lie above all others.
    """
    n, m = len(values), len(reference)
    safe = np.where(np.isnan(values), np.inf, values)
    distance = float(stats.ks_2samp(safe, reference, method="asymp").statistic)
    effective = n * m / (n + m)
    excess = max(0.0, distance - margin)
    p_value = min(1.0, 2.0 * float(np.exp(-2.0 * effective * excess**2)))
    bound = np.sqrt(np.log(2.0 / level) / (2.0 * effective))
    seen = margin + bound + np.sqrt(np.log(1.0 / (1.0 - POWER)) / (2.0 * effective))
    return Finding(check, what, p_value, level, float(seen), "in a share", distance)


def mean_zero(check: str, what: str, values: Array, level: float) -> Finding:
    """Whether independent bounded `values` (n,) have mean zero: Student's test; in units of their standard deviation."""
    usable = values[np.abs(values) < HUGE]
    n = len(usable)
    spread = float(usable.std(ddof=1)) if n > 1 else 0.0
    if len(usable) < len(values) or n < 2:
        return Finding(
            check, f"{what}: {len(values) - n} of {len(values)} values are not finite", 0.0, level, 0.0, "sd", np.inf
        )
    mean = float(usable.mean())
    if spread == 0.0:
        return Finding(check, what, 1.0 if abs(mean) < 1e-12 else 0.0, level, 0.0, "sd", abs(mean))
    p_value = 2.0 * float(stats.t.sf(abs(mean) / spread * np.sqrt(n), n - 1))
    seen = (stats.norm.isf(level / 2.0) + stats.norm.ppf(POWER)) / np.sqrt(n)
    return Finding(check, what, p_value, level, float(seen), "sd", abs(mean) / spread)


def within(check: str, what: str, error: float, allowed: float) -> Finding:
    """A property that holds up to rounding: no probability, only a bound."""
    return Finding(check, what, 1.0 if error <= allowed else 0.0, 0.5, allowed, "(largest error)", error)
