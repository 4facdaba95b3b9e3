"""The likelihood of logistic regression for a block of chains, shared by the targets that rest on it.

Must not know any prior.
"""

import numpy as np
from scipy import special

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.target import Draw, block_density
from mcmc_bench.kernels.jit import jit
from mcmc_bench.kernels.mathematics import exp, sigmoid, softplus


@jit
def log_likelihood(coefficients, log_density, gradient, rows):
    """−Σ log(1 + e^−z) with z = a·β over the `rows` a (row, dim), which carry the sign of their label.

    Writes the log likelihood (chain,) and its gradient by the coefficients β (chain, dim). One matrix product for all
    chains each way. Safe for any z: log(1 + e^−z) = max(−z, 0) + log(1 + e^−|z|), and the last term is summed as the
    logarithm of a product, whose factors between 1 and 2 cannot overflow before the logarithm is taken of 1000 of them.
    """
    chains = coefficients.shape[0]
    weight = np.dot(coefficients, rows.T)  # (chain, row): z, then 1/(1 + e^z)
    count = rows.shape[0]
    for chain in range(chains):
        linear = 0.0
        total = 0.0
        for first in range(0, count, 1000):
            product = 1.0
            for row in range(first, min(first + 1000, count)):
                z = weight[chain, row]
                small = exp(-abs(z))
                linear += min(z, 0.0)
                product *= 1.0 + small
                weight[chain, row] = (small if z > 0.0 else 1.0) / (1.0 + small)
            total += np.log(product)
        log_density[chain] = linear - total
    np.dot(weight, rows, gradient)


@block_density
def part_of_log_density(x, log_density, gradient, data):
    """−½ ‖β‖² and n/m times the log likelihood of m rows of each chain; `data` as in `mcmc_bench.core.target.PartOfData`."""
    chains, dim = x.shape
    batch, count, room = int(data[0]), data[1], int(data[2])
    rows = data[3 + room * batch :].reshape(-1, dim)
    for chain in range(chains):
        total = 0.0
        for i in range(dim):
            gradient[chain, i] = 0.0
        for k in range(batch):
            row = rows[int(data[3 + chain * batch + k])]
            z = 0.0
            for i in range(dim):
                z += row[i] * x[chain, i]
            total -= softplus(-z)
            weight = sigmoid(-z)
            for i in range(dim):
                gradient[chain, i] += weight * row[i]
        square = 0.0
        for i in range(dim):
            square += x[chain, i] ** 2
            gradient[chain, i] = count / batch * gradient[chain, i] - x[chain, i]
        log_density[chain] = count / batch * total - 0.5 * square


def signed_rows(covariates: Array, label: Array) -> Array:
    """The rows of `covariates` (row, dim), multiplied by +1 where `label` is 1 and by −1 where it is 0."""
    return np.ascontiguousarray(covariates * np.where(label == 1, 1.0, -1.0)[:, None])


def laplace(rows: Array) -> tuple[Array, Array]:
    """The mode (dim,) of the posterior under the prior N(0, I) and the covariance (dim, dim) of the Gaussian
    approximation there, by Newton's method.
    """
    mode = np.zeros(rows.shape[1])
    for _ in range(20):  # ten reach rounding
        share = special.expit(-rows @ mode)
        curvature = (rows.T * (share * (1.0 - share))) @ rows + np.eye(len(mode))
        mode += np.linalg.solve(curvature, rows.T @ share - mode)
    return mode, np.linalg.inv(curvature)


def starts(rows: Array) -> tuple[Draw, Array]:
    """Dispersed starts and one point for the posterior under the prior N(0, I).

    Wide draws of the prior would be no better test: they misclassify so many rows that the curvature there is forty times
    that of the posterior, and a Langevin step that suits the posterior never leaves.
    """
    mode, covariance = laplace(rows)
    root = np.linalg.cholesky(covariance)
    half_way = mode / 2.0  # from the prior's mean
    return lambda generator, n: mode + 1.5 * generator.standard_normal((n, len(mode))) @ root.T, half_way
