"""Bias and rejection against the step size, where results vary it.

Must not know any particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcmc_bench.report import sweeps
from mcmc_bench.report.context import Context
from mcmc_bench.report.figures.curves import MetricAxis, SettingAxis

TITLE, ORDER = "Step size", 40
AXIS = SettingAxis("step_size", "step size", "log")
METRICS = (
    MetricAxis("within_mode_variance_ratio", "Bias: spread within modes", "over the true; 1 is right"),
    MetricAxis("bias_squared_average", "Error: b²", "squared error of E x and E x² in variances, average", scale="log"),
    # What rejects nothing pays no such price.
    MetricAxis("acceptance_rate", "Price: acceptance", "mean acceptance probability", limits=(0.0, 1.04), trivial=1.0),
    MetricAxis("efficiency", "Yield: efficiency", "real ESS per evaluation, share of the oracle’s", scale="log"),
)


def build(context: Context) -> Mapping[str, Any] | None:
    """A row of charts for each target."""
    rows = sweeps.chart_rows(context, AXIS, METRICS)
    if not rows:
        return None
    sweeps.save(context, rows, "step_size", "The step size: bias or rejection")
    return {"rows": [(row, "") for row in rows]}
