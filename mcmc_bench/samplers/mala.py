"""Metropolis-adjusted Langevin algorithm.

    y = x + ε ∇log p(x) + √(2ετ) z,   z ~ N(0, I)
    accept y with probability min(1, [p(y) q(x | y) / (p(x) q(y | x))]),
    log q(y | x) = −‖y − x − ε ∇log p(x)‖² / (4ετ)

with p replaced by p^{1/τ} in the ratio: at temperature τ the kernel is MALA on p^{1/τ} with step size ετ, which is
exact for p at τ = 1 only. (Accepting with p itself would be right at every τ: no dial at all.) At τ = 0 the limit
is taken: an ascent step that is accepted if the ratio's exponent is not negative. The energy error is minus that exponent,
of p itself at any temperature.

Convention of the step size as in `ula`: MALA with ε is HMC with one leapfrog step of size √(2ε).
"""

import numpy as np
from scipy import special

from mcmc_bench.core.sampler import ACCEPTANCE, Adaptation, Sampler, Setting
from mcmc_bench.kernels.block import acceptance_probability, evaluate, fill_standard_normal, flat, record
from mcmc_bench.kernels.jit import jit


@jit
def step(target, data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations):
    step_size, temperature = settings
    noise_scale = np.sqrt(2.0 * step_size * temperature)
    chains, dim = position.shape
    proposal_log_density, energy_error = flat(scratch[3])[:chains], flat(scratch[4])[:chains]
    fill_standard_normal(generator, scratch[0])
    noise, proposal, proposal_gradient = flat(scratch[0]), flat(scratch[1]), flat(scratch[2])  # (chain · dim,)
    position, gradient = flat(position), flat(gradient)  # (chain · dim,)

    for j in range(chains * dim):
        noise[j] *= noise_scale
        proposal[j] = position[j] + step_size * gradient[j] + noise[j]
    evaluate(target, data, scratch[1], proposal_log_density, scratch[2], evaluations)

    difference = noise  # log q(x | y) − log q(y | x) at τ = 1, the share of each coordinate
    for j in range(chains * dim):
        forward = noise[j] ** 2  # of ‖y − x − ε ∇log p(x)‖²
        backward = (position[j] - proposal[j] - step_size * proposal_gradient[j]) ** 2
        difference[j] = (forward - backward) / (4.0 * step_size)
    for chain in range(chains):
        exponent = proposal_log_density[chain] - log_density[chain]
        for j in range(chain * dim, (chain + 1) * dim):
            exponent += difference[j]
        energy_error[chain] = -exponent
    for chain in range(chains):
        if temperature > 0.0:
            log_ratio = -energy_error[chain] / temperature
        else:
            log_ratio = 0.0 if energy_error[chain] <= 0.0 else -np.inf
        record(statistics, chain, acceptance_probability(log_ratio), energy_error[chain])
    for chain in range(chains):
        if generator.random() < statistics[chain, ACCEPTANCE]:
            log_density[chain] = proposal_log_density[chain]
            for j in range(chain * dim, (chain + 1) * dim):
                position[j] = proposal[j]
                gradient[j] = proposal_gradient[j]


def mean_acceptance(settings, precision, dim):
    """Exact mean acceptance in equilibrium on N(0, I/λ) at τ = 1: 2 I_{(1−r)/2}(d/2, d/2), r = κ/√(1 + κ²),
    κ = (2ελ)^{3/2}/8.
    """
    kappa = (2.0 * settings["step_size"] * precision) ** 1.5 / 8.0
    r = kappa / np.sqrt(1.0 + kappa**2)
    return float(2.0 * special.betainc(dim / 2, dim / 2, (1.0 - r) / 2.0))


def stationary_variance(settings, precision):
    """τ/λ: exact for p at τ = 1 only."""
    return settings["temperature"] / precision


SAMPLER = Sampler(
    kind="exact",
    description="Langevin proposals with Gaussian noise, corrected by Metropolis: no bias at any step size",
    source="Besag 1994; Roberts and Tweedie 1996, doi 10.2307/3318418",
    step=step,
    scratch=5,
    settings={
        "step_size": Setting(0.1, "ε in x + ε ∇log p(x) + √(2ετ) z", low=0.0, above=True),
        "temperature": Setting(1.0, "τ, the noise dial: the kernel targets p^{1/τ}", low=0.0),
    },
    uses_inverse_mass_matrix=True,
    metropolised=True,
    adaptation=Adaptation("acceptance", goal=0.574),
    stationary_variance=stationary_variance,
    mean_acceptance=mean_acceptance,
)
