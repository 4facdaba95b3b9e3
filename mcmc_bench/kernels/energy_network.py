"""The density of an energy network for a block of chains: one matrix product a layer for all of them, forth and back.

The network is computed in double or in single precision, as its data say; log density and gradient are double in both.
Must not know where the weights come from.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from mcmc_bench.kernels.jit import FLAGS, jit

#: Numbers before the weights, see `mcmc_bench.densities.learning.network.Network.folded`.
HEAD = 8


# Without `arcp`: with it LLVM turns a reciprocal root of 32 bits into the processor's estimate and one Newton step, which
# ends below the root. Units then err to the same side, by as much as the processor's table of estimates is coarse.
@partial(jit, fastmath=FLAGS["fastmath"] - {"arcp"})
def activate(values, bias):
    """φ(v) = v/2 · (1 + v/√(v² + 4)) at v = `values` + `bias`, in place of `values` (chain, unit); φ'(v) is returned."""
    slope = np.empty_like(values)
    number = values.dtype.type  # a number of 64 bits would make all others so
    half, one, four = number(0.5), number(1.0), number(4.0)
    for chain in range(values.shape[0]):
        for i in range(values.shape[1]):
            v = values[chain, i] + bias[i]
            square = v * v
            root = one / np.sqrt(square + four)
            ratio = v * root
            values[chain, i] = half * v * (one + ratio)
            slope[chain, i] = half + half * ratio * (one + four * root * root)
    return slope


@jit
def times(values, factors):
    """`values` (chain, unit), multiplied by `factors` in place."""
    for chain in range(values.shape[0]):
        for i in range(values.shape[1]):
            values[chain, i] *= factors[chain, i]


@jit
def add_gain(u, factor, width, rank, weights, log_density):
    """Add factor · G(u) to `log_density` (chain,); factor · ∇G(u) (chain, input) is returned."""
    chains, inputs = u.shape
    at = 0
    weight_1 = weights[at : at + inputs * width].reshape(inputs, width)
    at += inputs * width
    bias_1 = weights[at : at + width]
    at += width
    weight_2 = weights[at : at + width * width].reshape(width, width)
    at += width * width
    bias_2 = weights[at : at + width]
    at += width
    weight_3 = weights[at : at + width * width].reshape(width, width)
    at += width * width
    bias_3 = weights[at : at + width]
    at += width
    linear = weights[at : at + width]
    at += width
    quadratic = weights[at : at + width * rank].reshape(width, rank)

    hidden_1 = np.dot(u, weight_1)  # v, then φ(v)
    slope_1 = activate(hidden_1, bias_1)
    hidden_2 = np.dot(hidden_1, weight_2)
    slope_2 = activate(hidden_2, bias_2)
    hidden_3 = np.dot(hidden_2, weight_3)
    slope_3 = activate(hidden_3, bias_3)
    projected = np.dot(hidden_3, quadratic)

    back_3 = np.dot(projected, quadratic.T)  # then ∂G/∂v₃, with its factors
    number = u.dtype.type(factor)
    for chain in range(chains):
        value = 0.0
        for i in range(width):
            value += linear[i] * hidden_3[chain, i]
            back_3[chain, i] = number * (linear[i] - back_3[chain, i]) * slope_3[chain, i]
        square = 0.0
        for i in range(rank):
            square += projected[chain, i] * projected[chain, i]
        log_density[chain] += factor * (value - 0.5 * square)
    back_2 = np.dot(back_3, weight_3.T)
    times(back_2, slope_2)
    back_1 = np.dot(back_2, weight_2.T)
    times(back_1, slope_1)
    return np.dot(back_1, weight_1.T)


@jit
def add_network(x, log_density, gradient, data, weights):
    """Add to both what is not the isotropic Gaussian, computed in the precision of `weights`."""
    chains, dim = x.shape
    inputs, width, rank = int(data[2]), int(data[3]), int(data[4])
    sigma, scale = data[5], data[6]
    factor = scale / sigma
    points = np.empty((chains, dim), weights.dtype)
    if inputs == 0:
        shrinkage = 1.0 / np.sqrt(sigma**2 + scale**2)
        for chain in range(chains):
            for i in range(dim):
                points[chain, i] = shrinkage * x[chain, i]
        slope = add_gain(points, factor, width, rank, weights, log_density)
        for chain in range(chains):
            for i in range(dim):
                gradient[chain, i] += shrinkage * slope[chain, i]
        return
    directions = weights[: dim * inputs].reshape(dim, inputs)
    excess = weights[dim * inputs : (dim + 1) * inputs]
    shrinkages = weights[(dim + 1) * inputs : (dim + 2) * inputs]
    for chain in range(chains):
        for i in range(dim):
            points[chain, i] = x[chain, i]
    along = np.dot(points, directions)
    u = np.empty_like(along)
    for chain in range(chains):
        value = 0.0
        for i in range(inputs):
            u[chain, i] = shrinkages[i] * along[chain, i]
            value += excess[i] * along[chain, i] * along[chain, i]
        log_density[chain] -= 0.5 * value
    slope = add_gain(u, factor, width, rank, weights[(dim + 2) * inputs :], log_density)
    for chain in range(chains):
        for i in range(inputs):
            slope[chain, i] = shrinkages[i] * slope[chain, i] - excess[i] * along[chain, i]
    back = np.dot(slope, directions.T)
    for chain in range(chains):
        for i in range(dim):
            gradient[chain, i] += back[chain, i]


@jit
def log_density(x, log_density, gradient, data):
    """−E(x, σ) and its gradient, as in `mcmc_bench.densities.learning.network`; `data` is `Network.folded(σ)`."""
    total = data[5] ** 2 + data[7]  # σ² + λ₀, or σ² + s² where there are no directions
    for chain in range(x.shape[0]):
        square = 0.0
        for i in range(x.shape[1]):
            square += x[chain, i] ** 2
            gradient[chain, i] = -x[chain, i] / total
        log_density[chain] = -0.5 * square / total
    if data[0] == 0.0:
        add_network(x, log_density, gradient, data, data[HEAD:])
    else:
        add_network(x, log_density, gradient, data, data[HEAD:].view(np.float32))
