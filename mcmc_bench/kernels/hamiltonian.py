"""Proposals of Hamiltonian samplers: a leapfrog trajectory, accepted or refused.

Must not know any particular sampler, target or metric.
"""

from __future__ import annotations

import numpy as np

from mcmc_bench.kernels.block import (
    acceptance_probability,
    copy,
    fill_standard_normal,
    flat,
    kinetic_energy,
    leapfrog,
    move,
    record,
)
from mcmc_bench.kernels.jit import FLOW_SIGNATURE, compiled, jit

#: Leapfrog steps of a trajectory of random length at most: a length beyond is cut, so that no step size, however small,
#: holds a transition for ever. Lengths do not depend on where chains are, so that cutting them keeps the target.
LONGEST = 1000


@jit
def propose_by_leapfrog(
    target,
    data,
    generator,
    step_size,
    num_steps,
    position,
    momentum,
    log_density,
    gradient,
    statistics,
    scratch,
    evaluations,
):
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
def propose_by_random_length(
    target, data, generator, step_size, num_steps, position, log_density, gradient, statistics, scratch, evaluations
):
    """Fresh momentum, `num_steps` leapfrog steps (between 1 and `LONGEST`), accept or refuse; records `n_steps`.

    `scratch` has at least 6 arrays.
    """
    steps = int(min(max(1.0, num_steps), LONGEST))
    fill_standard_normal(generator, scratch[0])
    propose_by_leapfrog(
        target,
        data,
        generator,
        step_size,
        steps,
        position,
        scratch[0],
        log_density,
        gradient,
        statistics,
        scratch[1:],
        evaluations,
    )
    statistics[:, 3] = steps


@jit
def flow(target, data, step_size, num_steps, position, momentum, log_density, gradient, nothing, evaluations):
    """`leapfrog` with the arguments of a flow that is called from outside, for which it is compiled once and for all."""
    leapfrog(target, data, step_size, num_steps, position, momentum, log_density, gradient, evaluations)


def leapfrog_flow(target, settings, position, momentum):
    """The end of `num_integration_steps` leapfrog steps (10 where there is no such setting); (chain, dim) each."""
    q, p = position.copy(), momentum.copy()
    log_density, gradient = target.log_density_and_gradient(q)
    steps = int(settings.get("num_integration_steps", 10))
    nothing, evaluations = np.zeros(len(q)), np.zeros(1, dtype=np.int64)
    follow = compiled(flow, FLOW_SIGNATURE)
    follow(target.pointer, target.data, settings["step_size"], steps, q, p, log_density, gradient, nothing, evaluations)
    return q, p
