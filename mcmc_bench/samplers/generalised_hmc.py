"""Hamiltonian Monte Carlo that forgets only a part of its momentum.

    p ← α p + √(1 − α²) ξ,   ξ ~ N(0, I);   L leapfrog steps;   accept with min(1, e^{−ΔH}), else p ← −p

α = 0 is HMC. With a refused proposal the momentum turns round: without that the kernel would not keep the target.
"""

from mcmc_bench.core.sampler import Adaptation, Sampler, Setting
from mcmc_bench.kernels.hamiltonian import leapfrog_flow, propose_by_leapfrog
from mcmc_bench.kernels.jit import jit
from mcmc_bench.kernels.langevin import init_momentum, refresh


@jit
def step(target, data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations):
    step_size, num_integration_steps, persistence = settings
    momentum = memory[0]
    refresh(generator, persistence, 1.0, momentum)
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
        scratch,
        evaluations,
    )


SAMPLER = Sampler(
    kind="exact",
    description="HMC whose momentum persists from one transition to the next; turns round when it is refused",
    source="Horowitz 1991, doi 10.1016/0370-2693(91)90812-5",
    step=step,
    flow=leapfrog_flow,
    scratch=5,
    memory=1,
    init_memory=init_momentum,
    settings={
        "step_size": Setting(0.1, "h, the leapfrog step", low=0.0, above=True),
        "num_integration_steps": Setting(1, "L, leapfrog steps in a transition", low=1, high=1_000_000, integer=True),
        "persistence": Setting(0.9, "α, how much of the momentum is kept", low=0.0, high=1.0),
    },
    evaluations_per_step=lambda settings: int(settings["num_integration_steps"]),
    uses_inverse_mass_matrix=True,
    metropolised=True,
    adaptation=Adaptation("acceptance", goal=0.95),
)
