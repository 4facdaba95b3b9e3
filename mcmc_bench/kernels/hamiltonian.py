"""Proposals of Hamiltonian samplers: a leapfrog trajectory, accepted or refused.

Must not know any particular sampler, target or metric.
"""

from __future__ import annotations

import numpy as np

from mcmc_bench.kernels.block import acceptance_probability, copy, flat, kinetic_energy, leapfrog, move, record
from mcmc_bench.kernels.jit import FLOW_SIGNATURE, compiled, jit


@jit
def propose_by_leapfrog(
    target, data, generator, step_size, num_steps,
    position, momentum, log_density, gradient, statistics, scratch, evaluations,
):  # fmt: skip
    """Leapfrog from (position, momentum), and accept where it ends with probability min(1, e^−ΔH).

    All of shape (chain, dim), or (chain,). On return `momentum` is that of the new state: the end of the trajectory
    where the proposal was accepted, and the beginning with its sign changed where it was not, so that the whole is
    reversible. `scratch` has at least 5 arrays.
    """
    chains, dim = position.shape
    proposal, proposal_gradient, initial_momentum = scratch[0], scratch[1], scratch[2]
    proposal_log_density, initial_kinetic = flat(scratch[3])[:chains], flat(scratch[4])[:chains]
    copy(position, proposal)
    copy(gradient, proposal_gradient)
    copy(momentum, initial_momentum)
    for chain in range(chains):
        initial_kinetic[chain] = kinetic_energy(momentum[chain])
    leapfrog(
        target, data, step_size, num_steps, proposal, momentum, proposal_log_density, proposal_gradient, evaluations
    )

    for chain in range(chains):
        initial = initial_kinetic[chain] - log_density[chain]
        final = kinetic_energy(momentum[chain]) - proposal_log_density[chain]
        energy_error = final - initial
        acceptance = acceptance_probability(-energy_error)
        record(statistics, chain, acceptance, energy_error)
        if generator.random() < acceptance:
            move(chain, proposal, proposal_log_density, proposal_gradient, position, log_density, gradient)
        else:
            for i in range(dim):
                momentum[chain, i] = -initial_momentum[chain, i]


@jit
def flow(target, data, step_size, num_steps, position, momentum, log_density, gradient, nothing, evaluations):
    """`leapfrog` with the arguments of a flow that is called from outside, for which it is compiled once and for all."""
    leapfrog(target, data, step_size, num_steps, position, momentum, log_density, gradient, evaluations)


def leapfrog_flow(target, settings, position, momentum):
    """Where `num_integration_steps` leapfrog steps (10 where there is no such setting) lead; (chain, dim) each."""
    q, p = position.copy(), momentum.copy()
    log_density, gradient = target.log_density_and_gradient(q)
    steps = int(settings.get("num_integration_steps", 10))
    nothing, evaluations = np.zeros(len(q)), np.zeros(1, dtype=np.int64)
    follow = compiled(flow, FLOW_SIGNATURE)
    follow(target.pointer, target.data, settings["step_size"], steps, q, p, log_density, gradient, nothing, evaluations)
    return q, p
