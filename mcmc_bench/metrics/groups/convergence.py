"""Convergence diagnostics, all computed by ArviZ, with the guard for collapsed chains before them.

ArviZ returns ESS = N and R-hat = NaN for constant draws, so that a collapsed gradient ascent looks perfect: the guard
comes first. Must not know any particular target or sampler.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import stats

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.draws import Draws
from mcmc_bench.core.results import MetricValue
from mcmc_bench.core.target import QUANTILE_LEVELS
from mcmc_bench.metrics.declaration import Group, metric, shared
from mcmc_bench.metrics.intervals import over_replicates
from mcmc_bench.metrics.measured import Measured, NotGiven, evenly
from mcmc_bench.metrics.reference import DIAGNOSED_COMPONENTS, Reference

GROUP = Group("convergence", place=40)

#: At most this many chains, draws of a chain, coordinates and modes are diagnosed, evenly picked: ArviZ costs more
#: than the sampling of a cheap target.
DIAGNOSED_CHAINS, DIAGNOSED_DRAWS, DIAGNOSED_COORDINATES, DIAGNOSED_MODES = 8, 250, 6, 8
#: Within-chain variance, over the true one, below which a chain has collapsed. Ascent at ελ = 0.02 still has 2.5e−6
#: after 250 steps; a chain that is merely slow has more.
COLLAPSED = 1e-3
#: R-hat and ESS by which a user would take a run for converged (Vehtari et al. 2021).
R_HAT_LIMIT, ESS_LIMIT = 1.01, 400.0
#: Silent failures are tested as if a suite had this many replicates, at 5 % for all together.
FAMILY, FAMILY_LEVEL = 1000, 0.05
#: Of the levels of known quantiles, those that z uses: each costs an ESS.
Z_LEVELS = [0, 2, 4]
NAN = float("nan")

DIAGNOSED = (
    f"Of at most {DIAGNOSED_CHAINS} chains × {DIAGNOSED_DRAWS} draws, {DIAGNOSED_COORDINATES} coordinates, log p and "
    f"{DIAGNOSED_MODES} mode indicators, evenly picked; of targets learned from examples, {DIAGNOSED_COMPONENTS} principal "
    "components of the held-out ones instead of coordinates."
)


# ------------------------------------------------------------ the metrics


@metric(GROUP, "Worst R-hat", "lower", ideal=1.0, printed=True)
def r_hat_max(measured: Measured) -> MetricValue:
    """Largest rank-normalised split R-hat (Vehtari et al. 2021, by ArviZ) over coordinates, log p and mode indicators.
    {DIAGNOSED} Not given for collapsed chains, where it means nothing; a lower bound where it is infinite for a mode
    indicator since no chain changes mode.
    """
    each = _diagnoses(measured)
    note = _notes(each)
    found = over_replicates([one.r_hat for one in each], scale="log", lowest=0.0, note=note)
    if any(one.stuck for one in each) and found.value is not None:
        found.censored, found.low, found.high = True, None, None
        found.note = "; ".join(part for part in (note, "infinite for a mode indicator: no chain changes mode") if part)
    return found


@metric(GROUP, "Least bulk ESS", "higher")
def ess_bulk_min(measured: Measured) -> MetricValue:
    """Smallest bulk effective sample size (by ArviZ) over coordinates, log p and mode indicators; 0 for collapsed chains,
    for which the plain formula returns the number of draws. Good for a biased chain too: it knows no truth. {DIAGNOSED}
    """
    each = _diagnoses(measured)
    return over_replicates([one.ess_bulk for one in each], scale="log", lowest=0.0, note=_notes(each))


@metric(GROUP, "Least tail ESS", "higher")
def ess_tail_min(measured: Measured) -> MetricValue:
    """Smallest tail effective sample size (5 % and 95 %, by ArviZ) over coordinates and log p; 0 for collapsed chains.
    {DIAGNOSED}
    """
    each = _diagnoses(measured)
    return over_replicates([one.ess_tail for one in each], scale="log", lowest=0.0, note=_notes(each))


@metric(GROUP, "Bulk ESS of log p", "higher")
def ess_log_density(measured: Measured) -> MetricValue:
    """Bulk effective sample size (by ArviZ) of the log density; 0 for collapsed chains. {DIAGNOSED}"""
    each = _diagnoses(measured)
    return over_replicates([one.ess_log_density for one in each], scale="log", lowest=0.0, note=_notes(each))


@metric(GROUP, "Variance within chains, over the true", "target", ideal=1.0)
def within_chain_variance(measured: Measured) -> MetricValue:
    """Mean over chains of the variance within a chain, summed over coordinates, over the true one. Below {COLLAPSED:g} in
    any coordinate the chains have collapsed. Below 1 for slow chains and for chains that stay in one mode. Where no truth is
    known but examples are: along principal components, over that of the held-out examples.
    """
    each = _diagnoses(measured)
    return over_replicates([one.within for one in each], lowest=0.0, note=_notes(each))


@metric(GROUP, "Largest |z|", "lower")
def z_max(measured: Measured) -> MetricValue:
    """Largest |estimate − truth| / √(MCSE² + truth's SE²) over the indicators of the 5, 50 and 95 % quantiles of coordinates
    and log p, each bounded, with ArviZ's MCSE of the diagnosed draws (never less than that of independent draws).
    """
    each = _with_z(measured)
    return over_replicates([one.z_max for one in each], lowest=0.0, note=_notes(each))


@metric(GROUP, "Share of |z| < 1.96", "target", ideal=0.95)
def calibration(measured: Measured) -> MetricValue:
    """Share of the quantile indicators' |z| below 1.96. 0.95 if the error bars are right; indicators of one replicate are
    correlated, so that single values scatter widely.
    """
    each = _with_z(measured)
    shares = [float((np.abs(one.z) < 1.96).mean()) for one in each]
    return over_replicates(shares, lowest=0.0, highest=1.0, note=_notes(each))


@metric(GROUP, "Silent failures", "lower", ideal=0.0)
def silent_failure(measured: Measured) -> MetricValue:
    """Share of replicates in which R-hat < {R_HAT_LIMIT} and bulk and tail ESS ≥ {ESS_LIMIT:g} for everything diagnosed, and yet the largest
    |z| is beyond its bound for {FAMILY} replicates at 5 % (Bonferroni over replicates and indicators): wrong, and the
    diagnostics did not see it.
    """
    each = _with_z(measured)
    bound = float(stats.norm.isf(FAMILY_LEVEL / (2 * FAMILY * len(each[0].z))))
    silent = [float(one.clean and one.z_max > bound) for one in each]
    return over_replicates(silent, lowest=0.0, highest=1.0, note=_notes(each))


# ------------------------------------------------------------ what they share


@dataclass
class Diagnosis:
    """The diagnostics of one replicate; NaN where they do not apply."""

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

    @property
    def z_max(self) -> float:
        """Largest |z|."""
        return float(np.abs(self.z).max())


@shared
def _diagnoses(measured: Measured) -> list[Diagnosis]:
    measured.need_draws(fewest=4)
    return [
        Diagnosis(note=measured.failure) if failed else diagnose(draws, mode, measured.reference)
        for draws, mode, failed in zip(measured.replicates, measured.modes, measured.failed, strict=True)
    ]


def _with_z(measured: Measured) -> list[Diagnosis]:
    each = _diagnoses(measured)
    if any(len(one.z) == 0 for one in each):
        raise NotGiven(measured.failure or "quantiles of the target are not known")
    return each


def _notes(each: list[Diagnosis]) -> str:
    return "; ".join(dict.fromkeys(one.note for one in each if one.note))


def diagnose(draws: Draws, mode: npt.NDArray[np.int64], reference: Reference) -> Diagnosis:
    """The diagnostics of one replicate, all of whose chains stayed finite; `mode` is (chain, draw)."""
    from arviz_stats.base import array_stats  # takes seconds

    chains = evenly(draws.chains, DIAGNOSED_CHAINS)
    kept = evenly(draws.position.shape[1], DIAGNOSED_DRAWS)
    columns = evenly(draws.dim, DIAGNOSED_COORDINATES)
    picked = np.ix_(chains, kept)
    position = draws.position[picked]
    x = np.moveaxis(position[:, :, columns], 2, 0)  # (coordinate, chain, draw)
    log_density = draws.log_density[picked][None]
    within, least = variance_within_chains(draws, reference)
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


def variance_within_chains(draws: Draws, reference: Reference) -> tuple[float, float]:
    """Mean over chains of the variance within a chain, over the true one: summed over coordinates, and the least.

    Over the coordinates with a known finite variance; against that of exact draws where there are none (it is finite
    in any finite set, and the values are then only good for telling collapsed chains); along the principal components
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
    """Normal scores of the ranks over all chains, per quantity, as ArviZ makes them; ranked once for all diagnostics."""
    flat = values.reshape(len(values), -1)
    ranks = stats.rankdata(flat, axis=1)
    return np.asarray(stats.norm.ppf((ranks - 0.375) / (flat.shape[1] + 0.25))).reshape(values.shape)


def _of_modes(mode: npt.NDArray[np.int64], modes: int) -> tuple[Array, Array]:
    """Bulk ESS and R-hat of mode indicators.

    An indicator takes two values, so that rank-normalising is an affine map and changes neither. A mode that no draw
    or every draw is in is constant, which says nothing; where that holds for a mode that should be visited the
    weights and z tell.
    """
    from arviz_stats.base import array_stats

    indicators = np.stack([mode == k for k in evenly(modes, DIAGNOSED_MODES)]).astype(float)
    constant = indicators.reshape(len(indicators), -1).std(axis=1) == 0
    halves = _split(indicators[~constant])
    if len(halves) == 0:
        return np.empty(0), np.empty(0)
    with np.errstate(divide="ignore", invalid="ignore"):  # every chain within its own mode: R-hat is infinite
        return array_stats.ess(halves, method="identity"), array_stats.rhat(halves, method="identity")


def _z(x: Array, log_density: Array, columns: npt.NDArray[np.int64], reference: Reference) -> Array:
    """z of the quantile indicators of the diagnosed draws (coordinate, chain, draw) and log p (1, chain, draw)."""
    from arviz_stats.base import array_stats

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
