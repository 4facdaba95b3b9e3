"""Puts the evidence of several stages together, and reads it as arrays.

Must not know how anything is decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mcmc_bench.comparison.inference import Difference, Means
from mcmc_bench.core.arrays import Array
from mcmc_bench.core.evidence import Evidence, Indicators
from mcmc_bench.core.results import Results


def pooled(stages: Sequence[Evidence]) -> Evidence:
    """The evidence of all replicates of all stages, at least one."""
    first, *rest = stages
    for further in rest:
        first = _both(first, further)
    return first


def _both(one: Evidence, other: Evidence) -> Evidence:
    return replace(
        one,
        replicates=one.replicates + other.replicates,
        evaluations=[*one.evaluations, *other.evaluations],
        squared_error=[*one.squared_error, *other.squared_error],
        low_error_evaluations=[*one.low_error_evaluations, *other.low_error_evaluations],
        seconds=[*one.seconds, *other.seconds],
        stopped_chains=[*one.stopped_chains, *other.stopped_chains],
        moved=[*one.moved, *other.moved],
        divergent=[*one.divergent, *other.divergent],
        indicators=_both_indicators(one, other),
    )


def _both_indicators(one: Evidence, other: Evidence) -> Indicators | None:
    """Pooled moments, by the shifts of the two means from the common one."""
    a, b = one.indicators, other.indicators
    if a is None or b is None:
        return None
    n, m = one.replicates, other.replicates
    mean = (n * np.array(a.mean) + m * np.array(b.mean)) / (n + m)
    second, third = np.zeros(len(mean)), np.zeros(len(mean))
    for count, side in ((n, a), (m, b)):
        shift, deviation = np.array(side.mean) - mean, np.array(side.standard_deviation)
        variance = deviation**2 * (count - 1) / count
        # The stored skewness is the unbiased one: √(n(n−1))/(n−2) times that of the moments.
        skewness = np.array(side.skewness) * (count - 2) / np.sqrt(count * (count - 1))
        second += count * (variance + shift**2)
        third += count * (skewness * variance**1.5 + 3.0 * shift * variance + shift**3)
    total = n + m
    deviation = np.sqrt(second / (total - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        of_moments = np.where(second > 0, (third / total) / (second / total) ** 1.5, 0.0)
    return replace(
        a,
        mean=mean.tolist(),
        standard_deviation=deviation.tolist(),
        skewness=(of_moments * np.sqrt(total * (total - 1)) / (total - 2)).tolist(),
        constant=((n * np.array(a.constant) + m * np.array(b.constant)) / total).tolist(),
    )


def estimate(evidence: Evidence) -> Means:
    """The means of the indicators over replicates."""
    indicators = evidence.indicators
    assert indicators is not None
    return Means.of(
        np.array(indicators.mean),
        np.array(indicators.standard_deviation),
        np.array(indicators.skewness),
        evidence.replicates,
    )


def known(evidence: Evidence) -> tuple[Array, Array]:
    """The shares that are right, where they are known, and their standard errors."""
    indicators = evidence.indicators
    assert indicators is not None
    if evidence.expected_from == "truth":
        return np.array(indicators.truth), np.array(indicators.truth_error)
    assert indicators.expected is not None
    assert indicators.expected_error is not None
    return np.array(indicators.expected), np.array(indicators.expected_error)


def log_costs(evidence: Evidence) -> list[float] | None:
    """log(target evaluations × squared error) of each replicate: evaluations for an error of one variance.

    None where a chain became non-finite.
    """
    if any(error is None or error <= 0 for error in evidence.squared_error):
        return None
    pairs = zip(evidence.evaluations, evidence.squared_error, strict=True)
    return [float(np.log(evaluations * error)) for evaluations, error in pairs if error is not None]


def measured_efficiency(results: Results, match: str) -> dict[str, float] | None:
    """Real ESS of a chain per target evaluation of a cell, with its 95 % interval over replicates; None if not known."""
    cell = next((cell for cell in results.cells if cell.match == match and cell.evidence), None)
    logs = None if cell is None else log_costs(pooled(cell.evidence))
    if logs is None or len(logs) < 2:
        return None
    found = Difference(-float(np.mean(logs)), float(np.std(logs, ddof=1)) / len(logs) ** 0.5, len(logs) - 1.0)
    low, high = found.interval(0.95)
    return {"value": float(np.exp(found.value)), "low": float(np.exp(low)), "high": float(np.exp(high))}
