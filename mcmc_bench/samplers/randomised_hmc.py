"""Randomised Hamiltonian Monte Carlo: the number of leapfrog steps is geometric.

    p ~ N(0, I);   L ~ Geometric(1/L̄) on 1, 2, …;   L leapfrog steps of size h;   accept with min(1, e^{−ΔH})

The discrete form of exponentially distributed trajectory times, for which the correlation of a Gaussian's coordinate is
1/(1 + ω² T̄²) for every frequency ω: no resonance. The chains of a block share L, which depends on none of them. No
trajectory has more than 1000 steps: longer ones are cut there.
"""

import numpy as np

from mcmc_bench.core.sampler import Adaptation, Sampler, Setting
from mcmc_bench.kernels.hamiltonian import LONGEST, leapfrog_flow, propose_by_random_length
from mcmc_bench.kernels.jit import jit


@jit
def step(target, data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations):
    step_size, mean_integration_steps = settings
    num_integration_steps = 1.0
    if mean_integration_steps > 1.0:
        stop = 1.0 / mean_integration_steps
        num_integration_steps = np.ceil(np.log(1.0 - generator.random()) / np.log(1.0 - stop))
    propose_by_random_length(
        target,
        data,
        generator,
        step_size,
        num_integration_steps,
        position,
        log_density,
        gradient,
        statistics,
        scratch,
        evaluations,
    )


def expected_steps(settings):
    """E min(L, K) = L̄ (1 − (1 − 1/L̄)^K) leapfrog steps, where the step cuts L at K = 1000."""
    mean_steps = settings["mean_integration_steps"]
    return mean_steps * (1.0 - (1.0 - 1.0 / mean_steps) ** LONGEST)


SAMPLER = Sampler(
    kind="exact",
    description="HMC with exponentially distributed trajectories: mixes along every frequency",
    source="Bou-Rabee and Sanz-Serna 2017, arXiv 1511.09382",
    step=step,
    flow=leapfrog_flow,
    scratch=6,
    extra_statistics=lambda settings: ("n_steps",),
    settings={
        "step_size": Setting(0.1, "h, the leapfrog step", low=0.0, above=True),
        "mean_integration_steps": Setting(
            10.0, "L̄, mean number of leapfrog steps; they are cut at 1000", low=1.0, high=LONGEST
        ),
    },
    evaluations_per_step=expected_steps,
    varying_cost=True,
    uses_inverse_mass_matrix=True,
    metropolised=True,
    adaptation=Adaptation("acceptance", goal=0.8),
)
