"""Annealed Langevin dynamics: ULA on the density smoothed by less and less noise.

    x ~ N(0, (r σ₀)² I);   for each σₖ, from the largest to the smallest, T times:
    x ← x + εₖ ∇log (p ∗ N(0, σₖ² I))(x) + √(2 εₖ τ) z,   εₖ = ε (σₖ/σ_min)²

A transition is one whole run from noise to a draw: draws are independent of each other, and their distribution is that of the end
of a run, which has the bias of ULA's steps, of the levels' number and of the last σ. At large σ the modes are one, and a
chain is led to each in the right proportion. τ is the noise dial: at τ = 0 it is ascent on the same densities.
r is 1; at r = 0 all chains begin at one point, and what tells them apart is the noise on the way.
Convention of ε as in `ula` (Song and Ermon write ε/2).
"""

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
    step_size, steps, temperature, _largest_noise, _smallest_noise, _levels, start_noise = settings
    levels = count_of_levels(data)
    smallest = sigma_at(data, levels - 1)
    x, score = flat(position), flat(gradient)
    start_in_noise(data, generator, start_noise, position)
    for level in range(levels):
        keep_snapshot(memory, level, position)
        size = step_size * (sigma_at(data, level) / smallest) ** 2
        noise_scale = np.sqrt(2.0 * size * temperature)
        for _ in range(int(steps)):
            evaluate_at(target, data, level, position, log_density, gradient, evaluations)
            for j in range(x.shape[0]):
                x[j] += size * score[j] + noise_scale * generator.standard_normal()
    nothing_to_report(statistics)


def stationary_variance(settings, precision):
    """Of a draw, by the exact recursion v ← (1 − εₖ/(s² + σₖ²))² v + 2 εₖ τ at every step, with s² = 1/λ."""
    sigma = falling(settings)
    variance = np.full(np.shape(precision), (settings["start_noise"] * sigma[0]) ** 2)
    for level in sigma:
        size = settings["step_size"] * (level / sigma[-1]) ** 2
        for _ in range(int(settings["steps"])):
            shrinkage = 1.0 - size / (1.0 / precision + level**2)
            variance = shrinkage**2 * variance + 2.0 * size * settings["temperature"]
    return variance


SAMPLER = Sampler(
    kind="biased",
    description="Langevin steps on densities with less and less noise: finds every mode in nearly the right proportion",
    source="Song and Ermon 2019, arXiv 1907.05600",
    step=step,
    schedule=falling,
    prepare=side_by_side,
    num_snapshots=lambda settings: int(settings["levels"]),
    requires=("a smoothed density",),
    adaptation=Adaptation("distance", goal=1.0, setting="largest_noise"),
    stationary_variance=stationary_variance,
    settings={
        "step_size": Setting(0.002, "ε of the last level", low=0.0, above=True),
        "steps": Setting(10, "T, steps at each level", low=1, high=100_000, integer=True),
        "temperature": Setting(1.0, "τ, the noise dial: 0 is ascent", low=0.0),
        "largest_noise": Setting(20.0, "σ₀, far wider than the target", low=0.0, above=True),
        "smallest_noise": Setting(0.05, "σ of the last level: what remains as blur", low=0.0, above=True),
        "levels": Setting(20, "noise levels, in equal ratios", low=2, high=100_000, integer=True),
        "start_noise": Setting(1.0, "width of the start over σ₀; 0: all chains begin at one point", low=0.0),
    },
    evaluations_per_step=lambda settings: int(settings["levels"]) * int(settings["steps"]),
)
