"""Gradient ascent on log p: Langevin without its noise.

    x' = x + ε ∇log p(x)

Not a sampler: it is here as what remains of ULA when the Gaussian noise term is taken away (τ = 0). Chains end on
peaks of the density, however many of them are started.
"""

import numpy as np

from mcmc_bench.kernels.block import evaluate
from mcmc_bench.kernels.jit import jit
from mcmc_bench.sampler import ACCEPTANCE, DIVERGING, ENERGY_ERROR, Sampler, Setting


@jit
def step(
    target, data, generator, settings, inverse_mass_matrix,
    position, log_density, gradient, statistics, scratch, evaluations,
):  # fmt: skip
    step_size = settings[0]
    chains, dim = position.shape
    for chain in range(chains):
        for i in range(dim):
            position[chain, i] += step_size * gradient[chain, i]
    evaluate(target, data, position, log_density, gradient, evaluations)
    statistics[:, ACCEPTANCE] = 1.0
    statistics[:, DIVERGING] = 0.0
    statistics[:, ENERGY_ERROR] = 0.0


def stationary_variance(settings, precision):
    """Zero where ε < 2/λ: all chains end on the peak. Infinite where the ascent is unstable."""
    return np.where(settings["step_size"] * precision < 2.0, 0.0, np.inf)


SAMPLER = Sampler(
    kind="optimiser",
    description="Langevin without its noise: climbs to a peak and stays there",
    source="Cauchy 1847",
    step=step,
    settings={"step_size": Setting(0.1, "ε in x + ε ∇log p(x)", low=0.0, above=True)},
    stationary_variance=stationary_variance,
)
