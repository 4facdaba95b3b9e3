"""Errors of estimates against the truth: b², real ESS, evaluations to low error, and the test for bias.

Coordinates are never averaged before they are compared with the truth, since errors would cancel. Must not know any
particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from mcmc_bench.core.draws import Array, Draws
from mcmc_bench.core.results import MetricValue
from mcmc_bench.core.target import QUANTILE_LEVELS, Target
from mcmc_bench.metrics.definitions import LOW_ERROR
from mcmc_bench.metrics.intervals import over_replicates
from mcmc_bench.metrics.measured import Measured, chain_estimates
from mcmc_bench.metrics.reference import TRUTH_SHARE, Moments, Reference

Curves = dict[str, dict[str, list[float]]]

NO_MOMENTS = "moments of the target are infinite or not known: see the quantile indicators"
TRUTH_TOO_COARSE = "the truth's own standard error is not small against the error of one chain"
#: Fewest chains over all replicates for Student's t over chains.
FEWEST_CHAINS = 8
CURVE_POINTS = 30


def rows(measured: Measured) -> tuple[list[MetricValue], Curves]:
    """All rows and curves of the group."""
    found: list[MetricValue] = []
    curves: Curves = {}
    if measured.reference.moments.usable.any():
        found += _errors(measured)
        low_error, curves = _low_error(measured)
        found += low_error
    else:
        names = "bias_squared_average bias_squared_max real_ess real_ess_worst efficiency"
        names += " gradients_to_low_error gradients_to_low_error_ratio"
        found += measured.not_given(names.split(), NO_MOMENTS)
    return found + constrained_rows(measured) + bias_rows(measured), curves


def bias_squared(estimates: Array, moments: Moments) -> Array:
    """b² of estimates (…, 2 · dim) for the usable functions, (…, usable); infinite where an estimate is not finite."""
    usable = moments.usable
    with np.errstate(over="ignore", invalid="ignore"):
        error = (estimates[..., usable] - moments.expectation[usable]) ** 2 / moments.variance[usable]
    return np.where(np.isfinite(error), error, np.inf)


def _errors(measured: Measured) -> list[MetricValue]:
    reference, moments = measured.reference, measured.reference.moments
    note = "" if moments.usable.all() else "only over functions with finite known variance"
    why = measured.failure or note
    pooled = [bias_squared(chain_estimates(draws).mean(axis=0), moments) for draws in measured.replicates]
    of_chains = [bias_squared(chain_estimates(draws), moments).mean(axis=0) for draws in measured.replicates]
    worst = int(np.mean(of_chains, axis=0).argmax())
    draws_in_all = measured.replicates[0].transitions * measured.replicates[0].chains
    of_truth = moments.truth_error
    found = [
        over_replicates(
            "bias_squared_average",
            [b.mean() for b in pooled],
            scale="log",
            floor=1.0 / draws_in_all + float(of_truth.mean()),
            note=why,
        ),
        over_replicates(
            "bias_squared_max",
            [b.max() for b in pooled],
            scale="log",
            floor=float(reference.worst_of_normal.mean()) / draws_in_all + float(of_truth.max()),
            note=why,
        ),
    ]
    if of_truth.mean() > TRUTH_SHARE * np.mean(of_chains):
        return found + measured.not_given(("real_ess", "real_ess_worst", "efficiency"), TRUTH_TOO_COARSE)
    for metric, errors in (
        ("real_ess", [b.mean() for b in of_chains]),
        ("real_ess_worst", [b[worst] for b in of_chains]),
    ):
        if np.isfinite(errors).all():
            row = over_replicates(metric, errors, scale="inverse", note=why)
        else:  # an infinite error is worth no draws
            row = MetricValue(metric, 0.0, replicates=len(errors), note=why)
        row.floor = measured.ideal
        found.append(row)
        if metric == "real_ess":
            found.append(_scaled(row, "efficiency", 1.0 / measured.ideal))
    return found


def constrained_rows(measured: Measured) -> list[MetricValue]:
    """b² of the parameters as people write them (τ where chains move in log τ), for targets that have such.

    From kept draws: nonlinear functions of x cannot be had from running moments of x.
    """
    constrained, names = (
        measured.target.constrained,
        ("constrained_bias_squared_average", "constrained_bias_squared_max"),
    )
    if constrained is None or constrained.truth is None:
        return []
    moments = Moments.of(constrained.truth, len(constrained.names))
    if measured.failure or measured.kept == 0 or not moments.usable.any():
        why = measured.failure or ("draws were not kept" if measured.kept == 0 else NO_MOMENTS)
        return measured.not_given(names, why)
    errors = []
    for draws in measured.replicates:
        values = constrained.of(draws.flat)
        errors.append(bias_squared(np.concatenate([values.mean(axis=0), (values**2).mean(axis=0)]), moments))
    worst = np.flatnonzero(moments.usable)[int(np.mean(errors, axis=0).argmax())]
    power = "²" if worst >= len(constrained.names) else ""
    count = measured.replicates[0].position.shape[1] * measured.replicates[0].chains
    return [
        over_replicates(
            names[0], [b.mean() for b in errors], scale="log", floor=1.0 / count + float(moments.truth_error.mean()),
            note=f"{len(constrained.names)} parameters, kept draws",
        ),
        over_replicates(
            names[1], [b.max() for b in errors], scale="log", note=f"worst: {constrained.names[worst % len(constrained.names)]}{power}"
        ),
    ]  # fmt: skip


def _scaled(row: MetricValue, metric: str, factor: float) -> MetricValue:
    value, low, high = (None if x is None else x * factor for x in (row.value, row.low, row.high))
    floor = None if row.floor is None else row.floor * factor
    return MetricValue(metric, value, low, high, row.replicates, floor, censored=row.censored, note=row.note)


def running_worst(draws: Draws, moments: Moments) -> Array:
    """b²max of the running means over kept draws, (chain, draw); infinite from where a chain has left."""
    count = np.arange(1, draws.position.shape[1] + 1)[:, None]
    worst = np.empty(draws.position.shape[:2])
    for chain, x in enumerate(draws.position):  # chain by chain: memory does not grow with chains
        with np.errstate(over="ignore", invalid="ignore"):
            f = np.concatenate([x, x**2], axis=1)
            running = np.cumsum(f, axis=0) / count
        worst[chain] = bias_squared(running, moments).max(axis=1)
    return worst


def _low_error(measured: Measured) -> tuple[list[MetricValue], Curves]:
    names = ("gradients_to_low_error", "gradients_to_low_error_ratio")
    if measured.kept == 0:
        return measured.not_given(names, "draws were not kept"), {}
    moments = measured.reference.moments
    shrink = _thinning_correction(measured)
    curves, spacing = _on_one_grid(measured, [shrink * running_worst(draws, moments) for draws in measured.replicates])
    oracle = measured.reference.draws_to_low_error
    all_chains = np.concatenate(curves)  # (chain, draw)
    value, censored = _last_above(all_chains, spacing)
    row = MetricValue(names[0], value, replicates=len(curves), floor=oracle, censored=censored, note=measured.failure)
    single = [_last_above(curve, spacing) for curve in curves]
    if len(single) > 1:
        logs = [float(np.log(evaluations)) for evaluations, _ in single]
        if any(is_censored for _, is_censored in single):
            row.low, row.high = min(evaluations for evaluations, _ in single), None
        else:
            between = over_replicates(names[0], logs)
            assert between.value is not None
            assert between.low is not None
            assert between.high is not None
            row.low = value * float(np.exp(between.low - between.value))
            row.high = value * float(np.exp(between.high - between.value))
    return [row, _scaled(row, names[1], 1.0 / oracle)], {"error": _error_curve(measured, all_chains, spacing)}


def _on_one_grid(measured: Measured, curves: list[Array]) -> tuple[list[Array], float]:
    """Curves (chain, draw) of all replicates at the same numbers of evaluations, and the evaluations from one to the next.

    They are so already, unless the sampler's transitions vary in cost: then the coarsest grid is that of all.
    """
    spacing = measured.replicates[0].thin * measured.evaluations_per_transition
    if len({(draws.transitions, draws.thin) for draws in measured.replicates}) == 1:
        return curves, spacing
    each = [draws.thin * max(draws.cost.sampling_evaluations, 1.0) / draws.transitions for draws in measured.replicates]
    spacing = max(each)
    length = min(int(curve.shape[1] * one / spacing) for curve, one in zip(curves, each, strict=True))
    at = np.arange(1, length + 1) * spacing
    return [
        curve[:, np.minimum(np.round(at / one).astype(int), curve.shape[1]) - 1]
        for curve, one in zip(curves, each, strict=True)
    ], spacing


def low_error_evaluations(draws: Draws, reference: Reference, budget: float) -> float | None:
    """Evaluations to low error of one replicate, followed at its kept draws; None if not reached by their end.

    `budget` is what it may spend after warmup, which stands in where its evaluations are not counted.
    """
    moments = reference.moments
    if draws.position.shape[1] == 0 or not moments.usable.any():
        return None
    spacing = draws.thin * (draws.cost.sampling_evaluations or budget) / draws.transitions
    value, censored = _last_above(running_worst(draws, moments), spacing)
    return None if censored else value


def _thinning_correction(measured: Measured) -> float:
    """Error of all transitions over that of the kept ones, at the end of the run, where both are known.

    1 without thinning and for chains that move slowly, 1/thin for independent draws.
    """
    thin = measured.replicates[0].thin
    if thin == 1:
        return 1.0
    moments, full, kept = measured.reference.moments, 0.0, 0.0
    for draws in measured.replicates:
        stayed = (draws.stopped_at < 0) & np.isfinite(draws.position).all(axis=(1, 2))
        x = draws.position[stayed]
        of_kept = np.concatenate([x.mean(axis=1), (x**2).mean(axis=1)], axis=1)
        full += float(bias_squared(chain_estimates(draws)[stayed], moments).sum())
        kept += float(bias_squared(of_kept, moments).sum())
    return float(np.clip(full / kept, 1.0 / thin, 1.0)) if np.isfinite(full) and 0 < kept < np.inf else 1.0


def _last_above(worst: Array, spacing: float) -> tuple[float, bool]:
    """Evaluations up to the last kept draw at which the median over chains exceeds LOW_ERROR; True if it ends above."""
    above = np.flatnonzero(np.median(worst, axis=0) > LOW_ERROR)
    last = int(above[-1]) if len(above) else 0
    return (last + 1) * spacing, len(above) > 0 and last == worst.shape[1] - 1


def _error_curve(measured: Measured, worst: Array, spacing: float) -> dict[str, list[float]]:
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


def indicator_means(draws: Draws, quantiles: Array) -> Array:
    """Share of each chain's kept draws below known quantiles (quantity, level): (chain, quantity, level).

    The quantities are the coordinates and, if there is one quantity more, log p.
    """
    values = np.concatenate([draws.position, draws.log_density[:, :, None]], axis=2)[:, :, : len(quantiles)]
    return np.stack([(values <= quantiles[:, level]).mean(axis=1) for level in range(quantiles.shape[1])], axis=2)


def bias_rows(measured: Measured) -> list[MetricValue]:
    """The test for bias on quantile indicators, at the level of chains."""
    names = ("largest_bias", "bias_resolution", "calibration_p_value")
    quantiles = measured.reference.quantiles
    if measured.failure:
        return measured.not_given(names, measured.failure)
    if quantiles is None or measured.kept == 0:
        return measured.not_given(names, "quantiles of the target are not known, or draws were not kept")
    if measured.chains < FEWEST_CHAINS:
        return measured.not_given(names, f"{measured.chains} chains in all; the test needs {FEWEST_CHAINS}")
    levels = np.array(QUANTILE_LEVELS)
    shares = np.concatenate([indicator_means(draws, quantiles[0]) for draws in measured.replicates])
    deviation = np.sqrt(levels * (1 - levels))
    bias = (shares.mean(axis=0) - levels) / deviation  # (quantity, level), in standard deviations of the indicator
    error = np.hypot(shares.std(axis=0, ddof=1) / np.sqrt(len(shares)), quantiles[1]) / deviation
    p = bias_p_values(shares, levels, quantiles[1])
    least = np.unravel_index(p.argmin(), p.shape)
    # Simultaneous over the indicators (Bonferroni), since it is the largest of them that is reported.
    resolution = float(stats.t.isf(0.025 / p.size, len(shares) - 1) * error.max())
    replicates = len(measured.replicates)
    quantity = "log p" if least[0] == measured.target.dim else f"coordinate {least[0]}"
    where = f"{levels[least[1]]:.0%} quantile of {quantity}; over {len(shares)} chains"
    worst = float(np.abs(bias).max())
    return [
        MetricValue(
            names[0],
            worst,
            max(0.0, worst - resolution),
            worst + resolution,
            replicates,
            note=f"over {len(shares)} chains",
        ),
        MetricValue(names[1], resolution, replicates=replicates, note=f"over {len(shares)} chains"),
        MetricValue(names[2], min(1.0, float(p.min()) * p.size), replicates=replicates, note=f"smallest at {where}"),
    ]


def bias_p_values(shares: Array, levels: Array, truth_error: Array) -> Array:
    """Two-sided p-value of each indicator from its means over single chains (chain, quantity, level): (quantity, level).

    Student's t over chains, which are independent whatever happens within them. Where more than a fifth of the
    chains never cross the quantile their means are nearly 0 or 1 and far from normal; the binomial distribution is
    then the widest that a mean in [0, 1] can have (Hoeffding 1956), so that its tail bounds the p-value.
    """
    chains = len(shares)
    mean = shares.mean(axis=0)
    error = np.hypot(shares.std(axis=0, ddof=1) / np.sqrt(chains), truth_error)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(error > 0, np.abs(mean - levels) / error, np.where(mean == levels, 0.0, np.inf))
    p = 2 * stats.t.sf(t, chains - 1)
    stays = ((shares == 0) | (shares == 1)).mean(axis=0) > 0.2
    total = shares.sum(axis=0)
    lower = stats.binom.cdf(np.ceil(total - 1e-9), chains, levels)
    upper = stats.binom.sf(np.floor(total + 1e-9) - 1, chains, levels)
    return np.where(stays, np.minimum(1.0, 2 * np.minimum(lower, upper)), p)


def selection_score(replicates: Sequence[Draws], target: Target) -> float:
    """How good a setting is, for choosing the best of a sweep on pilot replicates: higher is better.

    Mean over f = x and f = x² of every coordinate of log(real ESS of a chain), each at most ten times the number of
    transitions, so that ascent onto a peak at the mean earns nothing; −∞ if any chain has left. Where the
    moments are infinite or unknown: the same for the indicators of the target's quantiles; and where those are
    unknown too, the log of the variance of all draws over that of the chains' means, which knows no truth and would
    choose a biased setting.
    """
    if any((draws.stopped_at >= 0).any() for draws in replicates):
        return float("-inf")
    reference = Reference.of(target)
    estimates = np.concatenate([chain_estimates(draws) for draws in replicates])
    moments = reference.moments
    if moments.usable.any():
        error = bias_squared(estimates, moments)
    elif reference.quantiles is not None and all(draws.position.shape[1] for draws in replicates):
        levels = np.array(QUANTILE_LEVELS)
        shares = np.concatenate([indicator_means(draws, reference.quantiles[0]) for draws in replicates])
        error = ((shares - levels) ** 2 / (levels * (1 - levels))).reshape(len(shares), -1)
    else:
        means, dim = estimates[:, : target.dim], target.dim
        total = estimates[:, dim:].mean(axis=0) - means.mean(axis=0) ** 2
        error = (means - means.mean(axis=0)) ** 2 / np.maximum(total, np.finfo(float).tiny)
    squared = error.mean(axis=0)
    if not np.isfinite(squared).all():
        return float("-inf")
    return float(-np.log(np.maximum(squared, 0.1 / replicates[0].transitions)).mean())
