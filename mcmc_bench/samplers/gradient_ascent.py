"""Gradient ascent on log p: Langevin without its noise.

    x' = x + ε ∇log p(x)

Not a sampler: it is here as what remains of ULA when the Gaussian noise term is taken away (τ = 0). Chains end on
peaks of the density, however many of them are started.
"""

import numpy as np

from mcmc_bench.core.sampler import Adaptation, Sampler, Setting
from mcmc_bench.kernels.block import evaluate, flat, record
from mcmc_bench.kernels.jit import jit


@jit
def step(target, data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations):
    (step_size,) = settings
    chains, dim = position.shape
    before = flat(scratch[0])[:chains]
    for chain in range(chains):
        before[chain] = log_density[chain]
        for i in range(dim):
            position[chain, i] += step_size * gradient[chain, i]
    evaluate(target, data, position, log_density, gradient, evaluations)
    for chain in range(chains):
        record(statistics, chain, 1.0, before[chain] - log_density[chain])


def stationary_variance(settings, precision):
    """Zero where ε < 2/λ: all chains end on the peak. Infinite where the ascent is unstable."""
    return np.where(settings["step_size"] * precision < 2.0, 0.0, np.inf)


SAMPLER = Sampler(
    kind="optimiser",
    description="Langevin without its noise: climbs to a peak and stays there",
    source="Cauchy 1847",
    step=step,
    scratch=1,
    adaptation=Adaptation("ascent", goal=0.9, mass_matrix=False),
    settings={"step_size": Setting(0.1, "ε in x + ε ∇log p(x)", low=0.0, above=True)},
    stationary_variance=stationary_variance,
)
