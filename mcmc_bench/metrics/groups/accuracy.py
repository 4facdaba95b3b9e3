"""Errors of estimates against the truth: b², real ESS, and evaluations to low error.

Must not know any particular target or sampler.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.results import MetricValue
from mcmc_bench.metrics import reference
from mcmc_bench.metrics.declaration import Curve, Group, curve, metric, shared
from mcmc_bench.metrics.estimates import bias_squared, last_above, running_worst
from mcmc_bench.metrics.intervals import over_replicates
from mcmc_bench.metrics.measured import Measured, NotGiven, chain_estimates

GROUP = Group("accuracy", place=30)

NO_MOMENTS = "moments of the target are infinite or not known: see the quantile indicators"
TRUTH_TOO_COARSE = "the truth's own standard error is not small against the error of one chain"
CURVE_POINTS = 30


# ------------------------------------------------------------ b²


@metric(GROUP, "b², average", "lower", ideal=0.0)
def bias_squared_average(measured: Measured) -> MetricValue:
    """(estimate − truth)² / variance under the target, averaged over f = x and f = x² of every coordinate. The estimate is
    the mean over all transitions of all chains of a replicate.
    """
    errors = _errors(measured)
    floor = 1.0 / errors.draws_in_all + float(errors.of_truth.mean())
    return over_replicates([b.mean() for b in errors.pooled], scale="log", floor=floor, note=errors.note)


@metric(GROUP, "b², worst", "lower", ideal=0.0)
def bias_squared_max(measured: Measured) -> MetricValue:
    """Largest (estimate − truth)² / variance under the target over f = x and f = x² of every coordinate, for estimates from
    all transitions of all chains of a replicate. Grows with the dimension even for independent draws: read it beside its
    floor.
    """
    errors = _errors(measured)
    floor = float(measured.reference.worst_of_normal.mean()) / errors.draws_in_all + float(errors.of_truth.max())
    return over_replicates([b.max() for b in errors.pooled], scale="log", floor=floor, note=errors.note)


# ------------------------------------------------------------ real ESS


@metric(GROUP, "Real ESS of a chain", "higher")
def real_ess(measured: Measured) -> MetricValue:
    """Variance under the target / mean squared error of one chain's estimate (Turner and Neal 2017), harmonic mean over
    f = x and f = x² of every coordinate: the number of independent draws with the same error. Charges bias and variance.
    For a biased chain it is not a rate: read it with the budget.
    """
    errors = _errors(measured)
    return _independent_draws(measured, errors, [b.mean() for b in errors.of_chains])


@metric(GROUP, "Real ESS of a chain, worst", "higher")
def real_ess_worst(measured: Measured) -> MetricValue:
    """Real ESS of the worst of f = x and f = x² over all coordinates."""
    errors = _errors(measured)
    worst = int(np.mean(errors.of_chains, axis=0).argmax())
    return _independent_draws(measured, errors, [b[worst] for b in errors.of_chains])


@metric(
    GROUP,
    "Real ESS per evaluation, share of the oracle's",
    "higher",
    percent=True,
    printed=True,
    card="efficiency",
    verdict="efficiency",
)
def efficiency(measured: Measured) -> MetricValue:
    """Real ESS of a chain over the number of independent draws that the same evaluations after warmup would buy. 1 for the
    oracle at any budget; falls with the budget for a biased chain.
    """
    errors = _errors(measured)
    return _scaled(_independent_draws(measured, errors, [b.mean() for b in errors.of_chains]), 1.0 / measured.ideal)


@dataclass(frozen=True)
class _Errors:
    """b² of the replicates, each (usable functions,)."""

    pooled: list[Array]  # of the means over all chains of a replicate
    of_chains: list[Array]  # of a chain's means, averaged over chains
    of_truth: Array
    draws_in_all: int  # of a replicate
    note: str


@shared
def _errors(measured: Measured) -> _Errors:
    moments = measured.reference.moments
    if not moments.usable.any():
        raise NotGiven(NO_MOMENTS)
    note = "" if moments.usable.all() else "only over functions with finite known variance"
    return _Errors(
        pooled=[bias_squared(chain_estimates(draws).mean(axis=0), moments) for draws in measured.replicates],
        of_chains=[bias_squared(chain_estimates(draws), moments).mean(axis=0) for draws in measured.replicates],
        of_truth=moments.truth_error,
        draws_in_all=measured.replicates[0].transitions * measured.replicates[0].chains,
        note=measured.failure or note,
    )


def _independent_draws(measured: Measured, errors: _Errors, of_replicates: list[float]) -> MetricValue:
    """The number of independent draws with these errors."""
    if errors.of_truth.mean() > reference.TRUTH_SHARE * np.mean(errors.of_chains):
        raise NotGiven(TRUTH_TOO_COARSE)
    if np.isfinite(of_replicates).all():
        found = over_replicates(of_replicates, scale="inverse", note=errors.note)
    else:  # an infinite error is worth no draws
        found = MetricValue("", 0.0, replicates=len(of_replicates), note=errors.note)
    found.floor = measured.ideal
    return found


def _scaled(found: MetricValue, factor: float) -> MetricValue:
    value, low, high = (None if x is None else x * factor for x in (found.value, found.low, found.high))
    floor = None if found.floor is None else found.floor * factor
    return MetricValue("", value, low, high, found.replicates, floor, censored=found.censored, note=found.note)


# ------------------------------------------------------------ evaluations to low error


@metric(GROUP, "Evaluations to low error", "lower")
def gradients_to_low_error(measured: Measured) -> MetricValue:
    """Target evaluations after warmup up to the last time that the median over chains of the worst b² (x and x², running
    mean of one chain) exceeds {reference.LOW_ERROR}. Censored if it ends above. Followed at the kept draws; where those are thinned,
    scaled so that its end is the error of all transitions. Floor: the same for independent draws.
    """
    return _evaluations_to_low_error(measured)


@metric(GROUP, "Evaluations to low error, over the oracle's", "lower", ideal=1.0)
def gradients_to_low_error_ratio(measured: Measured) -> MetricValue:
    """Evaluations to low error over the number of independent draws with the same error in the same dimension."""
    return _scaled(_evaluations_to_low_error(measured), 1.0 / measured.reference.draws_to_low_error)


def _evaluations_to_low_error(measured: Measured) -> MetricValue:
    running = _running_errors(measured)
    curves, spacing = running.curves, running.spacing
    value, censored = last_above(running.all_chains, spacing)
    floor = measured.reference.draws_to_low_error
    found = MetricValue("", value, replicates=len(curves), floor=floor, censored=censored, note=measured.failure)
    single = [last_above(worst, spacing) for worst in curves]
    if len(single) > 1:
        logs = [float(np.log(evaluations)) for evaluations, _ in single]
        if any(is_censored for _, is_censored in single):
            found.low, found.high = min(evaluations for evaluations, _ in single), None
        else:
            between = over_replicates(logs)
            assert between.value is not None
            assert between.low is not None
            assert between.high is not None
            found.low = value * float(np.exp(between.low - between.value))
            found.high = value * float(np.exp(between.high - between.value))
    return found


@curve(GROUP)
def error(measured: Measured) -> Curve:
    """Median and 90 % range over chains of the worst b² against evaluations, and that of independent draws."""
    running = _running_errors(measured)
    worst, spacing = running.all_chains, running.spacing
    draws = worst.shape[1]
    index = np.unique(np.geomspace(1, draws, CURVE_POINTS).round().astype(int)) - 1
    low, median, high = np.quantile(worst[:, index], (0.05, 0.5, 0.95), axis=0, method="inverted_cdf")
    evaluations = (index + 1) * spacing
    oracle = float(np.median(measured.reference.worst_of_normal)) / evaluations
    names = ("evaluations", "median", "low", "high", "oracle_error")
    return {
        name: [float(x) for x in values]
        for name, values in zip(names, (evaluations, median, low, high, oracle), strict=True)
    }


@dataclass(frozen=True)
class _RunningErrors:
    """The worst b² of running means, at equal numbers of evaluations in all replicates."""

    curves: list[Array]  # (chain, draw) of each replicate
    spacing: float  # evaluations from one to the next

    @property
    def all_chains(self) -> Array:
        """(chain of all replicates, draw)."""
        return np.concatenate(self.curves)


@shared
def _running_errors(measured: Measured) -> _RunningErrors:
    moments = measured.reference.moments
    if not moments.usable.any():
        raise NotGiven(NO_MOMENTS)
    measured.need_draws()
    shrink = _thinning_correction(measured)
    return _on_one_grid(measured, [shrink * running_worst(draws, moments) for draws in measured.replicates])


def _on_one_grid(measured: Measured, curves: list[Array]) -> _RunningErrors:
    """Curves (chain, draw) of all replicates at the same numbers of evaluations.

    They are so already, unless the sampler's transitions vary in cost: then the coarsest grid is that of all.
    """
    spacing = measured.replicates[0].thin * measured.evaluations_per_transition
    if len({(draws.transitions, draws.thin) for draws in measured.replicates}) == 1:
        return _RunningErrors(curves, spacing)
    each = [draws.thin * max(draws.cost.sampling_evaluations, 1.0) / draws.transitions for draws in measured.replicates]
    spacing = max(each)
    length = min(int(worst.shape[1] * one / spacing) for worst, one in zip(curves, each, strict=True))
    at = np.arange(1, length + 1) * spacing
    on_grid = [
        worst[:, np.minimum(np.round(at / one).astype(int), worst.shape[1]) - 1]
        for worst, one in zip(curves, each, strict=True)
    ]
    return _RunningErrors(on_grid, spacing)


def _thinning_correction(measured: Measured) -> float:
    """Error of all transitions over that of the kept ones, at the end of the run, where both are known.

    1 without thinning and for chains that move slowly, 1/thin for independent draws.
    """
    thin = measured.replicates[0].thin
    if thin == 1:
        return 1.0
    moments, full, kept = measured.reference.moments, 0.0, 0.0
    for draws in measured.replicates:
        finite = (draws.stopped_at < 0) & np.isfinite(draws.position).all(axis=(1, 2))
        x = draws.position[finite]
        of_kept = np.concatenate([x.mean(axis=1), (x**2).mean(axis=1)], axis=1)
        full += float(bias_squared(chain_estimates(draws)[finite], moments).sum())
        kept += float(bias_squared(of_kept, moments).sum())
    return float(np.clip(full / kept, 1.0 / thin, 1.0)) if np.isfinite(full) and 0 < kept < np.inf else 1.0
