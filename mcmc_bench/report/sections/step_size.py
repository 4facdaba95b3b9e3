"""Bias and rejection against the step size, where results vary it.

Must not know any particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcmc_bench.report import sweeps
from mcmc_bench.report.context import Context

TITLE, ORDER = "Step size", 40
#: Metric, title and axis of each chart.
METRICS = (
    ("within_mode_variance_ratio", "Bias: spread within modes", "over the true; 1 is right"),
    ("bias_squared_average", "Error: b²", "squared error of E x and E x² in variances, average"),
    ("acceptance_rate", "Price: acceptance", "mean acceptance probability"),
    ("efficiency", "Yield: efficiency", "real ESS per evaluation, share of the oracle’s"),
)


def build(context: Context) -> Mapping[str, Any] | None:
    """A row of charts for each target."""
    rows = sweeps.chart_rows(context, "step_size", METRICS)
    if not rows:
        return None
    sweeps.save(context, rows, "step_size", "The step size: bias or rejection")
    return {"rows": [(row, "") for row in rows]}
