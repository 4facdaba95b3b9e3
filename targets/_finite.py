"""Densities where numbers end. Must not know any target."""

import numpy as np

from mcmc_bench.kernels.jit import is_finite, jit


@jit
def finite_or_nothing(log_density, x, gradient):
    """`log_density`; or, where it or its gradient is beyond the largest number, −∞ with a gradient of zero.

    NaN where a coordinate of `x` is: a chain that has become non-finite is not brought back.
    """
    finite = is_finite(log_density)
    for i in range(x.shape[0]):
        finite = finite and is_finite(gradient[i])
    if finite:
        return log_density
    for i in range(x.shape[0]):
        gradient[i] = 0.0
    return x.sum() - np.inf
