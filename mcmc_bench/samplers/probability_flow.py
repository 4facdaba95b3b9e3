"""The probability-flow ODE: a diffusion run backwards without its noise.

    x ~ N(0, (r σ₀)² I);   dx/dσ = −σ ∇log (p ∗ N(0, σ² I))(x) from σ₀ down to the last σ, by Euler or by Heun

Deterministic, and yet diverse: all the randomness is in the start, which the flow carries over into the target. Taking
the noise away from *Langevin* steps is another thing, and leaves gradient ascent. Order 1 is Euler's method, with one
evaluation for each level, order 2 Heun's, with two. r is 1; at r = 0 all chains begin at one point, and so end at one.
"""

import itertools

import numpy as np

from mcmc_bench.core.sampler import Adaptation, Sampler, Setting
from mcmc_bench.kernels.block import flat
from mcmc_bench.kernels.jit import jit
from mcmc_bench.kernels.noise_levels import (
    count_of_levels,
    evaluate_at,
    falling,
    keep_snapshot,
    nothing_to_report,
    side_by_side,
    sigma_at,
    start_in_noise,
)


@jit
def step(target, data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations):
    order, _largest_noise, _smallest_noise, _levels, start_noise = settings
    x, score, first_slope = flat(position), flat(gradient), flat(scratch[0])
    start_in_noise(data, generator, start_noise, position)
    for level in range(count_of_levels(data) - 1):
        keep_snapshot(memory, level, position)
        sigma, next_sigma = sigma_at(data, level), sigma_at(data, level + 1)
        h = next_sigma - sigma
        evaluate_at(target, data, level, position, log_density, gradient, evaluations)
        for j in range(x.shape[0]):
            first_slope[j] = -sigma * score[j]
            x[j] += h * first_slope[j]
        if order == 2:
            evaluate_at(target, data, level + 1, position, log_density, gradient, evaluations)
            for j in range(x.shape[0]):
                x[j] += 0.5 * h * (-next_sigma * score[j] - first_slope[j])
    nothing_to_report(statistics)


def stationary_variance(settings, precision):
    """Of a draw: the square of the product of all steps' factors, times (r σ₀)². Euler's is 1 + h σₖ/(s² + σₖ²), h = σₖ₊₁ − σₖ."""
    sigma = falling(settings)
    factor = np.full(np.shape(precision), settings["start_noise"] * sigma[0])
    for here, there in itertools.pairwise(sigma):
        h = there - here
        slope = here / (1.0 / precision + here**2)
        if settings["order"] == 2:
            slope = 0.5 * (slope + there / (1.0 / precision + there**2) * (1.0 + h * slope))
        factor = factor * (1.0 + h * slope)
    return factor**2


SAMPLER = Sampler(
    kind="biased",
    description="The noise-free way from noise to a draw: diverse because its starts are",
    source="Song et al. 2021, arXiv 2011.13456; Heun: Karras et al. 2022, arXiv 2206.00364",
    step=step,
    scratch=1,
    schedule=falling,
    prepare=side_by_side,
    num_snapshots=lambda settings: int(settings["levels"]) - 1,
    requires=("a smoothed density",),
    adaptation=Adaptation("distance", goal=1.0, setting="largest_noise"),
    stationary_variance=stationary_variance,
    settings={
        "order": Setting(2, "1 for Euler, 2 for Heun", low=1, high=2, integer=True),
        "largest_noise": Setting(20.0, "σ₀, far wider than the target", low=0.0, above=True),
        "smallest_noise": Setting(0.05, "σ of the last level: what remains as blur", low=0.0, above=True),
        "levels": Setting(50, "noise levels, in equal ratios", low=2, high=100_000, integer=True),
        "start_noise": Setting(1.0, "width of the start over σ₀; 0: all chains begin at one point", low=0.0),
    },
    evaluations_per_step=lambda settings: int(settings["order"]) * (int(settings["levels"]) - 1),
)
