"""Predictor and corrector: a step of the reverse-time diffusion, then Langevin steps at the new noise level.

    predictor: x ← x + (σₖ² − σₖ₊₁²) ∇log pₖ(x) + √(σₖ² − σₖ₊₁²) z
    corrector, C times: x ← x + ε ∇log pₖ₊₁(x) + √(2ε) z,   ε = 2 (r σₖ₊₁)²

The corrector pulls the distribution of the draws back to that of the level, whose predictor had to take a finite step. r is its
signal-to-noise ratio. Song et al. take ε = 2 (r ‖z‖/‖∇log p‖)², with norms averaged over a batch; where noise rules, that
is this ε. Norms of single chains, in few dimensions, would give a step that depends on where the chain is: another distribution.
"""

import itertools

import numpy as np

from mcmc_bench.core.sampler import Adaptation, Sampler, Setting
from mcmc_bench.kernels.block import flat
from mcmc_bench.kernels.jit import jit
from mcmc_bench.kernels.noise_levels import (
    count_of_levels,
    diffuse,
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
    signal_to_noise, corrections, _largest_noise, _smallest_noise, _levels, start_noise = settings
    x, score = flat(position), flat(gradient)
    start_in_noise(data, generator, start_noise, position)
    for level in range(count_of_levels(data) - 1):
        keep_snapshot(memory, level, position)
        evaluate_at(target, data, level, position, log_density, gradient, evaluations)
        diffuse(data, generator, level, position, gradient)
        for _ in range(int(corrections)):
            evaluate_at(target, data, level + 1, position, log_density, gradient, evaluations)
            step_size = 2.0 * (signal_to_noise * sigma_at(data, level + 1)) ** 2
            for j in range(x.shape[0]):
                x[j] += step_size * score[j] + np.sqrt(2.0 * step_size) * generator.standard_normal()
    nothing_to_report(statistics)


def stationary_variance(settings, precision):
    """Of a draw, by the exact recursions of predictor and corrector on a Gaussian, with s² = 1/λ."""
    sigma = falling(settings)
    variance = np.full(np.shape(precision), (settings["start_noise"] * sigma[0]) ** 2)
    for here, there in itertools.pairwise(sigma):
        removed = here**2 - there**2
        variance = (1.0 - removed / (1.0 / precision + here**2)) ** 2 * variance + removed
        size = 2.0 * (settings["signal_to_noise"] * there) ** 2
        for _ in range(int(settings["corrections"])):
            variance = (1.0 - size / (1.0 / precision + there**2)) ** 2 * variance + 2.0 * size
    return variance


SAMPLER = Sampler(
    kind="biased",
    description="Each step of the reverse diffusion is followed by Langevin steps that repair its error",
    source="Song et al. 2021, arXiv 2011.13456, algorithms 2 and 4",
    step=step,
    schedule=falling,
    prepare=side_by_side,
    num_snapshots=lambda settings: int(settings["levels"]) - 1,
    requires=("a smoothed density",),
    adaptation=Adaptation("distance", goal=1.0, setting="largest_noise"),
    stationary_variance=stationary_variance,
    settings={
        "signal_to_noise": Setting(0.16, "r", low=0.0, above=True),
        "corrections": Setting(1, "C, Langevin steps at each level", low=0, high=100_000, integer=True),
        "largest_noise": Setting(20.0, "σ₀, far wider than the target", low=0.0, above=True),
        "smallest_noise": Setting(0.05, "σ of the last level: what remains as blur", low=0.0, above=True),
        "levels": Setting(50, "noise levels, in equal ratios", low=2, high=100_000, integer=True),
        "start_noise": Setting(1.0, "width of the start over σ₀; 0: all chains begin at one point", low=0.0),
    },
    evaluations_per_step=lambda settings: (1 + int(settings["corrections"])) * (int(settings["levels"]) - 1),
)
