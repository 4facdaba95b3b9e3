"""The density of an energy network for a block of chains: one matrix product a layer for all of them, forth and back.

Must not know where the weights come from.
"""

from __future__ import annotations

import numpy as np

from mcmc_bench.kernels.jit import jit


@jit
def activate(values, bias):
    """φ(v) = v/2 · (1 + v/√(v² + 4)) at v = `values` + `bias`, in place of `values` (chain, unit); φ'(v) is returned."""
    slope = np.empty_like(values)
    for chain in range(values.shape[0]):
        for i in range(values.shape[1]):
            v = values[chain, i] + bias[i]
            square = v * v + 4.0
            root = 1.0 / np.sqrt(square)
            values[chain, i] = 0.5 * v * (1.0 + v * root)
            slope[chain, i] = 0.5 + 0.5 * v * (square + 4.0) * root / square
    return slope


@jit
def times(values, factors):
    """`values` (chain, unit), multiplied by `factors` in place."""
    for chain in range(values.shape[0]):
        for i in range(values.shape[1]):
            values[chain, i] *= factors[chain, i]


@jit
def log_density(x, log_density, gradient, data):
    """−E(x, σ) and its gradient, as in `mcmc_bench.learning.network`; `data` is `Network.folded(σ)`."""
    chains = x.shape[0]
    dim, width, rank = int(data[0]), int(data[1]), int(data[2])
    sigma, scale = data[3], data[4]
    at = 5
    weight_1 = data[at : at + dim * width].reshape(dim, width)
    at += dim * width
    bias_1 = data[at : at + width]
    at += width
    weight_2 = data[at : at + width * width].reshape(width, width)
    at += width * width
    bias_2 = data[at : at + width]
    at += width
    weight_3 = data[at : at + width * width].reshape(width, width)
    at += width * width
    bias_3 = data[at : at + width]
    at += width
    linear = data[at : at + width]
    at += width
    quadratic = data[at : at + width * rank].reshape(width, rank)

    total = sigma**2 + scale**2
    shrinkage, factor = 1.0 / np.sqrt(total), scale / sigma
    u = shrinkage * x
    hidden_1 = np.dot(u, weight_1)  # v, then φ(v)
    slope_1 = activate(hidden_1, bias_1)
    hidden_2 = np.dot(hidden_1, weight_2)
    slope_2 = activate(hidden_2, bias_2)
    hidden_3 = np.dot(hidden_2, weight_3)
    slope_3 = activate(hidden_3, bias_3)
    projected = np.dot(hidden_3, quadratic)

    back_3 = np.dot(projected, quadratic.T)  # then ∂G/∂v₃
    for chain in range(chains):
        value = 0.0
        for i in range(width):
            value += linear[i] * hidden_3[chain, i]
            back_3[chain, i] = (linear[i] - back_3[chain, i]) * slope_3[chain, i]
        for i in range(rank):
            value -= 0.5 * projected[chain, i] ** 2
        square = 0.0
        for i in range(dim):
            square += x[chain, i] ** 2
        log_density[chain] = factor * value - 0.5 * square / total
    back_2 = np.dot(back_3, weight_3.T)
    times(back_2, slope_2)
    back_1 = np.dot(back_2, weight_2.T)
    times(back_1, slope_1)
    np.dot(back_1, weight_1.T, gradient)
    for chain in range(chains):
        for i in range(dim):
            gradient[chain, i] = factor * shrinkage * gradient[chain, i] - x[chain, i] / total
