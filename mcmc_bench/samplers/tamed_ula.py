"""Tamed unadjusted Langevin algorithm: a drift that cannot overflow.

    x' = x + ε T(∇log p(x)) + √(2ε) z,   z ~ N(0, I)
    T(g) = g / (1 + ε ‖g‖), or coordinate by coordinate gᵢ / (1 + ε |gᵢ|)

Where the density falls faster than a Gaussian, ULA's step grows with ‖g‖ beyond all bounds; here it is shorter than 1.
Convention of ε as in `ula`.
"""

import numpy as np

from mcmc_bench.core.sampler import Adaptation, Sampler, Setting
from mcmc_bench.kernels.block import copy, evaluate, flat, record
from mcmc_bench.kernels.jit import jit
from mcmc_bench.kernels.langevin import characteristic_of


@jit
def tamed(step_size, coordinatewise, gradient, out):
    """T(g) of one chain, `gradient` and `out` (dim,)."""
    norm = 0.0
    for i in range(gradient.shape[0]):
        norm += gradient[i] * gradient[i]
    norm = np.sqrt(norm)
    for i in range(gradient.shape[0]):
        out[i] = gradient[i] / (1.0 + step_size * (abs(gradient[i]) if coordinatewise else norm))


@jit
def step(target, data, generator, settings, position, log_density, gradient, statistics, memory, scratch, evaluations):
    step_size, coordinatewise = settings
    noise_scale = np.sqrt(2.0 * step_size)
    chains, dim = position.shape
    before, drift = scratch[0], scratch[1]
    log_ratio = flat(scratch[2])[:chains]  # what a correction by Metropolis would see
    copy(position, before)
    for chain in range(chains):
        tamed(step_size, coordinatewise > 0.0, gradient[chain], drift[chain])
        log_ratio[chain] = -log_density[chain]
        for i in range(dim):
            noise = noise_scale * generator.standard_normal()
            log_ratio[chain] += noise * noise / (4.0 * step_size)
            position[chain, i] += step_size * drift[chain, i] + noise
    evaluate(target, data, position, log_density, gradient, evaluations)
    for chain in range(chains):
        tamed(step_size, coordinatewise > 0.0, gradient[chain], drift[chain])
        log_ratio[chain] += log_density[chain]
        for i in range(dim):
            backward = before[chain, i] - position[chain, i] - step_size * drift[chain, i]
            log_ratio[chain] -= backward * backward / (4.0 * step_size)
        record(statistics, chain, 1.0, -log_ratio[chain])


def characteristic(settings, target, x, a):
    """exp(i ε a·T − ε ‖a‖²), T = T(∇log p): a Gaussian step."""
    gradient = target.log_density_and_gradient(x)[1]
    norm = np.linalg.norm(gradient, axis=1, keepdims=True)
    drift = gradient / (1.0 + settings["step_size"] * (np.abs(gradient) if settings["coordinatewise"] else norm))
    return characteristic_of(drift, a, settings["step_size"])


SAMPLER = Sampler(
    kind="biased",
    description="ULA with a bounded drift: stays finite where the density falls faster than a Gaussian",
    source="Brosse, Durmus, Moulines and Sabanis 2017, arXiv 1710.05559",
    step=step,
    scratch=3,
    adaptation=Adaptation("energy", goal=0.02, exponent=3.0, mass_matrix=False),
    characteristic=characteristic,
    settings={
        "step_size": Setting(0.1, "ε in x + ε T(∇log p(x)) + √(2ε) z", low=0.0, above=True),
        "coordinatewise": Setting(0, "1 tames each coordinate by itself, 0 the norm", low=0, high=1, integer=True),
    },
)
