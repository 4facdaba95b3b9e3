"""From one value of each replicate to a row with its interval.

Must not know what the values mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy import stats

from mcmc_bench.core.results import MetricValue

LEVEL = 0.95
ONE_REPLICATE = "one replicate: no interval"


def half_width(values: Sequence[float]) -> float:
    """Half of Student's 95 % interval of the mean of independent `values`."""
    quantile = float(stats.t.ppf(0.5 + LEVEL / 2, len(values) - 1))
    return quantile * float(np.std(values, ddof=1)) / float(np.sqrt(len(values)))


def over_replicates(
    metric: str,
    values: Sequence[float],
    *,
    scale: Literal["linear", "log", "inverse"] = "linear",
    lowest: float = -np.inf,
    highest: float = np.inf,
    floor: float | None = None,
    floor_error: float | None = None,
    note: str = "",
) -> MetricValue:
    """The mean of `values`, one of each replicate, with Student's 95 % interval.

    A value that is not finite is a replicate that failed: the row then has no value, since a mean over the rest
    would hide the failure, and `note` should say why.

    Args:
        metric: key of the row.
        values: one for each replicate.
        scale: "log" for positive figures whose interval is built on the logarithm (by the delta method, so that
            the value stays the mean); "inverse" for figures 1/m where m, given in `values`, is what is averaged.
        lowest: least possible value; the interval is cut there.
        highest: greatest possible value.
        floor: the same statistic between exact i.i.d. sets.
        floor_error: its standard error, where the floor was measured with one.
        note: what a reader must know about the value.
    """
    row = MetricValue(metric, None, replicates=len(values), floor=floor, floor_error=floor_error, note=note)
    if len(values) == 0 or not np.isfinite(values).all():
        failed = int((~np.isfinite(values)).sum())
        row.note = note or f"failed in {failed} of {len(values)} replicates"
        return row
    mean = float(np.mean(values))
    row.value = _inverse(mean) if scale == "inverse" else mean
    if len(values) < 2:
        row.note = "; ".join(part for part in (note, ONE_REPLICATE) if part)
        return row
    half = half_width(values)
    if scale == "linear" or mean <= 0:
        low, high = mean - half, mean + half
    else:
        factor = float(np.exp(min(half / mean, 700.0)))
        low, high = mean / factor, mean * factor
    if scale == "inverse":
        low, high = _inverse(high), _inverse(low)
    low, high = max(low, lowest), min(high, highest)
    row.low, row.high = (bound if np.isfinite(bound) else None for bound in (low, high))
    return row


def _inverse(value: float) -> float:
    return 1.0 / value if value > 0 else float("inf")
