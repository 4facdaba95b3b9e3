"""Draws with known answers: what every metric is tested on.

All draws come from named streams, so that a test that passes once passes always; the false-failure rates that tests
state say how probable it was that right code drew a failing stream.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from mcmc_bench import metrics
from mcmc_bench.core.draws import Cost, Draws
from mcmc_bench.core.results import MetricValue
from mcmc_bench.core.streams import stream
from mcmc_bench.core.target import QUANTILE_LEVELS, Modes, Target, Truth, point_density

CHAINS, DRAWS, REPLICATES = 20, 400, 8


@point_density
def _two_modes(x, gradient, data):
    """data: weight of the first mode, its location in every coordinate; the second is opposite."""
    weight, location = data[0], data[1]
    first, second = np.log(weight), np.log(1.0 - weight)
    for i in range(x.shape[0]):
        first -= 0.5 * (x[i] - location) ** 2
        second -= 0.5 * (x[i] + location) ** 2
    largest = max(first, second)
    total = largest + np.log(np.exp(first - largest) + np.exp(second - largest))
    share = np.exp(first - total)
    for i in range(x.shape[0]):
        gradient[i] = share * (location - x[i]) - (1.0 - share) * (location + x[i])
    return total


def two_modes(weight: float, location: float, dim: int) -> Target:
    """weight·N(location, I) + (1 − weight)·N(−location, I), far enough apart for closed forms."""

    def draw_exact(generator: np.random.Generator, n: int) -> np.ndarray:
        sign = np.where(generator.random(n) < weight, 1.0, -1.0)
        return sign[:, None] * location + generator.standard_normal((n, dim))

    # Far apart, a level p below 1 − weight is the quantile p/(1 − weight) of the lower mode.
    quantiles = [
        -location + stats.norm.ppf(p / (1 - weight))
        if p < 1 - weight
        else location + stats.norm.ppf((p - (1 - weight)) / weight)
        for p in QUANTILE_LEVELS
    ]
    entropy = -(weight * np.log(weight) + (1 - weight) * np.log(1 - weight))
    second = 1.0 + location**2
    return Target(
        dim=dim,
        density=_two_modes,
        data=np.array([weight, location]),
        draw_exact=draw_exact,
        draw_dispersed=lambda generator, n: generator.uniform(-location - 3, location + 3, (n, dim)),
        one_point=np.full(dim, location),
        truth=Truth(
            origin="exact",
            mean=np.full(dim, (2 * weight - 1) * location),
            second_moment=np.full(dim, second),
            variance_of_square=np.full(dim, 3 + 6 * location**2 + location**4 - second**2),
            mean_log_density=-dim / 2 - entropy,
            quantiles=None if weight == 0.5 else np.tile(quantiles, (dim, 1)),
        ),
        modes=Modes(
            locations=np.array([[location], [-location]]) * np.ones(dim),
            weights=np.array([weight, 1 - weight]),
            radius=np.sqrt(stats.chi2.isf(1e-3, dim)),
        ),
        name="two_modes_of_tests",
        parameters={"weight": weight, "location": location, "dim": dim},
    )


def make_draws(target: Target, position: np.ndarray, thin: int = 1) -> Draws:
    """Draws as a run would leave them, from positions (chain, draw, dim), `thin` of which make a kept one."""
    chains, transitions = position.shape[:2]
    kept = position[:, thin - 1 :: thin]
    finite = np.isfinite(kept).all(axis=2)
    log_density = np.full(kept.shape[:2], np.nan)
    log_density[finite] = target.log_density_and_gradient(kept[finite])[0]
    all_finite = np.isfinite(position).all(axis=2)
    return Draws(
        position=kept,
        log_density=log_density,
        acceptance_rate=np.ones(kept.shape[:2]),
        diverging=np.zeros(kept.shape[:2], dtype=bool),
        energy_error=np.zeros(kept.shape[:2]),
        mean=position.mean(axis=1),
        mean_square=(position**2).mean(axis=1),
        mean_acceptance=np.ones(chains),
        divergences=np.zeros(chains, dtype=np.int64),
        stopped_at=np.where(all_finite.all(axis=1), -1, all_finite.argmin(axis=1)),
        start=position[:, 0],
        end=position[:, -1],
        transitions=transitions,
        thin=thin,
        cost=Cost(sampling_evaluations=float(transitions)),
    )


def independent(target: Target, *names: object, chains: int = CHAINS, draws: int = DRAWS) -> np.ndarray:
    """Exact draws (chain, draw, dim)."""
    assert target.draw_exact is not None
    return target.draw_exact(stream("metrics tests", *names), chains * draws).reshape(chains, draws, target.dim)


def autoregressive(a: float, *names: object, dim: int = 2, chains: int = CHAINS, draws: int = DRAWS) -> np.ndarray:
    """Stationary chains x' = a x + √(1 − a²) z (chain, draw, dim), N(0, I) each: lag-k correlation aᵏ."""
    z = stream("metrics tests", "autoregressive", a, *names).standard_normal((draws, chains, dim))
    x = np.empty_like(z)
    x[0] = z[0]
    for n in range(1, draws):
        x[n] = a * x[n - 1] + np.sqrt(1 - a**2) * z[n]
    return np.ascontiguousarray(x.swapaxes(0, 1))


def evaluate(
    target: Target, replicates: list[Draws], *groups: str, budget: int | None = None
) -> dict[str, MetricValue]:
    """Metric values by their keys."""
    found, _ = metrics.evaluate_cell(
        replicates,
        target,
        metrics.Reference.of(target),
        budget=budget or replicates[0].transitions,
        warmup_share=0.0,
        groups=groups or None,
    )
    return {metric_value.metric: metric_value for metric_value in found}


#: How each fixture is made from exact draws of `two_modes`: (draws (chain, draw, dim), target, generator) -> draws.
SPOILERS: dict[str, Callable[[np.ndarray, Target, np.random.Generator], np.ndarray]] = {
    # Every chain sits on one of the peaks, four in five on the heavier: ascent from starts in the right proportions.
    "collapsed": lambda x, target, g: (
        np.where(np.arange(len(x)) % 5 < 4, 1.0, -1.0)[:, None, None] * target.modes.locations[0]
        + 1e-6 * g.standard_normal(x.shape)
    ),
    "one mode missed": lambda x, target, g: np.abs(x),
    "reweighted": lambda x, target, g: (
        np.where(g.random(x.shape[:2])[:, :, None] < 0.5, 1.0, -1.0) * target.modes.locations[0]
        + g.standard_normal(x.shape)
    ),
    "inflated": lambda x, target, g: (
        np.sign(x) * target.modes.locations[0] + np.sqrt(1.2) * (x - np.sign(x) * target.modes.locations[0])
    ),
    "junk": lambda x, target, g: g.uniform(-8.0, 8.0, x.shape),
}


@pytest.fixture(scope="session")
def toy() -> Target:
    """0.8 N((5, 5), I) + 0.2 N((−5, −5), I)."""
    return two_modes(0.8, 5.0, 2)


@pytest.fixture(scope="session")
def spoiled(toy: Target) -> dict[str, list[Draws]]:
    """Replicates of every fixture on `toy`, with "independent" for exact draws."""
    made: dict[str, list[Draws]] = {"independent": []}
    made["independent"] = [make_draws(toy, independent(toy, "spoiled", r)) for r in range(REPLICATES)]
    for name, spoil in SPOILERS.items():
        made[name] = [
            make_draws(toy, spoil(independent(toy, name, r), toy, stream("metrics tests", name, r, "noise")))
            for r in range(REPLICATES)
        ]
    return made
