"""Tests of kernels without a correction: they must have just the bias that is predicted.

Knows samplers by their contract. Must not know any particular one.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
from scipy import stats

from mcmc_bench.catalog.files import load_target
from mcmc_bench.checks.kernel.exact import compare, settle
from mcmc_bench.checks.kernel.findings import (
    KernelFinding,
    has_distribution,
    has_variance,
    mean_zero,
    uncorrelated,
    within,
)
from mcmc_bench.checks.kernel.session import ChainPath, Session
from mcmc_bench.checks.kernel.targets import gaussian, not_gaussian
from mcmc_bench.core.arrays import Array
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import Target
from mcmc_bench.sampling.budget import Plan

#: The relative bias of the variance at which its prediction is tested, where the step size may be chosen.
BIAS = 0.3
#: How far the distribution of a kernel whose bias has no closed form may be off when its step is small, in a share.
SMALL_BIAS, SMALL_STEP_GOAL = 0.02, 0.01
#: Steps at which the distribution of a transition is tested, relative to the sampler's default: noise rules at the first, the
#: drift at the second.
TRANSITION_STEPS = (1.0, 8.0)
#: Points from which transitions are tested: dearer than others, where a row of data is an evaluation.
TRANSITION_CHAINS = 8192

PREDICTED, SMALL, TRANSITION, CLIMBS = (
    "predicted bias",
    "no bias at a small step",
    "distribution of a transition",
    "climbs to the peak",
)


def bias(session: Session, chains: int, level: float) -> list[KernelFinding]:
    """The distribution that the kernel comes to rest at is the predicted one, or the target's when its step is small."""
    sampler, found = session.sampler, []
    target = gaussian()
    if not sampler.incompatibility(target):
        if sampler.kind == "optimiser":
            found += climbs(session, target, chains, level)
        elif sampler.stationary_variance is not None:
            found += predicted(session, target, chains, level)
        else:
            found += small_step(session, chains, level)
    if sampler.characteristic is not None:
        found += transition(session, chains, level)
    return found


def from_afar(session: Session, target: Target, settings: Mapping[str, float], chains: int) -> ChainPath:
    """Chains from starts that are far too wide and off centre."""
    session.tuned[target.label] = settings
    start = 2.0 * session.exact(target, chains, f"wide {chains}") + 1.0
    return ChainPath(session, target, settings, start, f"bias {chains}")


def climbs(session: Session, target: Target, chains: int, level: float) -> list[KernelFinding]:
    """An optimiser ends on the peak."""
    assert target.modes is not None
    peak = target.modes.locations[0]

    def look(x: Array) -> list[KernelFinding]:
        return [within(CLIMBS, f"largest distance on {target.label}", float(np.abs(x - peak).max()), 1e-3)]

    return settle(from_afar(session, target, session.sampler.with_defaults(session.settings), chains), look, level)


def predicted(session: Session, target: Target, chains: int, level: float) -> list[KernelFinding]:
    """Along each eigenvector of a Gaussian the distribution is Gaussian, with the variance in closed form, and independent.

    Raises:
        ValueError: the settings are unstable, so that there is no stationary distribution.
    """
    eigenvalues, axes = np.linalg.eigh(target.data.reshape(target.dim, target.dim))
    settings = coarse(session, eigenvalues)
    variance = stationary_variance(session, settings, eigenvalues)
    if not (np.isfinite(variance).all() and (variance > 0).all()):
        said = ", ".join(f"{name} = {value:g}" for name, value in settings.items())
        raise ValueError(
            f"{session.sampler.name} with {said} has no stationary distribution on {target.label}: its variances are predicted "
            f"to be {np.array2string(variance, precision=3)}; choose a smaller step"
        )

    def look(x: Array) -> list[KernelFinding]:
        u = x @ axes
        found = []
        for i, v in enumerate(variance):
            what = f"v{i + 1}·x on {target.label}"
            found.append(has_variance(PREDICTED, f"variance of {what}", u[:, i], v, level))
            found.append(
                has_distribution(PREDICTED, f"distribution of {what}", u[:, i], stats.norm(scale=np.sqrt(v)).cdf, level)
            )
        for i, j in itertools.combinations(range(target.dim), 2):
            what = f"v{i + 1}·x and v{j + 1}·x on {target.label}"
            found.append(uncorrelated(PREDICTED, what, u[:, i], u[:, j], level))
        all_of_them = (u / np.sqrt(variance)).ravel()  # sharper than each, where all are off by the same
        found.append(has_variance(PREDICTED, f"variance of all on {target.label}", all_of_them, 1.0, level))
        size = (u**2 / variance).sum(axis=1)
        return [*found, has_distribution(PREDICTED, f"size on {target.label}", size, stats.chi2(target.dim).cdf, level)]

    return settle(from_afar(session, target, settings, chains), look, level)


