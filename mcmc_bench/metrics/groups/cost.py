"""Cost: target evaluations and seconds, by phase.

Must not know any particular target or sampler.
"""

from __future__ import annotations

from mcmc_bench.core.results import MetricValue
from mcmc_bench.metrics.declaration import Group, metric
from mcmc_bench.metrics.intervals import over_replicates
from mcmc_bench.metrics.measured import Measured, NotGiven

GROUP = Group("cost", place=90)


@metric(GROUP, "Evaluations per chain", "lower")
def evaluations(measured: Measured) -> MetricValue:
    """Target evaluations (log density, gradient or both at once) of one chain: tuning, warmup and sampling. Counted inside
    the kernel; one exact draw of the oracle counts as one.
    """
    return _counted(measured, "evaluations")


@metric(GROUP, "Tuning evaluations", "lower")
def tuning_evaluations(measured: Measured) -> MetricValue:
    """The part of the evaluations spent on tuning."""
    return _counted(measured, "tuning_evaluations")


@metric(GROUP, "Warmup evaluations", "lower")
def warmup_evaluations(measured: Measured) -> MetricValue:
    """The part of the evaluations discarded."""
    return _counted(measured, "warmup_evaluations")


@metric(GROUP, "Sampling evaluations", "lower")
def sampling_evaluations(measured: Measured) -> MetricValue:
    """The part of the evaluations measured."""
    return _counted(measured, "sampling_evaluations")


@metric(GROUP, "Seconds of sampling", "lower")
def sampling_seconds(measured: Measured) -> MetricValue:
    """Seconds of all chains of a replicate after warmup, summed over threads. Wall time is secondary: it depends on the
    machine.
    """
    return _mean(measured, "sampling_seconds")


@metric(GROUP, "Seconds of compilation", "lower")
def compile_seconds(measured: Measured) -> MetricValue:
    """Seconds until the compiled kernel was ready."""
    return _mean(measured, "compile_seconds")


def _counted(measured: Measured, name: str) -> MetricValue:
    if measured.not_recorded("evaluations"):
        raise NotGiven("not recorded: a draw stands for one")
    return _mean(measured, name)


def _mean(measured: Measured, name: str) -> MetricValue:
    measured.need_recorded(name)
    return over_replicates([getattr(draws.cost, name) for draws in measured.replicates], lowest=0.0)
