"""Underdamped Langevin dynamics by the splitting BAOAB.

    p ← p + h/2 ∇log p(q);   q ← q + h/2 p;   O;   q ← q + h/2 p;   p ← p + h/2 ∇log p(q)

A drifts the position, B kicks the momentum, O refreshes it: p ← e^{−γh} p + √(τ (1 − e^{−2γh})) z. Unit mass; a mass
matrix is other coordinates. On a Gaussian the variance of q is
exact at every stable step, h < 2/√λ; that of p is 1 − h²λ/4.
"""

import numpy as np

from mcmc_bench.core.sampler import Adaptation, Sampler, Setting
from mcmc_bench.kernels.block import evaluate, flat, kinetic_energy, record
from mcmc_bench.kernels.jit import jit
from mcmc_bench.kernels.langevin import init_momentum, refresh


@jit
def step(target, data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations):
    step_size, friction, temperature = settings
    chains = position.shape[0]
    momentum, energy_error = memory[0], flat(scratch[0])[:chains]
    q, p, force = flat(position), flat(momentum), flat(gradient)

    for chain in range(chains):
        energy_error[chain] = log_density[chain] - kinetic_energy(momentum[chain])
    for j in range(q.shape[0]):
        p[j] += 0.5 * step_size * force[j]
        q[j] += 0.5 * step_size * p[j]
    for chain in range(chains):  # what the bath gives is not an error: it is left out of the balance
        energy_error[chain] += kinetic_energy(momentum[chain])
    refresh(generator, np.exp(-friction * step_size), temperature, momentum)
    for chain in range(chains):
        energy_error[chain] -= kinetic_energy(momentum[chain])
    for j in range(q.shape[0]):
        q[j] += 0.5 * step_size * p[j]
    evaluate(target, data, position, log_density, gradient, evaluations)
    for j in range(q.shape[0]):
        p[j] += 0.5 * step_size * force[j]
    for chain in range(chains):
        energy_error[chain] += kinetic_energy(momentum[chain]) - log_density[chain]
        record(statistics, chain, 1.0, energy_error[chain])


def stationary_variance(settings, precision):
    """τ/λ: exact at τ = 1 wherever the step is stable."""
    stable = settings["step_size"] ** 2 * precision < 4.0
    return np.where(stable, settings["temperature"] / precision, np.inf)


SAMPLER = Sampler(
    kind="biased",
    description="Langevin with momentum; this splitting has the smallest bias of positions",
    source="Leimkuhler and Matthews 2013, arXiv 1203.5428",
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
