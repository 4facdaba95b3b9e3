"""Underdamped Langevin dynamics by the splitting OBABO.

    O for h/2;   p ← p + h/2 ∇log p(q);   q ← q + h p;   p ← p + h/2 ∇log p(q);   O for h/2

A drifts the position, B kicks the momentum, O refreshes it: p ← e^{−γh} p + √(τ (1 − e^{−2γh})) z. Unit mass; a mass
matrix is other coordinates. On a Gaussian the variance of q
is 1/(λ(1 − h²λ/4)) and that of p is 1, whatever γ.
"""

import numpy as np

from mcmc_bench.core.sampler import Adaptation, Sampler, Setting
from mcmc_bench.kernels.block import flat, kinetic_energy, leapfrog, record
from mcmc_bench.kernels.jit import jit
from mcmc_bench.kernels.langevin import init_momentum, refresh


@jit
def step(target, data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations):
    step_size, friction, temperature = settings
    chains = position.shape[0]
    momentum, energy_error = memory[0], flat(scratch[0])[:chains]
    decay = np.exp(-0.5 * friction * step_size)

    refresh(generator, decay, temperature, momentum)
    for chain in range(chains):
        energy_error[chain] = log_density[chain] - kinetic_energy(momentum[chain])
    leapfrog(target, data, step_size, 1, position, momentum, log_density, gradient, evaluations)
    for chain in range(chains):
        energy_error[chain] += kinetic_energy(momentum[chain]) - log_density[chain]
        record(statistics, chain, 1.0, energy_error[chain])
    refresh(generator, decay, temperature, momentum)


def stationary_variance(settings, precision):
    """τ / (λ (1 − h²λ/4)), whatever γ; infinite where h ≥ 2/√λ."""
    shrinkage = 1.0 - settings["step_size"] ** 2 * precision / 4.0
    with np.errstate(divide="ignore"):
        return np.where(shrinkage > 0, settings["temperature"] / (precision * shrinkage), np.inf)


SAMPLER = Sampler(
    kind="biased",
    description="Langevin with momentum; one leapfrog step between two halves of noise",
    source="Bussi and Parrinello 2007, doi 10.1103/PhysRevE.75.056707",
    step=step,
    scratch=1,
    memory=1,
    init_memory=init_momentum,
    uses_inverse_mass_matrix=True,
    adaptation=Adaptation("energy", goal=0.02, exponent=6.0),
    settings={
        "step_size": Setting(0.3, "h, the time step", low=0.0, above=True),
        "friction": Setting(1.0, "γ, the rate at which the momentum forgets", low=0.0, above=True),
        "temperature": Setting(1.0, "τ, the noise dial: 1 samples p, 0 has no noise", low=0.0),
    },
    stationary_variance=stationary_variance,
)
