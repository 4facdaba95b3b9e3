"""Diagnostics of the kernel: acceptance, divergences, chains that became non-finite, and what single samplers record.

Must not know any particular target or sampler.
"""

from __future__ import annotations

import numpy as np

from mcmc_bench.core.results import MetricValue
from mcmc_bench.metrics.declaration import Group, metric
from mcmc_bench.metrics.intervals import over_replicates
from mcmc_bench.metrics.measured import Measured

GROUP = Group("diagnostics", place=60)


@metric(GROUP, "Acceptance", "higher", printed=True)
def acceptance_rate(measured: Measured) -> MetricValue:
    """Mean acceptance probability over all transitions; 1 for kernels that reject nothing. Neither large nor small is good
    in itself.
    """
    measured.need_recorded("acceptance_rate")
    means = [float(draws.mean_acceptance.mean()) for draws in measured.replicates]
    return over_replicates(means, lowest=0.0, highest=1.0, note=measured.failure)


@metric(GROUP, "Leapfrog steps of a transition", "target")
def leapfrog_steps(measured: Measured) -> MetricValue | None:
    """Mean over all transitions; for samplers that choose them."""
    return _recorded(measured, "n_steps")


@metric(GROUP, "Swaps rejected", "lower")
def swap_rejection(measured: Measured) -> MetricValue | None:
    """Mean rejection rate of swaps between neighbouring temperatures, over all pairs. Tempering works while no pair is near
    1.
    """
    return _recorded(measured, "swap_rejection")


@metric(GROUP, "Round trips of replicas per 1000 evaluations", "higher")
def replica_round_trips_per_1000(measured: Measured) -> MetricValue | None:
    """States that come back to temperature 1 from the hottest replica, per 1000 evaluations of a chain. Where replicas
    forget between swaps, 1 / (2 + 2 Σ r/(1 − r)) for each transition, r the pairs' rejection rates (Syed et al. 2022).
    """
    return _recorded(measured, "round_trips", per_evaluations=1000.0)


@metric(GROUP, "Divergences", "lower", ideal=0.0)
def divergences(measured: Measured) -> MetricValue:
    """Divergent transitions of a replicate."""
    measured.need_recorded("divergences")
    return over_replicates([float(draws.divergences.sum()) for draws in measured.replicates], lowest=0.0)


@metric(GROUP, "Chains that became non-finite", "lower", ideal=0.0)
def stopped_chains(measured: Measured) -> MetricValue:
    """Chains of a replicate whose position or log density was no longer finite. Estimates that include them have failed;
    they are never dropped.
    """
    return over_replicates(
        [float((draws.stopped_at >= 0).sum()) for draws in measured.replicates],
        lowest=0.0,
        highest=float(np.max([draws.chains for draws in measured.replicates])),
        note=measured.failure,
    )


def _recorded(measured: Measured, record: str, per_evaluations: float | None = None) -> MetricValue | None:
    """The mean of the statistic `record`, or of `record_1` …; None where the sampler does not record it."""
    each = [
        [
            mean
            for name, mean in draws.extra_statistic_means.items()
            if name == record or name.rsplit("_", 1)[0] == record
        ]
        for draws in measured.replicates
    ]
    if not any(each):
        return None
    unit = 1.0 if per_evaluations is None else per_evaluations / measured.evaluations_per_transition
    return over_replicates([float(np.mean(means)) * unit for means in each], lowest=0.0, note=measured.failure)