def stationary_variance(session: Session, settings: Mapping[str, float], precision: Array) -> Array:
    """The closed form that the sampler declares, (eigenvalue,)."""
    assert session.sampler.stationary_variance is not None
    with np.errstate(all="ignore"):  # a step that is not stable: said by who needs it
        return np.asarray(session.sampler.stationary_variance(settings, precision), dtype=np.float64)


def coarse(session: Session, precision: Array) -> Mapping[str, float]:
    """The settings with the largest step whose predicted bias is at most BIAS, and half of the largest stable one."""
    sampler = session.sampler
    settings = sampler.with_defaults(session.settings)
    adaptation = sampler.adaptation
    if adaptation is None or adaptation.rule != "energy" or adaptation.setting in session.settings:
        return settings
    steps = np.geomspace(1e-4, 1e4, 2000)
    off = [
        np.abs(stationary_variance(session, {**settings, adaptation.setting: h}, precision) * precision - 1.0).max()
        for h in steps
    ]
    stable, right = np.isfinite(off), np.nan_to_num(off, nan=np.inf) <= BIAS
    if not right.any():  # a noise dial that is turned: the bias is not the step's
        return settings
    return {**settings, adaptation.setting: float(min(steps[right].max(), 0.5 * steps[stable].max()))}


def small_step(session: Session, chains: int, level: float) -> list[KernelFinding]:
    """The test where nothing is known in closed form: the target's distribution, on ten dimensions, at a small energy error."""
    target = load_target("gaussian", dim=10)  # where microcanonical motion is nearly what it is in the limit
    settings = session.tune(target, SMALL_STEP_GOAL, "energy")
    reference = session.reference(target, chains)

    def look(x: Array) -> list[KernelFinding]:
        return compare(SMALL, target, x, reference, level, SMALL_BIAS)

    return settle(from_afar(session, target, settings, chains), look, level)


def transition(session: Session, chains: int, level: float) -> list[KernelFinding]:
    """The characteristic function of one transition, E exp(i a·(x' − x)) given x, is the declared one, whatever x.

    With ψ = |ψ| e^{iθ} the declared value, cos(a·(x' − x) − θ) − |ψ| and the sign of θ times sin(a·(x' − x) − θ) have mean
    zero given x. The directions a are coordinates, sums and differences of neighbours, each as long as the increments
    before were short.
    """
    sampler, found = session.sampler, []
    target = next((one for one in not_gaussian() if not sampler.incompatibility(one)), None)
    if target is None:
        return []
    assert sampler.characteristic is not None
    chains = min(chains, TRANSITION_CHAINS)
    start = target.starts("dispersed" if target.draw_exact is None else "exact", stream(session.seed, chains), chains)
    chosen = "step_size" in session.settings or "step_size" not in sampler.settings
    for step in (1.0,) if chosen else TRANSITION_STEPS:
        settings = sampler.with_defaults(session.settings)
        if not chosen:
            settings = sampler.with_defaults({**settings, "step_size": settings["step_size"] * step})
        positions = session.draws(target, settings, Plan(0, 2), start, f"transition {chains} {step:g}").position
        earlier, x, after = start, positions[:, 0], positions[:, 1]
        directions = _directions(x - earlier)
        with np.errstate(all="ignore"):  # what is not finite is a failure of the test, and said there
            declared = sampler.characteristic(settings, target, x, directions)
            angle = (after - x) @ directions.T - np.angle(declared)
            even, odd = np.cos(angle) - np.abs(declared), np.sign(np.angle(declared)) * np.sin(angle)
        name = ", ".join(f"{key} = {value:g}" for key, value in settings.items())
        for k in range(len(directions)):
            what = f"direction {k + 1} on {target.label}, {name}"
            found.append(mean_zero(TRANSITION, f"noise in {what}", even[:, k], level))
            found.append(mean_zero(TRANSITION, f"drift in {what}", odd[:, k], level))
    return found


def _directions(increments: Array) -> Array:
    """(k, dim): three coordinates, and sums and differences of neighbours, scaled to a median |a·increment| of 1."""
    dim = increments.shape[1]
    unit = np.eye(dim)[: min(dim, 3)]
    pairs = [unit[i] + sign * unit[i + 1] for i in range(len(unit) - 1) for sign in (1.0, -1.0)]
    directions = np.array([*unit, *pairs])
    typical = np.nanmedian(np.abs(increments @ directions.T), axis=0)
    return np.asarray(directions / np.where(typical > 0, typical, 1.0)[:, None])
