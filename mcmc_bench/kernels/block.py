"""What every step of a block of chains is made of: evaluate, draw normals, integrate, accept.

Must not know any particular sampler, target or metric. Shapes: x, gradient (chain, dim); log density (chain,).
"""

from __future__ import annotations

import numpy as np
from numba import types
from numba.extending import intrinsic
from numba.np import arrayobj

from mcmc_bench.kernels.jit import jit, jit_inline
from mcmc_bench.kernels.mathematics import exp


@intrinsic
def flat(typing_context, array):
    """All elements of a C-contiguous array as a view of one dimension, chain after chain.

    A loop over a dim of 1 or 2 costs more than what is in it; one loop over the whole block runs in SIMD registers.
    As ``array.reshape(-1)``, without the checks and the counted reference that cost 10 ns a call.
    """
    view = types.Array(array.dtype, 1, "C")

    def generate(context, builder, signature, arguments):
        source = arrayobj.make_array(array)(context, builder, arguments[0])
        result = arrayobj.make_array(view)(context, builder)
        itemsize = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(array.dtype)))
        arrayobj.populate_array(
            result, data=source.data, shape=[source.nitems], strides=[itemsize], itemsize=itemsize, meminfo=None
        )
        return result._getvalue()  # noqa: SLF001 - numba's only way to hand a view back

    return view(array), generate


@jit_inline
def evaluate(target, data, position, log_density, gradient, evaluations):
    """One evaluation of the target for every chain of the block; the only place where evaluations are counted."""
    target(position, log_density, gradient, data)
    evaluations[0] += 1


@jit_inline
def fill_standard_normal(generator, out):
    """Independent standard normals in `out` (chain, dim)."""
    values = flat(out)
    for j in range(values.shape[0]):
        values[j] = generator.standard_normal()


@jit_inline
def acceptance_probability(log_ratio):
    """min(1, e^log_ratio), and zero where the ratio is not a number (a proposal outside the density's domain)."""
    if np.isnan(log_ratio):
        return 0.0
    return exp(min(log_ratio, 0.0))


@jit_inline
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
    kick = 0.5 * step_size
    for _ in range(num_steps):
        for chain in range(chains):
            for i in range(dim):
                momentum[chain, i] += kick * gradient[chain, i]
                position[chain, i] += step_size * inverse_mass_matrix[i] * momentum[chain, i]
        evaluate(target, data, position, log_density, gradient, evaluations)
        kick = step_size  # two half kicks between drifts are one whole kick
    for chain in range(chains):
        for i in range(dim):
            momentum[chain, i] += 0.5 * step_size * gradient[chain, i]


@jit_inline
def kinetic_energy(momentum, inverse_mass_matrix):
    """½ Σ pᵢ² · inverse_mass_matrixᵢ of one chain, `momentum` (dim,)."""
    total = 0.0
    for i in range(momentum.shape[0]):
        total += momentum[i] * momentum[i] * inverse_mass_matrix[i]
    return 0.5 * total
