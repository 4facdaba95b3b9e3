"""Who passes what: the separate verdicts on every cell of the comparison, and the numbers behind them.

Must not know any particular target or sampler, nor how anything is judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcmc_bench.core.results import Cell
from mcmc_bench.report import numbers
from mcmc_bench.report.context import Context
from mcmc_bench.report.verdicts import VERDICTS

TITLE, ORDER = "Who passes what", 50
#: The number beside a verdict: metric, words before and after it, whether in per cent.
BESIDE = {
    "unbiased": ("largest_bias", "", " sd", False),
    "all_modes": ("modes_found", "", "", True),
    "weights": ("mode_weight_error", "off by ", "", True),
    "spread": ("within_mode_variance_ratio", "", "", False),
    "efficiency": ("efficiency", "", "", True),
}


def build(context: Context) -> Mapping[str, Any] | None:
    """A table for each panel: samplers down, targets across."""
    panels = context.selection.panels
    if not panels:
        return None
    judged = {key for panel in panels for key in panel.judged(VERDICTS)}
    return {"panels": panels, "judged": judged, "verdicts": VERDICTS, "beside": beside}


def beside(cell: Cell, key: str) -> str:
    """The number behind a verdict, short; "" where there is none."""
    if key not in BESIDE or (key in cell.verdicts and cell.verdicts[key].verdict == "not applicable"):
        return ""
    metric, before, after, per_cent = BESIDE[key]
    value = cell.value(metric)
    if value is None:
        return ""
    if per_cent:
        return f"{before}{value:.0%}{after}" if value >= 0.1 else f"{before}{numbers.number(100 * value, 1)}%{after}"
    return f"{before}{numbers.number(value, 2)}{after}"
