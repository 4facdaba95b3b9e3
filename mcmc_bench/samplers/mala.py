"""Metropolis-adjusted Langevin algorithm.

    y = x + ε ∇log p(x) + √(2ετ) z,   z ~ N(0, I)
    accept y with probability min(1, [p(y) q(x | y) / (p(x) q(y | x))]),
    log q(y | x) = −‖y − x − ε ∇log p(x)‖² / (4ετ)

with p replaced by p^{1/τ} in the ratio: at temperature τ the kernel is MALA on p^{1/τ} with step size ετ, which is
exact for p at τ = 1 only. (Accepting with p itself would be right at every τ: no dial at all.) At τ = 0 the limit
is taken: an ascent step that is accepted if the ratio's exponent is not negative.

Convention of the step size as in `ula`: MALA with ε is HMC with one leapfrog step of size √(2ε).
"""

import numpy as np
from scipy import special

from mcmc_bench.kernels.block import acceptance_probability, evaluate, fill_standard_normal, move
from mcmc_bench.kernels.jit import is_finite, jit
from mcmc_bench.sampler import ACCEPTANCE, DIVERGING, ENERGY_ERROR, Sampler, Setting


@jit
def step(
    target, data, generator, settings, inverse_mass_matrix,
    position, log_density, gradient, statistics, scratch, evaluations,
):  # fmt: skip
    step_size, temperature = settings
    noise_scale = np.sqrt(2.0 * step_size * temperature)
    chains, dim = position.shape
    noise, proposal, proposal_gradient = scratch[0], scratch[1], scratch[2]
    proposal_log_density = scratch[3].reshape(-1)[:chains]

    fill_standard_normal(generator, noise)
    for chain in range(chains):
        for i in range(dim):
            proposal[chain, i] = position[chain, i] + step_size * gradient[chain, i] + noise_scale * noise[chain, i]
    evaluate(target, data, proposal, proposal_log_density, proposal_gradient, evaluations)

    for chain in range(chains):
        forward = 0.0  # ‖y − x − ε ∇log p(x)‖²
        backward = 0.0  # ‖x − y − ε ∇log p(y)‖²
        for i in range(dim):
            forward += (noise_scale * noise[chain, i]) ** 2
            backward += (position[chain, i] - proposal[chain, i] - step_size * proposal_gradient[chain, i]) ** 2
        exponent = proposal_log_density[chain] - log_density[chain] + (forward - backward) / (4.0 * step_size)
        if temperature > 0.0:
            log_ratio = exponent / temperature
        else:
            log_ratio = 0.0 if exponent >= 0.0 else -np.inf
        statistics[chain, ACCEPTANCE] = acceptance_probability(log_ratio)
        statistics[chain, DIVERGING] = 0.0 if is_finite(exponent) else 1.0
        statistics[chain, ENERGY_ERROR] = -log_ratio
        if generator.random() < statistics[chain, ACCEPTANCE]:
            move(chain, proposal, proposal_log_density, proposal_gradient, position, log_density, gradient)


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
    scratch=4,
    settings={
        "step_size": Setting(0.1, "ε in x + ε ∇log p(x) + √(2ετ) z", low=0.0, above=True),
        "temperature": Setting(1.0, "τ, the noise dial: the kernel targets p^{1/τ}", low=0.0),
    },
    metropolised=True,
    stationary_variance=stationary_variance,
    mean_acceptance=mean_acceptance,
)
