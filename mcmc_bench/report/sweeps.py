"""Rows of charts of metrics against a setting that was varied, target by target.

Must not know any particular target or sampler, nor which settings there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mcmc_bench.core.results import Cell
from mcmc_bench.report import numbers
from mcmc_bench.report.context import Context
from mcmc_bench.report.figures import curves
from mcmc_bench.report.figures.chart import Chart
from mcmc_bench.report.figures.curves import MetricAxis, SettingAxis


@dataclass(frozen=True)
class ChartRow:
    """Charts of one target that stand side by side."""

    target: str
    charts: list[Chart]
    samplers: list[str]
    cells: list[Cell]  # all of the target, in other rows too
    is_part: bool  # the target has further rows, with samplers that look alike

    @property
    def title(self) -> str:
        """Of the row in a figure file."""
        names = ", ".join(numbers.sampler_name(sampler) for sampler in self.samplers)
        return f"{self.target}: {names}" if self.is_part else self.target

    @property
    def has_closed_form(self) -> bool:
        """Whether a closed form is drawn."""
        return any(series.kind == "dashed" for chart in self.charts for series in chart.series)


def chart_rows(context: Context, across: SettingAxis, metrics: Sequence[MetricAxis]) -> list[ChartRow]:
    """Rows of charts for each target whose cells vary a setting; targets with closed forms, and few modes, first."""
    selection, found = context.selection, []
    for target, cells in selection.explorations(across.setting).items():
        rows = selection.told_apart(cells)
        for row in rows:
            charts = [curves.against_setting(selection, across, metric, row) for metric in metrics]
            shown = [chart for chart in charts if chart is not None]
            if shown:
                samplers = list(dict.fromkeys(cell.sampler for cell in row))
                found.append(ChartRow(target, shown, samplers, cells, len(rows) > 1))
    return sorted(found, key=lambda row: (not row.has_closed_form, selection.modes(row.target)))


def save(context: Context, rows: Sequence[ChartRow], name: str, heading: str) -> None:
    """Write all rows as one figure."""
    samplers = [sampler for row in rows for sampler in row.samplers]
    context.figures.charts(name, heading, [row.charts for row in rows], samplers, [row.title for row in rows])
