"""What every step of a block of chains is made of: evaluate, draw normals, integrate, accept.

Must not know any particular sampler, target or metric. Shapes: x, gradient (chain, dim); log density (chain,).
"""

from __future__ import annotations

import numpy as np

from mcmc_bench.kernels.jit import jit


@jit
def evaluate(target, data, position, log_density, gradient, evaluations):
    """One evaluation of the target for every chain of the block; the only place where evaluations are counted."""
    target(position, log_density, gradient, data)
    evaluations[0] += 1


@jit
def fill_standard_normal(generator, out):
    """Independent standard normals in `out` (chain, dim)."""
    for chain in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[chain, i] = generator.standard_normal()


@jit
def acceptance_probability(log_ratio):
    """min(1, e^log_ratio), and zero where the ratio is not a number (a proposal outside the density's domain)."""
    if np.isnan(log_ratio):
        return 0.0
    return np.exp(min(log_ratio, 0.0))


@jit
def move(chain, new_position, new_log_density, new_gradient, position, log_density, gradient):
    """Make the proposal of one chain its state."""
    log_density[chain] = new_log_density[chain]
    for i in range(position.shape[1]):
        position[chain, i] = new_position[chain, i]
        gradient[chain, i] = new_gradient[chain, i]


@jit
def leapfrog(
    target, data, step_size, num_steps, inverse_mass_matrix, position, momentum, log_density, gradient, evaluations
):
    """`num_steps` leapfrog steps of a block, in place: half kick, drift, …, half kick.

    H(q, p) = −log density(q) + ½ Σ pᵢ² · inverse_mass_matrixᵢ. `gradient` is the gradient at `position` before
    and after. Source: Neal 2011, MCMC using Hamiltonian dynamics, arXiv 1206.1901, figure 2.
    """
    chains, dim = position.shape
    for chain in range(chains):
        for i in range(dim):
            momentum[chain, i] += 0.5 * step_size * gradient[chain, i]
    for integration_step in range(num_steps):
        for chain in range(chains):
            for i in range(dim):
                position[chain, i] += step_size * inverse_mass_matrix[i] * momentum[chain, i]
        evaluate(target, data, position, log_density, gradient, evaluations)
        # Two half kicks between drifts are one whole kick.
        kick = step_size if integration_step < num_steps - 1 else 0.5 * step_size
        for chain in range(chains):
            for i in range(dim):
                momentum[chain, i] += kick * gradient[chain, i]


@jit
def kinetic_energy(momentum, inverse_mass_matrix):
    """½ Σ pᵢ² · inverse_mass_matrixᵢ of one chain, `momentum` (dim,)."""
    total = 0.0
    for i in range(momentum.shape[0]):
        total += momentum[i] * momentum[i] * inverse_mass_matrix[i]
    return 0.5 * total
