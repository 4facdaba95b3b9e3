"""From one value of each replicate to their mean with its interval.

Must not know what the values mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy import stats

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.results import MetricValue

LEVEL = 0.95
ONE_REPLICATE = "one replicate: no interval"


def half_width(values: Sequence[float]) -> float:
    """Half of Student's 95 % interval of the mean of independent `values`."""
    quantile = float(stats.t.ppf(0.5 + LEVEL / 2, len(values) - 1))
    return quantile * float(np.std(values, ddof=1)) / float(np.sqrt(len(values)))


def over_replicates(
    values: Sequence[float],
    *,
    scale: Literal["linear", "log", "inverse"] = "linear",
    lowest: float = -np.inf,
    highest: float = np.inf,
    floor: float | None = None,
    floor_error: float | None = None,
    note: str = "",
) -> MetricValue:
    """The mean of `values`, one of each replicate, with Student's 95 % interval; the key is left open.

    A value that is not finite is a replicate that failed: there is then no value, since a mean over the rest
    would hide the failure, and `note` should say why.

    Args:
        values: one for each replicate.
        scale: "log" for positive values whose interval is built on the logarithm (by the delta method, so that
            the value stays the mean); "inverse" for values 1/m where m, given in `values`, is what is averaged.
        lowest: least possible value; the interval is cut there.
        highest: greatest possible value.
        floor: the same statistic between exact i.i.d. sets.
        floor_error: its standard error, where the floor was measured with one.
        note: what a reader must know about the value.
    """
    found = MetricValue("", None, replicates=len(values), floor=floor, floor_error=floor_error, note=note)
    if len(values) == 0 or not np.isfinite(values).all():
        failed = int((~np.isfinite(values)).sum())
        found.note = note or f"failed in {failed} of {len(values)} replicates"
        return found
    mean = float(np.mean(values))
    found.value = _inverse(mean) if scale == "inverse" else mean
    if len(values) < 2:
        found.note = "; ".join(part for part in (note, ONE_REPLICATE) if part)
        return found
    half = half_width(values)
    if scale == "linear" or mean <= 0:
        low, high = mean - half, mean + half
    else:
        factor = float(np.exp(min(half / mean, 700.0)))
        low, high = mean / factor, mean * factor
    if scale == "inverse":
        low, high = _inverse(high), _inverse(low)
    low, high = max(low, lowest), min(high, highest)
    found.low, found.high = (bound if np.isfinite(bound) else None for bound in (low, high))
    return found


def _inverse(value: float) -> float:
    return 1.0 / value if value > 0 else float("inf")


def shares_curve(each: Sequence[Array]) -> dict[str, list[float]]:
    """Mean and interval of every share over replicates, (share,) each, as lists "value", "low" and "high"."""
    found = [over_replicates(list(column), lowest=0.0, highest=1.0) for column in np.stack(each).T]
    value = [float(one.value or 0.0) for one in found]
    return {
        "value": value,
        "low": [v if one.low is None else one.low for v, one in zip(value, found, strict=True)],
        "high": [v if one.high is None else one.high for v, one in zip(value, found, strict=True)],
    }
