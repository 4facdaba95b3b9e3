"""Annealed importance sampling as the proposal of an independence sampler.

    x ~ N(0, s² I);   for β₁ < β₂ < … < βₖ = 1: w ← w · (p(x)/N(x; 0, s² I))^{βₖ − βₖ₋₁}, then MALA on N^{1−βₖ} p^{βₖ}
    accept the new (x, w) with min(1, w/w_old)

Neal's annealed importance weights turned into draws of equal weight: the pair (x, w) moves by independent proposals, whose
weight over the old one is the Metropolis ratio, so that the draws are exact for p and as correlated as weights are uneven.
The acceptance rate says how even they are. The steps of MALA are 1/(β/ε + 2 (1 − β)/s²).
"""

import numpy as np

from mcmc_bench.core.sampler import Adaptation, Sampler, Setting
from mcmc_bench.kernels.block import acceptance_probability, copy, evaluate, flat, move, record
from mcmc_bench.kernels.jit import jit, jit_inline


@jit_inline
def temper(beta, scale, x, log_density, gradient):
    """log of N(x; 0, s²)^{1−β} p^β of one chain up to a constant; `gradient` (dim,) of log p becomes its gradient."""
    total = 0.0
    for i in range(x.shape[0]):
        total -= 0.5 * (x[i] / scale) ** 2
        gradient[i] = beta * gradient[i] - (1.0 - beta) * x[i] / scale**2
    return beta * log_density + (1.0 - beta) * total


@jit_inline
def base_log_density(scale, x):
    """log N(x; 0, s² I) of one chain, up to a constant."""
    total = 0.0
    for i in range(x.shape[0]):
        total -= 0.5 * (x[i] / scale) ** 2
    return total


@jit
def step(target, data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations):
    step_size, levels, base_scale = settings[0], int(settings[1]), settings[2]
    chains, dim = position.shape
    beta, data = data[:levels], data[levels:]  # from 1 down
    x, slope, y, proposal_slope, one, two = scratch[0], scratch[1], scratch[2], scratch[3], scratch[4], scratch[5]
    value, proposal_value, log_weight = flat(scratch[6])[:chains], flat(scratch[7])[:chains], flat(scratch[8])[:chains]
    old_log_weight = flat(memory[0])[:chains]

    for chain in range(chains):
        for i in range(dim):
            x[chain, i] = base_scale * generator.standard_normal()
    evaluate(target, data, x, value, slope, evaluations)
    for chain in range(chains):
        log_weight[chain] = beta[levels - 1] * (value[chain] - base_log_density(base_scale, x[chain]))
    for k in range(levels - 1, 0, -1):
        size = 1.0 / (beta[k] / step_size + 2.0 * (1.0 - beta[k]) / base_scale**2)
        copy(slope, one)
        for chain in range(chains):
            temper(beta[k], base_scale, x[chain], value[chain], one[chain])
            for i in range(dim):
                y[chain, i] = x[chain, i] + size * one[chain, i] + np.sqrt(2.0 * size) * generator.standard_normal()
        evaluate(target, data, y, proposal_value, proposal_slope, evaluations)
        copy(proposal_slope, two)
        for chain in range(chains):
            log_ratio = temper(beta[k], base_scale, y[chain], proposal_value[chain], two[chain])
            log_ratio -= beta[k] * value[chain] + (1.0 - beta[k]) * base_log_density(base_scale, x[chain])
            for i in range(dim):
                forward = y[chain, i] - x[chain, i] - size * one[chain, i]
                backward = x[chain, i] - y[chain, i] - size * two[chain, i]
                log_ratio += (forward**2 - backward**2) / (4.0 * size)
            if generator.random() < acceptance_probability(log_ratio):
                move(chain, y, proposal_value, proposal_slope, x, value, slope)
            log_weight[chain] += (beta[k - 1] - beta[k]) * (value[chain] - base_log_density(base_scale, x[chain]))
    for chain in range(chains):
        log_ratio = log_weight[chain] - old_log_weight[chain]
        acceptance = acceptance_probability(log_ratio)
        record(statistics, chain, acceptance, -log_ratio)
        statistics[chain, 3] = log_weight[chain]
        if generator.random() < acceptance:
            old_log_weight[chain] = log_weight[chain]
            move(chain, x, value, slope, position, log_density, gradient)


def inverse_temperatures(settings):
    """β from 1 down to the first above 0, (k/K)⁴: more of them where the density changes most."""
    levels = int(settings["levels"])
    return (np.arange(levels, 0, -1) / levels) ** 4


def init_memory(target, generator, settings, schedule, position):
    """The log weight of every chain's start, (1, chain, dim): that of a run backwards from it.

    For a start drawn from p, start and weight then have the distribution that the transitions keep.
    """
    scale, x = settings["base_scale"], position.copy()

    def tempered(beta, x, value, slope):
        return (
            beta * value - (1.0 - beta) * 0.5 * (x**2).sum(axis=1) / scale**2,
            beta * slope - (1.0 - beta) * x / scale**2,
        )

    def ratio(x, value):
        return value + 0.5 * (x**2).sum(axis=1) / scale**2

    value, slope = target.log_density_and_gradient(x)
    log_weight = np.zeros(len(x))
    for k in range(1, len(schedule)):
        log_weight += (schedule[k - 1] - schedule[k]) * ratio(x, value)
        size = 1.0 / (schedule[k] / settings["step_size"] + 2.0 * (1.0 - schedule[k]) / scale**2)
        here, force = tempered(schedule[k], x, value, slope)
        y = x + size * force + np.sqrt(2.0 * size) * generator.standard_normal(x.shape)
        new_value, new_slope = target.log_density_and_gradient(y)
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused, as in the step
            there, back_force = tempered(schedule[k], y, new_value, new_slope)
            forward = ((y - x - size * force) ** 2).sum(axis=1)
            backward = ((x - y - size * back_force) ** 2).sum(axis=1)
            accept = np.log(generator.random(len(x))) < there - here + (forward - backward) / (4.0 * size)
        x[accept], value[accept], slope[accept] = y[accept], new_value[accept], new_slope[accept]
    log_weight += schedule[-1] * ratio(x, value)
    memory = np.zeros((1, *position.shape))
    memory.reshape(-1)[: len(x)] = log_weight
    return memory


SAMPLER = Sampler(
    kind="exact",
    description="Independent proposals annealed from a wide Gaussian, accepted by their importance weights",
    source="Neal 2001, arXiv physics/9803008; as an independence sampler: Andrieu, Doucet and Holenstein 2010, section 4.1",
    step=step,
    scratch=9,
    memory=1,
    init_memory=init_memory,
    extra_statistics=lambda settings: ("log_weight",),
    schedule=inverse_temperatures,
    prepare=lambda target, settings, schedule: (target.density, np.concatenate([schedule, target.data])),
    settings={
        "step_size": Setting(0.1, "ε of MALA at β = 1", low=0.0, above=True),
        "levels": Setting(50, "K, temperatures", low=1, high=100_000, integer=True),
        "base_scale": Setting(5.0, "s, standard deviation of the Gaussian where runs begin", low=0.0, above=True),
    },
    evaluations_per_step=lambda settings: int(settings["levels"]),
    metropolised=True,
    adaptation=Adaptation("scale", goal=1.0, setting="base_scale"),
)
