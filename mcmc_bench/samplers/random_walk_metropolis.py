"""Random-walk Metropolis.

    y = x + s z,   z ~ N(0, I);   accept with min(1, p(y)/p(x))

Uses the log density only. `step_size` is s, the standard deviation of a proposal's coordinate; with
s = ℓ/√d the optimal acceptance in high dimension is 0.234.
"""

import numpy as np
from scipy import special

from mcmc_bench.core.sampler import ACCEPTANCE, Adaptation, Sampler, Setting
from mcmc_bench.kernels.block import acceptance_probability, evaluate, move, record
from mcmc_bench.kernels.jit import jit


@jit
def step(target, data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations):
    (step_size,) = settings
    chains, dim = position.shape
    proposal, proposal_gradient = scratch[0], scratch[1]
    proposal_log_density = scratch[2].reshape(-1)[:chains]

    for chain in range(chains):
        for i in range(dim):
            proposal[chain, i] = position[chain, i] + step_size * generator.standard_normal()
    evaluate(target, data, proposal, proposal_log_density, proposal_gradient, evaluations)

    for chain in range(chains):
        log_ratio = proposal_log_density[chain] - log_density[chain]
        record(statistics, chain, acceptance_probability(log_ratio), -log_ratio)
        if generator.random() < statistics[chain, ACCEPTANCE]:
            move(chain, proposal, proposal_log_density, proposal_gradient, position, log_density, gradient)


def mean_acceptance(settings, precision, dim):
    """Exact mean acceptance in equilibrium on N(0, I/λ): 2 I_{(1−r)/2}(d/2, d/2), r = ℓ/√(ℓ² + 4), ℓ = s√λ."""
    scale = settings["step_size"] * np.sqrt(precision)
    r = scale / np.sqrt(scale**2 + 4.0)
    return float(2.0 * special.betainc(dim / 2, dim / 2, (1.0 - r) / 2.0))


SAMPLER = Sampler(
    kind="exact",
    description="Blind Gaussian proposals, corrected by Metropolis: what one gets without the gradient",
    source="Metropolis et al. 1953, doi 10.1063/1.1699114",
    step=step,
    scratch=3,
    settings={"step_size": Setting(0.5, "s, standard deviation of a proposal's coordinate", low=0.0, above=True)},
    uses_gradient=False,
    uses_inverse_mass_matrix=True,
    metropolised=True,
    adaptation=Adaptation("acceptance", goal=0.234),
    mean_acceptance=mean_acceptance,
)
