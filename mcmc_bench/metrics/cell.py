"""Evaluates the metrics of one cell.

Must not know any metric, nor any particular target or sampler, nor how runs are driven.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from mcmc_bench.core.draws import Draws
from mcmc_bench.core.results import MetricValue
from mcmc_bench.core.spelling import unknown
from mcmc_bench.core.target import Target
from mcmc_bench.metrics import listing
from mcmc_bench.metrics.measured import Measured
from mcmc_bench.metrics.reference import Reference


def evaluate_cell(
    replicates: Sequence[Draws],
    target: Target,
    reference: Reference,
    *,
    budget: int,
    warmup_share: float,
    groups: Collection[str] | None = None,
    predicted: Mapping[str, float] | None = None,
) -> tuple[list[MetricValue], dict[str, dict[str, list[float]]]]:
    """All metric values and curves of a cell.

    Args:
        replicates: independent runs of the same cell.
        target: what was sampled.
        reference: ``Reference.of(target)``.
        budget: target evaluations per chain.
        warmup_share: share discarded.
        groups: names of the groups to compute, see `listing.group_names`; all by default.
        predicted: closed-form values by metric, attached to the values of that key.

    Returns:
        Metric values, and curves by name: "error" (error against evaluations, with the oracle's), "occupancy" (modes and
        their shares), "log_density_histogram" (of the draws and of exact ones), "classes" (and their shares).

    Raises:
        ValueError: no replicates, or an unknown group.
    """
    if not replicates:
        raise ValueError("a cell without replicates cannot be evaluated: give at least one")
    names = listing.group_names()
    wanted = names if groups is None else tuple(groups)
    for group in wanted:
        if group not in names:
            raise ValueError(unknown("group of metrics", group, names))
    measured = Measured(replicates, target, reference, budget, warmup_share)
    found = [value for one in listing.metrics() if one.group.name in wanted if (value := one.of(measured)) is not None]
    for value in found:
        if predicted and value.metric in predicted:
            value.predicted = float(predicted[value.metric])
    curves = {one.key: curve for one in listing.curves() if one.group.name in wanted if (curve := one.of(measured))}
    return found, curves
