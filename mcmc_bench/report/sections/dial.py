"""The noise dial: metrics against the temperature, where results vary it.

Must not know any particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcmc_bench.report import sweeps
from mcmc_bench.report.context import Context
from mcmc_bench.report.figures.chart import RuleLine
from mcmc_bench.report.figures.curves import MetricAxis, SettingAxis
from mcmc_bench.report.findings import noise

TITLE, ORDER = "Noise dial", 30
AXIS = SettingAxis(
    "temperature",
    "temperature τ, share of the noise",
    "linear",
    RuleLine(1.0, "full noise", vertical=True, dashed=True),
)
METRICS = (
    MetricAxis("within_mode_variance_ratio", "Spread within modes", "over the true; 1 is right"),
    MetricAxis("log_density_gap", "Gap of log p", "mean log p of draws − the truth"),
    MetricAxis("sliced_wasserstein_1", "Distance", "sliced Wasserstein-1 to exact draws", floor="i.i.d. floor"),
    MetricAxis("data_sliced_wasserstein", "Distance", "sliced Wasserstein-1 to held-out data", floor="real data"),
    MetricAxis("distinct_data", "Distinct", "share of the ends of chains that differ", floor="real data"),
    MetricAxis("class_entropy", "Classes", "entropy of the classes, in natural logarithms", floor="real data"),
    MetricAxis("vendi_score", "Diversity", "Vendi score: effective number of ends", floor="real data"),
)


def build(context: Context) -> Mapping[str, Any] | None:
    """A row of charts for each target, with a sentence on the spread at full noise."""
    rows = sweeps.chart_rows(context, AXIS, METRICS)
    if not rows:
        return None
    sweeps.save(context, rows, "dial", "The noise dial")
    return {"rows": [(row, noise.at_full_noise(row.cells)) for row in rows]}
