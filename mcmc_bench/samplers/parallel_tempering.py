"""Parallel tempering: replicas at several temperatures that exchange their states.

    every replica k moves by HMC on p^{βₖ}, 1 = β₀ > β₁ > … ;   then pairs (0,1), (2,3), … or (1,2), (3,4), … by turns
    swap with probability min(1, e^{(βₖ − βₖ₊₁)(log p(xₖ₊₁) − log p(xₖ))})

Hot replicas cross barriers, and hand what they find down to the one at β = 1, whose states are the draws. Swapping even
and odd pairs by turns, and not at random, makes the way from hot to cold the shortest. One leapfrog step is MALA. A
replica's step is h/√β. Where tails are heavy, small powers of p have no integral: β stays above the target's bound. An evaluation of every replica is counted. A round trip is a state that has been at β = 1, then at
the hottest replica, and is at β = 1 again: nothing else brings news of another mode.
"""

import numpy as np

from mcmc_bench.core.sampler import ACCEPTANCE, Adaptation, Sampler, Setting
from mcmc_bench.kernels.block import (
    acceptance_probability,
    copy,
    evaluate_replicas,
    fill_standard_normal,
    flat,
    kinetic_energy,
    record,
)
from mcmc_bench.kernels.jit import jit, jit_inline


@jit_inline
def integrate(target, data, beta, step_size, num_steps, position, momentum, log_density, gradient, evaluations):
    """Leapfrog steps of all replicas on p^β, each with its own step size h/√β, but for the last half kick."""
    for n in range(num_steps):
        for k in range(beta.shape[0]):
            h = step_size / np.sqrt(beta[k])
            kick = (0.5 if n == 0 else 1.0) * h * beta[k]
            q, p, f = flat(position[k]), flat(momentum[k]), flat(gradient[k])
            for j in range(q.shape[0]):
                p[j] += kick * f[j]
                q[j] += h * p[j]
        evaluate_replicas(target, data, position, log_density, gradient, evaluations)


@jit_inline
def exchange(generator, beta, x, value, force, turn, been_hot, statistics):
    """Swap the states of neighbouring replicas, even and odd pairs by turns; records rejections and round trips."""
    replicas, chains, dim = x.shape
    for chain in range(chains):
        parity = int(turn[chain, 0])
        turn[chain, 0] = 1.0 - turn[chain, 0]
        for k in range(replicas - 1):
            log_ratio = (beta[k] - beta[k + 1]) * (value[k + 1, chain] - value[k, chain])
            acceptance = acceptance_probability(log_ratio)
            statistics[chain, 3 + k] = 1.0 - acceptance
            if k % 2 == parity and generator.random() < acceptance:
                value[k, chain], value[k + 1, chain] = value[k + 1, chain], value[k, chain]
                been_hot[k, chain], been_hot[k + 1, chain] = been_hot[k + 1, chain], been_hot[k, chain]
                for i in range(dim):
                    x[k, chain, i], x[k + 1, chain, i] = x[k + 1, chain, i], x[k, chain, i]
                    force[k, chain, i], force[k + 1, chain, i] = force[k + 1, chain, i], force[k, chain, i]
        statistics[chain, 2 + replicas] = been_hot[0, chain]
        been_hot[0, chain], been_hot[replicas - 1, chain] = 0.0, 1.0


