"""Hamiltonian Monte Carlo with a fixed number of leapfrog steps.

    p ~ N(0, M);   (q', p') = L leapfrog steps of size h from (q, p);   accept with min(1, e^{H(q,p) − H(q',p')})

H(q, p) = −log p(q) + ½ ‖p‖²; a mass matrix is other coordinates. One leapfrog step of size h is MALA with ε = h²/2.
A transition whose energy error exceeds 1000 is recorded as diverging (Stan's convention).
"""

import numpy as np
from scipy import special

from mcmc_bench.core.sampler import Adaptation, Sampler, Setting
from mcmc_bench.kernels.block import fill_standard_normal
from mcmc_bench.kernels.hamiltonian import leapfrog_flow, propose_by_leapfrog
from mcmc_bench.kernels.jit import jit


@jit
def step(target, data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations):
    step_size, num_integration_steps = settings
    momentum = scratch[0]
    fill_standard_normal(generator, momentum)
    propose_by_leapfrog(
        target,
        data,
        generator,
        step_size,
        int(num_integration_steps),
        position,
        momentum,
        log_density,
        gradient,
        statistics,
        scratch[1:],
        evaluations,
    )


def mean_acceptance(settings, precision, dim):
    """Exact mean acceptance in equilibrium on N(0, I/λ) at unit mass: 2 I_{(1−r)/2}(d/2, d/2), r = κ/√(1 + κ²),
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


SAMPLER = Sampler(
    kind="exact",
    description="Momentum carries each proposal far along the density's contours; corrected by Metropolis",
    source="Duane et al. 1987, doi 10.1016/0370-2693(87)91197-X; Neal 2011, arXiv 1206.1901",
    step=step,
    flow=leapfrog_flow,
    scratch=6,
    settings={
        "step_size": Setting(0.1, "h, the leapfrog step", low=0.0, above=True),
        "num_integration_steps": Setting(10, "L, leapfrog steps in a transition", low=1, high=1_000_000, integer=True),
    },
    evaluations_per_step=lambda settings: int(settings["num_integration_steps"]),
    uses_inverse_mass_matrix=True,
    metropolised=True,
    adaptation=Adaptation("acceptance", goal=0.8),
    mean_acceptance=mean_acceptance,
)
