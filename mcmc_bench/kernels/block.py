"""The parts of every step of a block of chains: evaluate, draw normals, integrate, accept.

Must not know any particular sampler, target or metric. Shapes: x, gradient (chain, dim); log density (chain,).
"""

from __future__ import annotations

import numpy as np
from numba import types
from numba.extending import intrinsic
from numba.np import arrayobj

from mcmc_bench.kernels.jit import jit, jit_inline
from mcmc_bench.kernels.mathematics import exp

#: Columns of `statistics` that every transition fills in; their names stand in `mcmc_bench.core.sampler`.
ACCEPTANCE, DIVERGING, ENERGY_ERROR = 0, 1, 2
DIVERGENCE_THRESHOLD = 1000.0


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
    """One evaluation of the target for every chain of the block; evaluations are counted here and nowhere else."""
    target(position, log_density, gradient, data)
    evaluations[0] += 1


@jit_inline
def evaluate_replicas(target, data, position, log_density, gradient, evaluations):
    """As `evaluate`, of several states of every chain at once: (replica, chain, dim), and (replica, chain)."""
    replicas, chains, dim = position.shape
    points, slopes = position.reshape(replicas * chains, dim), gradient.reshape(replicas * chains, dim)
    target(points, log_density.reshape(replicas * chains), slopes, data)
    evaluations[0] += replicas


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
def leapfrog(target, data, step_size, num_steps, position, momentum, log_density, gradient, evaluations):
    """`num_steps` leapfrog steps of a block, in place: half kick, drift, …, half kick.

    H(q, p) = −log density(q) + ½ ‖p‖². `gradient` is the gradient at `position` before and after.
    Source: Neal 2011, MCMC using Hamiltonian dynamics, arXiv 1206.1901, figure 2.
    """
    q, p, force = flat(position), flat(momentum), flat(gradient)  # (chain · dim,)
    kick = 0.5 * step_size
    for _ in range(num_steps):
        for j in range(q.shape[0]):
            p[j] += kick * force[j]
            q[j] += step_size * p[j]
        evaluate(target, data, position, log_density, gradient, evaluations)
        kick = step_size  # two half kicks between drifts are one whole kick
    for j in range(q.shape[0]):
        p[j] += 0.5 * step_size * force[j]


@jit_inline
def kinetic_energy(momentum):
    """½ ‖p‖² of one chain, `momentum` (dim,)."""
    total = 0.0
    for i in range(momentum.shape[0]):
        total += momentum[i] * momentum[i]
    return 0.5 * total


@jit_inline
def copy(source, out):
    """`source` into `out`, both (chain, dim)."""
    values, result = flat(source), flat(out)
    for j in range(values.shape[0]):
        result[j] = values[j]


@jit_inline
def diverges(energy_error):
    """True if an energy error is above 1000 or not a number: diverging, in every sampler (Stan's convention)."""
    return not energy_error < DIVERGENCE_THRESHOLD  # written so that a NaN counts too


@jit_inline
def record(statistics, chain, acceptance, energy_error):
    """The statistics of one chain's transition."""
    statistics[chain, ACCEPTANCE] = acceptance
    statistics[chain, DIVERGING] = 1.0 if diverges(energy_error) else 0.0
    statistics[chain, ENERGY_ERROR] = energy_error
