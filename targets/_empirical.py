"""The smoothed empirical distribution of examples: what a perfect learner of a score would know who only memorises.

    p(x) = (1/n) Σₖ N(x; mₖ, σ² I),   ∇log p(x) = (Σₖ rₖ mₖ − x) / σ²,   rₖ ∝ exp((x·mₖ − ½ ‖mₖ‖²) / σ²)

The score that minimises the loss of denoising over the examples mₖ exactly. Must not know what the examples are.
"""

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.target import Truth, block_density
from mcmc_bench.kernels.mathematics import exp

from .gaussian_mixture import Components

#: Times each example is taken, with noises that come in pairs of both signs, for the mean log density.
NOISES = 4


@block_density
def log_density(x, log_density, gradient, data):
    """log p without the (2π)^{−dim/2}. `data` holds n, dim, σ, all ½ ‖mₖ‖² (n,), all mₖ (n, dim).

    Two matrix products for all chains: with hundreds of components in dozens of coordinates, that is what costs.
    """
    chains, dim = x.shape
    n, sigma = int(data[0]), data[2]
    half_square = data[3 : 3 + n]
    points = data[3 + n :].reshape(n, dim)
    precision = 1.0 / sigma**2
    exponent = np.dot(x, points.T)  # (chain, example); then the shares rₖ, not yet divided by their sum
    total = np.empty(chains)
    for chain in range(chains):
        row = exponent[chain]
        largest = -np.inf
        for k in range(n):
            row[k] = precision * (row[k] - half_square[k])
            largest = max(largest, row[k])
        sum_of_shares = 0.0
        for k in range(n):
            row[k] = exp(row[k] - largest)
            sum_of_shares += row[k]
        total[chain] = sum_of_shares
        square = 0.0
        for i in range(dim):
            square += x[chain, i] ** 2
        log_density[chain] = largest + np.log(sum_of_shares / n) - 0.5 * precision * square - dim * np.log(sigma)
    np.dot(exponent, points, gradient)
    for chain in range(chains):
        for i in range(dim):
            gradient[chain, i] = precision * (gradient[chain, i] / total[chain] - x[chain, i])


def data_of(points: Array, sigma: float) -> Array:
    """The data of `log_density` for examples (n, dim) with noise σ."""
    return np.concatenate([[*points.shape, sigma], 0.5 * (points**2).sum(axis=1), points.ravel()])


def truth_of(points: Array, sigma: float, generator: np.random.Generator) -> Truth:
    """Moments in closed form, quantiles from the marginals; the mean log density by draws, with its standard error.

    For x = mⱼ + σ z it is −½ dim − dim log σ − log n, and the mean of log Σₖ exp(−‖Δ‖²/2σ² − Δ·z/σ), Δ = mⱼ − mₖ, which
    alone is left to draws: nothing where examples are far apart.
    """
    n, dim = points.shape
    components = Components(points, np.ones(n), np.full(n, sigma))
    mean, second, variance_of_square = components.moments()
    product = points @ points.T
    square = np.diag(product)
    near = -0.5 * (square[:, None] - 2.0 * product + square) / sigma**2  # (example j, example k)
    each = np.empty((n, NOISES // 2))  # of every example: strata
    for pair in range(NOISES // 2):
        z = generator.standard_normal((n, dim))
        along = (z @ points.T - (z * points).sum(axis=1)[:, None]) / sigma  # −Δ·z/σ
        # At most e^{‖z‖²/2}: no overflow.
        sums = [np.exp(near + sign * along).sum(axis=1) for sign in (1.0, -1.0)]
        each[:, pair] = 0.5 * np.log(sums).sum(axis=0)
    error = float(np.sqrt(each.var(axis=1, ddof=1).mean() / each.size))
    return Truth(
        origin="exact",
        mean=mean,
        second_moment=second,
        variance_of_square=variance_of_square,
        mean_log_density=float(each.mean() - 0.5 * dim - dim * np.log(sigma) - np.log(n)),
        mean_log_density_standard_error=error,
        quantiles=components.quantiles(),
        note="moments in closed form, quantiles from the closed distribution function, mean log density by "
        f"{n * NOISES} draws (± {error:.1g})",
    )
