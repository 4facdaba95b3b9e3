"""Microcanonical Hamiltonian Monte Carlo with a Metropolis correction.

    u uniform on the sphere;   L isokinetic leapfrog steps of size h;   accept with min(1, e^{−ΔE})
    ΔE = (d − 1) Δ log ‖p‖ − Δ log p(x)

The flow of u changes volume on the sphere by just what the change of the kinetic energy says, so that the ratio needs no
further factor. Needs at least two dimensions.
"""

from mcmc_bench.core.sampler import Adaptation, Sampler, Setting
from mcmc_bench.kernels.block import acceptance_probability, copy, fill_standard_normal, flat, move, record
from mcmc_bench.kernels.jit import jit
from mcmc_bench.kernels.microcanonical import isokinetic_flow, isokinetic_leapfrog, normalise


@jit
def step(target, data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations):
    step_size, num_integration_steps = settings
    chains = position.shape[0]
    direction, proposal, proposal_gradient = scratch[0], scratch[1], scratch[2]
    proposal_log_density, kinetic_change = flat(scratch[3])[:chains], flat(scratch[4])[:chains]

    fill_standard_normal(generator, direction)
    normalise(direction)
    copy(position, proposal)
    copy(gradient, proposal_gradient)
    for chain in range(chains):
        kinetic_change[chain] = 0.0
        proposal_log_density[chain] = log_density[chain]
    isokinetic_leapfrog(
        target,
        data,
        step_size,
        int(num_integration_steps),
        proposal,
        direction,
        proposal_log_density,
        proposal_gradient,
        kinetic_change,
        evaluations,
    )
    for chain in range(chains):
        energy_error = kinetic_change[chain] + log_density[chain] - proposal_log_density[chain]
        acceptance = acceptance_probability(-energy_error)
        record(statistics, chain, acceptance, energy_error)
        if generator.random() < acceptance:
            move(chain, proposal, proposal_log_density, proposal_gradient, position, log_density, gradient)


SAMPLER = Sampler(
    kind="exact",
    description="Trajectories of fixed speed that turn with the gradient, corrected by Metropolis",
    source="Robnik, Cohn-Gordon and Seljak 2025, arXiv 2503.01707",
    step=step,
    flow=isokinetic_flow,
    scratch=5,
    requires=("more than one dimension",),
    settings={
        "step_size": Setting(0.5, "h, the distance of one step", low=0.0, above=True),
        "num_integration_steps": Setting(5, "L, steps in a transition", low=1, high=1_000_000, integer=True),
    },
    evaluations_per_step=lambda settings: int(settings["num_integration_steps"]),
    uses_inverse_mass_matrix=True,
    metropolised=True,
    adaptation=Adaptation("acceptance", goal=0.8),
)
