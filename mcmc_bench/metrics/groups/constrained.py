"""Errors of estimates of the constrained parameters, for targets whose chains move in unconstrained ones.

Must not know any particular target or sampler.
"""

from __future__ import annotations

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.results import MetricValue
from mcmc_bench.metrics.declaration import metric, shared
from mcmc_bench.metrics.estimates import bias_squared
from mcmc_bench.metrics.groups.accuracy import GROUP, NO_MOMENTS
from mcmc_bench.metrics.intervals import over_replicates
from mcmc_bench.metrics.measured import Measured, NotGiven
from mcmc_bench.metrics.reference import Moments


@metric(GROUP, "b² of constrained parameters, average", "lower", ideal=0.0)
def constrained_bias_squared_average(measured: Measured) -> MetricValue | None:
    """As b², average, for the constrained parameters where chains move in unconstrained ones (τ and not log τ): over f and
    f² of each of them, from the kept draws of all chains of a replicate.
    """
    constrained = measured.target.constrained
    if constrained is None or constrained.truth is None:
        return None
    moments, errors = _errors(measured)
    count = measured.replicates[0].position.shape[1] * measured.replicates[0].chains
    floor = 1.0 / count + float(moments.truth_error.mean())
    note = f"{len(constrained.names)} parameters, kept draws"
    return over_replicates([b.mean() for b in errors], scale="log", floor=floor, note=note)


@metric(GROUP, "b² of constrained parameters, worst", "lower", ideal=0.0)
def constrained_bias_squared_max(measured: Measured) -> MetricValue | None:
    """As b², worst, for the constrained parameters; the note names the worst."""
    constrained = measured.target.constrained
    if constrained is None or constrained.truth is None:
        return None
    moments, errors = _errors(measured)
    worst = np.flatnonzero(moments.usable)[int(np.mean(errors, axis=0).argmax())]
    power = "²" if worst >= len(constrained.names) else ""
    note = f"worst: {constrained.names[worst % len(constrained.names)]}{power}"
    return over_replicates([b.max() for b in errors], scale="log", note=note)


@shared
def _errors(measured: Measured) -> tuple[Moments, list[Array]]:
    """The moments of the constrained parameters, and b² of each replicate (usable functions,).

    From kept draws: nonlinear functions of x cannot be had from running moments of x.
    """
    constrained = measured.target.constrained
    assert constrained is not None
    moments = Moments.of(constrained.truth, len(constrained.names))
    if measured.failure:
        raise NotGiven(measured.failure)
    measured.need_draws()
    if not moments.usable.any():
        raise NotGiven(NO_MOMENTS)
    errors = []
    for draws in measured.replicates:
        values = constrained.of(draws.flat)
        errors.append(bias_squared(np.concatenate([values.mean(axis=0), (values**2).mean(axis=0)]), moments))
    return moments, errors
