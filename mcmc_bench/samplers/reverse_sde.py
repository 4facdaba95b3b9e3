"""The reverse-time diffusion, by Euler and Maruyama: from noise to a draw in one pass.

    x ~ N(0, (r σ₀)² I);   x ← x + (σₖ² − σₖ₊₁²) ∇log pₖ(x) + √(σₖ² − σₖ₊₁²) z,   pₖ = p ∗ N(0, σₖ² I)

Variance-exploding form. A transition is one whole pass, so that draws are independent; they keep the blur of the last σ
and the error of finite steps. r is 1; at r = 0 all chains begin at one point.
"""

import itertools

import numpy as np

from mcmc_bench.core.sampler import Adaptation, Sampler, Setting
from mcmc_bench.kernels.jit import jit
from mcmc_bench.kernels.noise_levels import (
    count_of_levels,
    diffuse,
    evaluate_at,
    falling,
    keep_snapshot,
    nothing_to_report,
    side_by_side,
    start_in_noise,
)


@jit
def step(target, data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations):
    _largest_noise, _smallest_noise, _levels, start_noise = settings
    start_in_noise(data, generator, start_noise, position)
    for level in range(count_of_levels(data) - 1):
        keep_snapshot(memory, level, position)
        evaluate_at(target, data, level, position, log_density, gradient, evaluations)
        diffuse(data, generator, level, position, gradient)
    nothing_to_report(statistics)


def stationary_variance(settings, precision):
    """Of a draw, by the exact recursion w ← (1 − v/(s² + σₖ²))² w + v, v = σₖ² − σₖ₊₁², with s² = 1/λ."""
    sigma = falling(settings)
    variance = np.full(np.shape(precision), (settings["start_noise"] * sigma[0]) ** 2)
    for here, there in itertools.pairwise(sigma):
        removed = here**2 - there**2
        variance = (1.0 - removed / (1.0 / precision + here**2)) ** 2 * variance + removed
    return variance


SAMPLER = Sampler(
    kind="biased",
    description="Runs the diffusion that blurs the target backwards, with its noise: independent draws from all modes",
    source="Anderson 1982, doi 10.1016/0304-4149(82)90051-5; Song et al. 2021, arXiv 2011.13456",
    step=step,
    schedule=falling,
    prepare=side_by_side,
    num_snapshots=lambda settings: int(settings["levels"]) - 1,
    requires=("a smoothed density",),
    adaptation=Adaptation("distance", goal=1.0, setting="largest_noise"),
    stationary_variance=stationary_variance,
    settings={
        "largest_noise": Setting(20.0, "σ₀, far wider than the target", low=0.0, above=True),
        "smallest_noise": Setting(0.05, "σ of the last level: what remains as blur", low=0.0, above=True),
        "levels": Setting(100, "noise levels, in equal ratios", low=2, high=100_000, integer=True),
        "start_noise": Setting(1.0, "width of the start over σ₀; 0: all chains begin at one point", low=0.0),
    },
    evaluations_per_step=lambda settings: int(settings["levels"]) - 1,
)
