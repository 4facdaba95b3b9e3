"""Convergence diagnostics, all computed by ArviZ, with the guard for collapsed chains before them.

ArviZ returns ESS = N and R-hat = NaN for constant draws, so that a collapsed gradient ascent looks perfect: the guard
comes first. Importing this module imports ArviZ, which takes seconds. Must not know any particular target or sampler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from arviz_stats.base import array_stats
from scipy import stats

from mcmc_bench.core.draws import Array, Draws
from mcmc_bench.core.results import MetricValue
from mcmc_bench.core.target import QUANTILE_LEVELS
from mcmc_bench.metrics.definitions import (
    COLLAPSED,
    DIAGNOSED_CHAINS,
    DIAGNOSED_COORDINATES,
    DIAGNOSED_DRAWS,
    DIAGNOSED_MODES,
    ESS_LIMIT,
    R_HAT_LIMIT,
)
from mcmc_bench.metrics.intervals import over_replicates
from mcmc_bench.metrics.measured import Measured, evenly
from mcmc_bench.metrics.reference import Reference

#: Silent failures are tested as if a suite had this many replicates, at 5 % for all together.
FAMILY, FAMILY_LEVEL = 1000, 0.05
#: Of the levels of known quantiles, those that z uses: each costs an ESS.
Z_LEVELS = [0, 2, 4]

Curves = dict[str, dict[str, list[float]]]
NAN = float("nan")


@dataclass
class Diagnosis:
    """What the diagnostics say of one replicate; NaN where they do not apply."""

    r_hat: float = NAN
    ess_bulk: float = NAN
    ess_tail: float = NAN
    ess_log_density: float = NAN
    within: float = NAN  # within-chain variance over the true
    stuck: bool = False  # R-hat of a mode indicator is infinite; `r_hat` is that of the rest
    z: Array = field(default_factory=lambda: np.empty(0))
    note: str = ""

    @property
    def clean(self) -> bool:
        """Whether a user would take the run for converged."""
        return not self.stuck and self.r_hat < R_HAT_LIMIT and self.ess_bulk >= ESS_LIMIT and self.ess_tail >= ESS_LIMIT


def rows(measured: Measured) -> tuple[list[MetricValue], Curves]:
    """All rows of the group."""
    names = "r_hat_max ess_bulk_min ess_tail_min ess_log_density within_chain_variance z_max calibration silent_failure"
    if measured.kept < 4:
        return measured.not_given(names.split(), "fewer than 4 draws were kept"), {}
    found = [
        Diagnosis(note=measured.failure) if failed else diagnose(draws, mode, measured.reference)
        for draws, mode, failed in zip(measured.replicates, measured.modes, measured.failed, strict=True)
    ]
    note = "; ".join(dict.fromkeys(one.note for one in found if one.note))
    table = [
        _r_hat(found, note),
        over_replicates("ess_bulk_min", [one.ess_bulk for one in found], scale="log", lowest=0.0, note=note),
        over_replicates("ess_tail_min", [one.ess_tail for one in found], scale="log", lowest=0.0, note=note),
        over_replicates("ess_log_density", [one.ess_log_density for one in found], scale="log", lowest=0.0, note=note),
        over_replicates("within_chain_variance", [one.within for one in found], lowest=0.0, note=note),
    ]
    if any(len(one.z) == 0 for one in found):
        why = measured.failure or "quantiles of the target are not known"
        return table + measured.not_given(("z_max", "calibration", "silent_failure"), why), {}
    worst = [float(np.abs(one.z).max()) for one in found]
    bound = float(stats.norm.isf(FAMILY_LEVEL / (2 * FAMILY * len(found[0].z))))
    return [
        *table,
        over_replicates("z_max", worst, lowest=0.0, note=note),
        over_replicates(
            "calibration", [float((np.abs(one.z) < 1.96).mean()) for one in found], lowest=0.0, highest=1.0, note=note
        ),
        over_replicates(
            "silent_failure",
            [float(one.clean and z > bound) for one, z in zip(found, worst, strict=True)],
            lowest=0.0,
            highest=1.0,
            note=note,
        ),
    ], {}


def _r_hat(found: Sequence[Diagnosis], note: str) -> MetricValue:
    row = over_replicates("r_hat_max", [one.r_hat for one in found], scale="log", lowest=0.0, note=note)
    if any(one.stuck for one in found) and row.value is not None:
        row.censored, row.low, row.high = True, None, None
        row.note = "; ".join(part for part in (note, "infinite for a mode indicator: no chain changes mode") if part)
    return row


def diagnose(draws: Draws, mode: npt.NDArray[np.int64], reference: Reference) -> Diagnosis:
    """The diagnostics of one replicate, none of whose chains has left; `mode` is (chain, draw)."""
    chains = evenly(draws.chains, DIAGNOSED_CHAINS)
    kept = evenly(draws.position.shape[1], DIAGNOSED_DRAWS)
    columns = evenly(draws.dim, DIAGNOSED_COORDINATES)
    picked = np.ix_(chains, kept)
    position = draws.position[picked]
    x = np.moveaxis(position[:, :, columns], 2, 0)  # (coordinate, chain, draw)
    log_density = draws.log_density[picked][None]
    within, least = within_chain_variance(draws, reference)
    found = Diagnosis(within=within, z=_z(x, log_density, columns, reference))
    if least < COLLAPSED:  # in any coordinate: ArviZ would give N draws for that one
        found.ess_bulk = found.ess_tail = found.ess_log_density = 0.0
        found.note = "collapsed: the chains do not move"
        return found
    if reference.components is not None:
        x = np.moveaxis(position @ reference.components, 2, 0)  # (component, chain, draw)
    continuous = np.concatenate([x, log_density])
    halves = _split(continuous)
    ranked = _rank_normalised(halves)
    bulk = array_stats.ess(ranked, method="identity")
    r_hat = array_stats.rhat(ranked, method="identity")
    folded = _rank_normalised(np.abs(halves - np.median(halves, axis=(1, 2), keepdims=True)))
    r_hat = np.maximum(r_hat, array_stats.rhat(folded, method="identity"))
    tail = array_stats.ess(continuous, method="tail", prob=0.05)
    found.ess_log_density = float(bulk[-1])
    if reference.target.modes is not None and len(reference.target.modes.weights) > 1:
        indicator_bulk, indicator_r_hat = _of_modes(mode[picked], len(reference.target.modes.weights))
        bulk, r_hat = np.append(bulk, indicator_bulk), np.append(r_hat, indicator_r_hat)
    found.ess_bulk, found.ess_tail = float(np.min(bulk)), float(np.min(tail))
    if len(chains) > 1:
        found.r_hat = float(np.max(r_hat[np.isfinite(r_hat)], initial=1.0))
        found.stuck = bool(np.isposinf(r_hat).any())
    else:
        found.note = "one chain: no R-hat"
    return found


def within_chain_variance(draws: Draws, reference: Reference) -> tuple[float, float]:
    """Mean over chains of the variance within a chain, over the true one: summed over coordinates, and the least.

    Over the coordinates with a known finite variance; against that of exact draws where there are none (it is finite
    in any finite set, and the figures are then only good for telling collapsed chains); along the principal components
    of held-out examples, against theirs, where there are neither.
    """
    usable = reference.moments.usable[: draws.dim]
    variance = draws.position.var(axis=1).mean(axis=0)  # (dim,)
    if usable.any():
        variance, true = variance[usable], reference.moments.variance[: draws.dim][usable]
    elif reference.available:
        true = reference.points.var(axis=0)
    elif reference.target.examples is not None:
        held_out, position = reference.target.examples.held_out, draws.position
        if reference.components is not None:
            held_out, position = held_out @ reference.components, position @ reference.components
        variance, true = position.var(axis=1).mean(axis=0), held_out.var(axis=0)
    else:
        return NAN, NAN
    return float(variance.sum() / true.sum()), float((variance / true).min())


def _split(values: Array) -> Array:
    """Halves of chains as chains of their own: (quantity, 2 · chain, draw / 2)."""
    half = values.shape[2] // 2
    return np.concatenate([values[:, :, :half], values[:, :, -half:]], axis=1)


def _rank_normalised(values: Array) -> Array:
    """Normal scores of the ranks over all chains, per quantity, as ArviZ makes them; ranked once for all figures."""
    flat = values.reshape(len(values), -1)
    ranks = stats.rankdata(flat, axis=1)
    return np.asarray(stats.norm.ppf((ranks - 0.375) / (flat.shape[1] + 0.25))).reshape(values.shape)


def _of_modes(mode: npt.NDArray[np.int64], modes: int) -> tuple[Array, Array]:
    """Bulk ESS and R-hat of mode indicators.

    An indicator takes two values, so that rank-normalising is an affine map and changes neither. A mode that no draw
    or every draw is in is constant, which says nothing; where that holds for a mode that should be visited the
    weights and z tell.
    """
    indicators = np.stack([mode == k for k in evenly(modes, DIAGNOSED_MODES)]).astype(float)
    constant = indicators.reshape(len(indicators), -1).std(axis=1) == 0
    halves = _split(indicators[~constant])
    if len(halves) == 0:
        return np.empty(0), np.empty(0)
    with np.errstate(divide="ignore", invalid="ignore"):  # every chain within its own mode: R-hat is infinite
        return array_stats.ess(halves, method="identity"), array_stats.rhat(halves, method="identity")


def _z(x: Array, log_density: Array, columns: npt.NDArray[np.int64], reference: Reference) -> Array:
    """z of the quantile indicators of the diagnosed draws (coordinate, chain, draw) and log p (1, chain, draw)."""
    if reference.quantiles is None:
        return np.empty(0)
    quantiles, truth_error = reference.quantiles
    if len(quantiles) > reference.target.dim:
        x, columns = np.concatenate([x, log_density]), np.append(columns, reference.target.dim)
    levels = np.array(QUANTILE_LEVELS)[Z_LEVELS]
    limits, truth_error = quantiles[columns][:, Z_LEVELS], truth_error[columns][:, Z_LEVELS]
    below = (x[:, None] <= limits[:, :, None, None]).astype(float)  # (quantity, level, chain, draw)
    independent = np.sqrt(levels * (1 - levels) / (x.shape[1] * x.shape[2]))
    error = np.maximum(np.nan_to_num(array_stats.mcse(below)), independent)
    return np.asarray((below.mean(axis=(2, 3)) - levels) / np.hypot(error, truth_error)).ravel()
