"""Puts the groups of metrics together for one cell.

Must not know any particular target or sampler, nor how runs are driven.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from mcmc_bench.core.draws import Draws
from mcmc_bench.core.results import MetricValue
from mcmc_bench.core.spelling import unknown
from mcmc_bench.core.target import Target
from mcmc_bench.metrics import accuracy, distance, examples, modes
from mcmc_bench.metrics.definitions import GROUPS
from mcmc_bench.metrics.intervals import over_replicates
from mcmc_bench.metrics.measured import Measured
from mcmc_bench.metrics.reference import Reference

Curves = dict[str, dict[str, list[float]]]
Group = Callable[[Measured], tuple[list[MetricValue], Curves]]


def evaluate_cell(
    replicates: Sequence[Draws],
    target: Target,
    reference: Reference,
    *,
    budget: int,
    warmup_share: float,
    groups: Collection[str] | None = None,
    predicted: Mapping[str, float] | None = None,
) -> tuple[list[MetricValue], Curves]:
    """All rows and curves of a cell.

    Args:
        replicates: independent runs of the same cell.
        target: what was sampled.
        reference: ``Reference.of(target)``.
        budget: target evaluations per chain.
        warmup_share: share discarded.
        groups: which groups to compute (see `definitions.GROUPS`); all by default.
        predicted: closed-form values by metric, attached to the rows of that key.

    Returns:
        Rows, and curves: "error" (error against evaluations, with the oracle's), "occupancy" (modes and their
        shares) and "log_density_histogram" (of the draws and of exact ones).

    Raises:
        ValueError: no replicates, or an unknown group.
    """
    if not replicates:
        raise ValueError("a cell without replicates cannot be evaluated: give at least one")
    wanted = GROUPS if groups is None else tuple(groups)
    for group in wanted:
        if group not in GROUPS:
            raise ValueError(unknown("group of metrics", group, GROUPS))
    measured = Measured(replicates, target, reference, budget, warmup_share)
    found: list[MetricValue] = []
    curves: Curves = {}
    for group in GROUPS:
        if group in wanted:
            group_rows, group_curves = _FUNCTIONS[group](measured)
            found += group_rows
            curves |= group_curves
    for row in found:
        if predicted and row.metric in predicted:
            row.predicted = float(predicted[row.metric])
    return found, curves


def _cost(measured: Measured) -> tuple[list[MetricValue], Curves]:
    costs = [draws.cost for draws in measured.replicates]
    names = [
        "evaluations",
        "tuning_evaluations",
        "warmup_evaluations",
        "sampling_evaluations",
        "sampling_seconds",
        "compile_seconds",
    ]
    rows = [over_replicates(name, [getattr(cost, name) for cost in costs], lowest=0.0) for name in names]
    if measured.not_recorded("evaluations"):
        rows[:4] = measured.not_given(names[:4], "not recorded: a draw stands for one")
    return _without_not_recorded(measured, rows), {}


def _without_not_recorded(measured: Measured, rows: list[MetricValue]) -> list[MetricValue]:
    """The rows, without the values of what the program that made the draws does not record."""
    return [
        measured.not_given([row.metric], "not recorded")[0]
        if row.metric != "evaluations" and measured.not_recorded(row.metric)
        else row
        for row in rows
    ]


def _diagnostics(measured: Measured) -> tuple[list[MetricValue], Curves]:
    replicates = measured.replicates
    rows = [
        over_replicates(
            "acceptance_rate",
            [float(draws.mean_acceptance.mean()) for draws in replicates],
            lowest=0.0,
            highest=1.0,
            note=measured.failure,
        ),
        over_replicates("divergences", [float(draws.divergences.sum()) for draws in replicates], lowest=0.0),
    ]
    return [
        *_without_not_recorded(measured, rows),
        over_replicates(
            "stopped_chains",
            [float((draws.stopped_at >= 0).sum()) for draws in replicates],
            lowest=0.0,
            highest=float(np.max([draws.chains for draws in replicates])),
            note=measured.failure,
        ),
        *_recorded(measured),
    ], {}


#: What a sampler records, and what is said of it: the metric, and how it follows from means over transitions.
RECORDED = {
    "n_steps": "leapfrog_steps",
    "round_trips": "replica_round_trips_per_1000",
    "swap_rejection": "swap_rejection",
}


def _recorded(measured: Measured) -> list[MetricValue]:
    """Rows for what the sampler records; none where it does not."""
    rows = []
    for record, metric in RECORDED.items():
        each = [
            [
                mean
                for name, mean in draws.extra_statistic_means.items()
                if name == record or name.rsplit("_", 1)[0] == record
            ]
            for draws in measured.replicates
        ]
        if any(each):
            unit = 1000.0 / measured.evaluations_per_transition if metric.endswith("per_1000") else 1.0
            values = [float(np.mean(means)) * unit for means in each]
            rows.append(over_replicates(metric, values, lowest=0.0, note=measured.failure))
    return rows


def _convergence(measured: Measured) -> tuple[list[MetricValue], Curves]:
    from mcmc_bench.metrics import convergence  # imports ArviZ, which takes seconds

    return convergence.rows(measured)


_FUNCTIONS: dict[str, Group] = {
    "cost": _cost,
    "convergence": _convergence,
    "accuracy": accuracy.rows,
    "distance": distance.rows,
    "modes": modes.rows,
    "examples": examples.rows,
    "diagnostics": _diagnostics,
}
