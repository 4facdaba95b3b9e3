"""Metropolis with Barker's proposal.

    zᵢ ~ N(0, σ²);   yᵢ = xᵢ + bᵢ zᵢ,   bᵢ = +1 with probability 1/(1 + e^{−zᵢ gᵢ(x)}), else −1,   g = ∇log p
    log of the ratio: log p(y) − log p(x) + Σᵢ [log(1 + e^{−(yᵢ−xᵢ) gᵢ(x)}) − log(1 + e^{(yᵢ−xᵢ) gᵢ(y)})]

The gradient chooses only the direction of a step, never its length: a step size that is too large costs less than in
MALA. `step_size` is σ.
"""

from mcmc_bench.core.sampler import Adaptation, Sampler, Setting
from mcmc_bench.kernels.block import acceptance_probability, evaluate, flat, move, record
from mcmc_bench.kernels.jit import jit
from mcmc_bench.kernels.mathematics import sigmoid, softplus


@jit
def step(target, data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations):
    (step_size,) = settings
    chains, dim = position.shape
    proposal, proposal_gradient = scratch[0], scratch[1]
    proposal_log_density = flat(scratch[2])[:chains]

    for chain in range(chains):
        for i in range(dim):
            z = step_size * generator.standard_normal()
            forward = generator.random() < sigmoid(z * gradient[chain, i])
            proposal[chain, i] = position[chain, i] + (z if forward else -z)
    evaluate(target, data, proposal, proposal_log_density, proposal_gradient, evaluations)

    for chain in range(chains):
        log_ratio = proposal_log_density[chain] - log_density[chain]
        for i in range(dim):
            difference = proposal[chain, i] - position[chain, i]
            log_ratio += softplus(-difference * gradient[chain, i]) - softplus(difference * proposal_gradient[chain, i])
        acceptance = acceptance_probability(log_ratio)
        record(statistics, chain, acceptance, -log_ratio)
        if generator.random() < acceptance:
            move(chain, proposal, proposal_log_density, proposal_gradient, position, log_density, gradient)


SAMPLER = Sampler(
    kind="exact",
    description="The gradient chooses the direction of each coordinate's step and not its length; robust to the step size",
    source="Livingstone and Zanella 2022, arXiv 1908.11812",
    step=step,
    scratch=3,
    settings={"step_size": Setting(0.5, "σ, standard deviation of a coordinate's step", low=0.0, above=True)},
    uses_inverse_mass_matrix=True,
    metropolised=True,
    adaptation=Adaptation("acceptance", goal=0.4),
)
