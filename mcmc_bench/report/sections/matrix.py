"""The matrix of verdicts: the separate verdicts on every cell of the comparison, and the numbers behind them.

Must not know any particular target or sampler, nor how anything is judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcmc_bench.core.results import Cell
from mcmc_bench.report import numbers
from mcmc_bench.report.context import Context

TITLE, ORDER = "Who passes what", 50


def build(context: Context) -> Mapping[str, Any] | None:
    """A table for each panel: samplers down, targets across."""
    panels = context.selection.panels
    if not panels:
        return None
    verdicts = context.results.verdicts
    judged = {key for panel in panels for key in panel.judged(verdicts)}
    behind = {one.verdict: (metric, one) for metric, one in context.results.definitions.items() if one.verdict}

    def beside(cell: Cell, key: str) -> str:
        """The number behind a verdict, short; "" where there is none."""
        if key not in behind or (key in cell.verdicts and cell.verdicts[key].verdict == "not applicable"):
            return ""
        metric, definition = behind[key]
        value = cell.value(metric)
        return "" if value is None else definition.beside.format(_short(value, percent=definition.percent))

    return {"panels": panels, "judged": judged, "verdicts": verdicts, "beside": beside}


def _short(value: float, *, percent: bool) -> str:
    if not percent:
        return numbers.number(value, 2)
    return f"{value:.0%}" if value >= 0.1 else f"{numbers.number(100 * value, 1)}%"
