"""Hamiltonian Monte Carlo with a fixed number of leapfrog steps.

    p ~ N(0, M);   (q', p') = L leapfrog steps of size h from (q, p);   accept with min(1, e^{H(q,p) − H(q',p')})

H(q, p) = −log p(q) + ½ pᵀ M⁻¹ p, with a diagonal M⁻¹. With M⁻¹ = I, one leapfrog step of size h is MALA with
ε = h²/2. A transition whose energy error exceeds 1000 is recorded as diverging (Stan's convention).
"""

import numpy as np
from scipy import special

from mcmc_bench.kernels.block import (
    acceptance_probability,
    fill_standard_normal,
    kinetic_energy,
    leapfrog,
    move,
)
from mcmc_bench.kernels.jit import jit
from mcmc_bench.sampler import ACCEPTANCE, DIVERGING, ENERGY_ERROR, Sampler, Setting

DIVERGENCE_THRESHOLD = 1000.0


@jit
def step(
    target, data, generator, settings, inverse_mass_matrix,
    position, log_density, gradient, statistics, scratch, evaluations,
):  # fmt: skip
    step_size = settings[0]
    num_integration_steps = int(settings[1])
    chains, dim = position.shape
    momentum, proposal, proposal_gradient = scratch[0], scratch[1], scratch[2]
    proposal_log_density = scratch[3].reshape(-1)[:chains]
    initial_kinetic = scratch[4].reshape(-1)[:chains]

    fill_standard_normal(generator, momentum)
    for chain in range(chains):
        for i in range(dim):
            momentum[chain, i] /= np.sqrt(inverse_mass_matrix[i])
            proposal[chain, i] = position[chain, i]
            proposal_gradient[chain, i] = gradient[chain, i]
        initial_kinetic[chain] = kinetic_energy(momentum[chain], inverse_mass_matrix)
    leapfrog(
        target, data, step_size, num_integration_steps, inverse_mass_matrix,
        proposal, momentum, proposal_log_density, proposal_gradient, evaluations,
    )  # fmt: skip

    for chain in range(chains):
        initial = initial_kinetic[chain] - log_density[chain]
        final = kinetic_energy(momentum[chain], inverse_mass_matrix) - proposal_log_density[chain]
        energy_error = final - initial
        statistics[chain, ACCEPTANCE] = acceptance_probability(-energy_error)
        # Written so that a NaN counts as diverging too.
        statistics[chain, DIVERGING] = 0.0 if energy_error < DIVERGENCE_THRESHOLD else 1.0
        statistics[chain, ENERGY_ERROR] = energy_error
        if generator.random() < statistics[chain, ACCEPTANCE]:
            move(chain, proposal, proposal_log_density, proposal_gradient, position, log_density, gradient)


def mean_acceptance(settings, precision, dim):
    """Exact mean acceptance in equilibrium on N(0, I/λ) with unit mass: 2 I_{(1−r)/2}(d/2, d/2), r = κ/√(1 + κ²),
    κ = h² |sin Lθ| / (8χ) with h in units of 1/√λ, cos θ = 1 − h²/2, χ = √(1 − h²/4).
    """
    h = settings["step_size"] * np.sqrt(precision)
    if h >= 2.0:
        return np.nan
    theta = np.arccos(1.0 - h**2 / 2.0)
    chi = np.sqrt(1.0 - h**2 / 4.0)
    kappa = h**2 * abs(np.sin(settings["num_integration_steps"] * theta)) / (8.0 * chi)
    r = kappa / np.sqrt(1.0 + kappa**2)
    return float(2.0 * special.betainc(dim / 2, dim / 2, (1.0 - r) / 2.0))


def stationary_variance(settings, precision):
    """1/λ: exact."""
    return 1.0 / precision


SAMPLER = Sampler(
    kind="exact",
    description="Momentum carries each proposal far along the density's contours; corrected by Metropolis",
    source="Duane et al. 1987, doi 10.1016/0370-2693(87)91197-X; Neal 2011, arXiv 1206.1901",
    step=step,
    scratch=5,
    settings={
        "step_size": Setting(0.1, "h, the leapfrog step", low=0.0, above=True),
        "num_integration_steps": Setting(10, "L, leapfrog steps in a transition", low=1, integer=True),
    },
    evaluations_per_step=lambda settings: int(settings["num_integration_steps"]),
    uses_inverse_mass_matrix=True,
    metropolised=True,
    stationary_variance=stationary_variance,
    mean_acceptance=mean_acceptance,
)
