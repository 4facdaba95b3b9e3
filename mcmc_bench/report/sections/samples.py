"""Samples of learned densities against real data: trajectory snapshots, classes, and a table of metrics.

Must not know any particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mcmc_bench.core.results import Cell
from mcmc_bench.report.context import Context
from mcmc_bench.report.figures import images, shares
from mcmc_bench.report.figures.chart import Chart
from mcmc_bench.report.findings import learned
from mcmc_bench.report.findings.learned import LearnedFindings
from mcmc_bench.report.selection import finished
from mcmc_bench.report.sentences import name
from mcmc_bench.report.table import metric_table

TITLE, ORDER = "Samples", 20
#: Pixels of the chart of the classes.
WIDTH = 620.0
#: The metrics of this group are in the table.
GROUP = "examples"


def build(context: Context) -> Mapping[str, Any] | None:
    """Charts and table, where samplers were run with noise and without on a target that was learned from examples."""
    found = learned.read(context.selection)
    if found is None:
        return None
    together = _same_start(context, found)
    noisy = [found.with_noise, *(cell for cell in together if cell.sampler != found.with_noise.sampler)]
    compared = [
        cell
        for panel in context.selection.panels
        for cell in finished(panel.cells)
        if context.results.targets[cell.target].examples is not None
    ]
    return {
        "snapshots": _snapshots(context, found.target, together),
        "classes": _classes(context, found.target, noisy),
        "classified": [cell.sampler for cell in noisy],
        "table": metric_table(context.results, compared, GROUP),
    }


def _same_start(context: Context, found: LearnedFindings) -> list[Cell]:
    """The headline's pair and all cells whose trajectories begin where theirs do."""
    pair = (found.without, found.with_noise)
    others = [
        cell
        for panel in context.selection.panels
        for cell in finished(panel.of(found.target))
        if cell not in pair and cell.start == found.with_noise.start
    ]
    return images.share_a_start(context.results, [*pair, *others])


def _snapshots(context: Context, target: str, cells: Sequence[Cell]) -> list[Chart]:
    charts = [chart for cell in cells if (chart := images.snapshots(context.results, cell, name(cell))) is not None]
    if charts:
        heading = f"{target}: down the noise levels from the same starts"
        pairs = [charts[index : index + 2] for index in range(0, len(charts), 2)]
        context.figures.charts("snapshots", heading, pairs)
    return charts


def _classes(context: Context, target: str, cells: Sequence[Cell]) -> Chart | None:
    chart = shares.of_classes(context.selection, cells, WIDTH)
    if chart is not None:
        samplers = [cell.sampler for cell in cells]
        context.figures.charts("classes", f"{target}: shares of the classes", [[chart]], samplers)
    return chart
