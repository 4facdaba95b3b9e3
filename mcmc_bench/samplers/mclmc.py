"""Microcanonical Langevin Monte Carlo, unadjusted.

    half a refresh;  half a turn of u;  x ← x + h u;  half a turn;  half a refresh,   ‖u‖ = 1
    refresh for a time t: u ← (u + ν z)/‖u + ν z‖,   ν = √((e^{2t/L} − 1)/d)

The momentum keeps its length: no step is longer than h however steep the density. L is the length over which the
direction is forgotten. Needs at least two dimensions.
"""

import numpy as np

from mcmc_bench.core.sampler import Adaptation, Sampler, Setting
from mcmc_bench.kernels.block import flat, record
from mcmc_bench.kernels.jit import jit
from mcmc_bench.kernels.langevin import init_momentum
from mcmc_bench.kernels.microcanonical import isokinetic_flow, isokinetic_leapfrog, normalise


@jit
def step(target, data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations):
    step_size, decoherence_length = settings
    chains, dim = position.shape
    direction, kinetic_change, before = memory[0], flat(scratch[0])[:chains], flat(scratch[1])[:chains]
    length = decoherence_length if decoherence_length > 0.0 else np.sqrt(dim)
    scale = np.sqrt((np.exp(step_size / length) - 1.0) / dim)
    u = flat(direction)

    normalise(direction)
    for j in range(u.shape[0]):
        u[j] += scale * generator.standard_normal()
    normalise(direction)
    for chain in range(chains):
        kinetic_change[chain] = 0.0
        before[chain] = log_density[chain]
    isokinetic_leapfrog(
        target, data, step_size, 1, position, direction, log_density, gradient, kinetic_change, evaluations
    )
    for chain in range(chains):
        record(statistics, chain, 1.0, kinetic_change[chain] + before[chain] - log_density[chain])
    for j in range(u.shape[0]):
        u[j] += scale * generator.standard_normal()


SAMPLER = Sampler(
    kind="biased",
    description="Momentum of fixed length that turns with the gradient; cheap steps, and a bias that its step size leaves",
    source="Robnik and Seljak 2023, arXiv 2303.18221",
    step=step,
    flow=isokinetic_flow,
    scratch=2,
    memory=1,
    init_memory=init_momentum,
    requires=("more than one dimension",),
    uses_inverse_mass_matrix=True,
    adaptation=Adaptation("energy", goal=0.05, exponent=6.0),
    settings={
        "step_size": Setting(0.5, "h, the distance of one step", low=0.0, above=True),
        "decoherence_length": Setting(0.0, "L; 0 stands for √d, which suits unit variances", low=0.0),
    },
)
