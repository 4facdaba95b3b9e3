"""Checks that the runs behind a stored truth have to pass, and their results: estimates with errors from independent chains.

Must not know how the runs were made, nor any particular target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.draws import Draws
from mcmc_bench.core.target import QUANTILE_LEVELS, Target

CHAINS = 64
#: Family-wise rate at which a right run fails one of the statistical checks.
LEVEL = 1e-3
#: Share of diverging transitions that a run may have.
DIVERGING = 1e-4

Check = tuple[float, str, float]  # a number, its relation, its bound


@dataclass(frozen=True)
class Goals:
    """When the runs are long enough."""

    #: Largest standard error of E x and E x², in standard deviations of x and x².
    error: float = 0.005
    #: How much larger the second sampler's may be, which is there to agree.
    second: float = 2.0
    #: Largest R-hat, and smallest effective sample size of every coordinate and log p.
    r_hat: float = 1.01
    ess: float = 4000.0
    #: Seconds after which the runs end, whatever they have reached.
    seconds: float = 900.0


@dataclass
class Estimate:
    """A value with its standard error, from the means of independent chains (chain, …)."""

    value: Array
    standard_error: Array

    @classmethod
    def of(cls, chain_means: Array) -> Estimate:
        """Mean over chains, and its standard error from their spread."""
        return cls(chain_means.mean(axis=0), chain_means.std(axis=0, ddof=1) / np.sqrt(len(chain_means)))


@dataclass
class LongRun:
    """One sampler's long run, stretch by stretch, in the target's own coordinates."""

    settings: dict[str, float]
    start: str
    has_ratio: bool = True  # its energy errors are those of proposals that are accepted or refused
    evaluations: float = 0.0
    seconds: float = 0.0
    transitions: int = 0
    divergences: int = 0
    stretches: list[Draws] = field(default_factory=list)
    end: Array | None = None

    @property
    def position(self) -> Array:
        """Kept draws (chain, draw, dim)."""
        return np.concatenate([draws.position for draws in self.stretches], axis=1)

    def kept(self, name: str) -> Array:
        """A statistic of the kept draws, (chain, draw)."""
        return np.concatenate([getattr(draws, name) for draws in self.stretches], axis=1)


def relative_error(draws: Array) -> float:
    """The largest standard error of E x and E x² from draws (chain, draw, dim), in standard deviations of x and x²."""
    errors = [Estimate.of(f.mean(axis=1)).standard_error / f.std(axis=(0, 1)) for f in (draws, draws**2)]
    return float(np.max(errors))


def quantiles_of(draws: Array) -> tuple[Array, Array]:
    """Quantiles (k, level), and the standard errors of the shares below them, of draws (chain, draw, k)."""
    quantiles = np.quantile(draws, QUANTILE_LEVELS, axis=(0, 1)).T
    below = np.stack([(draws <= quantiles[:, level]).mean(axis=1) for level in range(len(QUANTILE_LEVELS))], axis=-1)
    return quantiles, Estimate.of(below).standard_error


def holds(value: float, relation: str, bound: float) -> bool:
    """True if a check is passed."""
    return value < bound if relation == "<" else value > bound


def _largest_z(pairs: list[tuple[Estimate, Estimate]]) -> tuple[float, float]:
    """The largest |z| of differences, and the two-sided Bonferroni bound that it exceeds with probability LEVEL."""
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.concatenate(
            [np.ravel((a.value - b.value) / np.hypot(a.standard_error, b.standard_error)) for a, b in pairs]
        )
    z = np.abs(np.where(np.isfinite(z), z, 0.0))
    return float(z.max()), float(stats.t.isf(LEVEL / 2 / len(z), CHAINS - 1))


def _exactly(value: Array) -> Estimate:
    return Estimate(value, np.zeros_like(value))


def checks(target: Target, runs: Mapping[str, LongRun], goals: Goals) -> dict[str, Check]:
    """Every check: its number, its relation and its bound."""
    (one_name, first), (other_name, second) = runs.items()
    quantiles = quantiles_of(first.position)[0]

    def summaries(one: LongRun) -> list[Estimate]:
        x = one.position
        below = np.stack([(x <= quantiles[:, level]).mean(axis=1) for level in range(len(QUANTILE_LEVELS))], axis=-1)
        return [
            Estimate.of(f) for f in (x.mean(axis=1), (x**2).mean(axis=1), below, one.kept("log_density").mean(axis=1))
        ]

    agreement, bound = _largest_z(list(zip(summaries(first), summaries(second), strict=True)))
    table: dict[str, Check] = {
        f"{one_name} against {other_name}, largest |z| of E x, E x², quantiles, E log p": (agreement, "<", bound),
    }
    for number, (name, one) in enumerate(runs.items()):
        x = one.position
        gradient = target.log_density_and_gradient(x.reshape(-1, target.dim))[1].reshape(x.shape)
        # Centred: E (x − m) ∂ log p = −1 for any m, and the spread is least about the mean.
        centred = x - x.mean(axis=(0, 1))
        zero, one_ = np.zeros(target.dim), np.ones(target.dim)
        stein, stein_bound = _largest_z(
            [
                (Estimate.of(gradient.mean(axis=1)), _exactly(zero)),
                (Estimate.of(-(centred * gradient).mean(axis=1)), _exactly(one_)),
            ]
        )
        table[f"{name}: Stein's identities E ∂ log p = 0, E x ∂ log p = −1, largest |z|"] = (stein, "<", stein_bound)
        accepted, falls = one.kept("acceptance_rate"), one.kept("energy_error") < 0
        if one.has_ratio:
            # In equilibrium E min(1, e^−ΔH) = 2 P(ΔH < 0): bounded, and exact for every reversible Metropolis kernel.
            energy, energy_bound = _largest_z(
                [(Estimate.of((accepted - 2.0 * falls).mean(axis=1)), _exactly(np.zeros(())))]
            )
            table[f"{name}: energy, mean acceptance = 2 P(ΔH < 0), |z|"] = (energy, "<", energy_bound)
        r_hat, ess = _convergence(one)
        # Of chains that are right R-hat² is about 1 + chains / ESS: the second sampler, with less of it, may have more.
        allowed = 1.0 + (goals.r_hat - 1.0) * (1.0 if number == 0 else goals.second**2)
        table[f"{name}: largest R-hat of coordinates and log p"] = (r_hat, "<", allowed)
        smallest = goals.ess / (1.0 if number == 0 else goals.second**2)
        table[f"{name}: smallest bulk ESS of coordinates and log p"] = (ess, ">", smallest)
        table[f"{name}: share of diverging transitions"] = (one.divergences / one.transitions, "<", DIVERGING)
        table[f"{name}: smallest mean acceptance of a chain"] = (float(accepted.mean(axis=1).min()), ">", 0.3)
        goal = goals.error * (1.0 if number == 0 else goals.second)
        table[f"{name}: largest standard error of E x and E x², in their standard deviations"] = (
            relative_error(one.position),
            "<",
            1.1 * goal,
        )
    return table


def _convergence(one: LongRun) -> tuple[float, float]:
    """The largest R-hat and the smallest bulk ESS of kept draws, over coordinates and log p."""
    from arviz_stats.base import array_stats  # seconds

    series = [*np.moveaxis(one.position, 2, 0), one.kept("log_density")]  # each (chain, draw)
    r_hat = max(float(array_stats.rhat(values, chain_axis=0, draw_axis=1)) for values in series)
    return r_hat, min(float(array_stats.ess(values, chain_axis=0, draw_axis=1)) for values in series)