@jit
def step(target, data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations):
    step_size, num_integration_steps, replicas, _hottest = settings
    replicas = int(replicas)
    chains, dim = position.shape
    beta, data = data[:replicas], data[replicas:]
    x, force = memory[:replicas], memory[replicas : 2 * replicas]  # (replica, chain, dim)
    value = flat(memory[2 * replicas : 3 * replicas])[: replicas * chains].reshape(replicas, chains)
    turn = memory[3 * replicas]
    been_hot = flat(memory[3 * replicas + 1 :])[: replicas * chains].reshape(replicas, chains)
    proposal, proposal_force = scratch[:replicas], scratch[replicas : 2 * replicas]
    momentum = scratch[2 * replicas : 3 * replicas]
    proposal_value = flat(scratch[3 * replicas : 4 * replicas])[: replicas * chains].reshape(replicas, chains)
    energy = flat(scratch[4 * replicas : 5 * replicas])[: replicas * chains].reshape(replicas, chains)

    for k in range(replicas):
        copy(x[k], proposal[k])
        copy(force[k], proposal_force[k])
        fill_standard_normal(generator, momentum[k])
        for chain in range(chains):
            energy[k, chain] = kinetic_energy(momentum[k, chain]) - beta[k] * value[k, chain]
    integrate(
        target,
        data,
        beta,
        step_size,
        int(num_integration_steps),
        proposal,
        momentum,
        proposal_value,
        proposal_force,
        evaluations,
    )
    for chain in range(chains):
        statistics[chain, ACCEPTANCE] = 0.0
    for k in range(replicas):
        half_kick = 0.5 * step_size * np.sqrt(beta[k])
        p, f = flat(momentum[k]), flat(proposal_force[k])
        for j in range(p.shape[0]):
            p[j] += half_kick * f[j]
        for chain in range(chains):
            energy_error = kinetic_energy(momentum[k, chain]) - beta[k] * proposal_value[k, chain] - energy[k, chain]
            acceptance = acceptance_probability(-energy_error)
            if k == 0:
                record(statistics, chain, 0.0, energy_error)
            statistics[chain, ACCEPTANCE] += acceptance / replicas
            if generator.random() < acceptance:
                value[k, chain] = proposal_value[k, chain]
                for i in range(dim):
                    x[k, chain, i] = proposal[k, chain, i]
                    force[k, chain, i] = proposal_force[k, chain, i]

    exchange(generator, beta, x, value, force, turn, been_hot, statistics)
    for chain in range(chains):
        log_density[chain] = value[0, chain]
    copy(x[0], position)
    copy(force[0], gradient)


def inverse_temperatures(settings):
    """β from 1 down to the hottest, in equal ratios: the ladder before it is tuned."""
    return np.geomspace(1.0, settings["hottest"], int(settings["replicas"]))


def init_memory(target, generator, settings, ladder, position):
    """All replicas where the chain is: positions, gradients, log densities, whose turn it is, and who has been hot."""
    replicas = len(ladder)
    memory = np.zeros((4 * replicas + 1, *position.shape))
    log_density, gradient = target.log_density_and_gradient(position)
    memory[:replicas], memory[replicas : 2 * replicas] = position, gradient
    memory[2 * replicas : 3 * replicas].reshape(-1)[: replicas * len(position)] = np.tile(log_density, replicas)
    return memory


def with_integrable_powers(target, settings):
    """The settings, where the hottest replica has a distribution: p^β must have an integral, or it wanders off for ever."""
    hottest, bound = settings["hottest"], target.smallest_power
    if not hottest > bound:
        raise ValueError(
            f"hottest = {hottest:g}: the power p^β of {target.label} has an integral for β > {bound:g} only; "
            f"set hottest between {bound:g} and 1"
        )
    return settings


SAMPLER = Sampler(
    kind="exact",
    description="Hot replicas cross barriers and hand what they find down: the right weights of well-separated modes",
    source="Swendsen and Wang 1986, doi 10.1103/PhysRevLett.57.2607; Syed et al. 2022, arXiv 1905.02939",
    step=step,
    starts_in_equilibrium=False,
    resolve_settings=with_integrable_powers,
    scratch=lambda settings: 5 * int(settings["replicas"]),
    memory=lambda settings: 4 * int(settings["replicas"]) + 1,
    init_memory=init_memory,
    extra_statistics=lambda settings: (
        *(f"swap_rejection_{k}" for k in range(1, int(settings["replicas"]))),
        "round_trips",
    ),
    schedule=inverse_temperatures,
    prepare=lambda target, settings, ladder: (target.density, np.concatenate([ladder, target.data])),
    settings={
        "step_size": Setting(0.3, "h, the leapfrog step of the replica at β = 1", low=0.0, above=True),
        "num_integration_steps": Setting(
            3, "L, leapfrog steps between swaps; 1 is MALA", low=1, high=1_000_000, integer=True
        ),
        "replicas": Setting(6, "number of temperatures", low=2, high=64, integer=True),
        "hottest": Setting(0.02, "β of the hottest replica", low=0.0, above=True, high=1.0),
    },
    evaluations_per_step=lambda settings: int(settings["num_integration_steps"]) * int(settings["replicas"]),
    uses_inverse_mass_matrix=True,
    metropolised=True,
    adaptation=Adaptation("acceptance", goal=0.8, ladder=True),
)
