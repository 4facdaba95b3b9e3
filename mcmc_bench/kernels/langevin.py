"""Langevin steps without a correction.

Must not know any particular sampler, target or metric. Convention: x' = x + ε ∇log p(x) + √(2ετ) z.
"""

from __future__ import annotations

import numpy as np

from mcmc_bench.kernels.block import copy, evaluate, flat, record
from mcmc_bench.kernels.jit import jit


@jit
def unadjusted_step(
    target, data, generator, step_size, temperature, position, log_density, gradient, statistics, scratch, evaluations
):
    """One step x' = x + ε ∇log p(x) + √(2ετ) z of a block, in place; one evaluation.

    The energy error that is recorded is −log of the ratio with which MALA would accept the step. `scratch` has at least
    2 arrays.
    """
    noise_scale = np.sqrt(2.0 * step_size * temperature)
    chains, dim = position.shape
    before, log_ratio = scratch[0], flat(scratch[1])[:chains]
    copy(position, before)
    for chain in range(chains):
        log_ratio[chain] = -log_density[chain]
        for i in range(dim):
            noise = noise_scale * generator.standard_normal()
            log_ratio[chain] += noise * noise / (4.0 * step_size)
            position[chain, i] += step_size * gradient[chain, i] + noise
    evaluate(target, data, position, log_density, gradient, evaluations)
    for chain in range(chains):
        log_ratio[chain] += log_density[chain]
        for i in range(dim):
            backward = before[chain, i] - position[chain, i] - step_size * gradient[chain, i]
            log_ratio[chain] -= backward * backward / (4.0 * step_size)
        record(statistics, chain, 1.0, -log_ratio[chain])


@jit
def refresh(generator, decay, temperature, momentum):
    """p ← c p + √(τ (1 − c²)) z of a block: keeps N(0, τ I)."""
    p = flat(momentum)
    scale = np.sqrt(temperature * (1.0 - decay * decay))
    for j in range(p.shape[0]):
        p[j] = decay * p[j] + scale * generator.standard_normal()


def init_momentum(target, generator, settings, schedule, position):
    """Memory of samplers that keep a momentum: a draw of N(0, I), (1, chain, dim)."""
    return generator.standard_normal((1, *position.shape))


def variance_on_gaussian(step_size, temperature, precision):
    """τ / (λ (1 − ελ/2)) along each eigenvector of the precision λ of a Gaussian; infinite where ε ≥ 2/λ."""
    shrinkage = 1.0 - step_size * precision / 2.0
    with np.errstate(divide="ignore"):
        return np.where(shrinkage > 0, temperature / (precision * shrinkage), np.inf)


def characteristic_of(drift, a, step_size, temperature=1.0):
    """E exp(i a·(x' − x)) for x' = x + ε D(x) + √(2ετ) z: drifts D (n, dim), directions a (k, dim), result (n, k)."""
    return np.exp(step_size * (1j * drift @ a.T - temperature * (a**2).sum(axis=1)))
